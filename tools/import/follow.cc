#include "tools/import/follow.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "cluster/sync_payload.h"
#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "engine/exec/owned_args.h"
#include "engine/store/limits.h"
#include "persist/aof_parser.h"
#include "tools/files/progress.h"
#include "tools/files/words.h"
#include "tools/import/complain.h"
#include "tools/import/handover.h"
#include "tools/import/lag.h"
#include "tools/import/live_compare.h"
#include "tools/import/live_source.h"
#include "tools/import/stream_target.h"

namespace ringwood {
namespace {

constexpr int64_t kPatienceMs = 10'000, kAskMs = 250, kDrawMs = 200, kRetryMs = 1000, kReportMs = 10'000;
constexpr int kReadMs = 50;
constexpr int64_t kCloseMs = 1000;                  // so little behind, a promotion may begin
constexpr int64_t kCatchUpMs = 50'000;              // for which writes are held at most before it is given up
constexpr uint64_t kBytesBetweenReplies = 4 << 20;  // of the stream: how far the target may be behind what has been sent to it

volatile std::sig_atomic_t g_ended = 0, g_promote = 0;
void end(int) { g_ended = 1; }
void promote(int) { g_promote = 1; }

class FollowJob final : rdb::RdbSink {
 public:
  explicit FollowJob(const ImportOptions& o)
      : options_(o),
        address_{{o.source_host, o.source_port}, {o.source_user, o.source_password}},
        source_(address_, o.spool_folder),
        server_(o),
        target_(o, server_),
        handover_(orders_),
        terminal_(o.progress && isatty(STDOUT_FILENO)) {}
  bool run();

 private:
  bool open();
  bool begin();
  bool follow();
  bool take_image();
  bool take_stream(Bytes bytes);
  bool take_command(std::span<const Bytes> args);
  bool settle();
  bool go_on();
  bool look();
  bool hand_over();
  bool catch_up(int64_t offset);
  bool compare();
  void draw();
  void clear();
  bool stop(const OwnedBytes& why) { return clear(), complain(why), false; }
  bool target_failed() { return stop(target_.error()); }
  OwnedBytes from() const { return address_.at.text(); }
  OwnedBytes to() const { return client::Endpoint{options_.host, options_.port}.text(); }

  // rdb::RdbSink
  void on_aux(Bytes name, Bytes value) override;
  void on_database(int, uint64_t, uint64_t) override {}
  void on_function(Bytes source) override { fine_ = fine_ && target_.function(source); }
  void on_key(const rdb::LoadedKey& key) override;

  const ImportOptions& options_;
  const LiveSource::Address address_;
  LiveSource source_;
  ServerTarget server_;
  StreamTarget target_;
  client::Link orders_;  // to the source
  Handover handover_;
  const bool terminal_;

  bool fine_ = true;  // the target has taken everything so far
  bool in_stream_ = false;
  SyncPayload payload_;
  // The stream: bytes that are not commands yet, and where it stands.
  OwnedBytes buffer_;
  AofParser parser_;
  OwnedBytes history_;
  int64_t offset_ = 0;  // behind the last command that has been handed over
  int database_ = 0;    // that is selected there
  int64_t ahead_ = 0;   // bytes of the transaction that is being gathered
  bool in_multi_ = false;
  int multi_database_ = 0;
  struct Queued {
    OwnedArgs args;
    int database;
  };
  std::vector<Queued> queue_;
  uint64_t unsettled_ = 0, commands_ = 0;

  Lag lag_;
  int64_t start_ms_ = 0, asked_ms_ = 0, drawn_ms_ = 0, told_ms_ = 0;
  bool told_in_step_ = false, line_ = false;
};

bool FollowJob::open() {
  OwnedBytes why;
  if (!orders_.open(address_.at, address_.who, kPatienceMs, why))
    return complain(from() + " cannot be reached, or does not let us in: " + why);
  client::Value info = orders_.call({"INFO", "replication"}, kPatienceMs);
  if (info.failed())
    return complain(from() + ": " + info.text +
                    (info.error_code() == "NOAUTH" ? "  (give the password in the address: redis://USER:PASSWORD@HOST:PORT)" : ""));
  if (options_.promote && info_field(info.text, "role") != "master")
    return complain(from() + " is a replica of " + info_field(info.text, "master_host") + ":" + info_field(info.text, "master_port") +
                    ": its writes cannot be held there, so that --promote needs the master as the source");
  if (!server_.open()) return complain(server_.error());
  if (!server_.leave_expiry())
    std::printf(
        "%s lets keys expire by its own clock: one whose time to live is made longer within the lag may be lost there (--verify finds "
        "it)\n",
        to().c_str());
  return true;
}

bool FollowJob::begin() {
  if (source_.start({}) != LiveSource::Begin::kImage) return stop(source_.error());
  history_ = source_.place().id;
  offset_ = source_.place().offset;
  return true;
}

// --- the image

void FollowJob::on_aux(Bytes name, Bytes value) {
  int64_t n;
  if (name == "repl-stream-db" && parse_int64(value, n) && n >= 0 && n < 1 << 30) database_ = static_cast<int>(n);
}

void FollowJob::on_key(const rdb::LoadedKey& key) {
  if (fine_)
    fine_ = target_.key(key);
  else
    Entry::destroy(key.entry);
}

bool FollowJob::take_image() {
  Limits limits;
  rdb::RdbReader image(limits, {1 << 30, true}, static_cast<rdb::RdbSink&>(*this));
  OwnedBytes piece;
  while (payload_.state() != SyncPayload::State::kEnd) {
    if (g_ended) return stop("broken off: the target has a part of the data set");
    if (!source_.read(piece, kReadMs)) return stop(source_.error() + " while it sent its data set; the target has a part of it");
    Bytes in = piece;
    payload_.feed(in, [&](Bytes bytes) {
      if (fine_) image.feed(bytes);
    });
    if (payload_.state() == SyncPayload::State::kFailed) return stop(from() + " sends no data set: " + payload_.error());
    if (image.state() == rdb::RdbReader::State::kFailed) return stop(from() + ": its data set cannot be read: " + image.error());
    if (!fine_) return target_failed();
    buffer_.append(in);
    if (!look()) return false;
  }
  if (image.state() != rdb::RdbReader::State::kEnd && image.end_of_input() != rdb::RdbReader::State::kEnd)
    return stop(from() + ": its data set cannot be read: " + image.error());
  in_stream_ = true;
  if (!settle()) return false;
  clear();
  std::printf("%s -> %s: %s in %s; following\n", from().c_str(), to().c_str(), counted(target_.keys(), "key", "keys").c_str(),
              seconds_text(static_cast<double>(client::monotonic_ms() - start_ms_) / 1000).c_str());
  if (target_.passed_over()) std::printf("%s not asked for\n", counted(target_.passed_over(), "key was", "keys were").c_str());
  std::fflush(stdout);
  return true;
}

// --- the stream

bool FollowJob::settle() {
  unsettled_ = 0;
  if (!target_.finish()) return target_failed();
  source_.used_to(offset_);
  return true;
}

bool FollowJob::take_stream(Bytes bytes) {
  buffer_.append(bytes);
  size_t used = 0;
  for (;;) {
    // Empty lines keep a link alive.
    while (used < buffer_.size() && !in_multi_ && (buffer_[used] == '\n' || buffer_[used] == '\r')) used++, offset_++;
    const AofParser::Status s = parser_.parse(Bytes(buffer_).substr(used));
    if (s == AofParser::Status::kMore) break;
    if (s == AofParser::Status::kBad) return stop(from() + " sends what cannot be understood, behind offset " + int64_text(offset_));
    const size_t size = parser_.consumed();
    ahead_ += static_cast<int64_t>(size);
    if (s == AofParser::Status::kCommand && !take_command(parser_.args())) return target_failed();
    if (!in_multi_) offset_ += std::exchange(ahead_, 0);
    used += size;
    unsettled_ += size;
    if (unsettled_ > kBytesBetweenReplies && !settle()) return false;
  }
  buffer_.erase(0, used);
  return settle();
}

// A transaction goes on its way when it is there as a whole: a link that is lost leaves none half done.
bool FollowJob::take_command(std::span<const Bytes> args) {
  int64_t n;
  int& database = in_multi_ ? multi_database_ : database_;
  if (Call::is_word(args[0], "select") && args.size() == 2 && parse_int64(args[1], n) && n >= 0 && n < 1 << 30) {
    database = static_cast<int>(n);
    return true;
  }
  if (Call::is_word(args[0], "replconf") || Call::is_word(args[0], "ping")) return true;
  commands_++;
  if (Call::is_word(args[0], "multi")) {
    in_multi_ = true;
    multi_database_ = database_;
    queue_.clear();
  }
  if (!in_multi_) return target_.command(args, database_);
  const bool exec = Call::is_word(args[0], "exec");
  queue_.push_back({OwnedArgs(args), multi_database_});
  if (!exec) return true;
  in_multi_ = false;
  database_ = multi_database_;
  bool fine = true;
  for (const Queued& q : queue_) fine = fine && target_.command(q.args.view(), q.database);
  queue_.clear();
  return fine;
}

// The link is gone: it is taken up again where we are.
bool FollowJob::go_on() {
  clear();
  std::printf("%s; going on behind offset %lld\n", source_.error().c_str(), static_cast<long long>(offset_));
  std::fflush(stdout);
  buffer_.clear();
  queue_.clear();
  in_multi_ = false;
  ahead_ = 0;
  while (!g_ended) {
    switch (source_.start({history_, offset_})) {
      case LiveSource::Begin::kGoesOn: history_ = source_.place().id; return true;
      case LiveSource::Begin::kImage:
        source_.stop();
        return stop(from() +
                    " cannot go on from there: its backlog does not reach back so far, or it is another one now. What it has deleted since "
                    "then would stay in the "
                    "target: empty that, and start again (a larger repl-backlog-size at the source helps)");
      case LiveSource::Begin::kFailed: usleep(kRetryMs * 1000);
    }
  }
  return true;
}

// What is to be done from time to time.
bool FollowJob::look() {
  const int64_t now = client::monotonic_ms();
  if (now - asked_ms_ >= kAskMs) {
    asked_ms_ = now;
    if (!orders_.is_open()) {
      OwnedBytes why;
      orders_.open(address_.at, address_.who, 1000, why);
    }
    if (orders_.is_open()) {
      client::Value info = orders_.call({"INFO", "replication"}, kPatienceMs);
      if (const int64_t at = info.failed() ? -1 : offset_of(info.text); at >= 0) lag_.source_at(at, now);
    }
  }
  draw();
  return true;
}

bool FollowJob::follow() {
  OwnedBytes piece = std::move(buffer_);
  buffer_.clear();
  if (!take_stream(piece)) return false;
  while (!g_ended) {
    if (!source_.read(piece, kReadMs)) {
      if (!go_on()) return false;
      continue;
    }
    if (!piece.empty() && !take_stream(piece)) return false;
    if (!look()) return false;
    // Whatever has come and waits: where writes never cease there is always some.
    const bool near = lag_.known() && lag_.ms(offset_, client::monotonic_ms()) < kCloseMs;
    if (near && !std::exchange(told_in_step_, true)) {
      clear();
      std::printf("%s has caught up with %s\n", to().c_str(), from().c_str());
      std::fflush(stdout);
    }
    if ((g_promote || options_.promote) && near) {
      g_promote = 0;
      if (hand_over()) return true;
      if (options_.promote || !server_.error().empty()) return false;
    }
  }
  clear();
  if (!settle()) return false;
  std::printf("ended at offset %lld: %s has what %s had then, and was not promoted\n", static_cast<long long>(offset_), to().c_str(),
              from().c_str());
  return true;
}

// --- the end

bool FollowJob::catch_up(int64_t offset) {
  const int64_t until = client::monotonic_ms() + kCatchUpMs;
  OwnedBytes piece;
  while (offset_ < offset) {
    if (g_ended) return stop("broken off");
    if (client::monotonic_ms() > until) return stop(to() + " does not catch up: its writes are too slow");
    if (!handover_.keep_holding(client::monotonic_ms())) return stop(from() + ": " + handover_.error());
    if (!source_.read(piece, kReadMs)) {
      if (!go_on()) return false;
      continue;
    }
    if (!piece.empty() && !take_stream(piece)) return false;
    draw();
  }
  return settle();
}

bool FollowJob::compare() {
  client::Link link;
  OwnedBytes why;
  if (!link.open({options_.host, options_.port}, {options_.user, options_.password}, kPatienceMs, why)) return stop(to() + ": " + why);
  LiveCompare c(options_, orders_, link, [this] { return !g_ended && handover_.keep_holding(client::monotonic_ms()); });
  clear();
  if (!c.run()) return stop(c.error());
  std::printf("%s compared by their digests: %s\n", counted(c.compared(), "key", "keys").c_str(),
              c.different() ? (count_text(c.different()) + " DIFFERENT").c_str() : "all the same");
  return c.different() == 0;
}

bool FollowJob::hand_over() {
  clear();
  const int64_t begin = client::monotonic_ms();
  if (!handover_.hold()) return stop(from() + ": " + handover_.error());
  const int64_t offset = handover_.offset_held();
  if (offset < 0 || !catch_up(offset) || (options_.verify && !compare())) {
    if (offset < 0) stop(from() + ": " + handover_.error());
    handover_.release();
    return stop("not promoted: " + from() + " takes writes as before");
  }
  if (!handover_.close())
    return stop(to() + " has everything up to offset " + int64_text(offset) + ", but " + from() + " cannot be told to refuse writes (" +
                handover_.error() + "): they are held for a minute yet; end it, or its clients, before");
  std::printf("%s has everything that %s has acknowledged, up to offset %lld (%s, %s); writes were held for %lld ms\n", to().c_str(),
              from().c_str(), static_cast<long long>(offset), counted(target_.keys(), "key", "keys").c_str(),
              counted(commands_, "command", "commands").c_str(), static_cast<long long>(client::monotonic_ms() - begin));
  std::printf(
      "%s refuses writes from now on (NOREPLICAS); clients go to %s. Should it take them again: CONFIG SET min-replicas-to-write %s\n",
      from().c_str(), to().c_str(), handover_.before().c_str());
  std::fflush(stdout);
  return true;
}

// --- what is seen

void FollowJob::clear() {
  if (std::exchange(line_, false)) std::printf("\r\033[K");
  std::fflush(stdout);
}

void FollowJob::draw() {
  const int64_t now = client::monotonic_ms();
  const int64_t lag = lag_.ms(offset_, now);
  if (!terminal_) {  // a line now and then
    if (!in_stream_ || now - told_ms_ < kReportMs) return;
    told_ms_ = now;
    std::printf("%s behind offset %lld: %s, lag %s, %lld ms\n", from().c_str(), static_cast<long long>(offset_),
                counted(commands_, "command", "commands").c_str(), size_text(static_cast<uint64_t>(lag_.bytes(offset_))).c_str(),
                static_cast<long long>(lag));
    std::fflush(stdout);
    return;
  }
  if (now - drawn_ms_ < kDrawMs) return;
  drawn_ms_ = now;
  line_ = true;
  if (in_stream_) {
    std::printf("\r\033[K%s -> %s  %s, lag %s, %lld ms", from().c_str(), to().c_str(), counted(commands_, "command", "commands").c_str(),
                size_text(static_cast<uint64_t>(lag_.bytes(offset_))).c_str(), static_cast<long long>(lag));
  } else {
    const auto done = static_cast<uint64_t>(payload_.bytes());
    const uint64_t all = payload_.length() > 0 ? static_cast<uint64_t>(payload_.length()) : done + source_.waiting();
    const double part = all ? std::min(1.0, static_cast<double>(done) / static_cast<double>(all)) : 0;
    std::printf("\r\033[K%s %s  %s of %s%s, %s", from().c_str(), progress_bar(part).c_str(), size_text(done).c_str(),
                size_text(all).c_str(), payload_.length() > 0 ? "" : " that have come", counted(target_.keys(), "key", "keys").c_str());
  }
  std::fflush(stdout);
}

bool FollowJob::run() {
  start_ms_ = told_ms_ = client::monotonic_ms();
  if (!open()) return false;
  std::signal(SIGINT, end);
  std::signal(SIGTERM, end);
  std::signal(SIGUSR1, promote);
  std::signal(SIGPIPE, SIG_IGN);
  if (!begin() || !take_image()) return false;
  const bool fine = follow();
  source_.stop();
  if (server_.refused()) return complain(counted(server_.refused(), "command was", "commands were") + " refused by the server");
  return fine;
}

}  // namespace

int run_follow(const ImportOptions& options) { return FollowJob(options).run() ? 0 : 1; }

}  // namespace ringwood
