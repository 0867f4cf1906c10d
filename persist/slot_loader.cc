#include "persist/slot_loader.h"

#include <utility>

#include "persist/access_word.h"
#include "persist/rdb_format.h"
#include "persist/rdb_writer.h"

namespace ringwood {

bool SlotLoader::take(Executor& here, Bytes piece, bool goes_on) {
  if (!error_.empty()) return false;
  here_ = &here;
  if (!reader_) {
    reader_ = std::make_unique<rdb::RdbReader>(here.shard().limits, rdb::RdbReader::Options{1, false}, static_cast<rdb::RdbSink&>(*this));
    OutBuffer header;
    rdb::put_header(header, {.version = rdb::kMaxReadVersion});
    reader_->feed(header.view());
    open_.fetch_add(1, std::memory_order_relaxed);
  }
  if (reader_->feed(piece) == rdb::RdbReader::State::kFailed) error_ = reader_->error();
  if (!goes_on) {
    // The end of a file would have to stand here: what is missing otherwise is the rest of a key.
    if (error_.empty() && reader_->feed(rdb::kBareEnd) != rdb::RdbReader::State::kEnd) error_ = "a piece of the image ends within a key";
    close();
  }
  return error_.empty();
}

void SlotLoader::close() {
  if (std::exchange(reader_, nullptr)) open_.fetch_sub(1, std::memory_order_relaxed);
}

void SlotLoader::on_key(const rdb::LoadedKey& key) {
  const AccessRule access = AccessRule::of(here_->options(), here_->now_ms());
  key.entry->set_access(access.word(key.idle_seconds, key.frequency));
  const KeyRef k(key.entry->key());
  Shard& s = engine_.shard_of(k.slot);
  if (!s.database(database_).adopt(k, key.entry)) {
    error_ = "a key stands in the image twice";
    return Entry::destroy(key.entry);
  }
  s.stats.dirty.add();
  keys_++;
}

}  // namespace ringwood
