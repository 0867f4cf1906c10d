// Feeds arbitrary bytes to the RDB reader, in pieces whose sizes the input itself chooses, and walks what is accepted: nothing may crash, and the pieces
// may not matter.
// The first byte is the seed of the pieces; what follows is the file. A checksum that does not fit is ignored, or hardly any input would get anywhere.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "engine/exec/digest.h"
#include "persist/dump.h"
#include "persist/rdb_reader.h"

namespace {

using namespace ringwood;

class Collector final : public rdb::RdbSink {
 public:
  void on_aux(Bytes, Bytes) override { events++; }
  void on_database(int, uint64_t, uint64_t) override { events++; }
  void on_function(Bytes) override { events++; }
  void on_key(const rdb::LoadedKey& key) override {
    events++;
    Digest d = value_digest(*key.entry);
    for (size_t i = 0; i < d.size(); i++) sum[i] ^= d[i];
    // What was accepted can be written and read again.
    OutBuffer payload;
    make_dump(payload, *key.entry, {rdb::kMaxWriteVersion, true});
    Entry* again = nullptr;
    if (restore_dump(payload.view(), key.entry->key(), key.entry->has_node(), {}, again) != RestoreStatus::kRestored) std::abort();
    if (key.entry->expiry_ms() != -1) again->node()->when_ms = 1;
    if (value_digest(*again) != d) std::abort();
    Entry::destroy(again);
    Entry::destroy(key.entry);
  }
  size_t events = 0;
  Digest sum{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Bytes file(reinterpret_cast<const char*>(data) + 1, size - 1);
  Collector whole, pieces;
  const rdb::RdbReader::Options options{16, false};
  const Limits limits;
  rdb::RdbReader first(limits, options, whole);
  first.feed(file);
  first.end_of_input();

  rdb::RdbReader second(limits, options, pieces);
  uint32_t state = data[0];
  for (size_t at = 0; at < file.size();) {
    state = state * 1664525 + 1013904223;
    size_t n = 1 + (state >> 24) % 37;
    std::vector<char> exact(file.begin() + static_cast<std::ptrdiff_t>(at),
                            file.begin() + static_cast<std::ptrdiff_t>(std::min(at + n, file.size())));
    second.feed({exact.data(), exact.size()});
    at += n;
  }
  second.end_of_input();
  if (first.state() != second.state() || first.error() != second.error() || whole.events != pieces.events || whole.sum != pieces.sum)
    std::abort();
  return 0;
}
