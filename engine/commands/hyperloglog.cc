// HyperLogLogs, which are strings (engine/store/hyperloglog.h): adding, counting, merging, and the commands for debugging.
#include "engine/store/hyperloglog.h"

#include <cmath>

#include "engine/base/number.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"
#include "engine/exec/command_table.h"

namespace ringwood {
namespace {

using hyperloglog::Change;
using hyperloglog::Mark;

void corrupt(Call& c) { c.reply.error("INVALIDOBJ Corrupted HLL object detected"); }

// Whether the entry, which is there, holds a HyperLogLog; otherwise the error has been replied.
bool is_sketch(Call& c, Entry* e) {
  if (!c.typed(e, Type::kString)) return false;
  if (!e->is_int() && hyperloglog::valid(e->string_bytes())) return true;
  c.reply.error("WRONGTYPE Key is not a valid HyperLogLog string value.");
  return false;
}

Entry* create(Call& c, const KeyRef& k) {
  OwnedBytes empty = hyperloglog::empty();
  Entry* e = c.db(k).resize_string(k, nullptr, empty.size(), c.new_access());
  std::memcpy(e->string_data(), empty.data(), empty.size());
  c.notify(k, NotifyClass::kNew, "new");
  return e;
}

// Changes the sketch under a key: a dense one in its place, a sparse one, which changes in length, in a copy that is written back at the end.
class Editor {
 public:
  Editor(Call& c, const KeyRef& k, Entry* e) : call_(c), key_(k), entry_(e), copy_(room()) {
    e->set_encoding(Encoding::kRaw);  // it is one that changes, whatever SET made of it
  }
  ~Editor() {
    if (copy_.capacity() > kKept) OwnedBytes().swap(copy_);
  }
  Editor(const Editor&) = delete;
  Bytes sketch() const { return copied_ ? Bytes(copy_) : entry_->string_bytes(); }
  bool is_dense() const { return hyperloglog::is_dense(sketch()); }

  Change raise(Mark m) {
    if (is_dense()) return hyperloglog::raise_dense(copied_ ? copy_.data() : entry_->string_data(), m);
    hyperloglog::Place place;
    if (!hyperloglog::find_run(sketch(), m.index, place)) return Change::kCorrupt;
    if (place.value >= m.value) return Change::kNone;  // most often: spares the copy
    copy();
    return hyperloglog::raise(copy_, m, place, call_.options().hll_sparse_max_bytes);
  }
  bool to_dense() {
    if (is_dense()) return true;
    copy();
    return hyperloglog::to_dense(copy_);
  }
  // The entry as it is in the end; `outdated` where its estimate holds no longer.
  Entry* finish(bool outdated) {
    if (copied_) {
      entry_ = call_.db(key_).resize_string(key_, entry_, copy_.size(), entry_->access());
      std::memcpy(entry_->string_data(), copy_.data(), copy_.size());
      copied_ = false;
    }
    if (outdated) hyperloglog::outdate(entry_->string_data());
    return entry_;
  }

 private:
  static constexpr size_t kKept = 4096;
  static OwnedBytes& room() {
    thread_local OwnedBytes copy;  // kept for its memory
    return copy;
  }
  void copy() {
    if (!copied_) copy_ = entry_->string_bytes();
    copied_ = true;
  }
  Call& call_;
  const KeyRef& key_;
  Entry* entry_;
  OwnedBytes& copy_;
  bool copied_ = false;
};

void pfadd(Call& c) {
  KeyRef k = c.key(1);
  Entry* e = c.find_write(k);
  if (e && !is_sketch(c, e)) return;
  int64_t changes = 0;
  if (!e) e = create(c, k), changes++;
  Editor editor(c, k, e);
  for (Bytes element : c.args().subspan(2)) {
    Change change = editor.raise(hyperloglog::mark_of(element));
    if (change == Change::kCorrupt) {
      editor.finish(false);
      return corrupt(c);
    }
    changes += change == Change::kChanged;
  }
  editor.finish(changes > 0);
  if (changes) c.changed(k, NotifyClass::kString, "pfadd", changes);
  c.reply.integer(changes > 0);
}

// Raises the registers to those of the keys from argument 1 on; absent ones are empty. False: the error has been replied.
bool merge_keys(Call& c, hyperloglog::Registers& registers, bool& any_dense) {
  for (size_t i = 1; i < c.argc(); i++) {
    Entry* e = c.find_read(c.key(i));
    if (!e) continue;
    if (!is_sketch(c, e)) return false;
    any_dense = any_dense || hyperloglog::is_dense(e->string_bytes());
    if (hyperloglog::merge(e->string_bytes(), registers)) continue;
    corrupt(c);
    return false;
  }
  return true;
}

void count_union(Call& c) {
  hyperloglog::Registers registers{};
  bool any_dense = false;
  if (merge_keys(c, registers, any_dense)) c.reply.integer(static_cast<int64_t>(hyperloglog::count(registers)));
}

void pfcount(Call& c) {
  if (c.argc() > 2) return count_union(c);
  KeyRef k = c.key(1);
  Entry* e = c.find_read(k);
  if (!e) return c.reply.integer(0);
  if (!is_sketch(c, e)) return;
  e->set_encoding(Encoding::kRaw);
  uint64_t n;
  if (!hyperloglog::cached_count(e->string_bytes(), n)) {
    if (!hyperloglog::count(e->string_bytes(), n)) return corrupt(c);
    // The value changes by this, though the command reads: replicas and the log get it.
    hyperloglog::cache_count(e->string_data(), n);
    c.modified(k);
    c.add_dirty(k, 1);
  }
  c.reply.integer(static_cast<int64_t>(n));
}

void pfmerge(Call& c) {
  hyperloglog::Registers registers{};
  bool any_dense = false;
  if (!merge_keys(c, registers, any_dense)) return;
  KeyRef k = c.key(1);
  Entry* e = c.find_write(k);
  if (!e) e = create(c, k);
  Editor editor(c, k, e);
  if (any_dense) editor.to_dense();  // cannot fail: merging has read the runs
  for (unsigned i = 0; i < hyperloglog::kRegisters; i++)
    if (registers[i]) editor.raise({i, registers[i]});
  editor.finish(true);
  c.changed(k, NotifyClass::kString, "pfadd");
  c.reply.ok();
}

// --- debugging

// Makes the sketch dense, which counts as a change. False: the error has been replied.
bool make_dense(Call& c, const KeyRef& k, Entry*& e) {
  if (hyperloglog::is_dense(e->string_bytes())) return true;
  Editor editor(c, k, e);
  if (!editor.to_dense()) return corrupt(c), false;
  e = editor.finish(false);
  c.add_dirty(k, 1);
  return true;
}

void pfdebug(Call& c) {
  KeyRef k = c.key(2);
  Entry* e = c.find_write(k);
  if (!e) return c.reply.error("ERR The specified key does not exist");
  if (!is_sketch(c, e)) return;
  e->set_encoding(Encoding::kRaw);
  Bytes what = c.arg(1);
  bool dense = hyperloglog::is_dense(e->string_bytes());
  if (Call::is_word(what, "getreg")) {
    if (!make_dense(c, k, e)) return;
    c.reply.array(hyperloglog::kRegisters);
    for (unsigned i = 0; i < hyperloglog::kRegisters; i++) c.reply.integer(hyperloglog::value_at(e->string_bytes(), i));
  } else if (Call::is_word(what, "decode")) {
    dense ? c.reply.error("ERR HLL encoding is not sparse") : c.reply.bulk(hyperloglog::describe_runs(e->string_bytes()));
  } else if (Call::is_word(what, "encoding")) {
    c.reply.simple(dense ? "dense" : "sparse");
  } else if (Call::is_word(what, "todense")) {
    if (make_dense(c, k, e)) c.reply.integer(!dense);
  } else {
    OwnedBytes text("ERR Unknown PFDEBUG subcommand '");
    c.reply.error(text.append(what).append("'"));
  }
}

// Each register of a dense sketch holds what was put there. False: the error has been replied.
bool test_registers(Call& c) {
  OwnedBytes dense = hyperloglog::empty();
  hyperloglog::to_dense(dense);
  std::array<unsigned, hyperloglog::kRegisters> wanted;
  for (int round = 0; round < 1000; round++) {
    for (unsigned i = 0; i < wanted.size(); i++) {
      wanted[i] = static_cast<unsigned>(c.random().next()) & hyperloglog::kRegisterMax;
      hyperloglog::set_dense(dense.data(), {i, wanted[i]});
    }
    for (unsigned i = 0; i < wanted.size(); i++) {
      int value = hyperloglog::value_at(dense, i);
      if (value == static_cast<int>(wanted[i])) continue;
      c.reply.error("ERR TESTFAILED Register " + int64_text(i) + " should be " + int64_text(wanted[i]) + " but is " + int64_text(value));
      return false;
    }
  }
  return true;
}

// The error to reply after `n` elements, or an empty text.
OwnedBytes check_estimates(Bytes dense, Bytes sparse, int64_t n, uint64_t sparse_max) {
  if (static_cast<uint64_t>(n) < sparse_max / 2 && hyperloglog::is_dense(sparse)) return "ERR TESTFAILED sparse encoding not used";
  uint64_t estimate = 0, other = 0;
  if (!hyperloglog::count(dense, estimate) || !hyperloglog::count(sparse, other) || estimate != other)
    return "ERR TESTFAILED dense/sparse disagree";
  // Six times the standard error; ten elements have more often than not no error at all, and one collision is not rare.
  double allowed = n == 10 ? 1 : std::ceil(1.04 / std::sqrt(hyperloglog::kRegisters) * 6 * static_cast<double>(n));
  int64_t fault = std::abs(n - static_cast<int64_t>(estimate));
  if (static_cast<double>(fault) <= allowed) return {};
  return "ERR TESTFAILED Too big error. card:" + int64_text(n) + " abserr:" + int64_text(fault);
}

void pfselftest(Call& c) {
  if (!test_registers(c)) return;
  OwnedBytes sparse = hyperloglog::empty(), dense = sparse;
  hyperloglog::to_dense(dense);
  uint64_t seed = c.random().next(), sparse_max = c.options().hll_sparse_max_bytes;
  int64_t checkpoint = 1;
  for (int64_t n = 1; n <= 10'000'000; n++) {
    char element[8];
    store(element, static_cast<uint64_t>(n) ^ seed);
    Mark m = hyperloglog::mark_of({element, sizeof element});
    hyperloglog::raise_dense(dense.data(), m);
    hyperloglog::raise(sparse, m, sparse_max);
    if (n != checkpoint) continue;
    checkpoint *= 10;
    if (OwnedBytes error = check_estimates(dense, sparse, n, sparse_max); !error.empty()) return c.reply.error(error);
  }
  c.reply.ok();
}

// --- the table

constexpr KeySpec kAddedKey[] = {{.flags = kKeyRW | kKeyInsert, .index = 1}};
constexpr KeySpec kCountedKeys[] = {
    {.flags = kKeyRW | kKeyAccess,
     .index = 1,
     .last = -1,
     .notes = "RW because it may change the internal representation of the key, and propagate to replicas"}};
constexpr KeySpec kMergedKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyInsert, .index = 1},
                                   {.flags = kKeyRO | kKeyAccess, .index = 2, .last = -1}};
constexpr KeySpec kDebuggedKey[] = {{.flags = kKeyRW | kKeyAccess, .index = 2}};

constexpr CommandSpec kSpecs[] = {
    {.name = "pfadd",
     .arity = -2,
     .flags = kWrite | kDenyOom | kFast,
     .run = pfadd,
     .keys = kAddedKey,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "O(1) an element",
     .summary = "Adds elements to a HyperLogLog.",
     .syntax = "key:key [element...]"},
    {.name = "pfcount",
     .arity = -2,
     .flags = kReadOnly | kMayReplicate,
     .run = pfcount,
     .keys = kCountedKeys,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "O(1) for one key, whose estimate is kept; O(N) for N keys",
     .summary = "Estimates how many different elements one HyperLogLog, or several together, have seen.",
     .syntax = "key:key..."},
    {.name = "pfdebug",
     .arity = 3,
     .flags = kWrite | kDenyOom | kAdmin,
     .run = pfdebug,
     .keys = kDebuggedKey,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "N/A",
     .summary = "Shows the registers or the encoding of a HyperLogLog.",
     .syntax = "subcommand key:key"},
    {.name = "pfmerge",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .run = pfmerge,
     .keys = kMergedKeys,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "O(N) for N keys",
     .summary = "Merges HyperLogLogs into one.",
     .syntax = "destkey:key [sourcekey:key...]"},
    {.name = "pfselftest",
     .arity = 1,
     .flags = kAdmin,
     .route = Route::kHere,
     .run = pfselftest,
     .group = Group::kHyperLogLog,
     .since = "2.8.9",
     .complexity = "N/A",
     .summary = "Tests the implementation of HyperLogLogs; takes a second or two."},
};

}  // namespace

std::span<const CommandSpec> hyperloglog_commands() { return kSpecs; }

}  // namespace ringwood
