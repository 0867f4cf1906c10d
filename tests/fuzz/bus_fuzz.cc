// The cluster bus's messages: any bytes. What decodes must say the same again after being encoded and decoded once more, and the frames of a stream must
// be found where the decoder of one whole frame finds them.
#include <cstdio>
#include <cstdlib>

#include "cluster/bus_message.h"

namespace ringwood::cluster {
namespace {

void must(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void same(const BusMessage& a, const BusMessage& b) {
  must(a.type == b.type && a.sender == b.sender && a.master == b.master && a.slots == b.slots && a.ip == b.ip, "the header has changed");
  must(a.current_epoch == b.current_epoch && a.config_epoch == b.config_epoch && a.offset == b.offset, "an epoch has changed");
  must(a.port == b.port && a.second_port == b.second_port && a.cluster_port == b.cluster_port && a.flags == b.flags, "a port has changed");
  must(a.cluster_ok == b.cluster_ok && a.gossip.size() == b.gossip.size() && a.forgotten.size() == b.forgotten.size(),
       "a count has changed");
  must(a.hostname == b.hostname && a.human_name == b.human_name && a.shard == b.shard, "an extension has changed");
  must(a.about == b.about && a.about_epoch == b.about_epoch && a.about_slots == b.about_slots, "what it is about has changed");
  must(a.channel == b.channel && a.payload == b.payload, "the published text has changed");
  for (size_t i = 0; i < a.gossip.size(); i++)
    must(a.gossip[i].id == b.gossip[i].id && a.gossip[i].ip == b.gossip[i].ip && a.gossip[i].flags == b.gossip[i].flags,
         "gossip has changed");
}

}  // namespace
}  // namespace ringwood::cluster

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ringwood::cluster;
  ringwood::Bytes bytes(reinterpret_cast<const char*>(data), size);
  while (true) {
    int64_t frame = frame_size(bytes);
    if (frame <= 0 || static_cast<size_t>(frame) > bytes.size()) break;
    BusMessage m, again;
    if (decode(bytes.substr(0, static_cast<size_t>(frame)), m) == BusError::kNone) {
      ringwood::OwnedBytes encoded = encode(m);
      must(frame_size(encoded) == static_cast<int64_t>(encoded.size()), "its own length is wrong");
      must(decode(encoded, again) == BusError::kNone, "it does not understand itself");
      same(m, again);
    }
    bytes.remove_prefix(static_cast<size_t>(frame));
  }
  // Not cut by its length: the decoder alone.
  BusMessage m;
  if (decode(ringwood::Bytes(reinterpret_cast<const char*>(data), size), m) == BusError::kNone)
    must(size >= 2256, "shorter than its header");
  return 0;
}
