#include "persist/image_parts.h"

#include "engine/exec/engine.h"
#include "persist/rdb_reader.h"
#include "persist/rdb_writer.h"

namespace ringwood {

struct ImageParts::Piece final : Task {
  ImageParts* owner = nullptr;
  size_t shard = 0;
  OutBuffer bytes;
  bool last = false;
  OwnedBytes error;
};

// Keys that belong to another thread's shard.
struct ImageParts::Strays final : Task {
  static constexpr size_t kMost = 512;
  struct Item {
    int database;
    Entry* entry;
  };
  ImageParts* owner = nullptr;
  Part* part = nullptr;  // that they come from
  std::vector<Item> items;
  OwnedBytes duplicate;
};

// What one thread decodes.
class ImageParts::Part final : public rdb::RdbSink {
 public:
  Part(ImageParts& owner, size_t shards) : owner_(owner), strays_(shards) {}

  void run(Executor& there, Piece& piece);
  // True when the shard has taken it; otherwise the key is noted.
  bool adopt(Shard& shard, int database, Entry* entry, OwnedBytes& duplicate) const;

  uint64_t keys = 0, expired = 0;
  OwnedBytes duplicate;

 private:
  void begin(Executor& there);
  void send_strays(size_t shard);
  void on_aux(Bytes, Bytes) override {}
  void on_database(int, uint64_t, uint64_t) override {}
  void on_function(Bytes) override {}
  void on_key(const rdb::LoadedKey& key) override;

  ImageParts& owner_;
  Executor* here_ = nullptr;
  std::unique_ptr<rdb::RdbReader> reader_;
  std::vector<std::unique_ptr<Strays>> strays_;  // being filled, by shard
};

void ImageParts::Part::begin(Executor& there) {
  here_ = &there;
  reader_ = std::make_unique<rdb::RdbReader>(there.shard().limits, rdb::RdbReader::Options{there.shard().databases(), false},
                                             static_cast<rdb::RdbSink&>(*this));
  OutBuffer header;
  rdb::put_header(header, {.version = owner_.how_.version});
  reader_->feed(header.view());
}

void ImageParts::Part::run(Executor& there, Piece& piece) {
  using State = rdb::RdbReader::State;
  if (owner_.abandoned_.load(std::memory_order_relaxed)) return;
  if (!reader_ && piece.bytes.empty()) return;  // it has no part of the image
  if (!reader_) begin(there);
  State state = reader_->feed(piece.bytes.view());
  if (piece.last && state == State::kMore) {
    state = reader_->feed(rdb::kBareEnd);
    if (state == State::kMore) piece.error = "a shard's part of the image ends within a key";
  }
  if (state == State::kFailed) piece.error = reader_->error();
  for (size_t i = 0; i < strays_.size(); i++)
    if (strays_[i]) send_strays(i);
}

bool ImageParts::Part::adopt(Shard& shard, int database, Entry* entry, OwnedBytes& noted) const {
  Database& d = owner_.how_.beside ? shard.incoming(database) : shard.database(database);
  if (d.adopt(KeyRef(entry->key()), entry)) return true;
  if (noted.empty()) noted = OwnedBytes(entry->key());
  Entry::destroy(entry);
  return false;
}

void ImageParts::Part::on_key(const rdb::LoadedKey& key) {
  const How& how = owner_.how_;
  if (how.drop_expired && key.entry->expired(how.now_ms)) {
    expired++;
    return Entry::destroy(key.entry);
  }
  keys++;
  key.entry->set_access(how.access.word(key.idle_seconds, key.frequency));
  const auto shard = static_cast<size_t>(here_->engine().mapping.shard(key_slot(key.entry->key())));
  if (shard == static_cast<size_t>(here_->self())) {
    adopt(here_->shard(), key.database, key.entry, duplicate);
    return;
  }
  std::unique_ptr<Strays>& s = strays_[shard];
  if (!s) {
    s = std::make_unique<Strays>();
    s->owner = &owner_;
    s->part = this;
    s->items.reserve(Strays::kMost);
  }
  s->items.push_back({key.database, key.entry});
  if (s->items.size() == Strays::kMost) send_strays(shard);
}

void ImageParts::Part::send_strays(size_t shard) {
  Strays* s = strays_[shard].release();
  s->run = [](Task& task, Executor& there) {
    auto& strays = static_cast<Strays&>(task);
    for (const Strays::Item& i : strays.items) strays.part->adopt(there.shard(), i.database, i.entry, strays.duplicate);
  };
  s->done = [](Task& task, Executor&) {
    auto& strays = static_cast<Strays&>(task);
    if (!strays.duplicate.empty() && strays.part->duplicate.empty()) strays.part->duplicate = strays.duplicate;
    ImageParts* owner = strays.owner;
    delete &strays;
    owner->strays_.fetch_sub(1, std::memory_order_release);
  };
  owner_.strays_.fetch_add(1, std::memory_order_relaxed);
  here_->send_task(static_cast<int>(shard), s);
}

ImageParts::ImageParts(Engine& engine, Executor& home, const How& how) : how_(how), home_(home) {
  for (size_t i = 0; i < engine.shards.size(); i++) parts_.push_back(std::make_unique<Part>(*this, engine.shards.size()));
}

ImageParts::~ImageParts() = default;

void ImageParts::send(size_t shard, Piece* piece) {
  piece->owner = this;
  piece->shard = shard;
  piece->run = [](Task& task, Executor& there) {
    auto& p = static_cast<Piece&>(task);
    p.owner->parts_[p.shard]->run(there, p);
  };
  piece->done = [](Task& task, Executor&) {
    auto& p = static_cast<Piece&>(task);
    ImageParts& owner = *p.owner;
    if (!p.error.empty() && owner.error_.empty()) owner.error_ = p.error;
    owner.under_way_--;
    owner.waiting_ -= p.bytes.size();
    owner.bytes_done_ += p.bytes.size();
    delete &p;
  };
  under_way_++;
  waiting_ += piece->bytes.size();
  home_.send_task(static_cast<int>(shard), piece);
}

// There may be more parts than threads here: a chunk that ends within a value is followed by the rest of it before anything else, so
// those of several parts may stand behind one another.
void ImageParts::give(int part, Bytes bytes) {
  auto* piece = new Piece;
  piece->bytes.append(bytes);
  send(static_cast<size_t>(part - 1) % parts_.size(), piece);
}

void ImageParts::end() {
  for (size_t i = 0; i < parts_.size(); i++) {
    auto* piece = new Piece;
    piece->last = true;
    send(i, piece);
  }
}

uint64_t ImageParts::keys() const {
  uint64_t n = 0;
  for (const auto& p : parts_) n += p->keys;
  return n;
}

uint64_t ImageParts::expired() const {
  uint64_t n = 0;
  for (const auto& p : parts_) n += p->expired;
  return n;
}

OwnedBytes ImageParts::duplicate() const {
  for (const auto& p : parts_)
    if (!p->duplicate.empty()) return p->duplicate;
  return {};
}

}  // namespace ringwood
