#pragma once
// Loads a log into a running engine, whatever its format: its files in order, each an RDB image, commands, or an image with commands behind it. Commands run
// through the engine like a client's. With one shard that is here; with several, what concerns one shard alone runs on its thread (persist/log_replay.h), and
// what concerns more here, when all before it has run, while every shard is held. Images whose format tells the shards apart are decoded by them as well;
// others here, while every shard is held for a slice of a turn at a time.
#include <memory>
#include <vector>

#include "engine/exec/client.h"
#include "engine/exec/executor.h"
#include "engine/exec/lease.h"
#include "persist/access_word.h"
#include "persist/aof_manifest.h"
#include "persist/aof_parser.h"
#include "persist/data_load.h"
#include "persist/io_steps.h"
#include "persist/log_format.h"
#include "persist/log_replay.h"
#include "persist/rdb_reader.h"

namespace ringwood {

class LogLoad final : private rdb::RdbSink, private LeaseJob {
 public:
  struct Result {
    bool ok = false;
    OwnedBytes error;        // what is to be logged
    uint64_t last_size = 0;  // of the last file, when a torn tail has been cut off
    uint64_t all_size = 0;   // of all files, likewise
    uint64_t base_size = 0;
    bool last_sealed = false;  // nothing may be written behind the last file
    size_t unbegun = 0;        // files at the end that are LogDecoder::unbegun()
    LogPlace place;            // where the log ends
  };
  using Done = void (*)(void* context, const Result& result);

  LogLoad(Engine& engine, FileIo& io);
  LogLoad(const LogLoad&) = delete;
  LogLoad& operator=(const LogLoad&) = delete;

  // Loads the files of the manifest that lie in `folder`. kStateLoading is on from then on, for the owner to take off. Not while active(); `done` runs inside
  // advance().
  void start(Executor& home, const LogFormat& format, OwnedBytes folder, const AofManifest& manifest, bool verify_checksum, Done done,
             void* context);
  // Blocks that were written ahead in the last file are not cut off: somebody writes to it.
  void leave_filler(bool on) { leave_filler_ = on; }
  bool active() const { return active_; }
  // True when more could be done at once.
  bool advance(Executor& home);
  const DataLoad::Figures& figures() const { return figures_; }

 private:
  struct File {
    OwnedBytes name;
    bool base;
    int64_t sequence;  // -1: any
    int64_t size = 0;
  };
  static constexpr uint32_t kPiece = 1u << 20;
  static constexpr int64_t kSliceUs = 2000, kExclusiveUs = 200;

  void open_next();
  void read_tail();
  static void on_tail(IoRequest* r);
  void read_more();
  void read(uint32_t size, uint64_t offset, IoRequest::Done done);
  bool want_more();
  bool cut_here();
  bool last_written() const;
  OwnedBytes where(size_t ahead) const;
  uint64_t position() const { return decoder_->place().position - (buffer_.size() - used_); }
  static void opened(void* self, int error, const char* what);
  static void on_read(IoRequest* r);
  static void file_closed(void* self, int error, const char* what);
  void run(Executor& home) override;
  void slice(Executor& home, bool held, int64_t until);
  void finished(Executor&) override { in_slice_ = false; }
  bool run_image();
  bool run_commands(Executor& home, bool held, int64_t until);
  bool run_command(Executor& home, bool held, std::span<const Bytes> args, Bytes text);
  const Command* command_of(std::span<const Bytes> args);
  void run_here(Executor& home, Bytes commands);
  bool send_away(Bytes commands);
  bool needs_all() const { return !parallel_ || exclusive_ || (image_ && !decoder_->shards_apart()); }
  void end_of_file();
  void fail(OwnedBytes error);
  void close_file(const LogDecoder::Repair* repair);
  void finish();

  void on_aux(Bytes, Bytes) override {}
  void on_database(int, uint64_t, uint64_t) override {}
  void on_function(Bytes source) override;
  void on_key(const rdb::LoadedKey& key) override;

  Engine& engine_;
  FileIo& io_;
  IoSteps steps_;
  IoRequest read_;
  bool active_ = false, in_slice_ = false, reading_ = false, at_end_ = false, ended_ = false, failed_ = false, finished_ = false;
  Done done_ = nullptr;
  void* context_ = nullptr;
  OwnedBytes folder_;
  std::vector<File> files_;
  size_t file_ = 0;
  bool leave_filler_ = false;
  bool verify_checksum_ = true, load_truncated_ = true;
  int64_t started_ms_ = 0, file_started_ms_ = 0;

  // Of the file being read.
  int fd_ = -1;
  uint64_t read_to_ = 0;  // offset in the file of what is to be read next
  OwnedBytes raw_;        // that was read of the file
  const LogFormat* format_ = nullptr;
  std::unique_ptr<LogDecoder> decoder_;
  OwnedBytes buffer_;   // what stood in it
  size_t used_ = 0;     // of buffer_
  bool begun_ = false;  // it is known whether it is an image
  std::unique_ptr<rdb::RdbReader> image_;
  AccessRule access_;      // of its keys
  uint64_t valid_to_ = 0;  // in the stream, behind the last command that ran, or that was queued in a transaction that has ended
  AofParser parser_;
  Client client_;
  bool in_multi_ = false;
  OwnedBytes queue_;  // of a transaction: its commands
  LogReplay replay_;
  bool parallel_ = false;     // there are several shards
  bool exclusive_ = false;    // what comes next needs several of them
  bool settle_ = false;       // nothing more before all that was sent away has been done
  bool image_apart_ = false;  // parts of the image have been sent away
  Result result_;
  DataLoad::Figures figures_;
};

}  // namespace ringwood
