#include "persist/snapshot_part.h"

#include <algorithm>

#include "engine/base/crc.h"
#include "engine/exec/executor.h"
#include "persist/snapshot_format.h"
#include "persist/snapshots.h"

namespace ringwood {

void SnapshotPart::begin(uint64_t number, int home, uint16_t epoch, const SnapshotInfo& info, int key_delay_us) {
  number_ = number;
  home_ = home;
  info_ = info;
  key_delay_us_ = key_delay_us;
  under_way_ = 0;
  resume_us_ = delayed_keys_ = 0;
  resume_ms_ = -1;
  walk_.begin(epoch, info);
  shard_.work = this;
}

void SnapshotPart::stop() {
  if (shard_.work == this) shard_.work = nullptr;
  walk_.stop();
}

// With rdb-key-save-delay every key is followed by a rest: so long, or for negative numbers a microsecond for one key in so many. Also one that was written
// because it was about to change: a save takes as long as it is told to, whatever clients do meanwhile.
void SnapshotPart::delay_after_new_keys(Executor& here) {
  const int64_t keys = walk_.keys_done() - delayed_keys_;
  if (keys <= 0) return;
  delayed_keys_ += keys;
  int64_t us = key_delay_us_ > 0 ? keys * key_delay_us_ : keys / -static_cast<int64_t>(key_delay_us_);
  const int64_t now_us = here.engine().clock->monotonic_us();
  resume_us_ = std::max(resume_us_, now_us) + us;
  resume_ms_ = here.now_ms() + (resume_us_ - now_us) / 1000;
}

bool SnapshotPart::paused(Executor& here) {
  if (!resume_us_) return false;
  if (here.engine().clock->monotonic_us() < resume_us_) return true;
  resume_us_ = 0;
  resume_ms_ = -1;
  return false;
}

bool SnapshotPart::run(Executor& here) {
  const Clock& clock = *here.engine().clock;
  const int64_t until = clock.monotonic_us() + pace_.slice_us;
  for (int steps = 0; under_way_ < pace_.chunks_under_way; steps++) {
    if (walk_.written() >= pace_.chunk_bytes) {
      if (steps) return true;  // to pack it takes as long as a slice: it begins one
      send(here, false);
    } else {
      if (__builtin_expect(key_delay_us_ != 0, 0)) {
        delay_after_new_keys(here);
        if (paused(here)) return resume_us_ - clock.monotonic_us() < 1000;
      }
      if (!walk_.step()) {
        shard_.work = nullptr;
        send(here, true);
        return false;
      }
    }
    if (steps >= pace_.slice_steps || clock.monotonic_us() >= until) return true;
  }
  return false;  // consumed() comes by mail
}

void SnapshotPart::send(Executor& here, bool last) {
  struct Handover final : Task {
    Snapshots* owner;
    uint64_t number;
    int shard;
    SnapshotChunk chunk;
  };
  auto* t = new Handover;
  t->owner = &owner_;
  t->number = number_;
  t->shard = shard_.id();
  t->chunk.bytes = walk_.cut();
  t->chunk.open = walk_.value_open();
  t->chunk.last = last;
  t->chunk.unpacked = t->chunk.bytes.size();
  if (info_.checksum) t->chunk.checksum = crc64(0, t->chunk.bytes.view());
  if (info_.encoder) info_.encoder->pack(t->chunk.bytes, shard_.id(), walk_.take_slots());
  t->run = [](Task& task, Executor& home) {
    auto& d = static_cast<Handover&>(task);
    d.owner->arrived(home, d.number, d.shard, d.chunk);
  };
  t->done = [](Task& task, Executor&) { delete static_cast<Handover*>(&task); };
  under_way_++;
  here.send_task(home_, t);
}

}  // namespace ringwood
