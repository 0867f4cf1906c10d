#pragma once
// Reads one file of a data set from its beginning to its end, in pieces, through the readers that the server loads with: an RDB image, commands, or an
// image with commands behind it. Tells a sink what stands there, and in the end whether all of it is whole.
#include <optional>

#include "engine/store/limits.h"
#include "persist/aof_filler.h"
#include "persist/aof_parser.h"
#include "persist/log_format.h"
#include "persist/rdb_reader.h"

namespace ringwood {

class WalkSink : public rdb::RdbSink {
 public:
  // A command at that offset of the file. The arguments live until the call returns. False: stop here.
  virtual bool on_command(std::span<const Bytes> args, uint64_t offset) = 0;
  // A line "#..." without its end; false: stop here, before it.
  virtual bool on_note(Bytes line, uint64_t offset) = 0;
  // What came since the last whole command or transaction is void: an earlier start of the server has cut it off.
  virtual void on_cut() {}
  // So many bytes of the file have been dealt with. False: stop.
  virtual bool on_progress(uint64_t offset) = 0;

 protected:
  ~WalkSink() = default;
};

struct WalkResult {
  enum class End : uint8_t {
    kWhole,       // every byte was understood
    kTorn,        // it ends within a command, or a transaction: as a crash leaves an append-only file
    kDamaged,     // something in it is not as it should be
    kUnreadable,  // the system would not give its bytes
    kStopped,     // the sink has said so
  };
  enum class Transaction : uint8_t { kNone, kOpen, kMultiInMulti, kExecAlone };
  End end = End::kWhole;
  OwnedBytes reason;    // of all but kWhole and kStopped
  uint64_t offset = 0;  // where that was noticed
  uint64_t size = 0;    // of the file
  // Of the image, if it begins with one.
  bool image = false, image_whole = false, checksum = false;
  int version = 0;
  uint64_t image_end = 0, empty_keys = 0;
  uint64_t image_reached = 0;  // what was understood of it
  rdb::RdbReader::Fault image_fault = rdb::RdbReader::Fault::kNone;
  rdb::RdbReader::Doing doing = rdb::RdbReader::Doing::kStart;
  uint8_t type = 0;
  OwnedBytes key;
  // Of the commands.
  uint64_t commands = 0;
  uint64_t valid_to = 0;  // behind the last whole command, or the last transaction that ended
  uint64_t reached = 0;   // behind the last whole command, also within a transaction
  int64_t lines = 0;      // whole lines of commands, also of the one that is not whole
  AofParser::Stop stop;   // why the parser stopped; its place is from `stopped_at` on
  uint64_t stopped_at = 0;
  uint64_t last_argument = 0;  // where the last argument of the last whole command begins
  Transaction transaction = Transaction::kNone;
  // With kTorn, how the file of a log with a format of its own is put right; other files are cut to valid_to.
  std::optional<LogDecoder::Repair> repair;
  OwnedBytes lost;  // with kTorn: what stands behind valid_to, in words
};

struct WalkOptions {
  int databases = 1 << 30;
  bool verify_checksum = true;
  bool image = false;  // an image is expected, however the file begins
  // Where the file is not the stream itself: what gives the stream out of it, and which file it is. Offsets of commands are positions of the stream then.
  // A command may go on from one file to the next: they are walked by one FileWalk, in order.
  LogDecoder* decoder = nullptr;
  int64_t sequence = 0;
  bool base = false;  // the image that the log goes on from
  bool last = true;   // nothing has been written to files behind it
  uint64_t from = 0;  // commands: begin at that offset, where one begins
};

class FileWalk {
 public:
  explicit FileWalk(WalkSink& sink) : sink_(sink) {}
  FileWalk(const FileWalk&) = delete;
  FileWalk& operator=(const FileWalk&) = delete;

  WalkResult walk(const OwnedBytes& path, const WalkOptions& options = {});
  // The image's own count of bytes understood, for a sink that wants to know where what it is told ends.
  uint64_t image_offset() const { return image_ ? image_->offset() : 0; }
  // Within on_command(): where the command ends.
  uint64_t command_end() const { return result_.stopped_at + parser_.consumed(); }

 private:
  enum class Go : uint8_t { kOn, kDone };
  void begin();
  bool fill(int fd);
  bool begin_content(int fd);
  bool fill_from_decoder(int fd);
  bool read_piece(int fd, OwnedBytes& into);
  bool undo(uint64_t cut_at);
  bool bad_file(const OwnedBytes& error);
  Go take_image();
  Go take_commands();
  Go command();
  void over();
  void describe_loss(bool torn);
  // Offset in the file, or position in the stream, of what has not been used yet.
  uint64_t position() const { return (options_.decoder ? options_.decoder->place().position : content_to_) - (buffer_.size() - used_); }

  WalkSink& sink_;
  WalkOptions options_;
  Limits limits_;
  rdb::RdbReader* image_ = nullptr;
  AofParser parser_;
  OwnedBytes raw_;           // a piece of a file
  AofContent content_;       // of one without a decoder
  uint64_t content_to_ = 0;  // offset in the file of what comes next of it
  OwnedBytes buffer_;
  size_t used_ = 0;       // of buffer_
  uint64_t read_to_ = 0;  // offset in the file of what is read next
  bool at_end_ = false;
  bool goes_on_ = false;  // the next file of the log goes on with what is in buffer_
  bool in_multi_ = false;
  uint64_t queued_ = 0;    // commands since MULTI
  uint64_t valid_to_ = 0;  // as in the result, from file to file
  WalkResult result_;
};

}  // namespace ringwood
