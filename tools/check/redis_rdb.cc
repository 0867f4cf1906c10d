#include <cstdio>
#include <cstring>
#include <iterator>

#include "engine/base/clock.h"
#include "engine/base/conf_file.h"
#include "tools/check/redis_forms.h"

namespace ringwood {
namespace {

using Doing = rdb::RdbReader::Doing;
using Fault = rdb::RdbReader::Fault;
using ull = unsigned long long;

const char* doing_name(Doing d) {
  switch (d) {
    case Doing::kStart: return "start";
    case Doing::kType: return "read-type";
    case Doing::kExpiry: return "read-expire";
    case Doing::kKey: return "read-key";
    case Doing::kValue: return "read-object-value";
    case Doing::kChecksum: return "check-sum";
    case Doing::kLength: return "read-len";
    case Doing::kAux: return "read-aux";
    case Doing::kModuleAux: return "read-module-aux";
    case Doing::kFunction: return "read-functions";
  }
  return "";
}

const char* type_text(unsigned type) {
  static constexpr const char* kNames[] = {"string",
                                           "list-linked",
                                           "set-hashtable",
                                           "zset-v1",
                                           "hash-hashtable",
                                           "zset-v2",
                                           "module-pre-release",
                                           "module-value",
                                           "",
                                           "hash-zipmap",
                                           "list-ziplist",
                                           "set-intset",
                                           "zset-ziplist",
                                           "hash-ziplist",
                                           "quicklist",
                                           "stream",
                                           "hash-listpack",
                                           "zset-listpack",
                                           "quicklist-v2",
                                           "stream-v2",
                                           "set-listpack",
                                           "stream-v3"};
  return type < std::size(kNames) ? kNames[type] : "unknown";
}

OwnedBytes reason_in_its_words(const WalkResult& r) {
  switch (r.image_fault) {
    case Fault::kCutShort:
      return r.doing == Doing::kFunction ? "Failed loading library, Failed loading library payload" : "Unexpected EOF reading RDB file";
    case Fault::kNoImage: return "Wrong signature trying to load DB from file";
    case Fault::kVersion: return "Can't handle RDB format version " + std::to_string(r.version);
    case Fault::kUnknownType: return "Invalid object type: " + std::to_string(r.type);
    case Fault::kChecksum: return "RDB CRC error";
    default: return r.reason;
  }
}

class RdbSinkOfFile final : public WalkSink {
 public:
  explicit RdbSinkOfFile(ImageTeller& teller) : teller_(teller) {}
  const FileWalk* walk = nullptr;

 private:
  void on_aux(Bytes name, Bytes value) override { teller_.on_aux(walk->image_offset(), name, value); }
  void on_select(int database) override { teller_.on_select(walk->image_offset(), database); }
  void on_database(int, uint64_t, uint64_t) override {}
  void on_function(Bytes) override {}
  void on_key(const rdb::LoadedKey& key) override {
    teller_.on_key(*key.entry);
    Entry::destroy(key.entry);
  }
  // What follows an image is not looked at.
  bool on_command(std::span<const Bytes>, uint64_t) override { return false; }
  bool on_note(Bytes, uint64_t) override { return false; }
  bool on_progress(uint64_t) override { return true; }

  ImageTeller& teller_;
};

}  // namespace

void ImageTeller::begin(const OwnedBytes& path) const { std::printf("[offset 0] Checking RDB file %s\n", path.c_str()); }

// Names and values end at a NUL, as Redis prints them.
void ImageTeller::on_aux(uint64_t offset, Bytes name, Bytes value) const {
  std::printf("[offset %llu] AUX FIELD %s = '%s'\n", static_cast<ull>(offset), OwnedBytes(name).c_str(), OwnedBytes(value).c_str());
}

void ImageTeller::on_select(uint64_t offset, int database) const {
  std::printf("[offset %llu] Selecting DB ID %d\n", static_cast<ull>(offset), database);
}

void ImageTeller::on_key(const Entry& e) {
  keys_++;
  if (e.expiry_ms() >= 0) timed_++;
  if (e.expired(now_ms_)) expired_++;
}

void ImageTeller::figures(uint64_t more_keys) const {
  std::printf("[info] %llu keys read\n[info] %llu expires\n[info] %llu already expired\n", static_cast<ull>(keys_) + more_keys,
              static_cast<ull>(timed_), static_cast<ull>(expired_));
}

bool ImageTeller::end(const WalkResult& r) const {
  if (r.image_whole) {
    auto at = static_cast<ull>(r.image_end);
    if (r.version >= rdb::kFirstWithChecksum)
      std::printf("[offset %llu] %s\n", at, r.checksum ? "Checksum OK" : "RDB file was saved with checksum disabled: no check performed.");
    std::printf("[offset %llu] \\o/ RDB looks OK! \\o/\n", at);
    figures(0);
    return true;
  }
  // It has read the header, or the checksum, when it finds fault with that.
  uint64_t at = r.offset;
  if (r.image_fault == Fault::kVersion || r.image_fault == Fault::kNoImage) at = rdb::kHeaderBytes;
  if (r.image_fault == Fault::kChecksum) at += rdb::kChecksumBytes;
  if (r.image_fault == Fault::kUnknownType) at += 1;
  if (r.image_fault == Fault::kCutShort && (r.doing == Doing::kStart || r.doing == Doing::kChecksum)) at = r.image_reached;
  std::printf("--- RDB ERROR DETECTED ---\n[offset %llu] %s\n[additional info] While doing: %s\n", static_cast<ull>(at),
              reason_in_its_words(r).c_str(), doing_name(r.doing));
  if (r.doing == Doing::kValue) std::printf("[additional info] Reading key '%s'\n", r.key.c_str());
  // Its type is 0 until a first key, and unset between two.
  if (r.doing == Doing::kValue || r.doing == Doing::kKey)
    std::printf("[additional info] Reading type %d (%s)\n", r.type, type_text(r.type));
  else if (!keys_)
    std::printf("[additional info] Reading type 0 (string)\n");
  figures(r.doing == Doing::kValue);
  return false;
}

int redis_check_rdb(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "Usage: %s <rdb-file-name>\n", argv[0]);
    return 1;
  }
  if (!std::strcmp(argv[1], "-v") || !std::strcmp(argv[1], "--version")) {
    std::printf("redis-check-rdb %s\n", OwnedBytes(kCompatibleRedisVersion).c_str());
    return 0;
  }
  ImageTeller teller(SystemClock().unix_ms());
  RdbSinkOfFile sink(teller);
  WalkOptions options;
  options.image = true;
  FileWalk walk(sink);
  sink.walk = &walk;
  teller.begin(argv[1]);
  WalkResult r = walk.walk(argv[1], options);
  if (r.end == WalkResult::End::kUnreadable) return 1;
  return teller.end(r) ? 0 : 1;
}

}  // namespace ringwood
