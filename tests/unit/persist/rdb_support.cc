#include "tests/unit/persist/rdb_support.h"

#include "engine/base/crc.h"

namespace ringwood {

OwnedBytes with_checksum(OwnedBytes image) {
  char sum[8];
  store<uint64_t>(sum, crc64(0, image));
  return image.append(sum, sizeof sum);
}

OwnedBytes DataSet::image(const SnapshotInfo& info) {
  OwnedBytes all;
  for (const OutBuffer& chunk : encode_data_set(shards, functions, info)) all += chunk.view();
  return with_checksum(all);
}

OwnedBytes read_image(Bytes image, DataSet& into, size_t piece, const Limits& limits) {
  rdb::RdbReader reader(limits, {}, into);
  if (!piece) piece = image.size() + 1;
  for (size_t at = 0; at < image.size(); at += piece) {
    ExactCopy copy(image.substr(at, piece));
    if (reader.feed(copy.view()) == rdb::RdbReader::State::kFailed) break;
  }
  reader.end_of_input();
  return reader.error();
}

}  // namespace ringwood
