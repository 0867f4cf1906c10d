#include "tests/unit/persist/rdb_support.h"

#include <algorithm>

#include "engine/base/crc.h"
#include "persist/snapshot_head.h"
#include "persist/snapshot_walk.h"

namespace ringwood {

OwnedBytes with_checksum(OwnedBytes image) {
  char sum[8];
  store<uint64_t>(sum, crc64(0, image));
  return image.append(sum, sizeof sum);
}

OwnedBytes DataSet::image(const SnapshotInfo& wanted) {
  SnapshotInfo info = wanted;
  raise_version(info, shards);
  OutBuffer all;
  put_head(all, shards, functions, info);
  epoch_++;
  for (Shard* s : shards) {
    SnapshotWalk walk(*s);
    walk.begin(epoch_, info);
    while (walk.step()) {
    }
    all.append(walk.cut().view());
  }
  put_tail(all, info, crc64(0, all.view()));
  return OwnedBytes(all.view());
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
