#pragma once
// What the tests of snapshots share.
#include "persist/snapshots.h"
#include "tests/harness/in_process.h"
#include "tests/unit/persist/rdb_support.h"

namespace ringwood {

// Keeps what it is given, and consumes chunks when the test says so.
class SlowSink final : public SnapshotSink {
 public:
  explicit SlowSink(Snapshots& s) : snapshots(s) {}
  void at_cut(Executor&, SnapshotInfo&) override { cuts++; }
  void take(OutBuffer chunk) override {
    image += chunk.view();
    chunks++;
    unconsumed++;
  }
  void complete() override { completed++; }
  void broken() override { broke++; }
  void consume(int n) {
    for (; n > 0 && unconsumed > 0; n--, unconsumed--) snapshots.consumed(*this);
  }
  bool ended() const { return completed + broke > 0; }

  Snapshots& snapshots;
  OwnedBytes image;
  int cuts = 0, chunks = 0, unconsumed = 0, completed = 0, broke = 0;
};

// A server with snapshots that go one step at a time, as fast as their sink consumes.
struct SnapshotRig {
  explicit SnapshotRig(int shards, Options options = {})
      : server(shards, std::move(options)), snapshots(server.engine(), "7.2.6", functions) {
    // Every step a chunk, and one of them under way: the test is the clock.
    snapshots.pace = {1, 1, 0, 0};
  }
  struct Cut final : LeaseJob {
    Snapshots* snapshots;
    SnapshotSink* sink;
    bool begun = false;
    void run(Executor& home) override { begun = snapshots->start_held(home, *sink); }
    void finished(Executor&) override {}
  };
  bool start(SnapshotSink& sink, size_t thread = 0) {
    Cut job;
    job.snapshots = &snapshots;
    job.sink = &sink;
    server.executor(thread).with_all_shards(&job);
    server.settle();
    return job.begun;
  }
  struct Cancel final : LeaseJob {
    Snapshots* snapshots;
    SnapshotSink* sink;
    void run(Executor& home) override { snapshots->cancel_held(home, *sink); }
    void finished(Executor&) override {}
  };
  void cancel(SnapshotSink& sink, size_t thread = 0) {
    Cancel job;
    job.snapshots = &snapshots;
    job.sink = &sink;
    server.executor(thread).with_all_shards(&job);
    server.settle();
  }
  void finish(SlowSink& sink) {
    for (int i = 0; i < 1000000 && !sink.ended(); i++) {
      sink.consume(8);
      server.settle();
    }
  }
  OwnedBytes digest() { return digest_text(data_set_digest(server.engine().shards)); }

  std::vector<OwnedBytes> functions;
  InProcess server;
  Snapshots snapshots;
};

// Of the data in an image; or what is wrong with it.
inline OwnedBytes digest_of(const OwnedBytes& image) {
  DataSet data;
  OwnedBytes error = read_image(image, data);
  if (!error.empty()) return error;
  if (data.repeated) return "a key stands in the image twice";
  return data.digest();
}

}  // namespace ringwood
