#include "engine/exec/slot_stats.h"

#include <utility>

#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/redirect.h"
#include "engine/exec/request_size.h"
#include "engine/exec/slot_map.h"

namespace ringwood {
namespace {

constexpr int kNone = -1, kSeveral = -2;
// What a transaction brings and gets besides its commands.
constexpr int64_t kMultiBytes = 15, kOkBytes = 5, kQueuedBytes = 9;

}  // namespace

int SlotStats::slot_of(const Command& command, std::span<const Bytes> args) {
  keys_.clear();
  if (!slot_keys_of(command, args, keys_)) return kNone;
  int slot = kNone;
  for (int i : keys_) {
    const int s = key_slot(args[static_cast<size_t>(i)]);
    if (slot != kNone && slot != s) return kSeveral;
    slot = s;
  }
  return slot;
}

void SlotStats::note(const Call& call, int64_t ns, Within within) {
  if (within == Within::kScript) return;
  int64_t in = request_bytes(call.args()), out = static_cast<int64_t>(call.reply.written().size());
  int slot;
  if (call.command().spec->ends_multi) {
    slot = std::exchange(exec_slot_, kNone);
    in += kMultiBytes;
    out += kOkBytes + std::exchange(exec_replies_, 0);
  } else {
    slot = slot_of(call.command(), call.args());
    if (within == Within::kExec) {
      if (slot != kNone) exec_slot_ = exec_slot_ == kNone || exec_slot_ == slot ? slot : kSeveral;
      exec_replies_ += kQueuedBytes;
      ns = out = 0;
    }
  }
  if (slot < 0) return;
  Figures& f = slots_[static_cast<size_t>(slot)];
  f.cpu_ns += ns;
  f.bytes_out += out;
  if (out || within == Within::kExec) f.bytes_in += in;  // one that found nothing to answer yet runs again
}

void SlotStats::keep_served(const SlotMap& map) {
  for (size_t s = 0; s < slots_.size(); s++)
    if (map.owners[s] != map.self && (map.master == SlotMap::kNobody || map.owners[s] != map.master)) slots_[s] = {};
}

}  // namespace ringwood
