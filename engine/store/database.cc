#include "engine/store/database.h"

#include <algorithm>
#include <cassert>

#include "engine/base/memory.h"
#include "engine/base/number.h"
#include "engine/store/volatile_hash.h"

namespace ringwood {

Database::Database(int number, int shard, SlotMapping mapping, ExpiryIndex* expiry, ExpiryIndex* field_expiry, Graveyard* graveyard)
    : number_(number), shard_(shard), mapping_(mapping), expiry_(expiry), field_expiry_(field_expiry), graveyard_(graveyard) {}

Database::~Database() { clear(); }

void Database::make_tables() {
  size_t n = static_cast<size_t>(mapping_.slots_of(shard_));
  tables_.make(n);
  used_.assign((n + 63) / 64, 0);
  keys_in_group_.assign((n + kGroup - 1) / kGroup, 0);
  buckets_in_group_.assign((n + kGroup - 1) / kGroup, 0);
  buckets_ = 0;
}

__attribute__((cold)) void Database::tell_guard(Entry* e) const {
  if (e->epoch() != epoch_) guard_->save_now(*this, e);
}

Table& Database::table(uint16_t slot) {
  if (__builtin_expect(!tables_, 0)) make_tables();
  return at(slot);
}

void Database::insert(const KeyRef& k, Entry* e) {
  e->set_epoch(epoch_);
  Table& t = table(k.slot);
  int local = mapping_.local(k.slot);
  size_t buckets = t.buckets();
  t.insert(e, k.hash);
  if (t.buckets() != buckets) count_buckets(local, buckets, t.buckets());
  if (t.size() == 1) tables_.count_used(1);
  used_[static_cast<size_t>(local) / 64] |= uint64_t{1} << (local % 64);
  keys_in_group_[static_cast<size_t>(local) / kGroup]++;
  size_++;
}

void Database::drop_node(Entry* e) {
  if (!e->has_node() || !e->node()->when_ms) return;
  expiry_->remove(e->node());
  volatile_--;
  expiry_sum_ -= e->node()->when_ms / kExpiryUnitMs;
}

void Database::link_node(Entry* e, int64_t when_ms) {
  ExpiryNode* n = e->node();
  n->when_ms = static_cast<uint64_t>(when_ms < kMaxExpiryMs ? when_ms : kMaxExpiryMs);
  n->database = static_cast<uint16_t>(number_);
  expiry_->add(n);
  volatile_++;
  expiry_sum_ += n->when_ms / kExpiryUnitMs;
}

void Database::drop_fields(Entry* e) {
  if (!volatile_hash::is(e->object())) return;
  ExpiryNode& n = volatile_hash::head(e->object()).node;
  if (!n.when_ms) return;
  field_expiry_->remove(&n);
  n.when_ms = 0;
  timed_hashes_--;
}

void Database::field_times_changed(Entry* e) {
  if (e->type() != Type::kHash || !volatile_hash::is(e->object())) return;
  VolatileHash& head = volatile_hash::head(e->object());
  ExpiryNode& n = head.node;
  head.entry = e;  // it may have become a hash of this kind where it stands
  auto earliest = static_cast<uint64_t>(volatile_hash::earliest(e->object()));
  // Handed out by the index it is unlinked, and asks to be linked again at whatever time.
  if (n.when_ms == earliest && (n.prev || !earliest)) return;
  drop_fields(e);
  if (!earliest) return;
  n.when_ms = earliest & ((uint64_t{1} << 48) - 1);
  n.database = static_cast<uint16_t>(number_);
  field_expiry_->add(&n);
  timed_hashes_++;
}

// Puts `fresh` where the key's entry stands, or adds it; the old entry is freed. Where the expiry is set, or kept and there is one, `fresh` has a node.
Entry* Database::replace(const KeyRef& k, Entry* fresh, int64_t expiry, uint32_t access) {
  fresh->set_access(access);
  const Place place = tables_ ? at(k.slot).find(k.key, k.hash) : Place();
  Entry* old = place ? place.entry() : nullptr;
  if (old) {
    before_write(old);
    fresh->set_epoch(epoch_);
    place.put(fresh);
  } else {
    insert(k, fresh);
  }
  if (expiry > 0) {
    if (old) drop_node(old);
    link_node(fresh, expiry);
  } else if (old && expiry == kKeepExpiry && old->expiry_ms() >= 0) {
    *fresh->node() = *old->node();
    ExpiryIndex::moved(fresh->node());
  } else if (old) {
    drop_node(old);
  }
  if (old) {
    if (old->type() == Type::kHash) drop_fields(old);
    discard(old);
  }
  return fresh;
}

// Whether an entry can take a new value with this fate of its expiry where it stands: with a node where one is needed, and without one to waste.
static bool expiry_fits(const Entry* old, int64_t expiry) {
  if (!old->has_node()) return expiry <= 0;
  return expiry > 0 || (expiry == Database::kKeepExpiry && old->node()->when_ms);
}

static bool wants_node(const Entry* old, int64_t expiry) {
  return expiry > 0 || (expiry == Database::kKeepExpiry && old && old->expiry_ms() >= 0);
}

Entry* Database::set_string(const KeyRef& k, Entry* old, Bytes value, int64_t expiry, uint32_t access) {
  int64_t number;
  if (value.size() <= 20 && parse_int64(value, number)) return set_int(k, old, number, expiry, access);
  return set_text(k, old, value, expiry, access);
}

Entry* Database::set_text(const KeyRef& k, Entry* old, Bytes value, int64_t expiry, uint32_t access) {
  Encoding encoding = value.size() <= Entry::kEmbstrMax ? Encoding::kEmbstr : Encoding::kRaw;
  if (old && old->type() == Type::kString && !old->has_object() && expiry_fits(old, expiry)) {
    // In place, where the bytes fit without wasting more than the allocator's next smaller class would.
    bool fits = value.size() == old->inline_size();
    if (!fits && value.size() <= Entry::kInlineMax) {
      size_t capacity = old->inline_capacity();
      fits = value.size() <= capacity && value.size() + 16 + value.size() / 4 >= capacity;
    }
    if (fits) {
      assert(may_change(old));
      old->set_inline_size(static_cast<uint32_t>(value.size()));
      std::memcpy(old->string_data(), value.data(), value.size());
      old->set_encoding(encoding);
      old->set_access(access);
      if (expiry > 0) set_expiry(k, old, expiry);
      return old;
    }
  }
  return replace(k, Entry::make_string(k.key, value, encoding, wants_node(old, expiry)), expiry, access);
}

Entry* Database::set_int(const KeyRef& k, Entry* old, int64_t value, int64_t expiry, uint32_t access) {
  if (old && old->is_int() && expiry_fits(old, expiry)) {
    assert(may_change(old));
    old->set_int(value);
    old->set_access(access);
    if (expiry > 0) set_expiry(k, old, expiry);
    return old;
  }
  return replace(k, Entry::make_int(k.key, value, wants_node(old, expiry)), expiry, access);
}

Entry* Database::resize_string(const KeyRef& k, Entry* e, size_t size, uint32_t access) {
  assert(!e || may_change(e));
  char scratch[24];
  Bytes old = e ? e->string_view(scratch) : Bytes("");  // never null: memcpy may not be given that, not even for no bytes
  size_t keep = old.size() < size ? old.size() : size;
  if (e && e->has_block() && size <= e->object().as<StringBlock>()->capacity) {
    auto* block = e->object().as<StringBlock>();
    if (size > block->size) std::memset(block->data() + block->size, 0, size - block->size);
    block->size = static_cast<uint32_t>(size);
    return e;
  }
  if (e && e->has_block()) {  // grow the block with slack; the entry stays
    auto* block = e->object().as<StringBlock>();
    size_t room = size < (1u << 20) ? size * 2 : size + (1u << 20);  // Redis's own growth rule (sds.c)
    size_t bytes = memory::good_size(room + 8);
    block = static_cast<StringBlock*>(memory::reallocate(block, bytes));
    block->capacity = static_cast<uint32_t>(bytes - 8);
    std::memset(block->data() + block->size, 0, size - block->size);
    block->size = static_cast<uint32_t>(size);
    e->object().reset(Encoding::kRaw, block);
    return e;
  }
  if (e && !e->is_int() && size <= e->inline_capacity()) {
    if (size > keep) std::memset(e->string_data() + keep, 0, size - keep);
    e->set_inline_size(static_cast<uint32_t>(size));
    e->set_encoding(Encoding::kRaw);
    return e;
  }
  bool volatile_key = e && e->expiry_ms() >= 0;
  Entry* fresh;
  if (size <= Entry::kInlineMax) {
    // A second change is likely: twice the room, up to what stays inline.
    size_t room = e && size * 2 <= Entry::kInlineMax ? size * 2 : size;
    fresh = Entry::make_string_space(k.key, static_cast<uint32_t>(room), Encoding::kRaw, volatile_key);
    fresh->set_inline_size(static_cast<uint32_t>(size));
  } else {
    size_t bytes = memory::good_size(size + size / 4 + 8);
    auto* block = static_cast<StringBlock*>(memory::allocate(bytes));
    block->capacity = static_cast<uint32_t>(bytes - 8);
    block->size = static_cast<uint32_t>(size);
    fresh = Entry::make_object(k.key, Type::kString, Object(Encoding::kRaw, block), volatile_key);
  }
  char* data = fresh->string_data();
  std::memcpy(data, old.data(), keep);
  std::memset(data + keep, 0, size - keep);
  return replace(k, fresh, volatile_key ? kKeepExpiry : kDropExpiry, access);
}

Entry* Database::set_object(const KeyRef& k, Type type, Object object, uint32_t access) {
  Entry* e = replace(k, Entry::make_object(k.key, type, object, false), kDropExpiry, access);
  field_times_changed(e);
  return e;
}

bool Database::adopt(const KeyRef& k, Entry* e) {
  if (find(k)) return false;
  insert(k, e);
  if (e->expiry_ms() >= 0) {
    e->node()->database = static_cast<uint16_t>(number_);
    expiry_->add(e->node());
    volatile_++;
    expiry_sum_ += e->node()->when_ms / kExpiryUnitMs;
  }
  field_times_changed(e);
  return true;
}

Entry* Database::detach(const KeyRef& k) {
  if (!tables_) return nullptr;
  int local = mapping_.local(k.slot);
  Table& t = at(k.slot);
  const Place place = t.find(k.key, k.hash);
  if (!place) return nullptr;
  before_write(place.entry());
  size_t buckets = t.buckets();
  Entry* e = t.detach(place, k.hash);
  if (t.buckets() != buckets) count_buckets(local, buckets, t.buckets());
  if (t.empty()) {
    used_[static_cast<size_t>(local) / 64] &= ~(uint64_t{1} << (local % 64));
    tables_.count_used(-1);
  }
  unlink(e);
  keys_in_group_[static_cast<size_t>(local) / kGroup]--;
  size_--;
  return e;
}

Entry* Database::give_away(const KeyRef& k) {
  Entry* e = detach(k);
  if (e && guarded()) guard_->give_away(*e);
  return e;
}

bool Database::erase(const KeyRef& k) {
  Entry* e = detach(k);
  if (!e) return false;
  discard(e);
  return true;
}

void Database::discard(Entry* e) const {
  if (!guarded() || !guard_->take_over(e)) graveyard_->bury(e);
}

Entry* Database::set_expiry(const KeyRef& k, Entry* e, int64_t when_ms) {
  before_write(e);
  if (!e->has_node()) {
    const Place place = at(k.slot).find(k.key, k.hash);
    e = Entry::remake(e, k.key, true);
    place.put(e);
  }
  drop_node(e);
  link_node(e, when_ms);
  return e;
}

bool Database::clear_expiry(Entry* e) {
  if (e->expiry_ms() < 0) return false;
  before_write(e);
  drop_node(e);
  e->node()->when_ms = 0;
  return true;
}

int Database::next_used_slot(int slot) const {
  if (!size_ || slot >= kSlots) return -1;
  // The first local index whose slot is not below `slot`.
  int local = (slot - shard_ + mapping_.shards - 1) / mapping_.shards;
  if (slot <= shard_) local = 0;
  size_t word = static_cast<size_t>(local) / 64;
  if (word >= used_.size()) return -1;
  uint64_t bits = used_[word] & (~uint64_t{0} << (local % 64));
  while (!bits) {
    if (++word >= used_.size()) return -1;
    bits = used_[word];
  }
  return mapping_.slot_of(shard_, static_cast<int>(word * 64) + __builtin_ctzll(bits));
}

void Database::clear() {
  if (!size_) return;
  if (guard_) {
    if (volatile_ || timed_hashes_) for_each([this](Entry* e) { unlink(e); });
    guard_->keep(*this, std::move(tables_));
  } else {
    graveyard_->bury(std::move(tables_), size_);
  }
  make_tables();
  size_ = 0;
  volatile_ = 0;
  timed_hashes_ = 0;
  expiry_sum_ = 0;
  put_off_.clear();
}

// --- keys of another database

void Database::absorb_table(Database& from, int local) {
  Table &own = tables_[static_cast<size_t>(local)], &other = from.tables_[static_cast<size_t>(local)];
  from.tables_.count_used(-1);
  const size_t group = static_cast<size_t>(local) / kGroup;
  if (own.empty()) {
    const size_t keys = other.size(), own_buckets = own.buckets(), other_buckets = other.buckets();
    own.swap(other);
    tables_.count_used(1);
    count_buckets(local, own_buckets, other_buckets);
    from.count_buckets(local, other_buckets, own_buckets);
    keys_in_group_[group] += keys;
    size_ += keys;
    used_[static_cast<size_t>(local) / 64] |= uint64_t{1} << (local % 64);
    return;
  }
  const size_t other_buckets = other.buckets();
  size_t all = ~size_t{0};
  other.take_some(all, [&](Entry* e) {
    KeyRef k(e->key());
    from.before_write(e);  // what is copied under way is of that database
    if (!find(k)) return insert(k, e);
    from.unlink(e);
    from.discard(e);
  });
  from.count_buckets(local, other_buckets, 0);
}

void Database::absorb(Database& from) {
  if (from.size_) {
    if (guarded()) guard_->absorbed(from, *this);
    if (!tables_) make_tables();
    for (int s = from.next_used_slot(0); s >= 0; s = from.next_used_slot(s + 1))
      absorb_table(from, mapping_.local(static_cast<uint16_t>(s)));
    from.used_.assign(from.used_.size(), 0);
    from.keys_in_group_.assign(from.keys_in_group_.size(), 0);
    from.size_ = 0;
    volatile_ += from.volatile_;
    timed_hashes_ += from.timed_hashes_;
    expiry_sum_ += from.expiry_sum_;
    from.volatile_ = 0;
    from.timed_hashes_ = 0;
    from.expiry_sum_ = 0;
  }
  relink(from);
  from.put_off_.clear();
}

void Database::relink(const Database& from) {
  for (const OwnedBytes& key : from.put_off_) {
    Entry* e = find(KeyRef(key));
    if (!e) continue;
    if (e->expiry_ms() >= 0 && !e->node()->prev) expiry_->add(e->node());
    field_times_changed(e);
  }
}

void Database::put_off(const Entry* e) {
  if (put_off_.size() >= put_off_limit_) {
    std::erase_if(put_off_, [this](const OwnedBytes& key) { return !find(KeyRef(key)); });
    put_off_limit_ = std::max<size_t>(1024, put_off_.size() * 2);
  }
  put_off_.emplace_back(e->key());
}

int64_t Database::mean_ttl_ms(int64_t now_ms) const {
  size_t keys = volatile_;
  if (!keys) return 0;
  int64_t mean = static_cast<int64_t>(expiry_sum_ / keys) * kExpiryUnitMs - now_ms;
  return mean > 0 ? mean : 0;
}

size_t Database::table_memory() const {
  if (!tables_) return 0;
  size_t sum = tables_.memory();
  for (int s = next_used_slot(0); s >= 0; s = next_used_slot(s + 1)) sum += at(static_cast<uint16_t>(s)).memory();
  return sum;
}

}  // namespace ringwood
