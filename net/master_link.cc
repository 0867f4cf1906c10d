#include "net/master_link.h"

#include <algorithm>
#include <cstring>

#include "engine/base/resp_command.h"
#include "engine/exec/control.h"
#include "engine/exec/panic.h"
#include "persist/persistence.h"

namespace ringwood {
namespace {

constexpr int64_t kLookMs = 100;
constexpr int64_t kRetryMs = 1000;
constexpr int64_t kAckMs = 1000;
constexpr int64_t kRemarkMs = 10000;

}  // namespace

MasterLink::MasterLink(Loop& loop, DataLoad& load, Persistence& persistence, MasterLinkOwner& owner, int process_id)
    : loop_(loop),
      load_(load),
      persistence_(persistence),
      owner_(owner),
      log_(loop.network().log),
      process_id_(process_id),
      applier_(loop.executor(), *this),
      file_(loop.ring()),
      direct_load_(loop.executor(), load, persistence, static_cast<DirectLoadOwner&>(*this)) {}

void MasterLink::enter(State state) {
  bool was_up = up();
  state_ = state;
  if (was_up != up() || !up()) owner_.link_changed();
}

void MasterLink::follow(const std::string& host, int port) {
  drop();
  host_ = host;
  port_ = port;
  enter(State::kConnect);
  dial_now_ = true;
}

void MasterLink::stop() {
  drop();
  discard_cached_master();
  down_since_ms_ = 0;
  enter(State::kOff);
  dial_now_ = false;
}

void MasterLink::can_continue(bool on, int database) {
  can_continue_ = on;
  database_ = database;
}

// Closes what there is without dialling again.
void MasterLink::drop() {
  Connection* c = connection_;
  if (!c) return;
  lost(*c);
  c->owner = nullptr;
  loop_.kill(*c);
}

void MasterLink::describe(ReplicationStatus& s) const {
  using Link = ReplicationStatus::Link;
  switch (state_) {
    case State::kOff:
    case State::kConnect: s.link = Link::kConnect; break;
    case State::kConnecting: s.link = Link::kConnecting; break;
    case State::kHandshake: s.link = Link::kHandshake; break;
    case State::kTransfer:
    case State::kLoading: s.link = Link::kSync; break;
    case State::kConnected: s.link = Link::kConnected; break;
  }
  s.syncing = state_ == State::kTransfer || state_ == State::kLoading;
  s.sync_total = header_seen_ ? std::max<int64_t>(payload_.length(), 0) : -1;
  s.down_since_ms = down_since_ms_;
}

// --- time

void MasterLink::look(int64_t now_ms) {
  next_look_ms_ = now_ms + kLookMs;
  if (state_ == State::kOff) return;
  if (applier_.paused()) applier_.more();
  if (state_ == State::kConnect && (dial_now_ || now_ms >= next_dial_ms_)) {
    dial_now_ = false;
    next_dial_ms_ = now_ms + kRetryMs;
    return dial();
  }
  dial_now_ = false;
  check_silence(now_ms);
  if (now_ms < next_ack_ms_ || !connection_) return;
  next_ack_ms_ = now_ms + kAckMs;
  if (state_ == State::kConnected) acknowledge();
  if (state_ == State::kLoading || (state_ == State::kTransfer && direct_)) send("\n");  // so that the master does not take us for dead
}

// The disk has caught up.
void MasterLink::go_on_receiving() {
  if (connection_ && payload_.state() != SyncPayload::State::kEnd && image_waiting() < kMostWaiting / 2) loop_.release(*connection_);
}

void MasterLink::check_silence(int64_t now_ms) {
  int64_t timeout_ms = loop_.executor().options().repl_timeout * int64_t{1000};
  if (!connection_ || state_ == State::kLoading) return;
  if (state_ == State::kConnected) {
    if (now_ms - figures_.io_ms.get() <= timeout_ms) return;
    log_.write(LogLevel::kWarning, "MASTER timeout: no data nor PING received...");
  } else {
    if (now_ms - heard_ms_ <= timeout_ms) return;
    log_.write(LogLevel::kWarning, state_ == State::kTransfer
                                       ? "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' "
                                         "parameter in redis.conf to a larger value."
                                       : "Timeout connecting to the MASTER...");
  }
  loop_.kill(*connection_);
}

// --- the connection

void MasterLink::dial() {
  log_.write(LogLevel::kNotice, "Connecting to MASTER %s:%d", host_.c_str(), port_);
  std::string error;
  connection_ = loop_.dial(host_, port_, loop_.executor().options().bind_source_addr, *this, error);
  if (!connection_) {
    log_.write(LogLevel::kWarning, "Unable to connect to MASTER: %s", error.c_str());
    return;
  }
  heard_ms_ = loop_.executor().now_ms();
  log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync started");
  enter(State::kConnecting);
}

void MasterLink::connected(Connection&, int error) {
  if (error) {
    log_.write(LogLevel::kWarning, "Error condition on socket for SYNC: %s", std::strerror(error));
    return;
  }
  log_.write(LogLevel::kNotice, "Non blocking connect for SYNC fired the event.");
  heard_ms_ = loop_.executor().now_ms();
  const Options& o = loop_.executor().options();
  ReplicaHandshake::Settings s;
  s.user = o.masteruser;
  s.password = o.masterauth;
  s.port = o.replica_announce_port ? o.replica_announce_port : o.port;
  s.address = o.replica_announce_ip;
  s.version = persistence_.server_version();
  s.failover = owner_.hands_over();
  if (can_continue_) {
    s.known_id = owner_.history();
    s.known_offset = owner_.offset();
  }
  handshake_ = std::make_unique<ReplicaHandshake>(std::move(s));
  line_.clear();
  enter(State::kHandshake);
  take(handshake_->begin());
}

void MasterLink::lost(Connection& c) {
  connection_ = nullptr;
  applier_.attach(nullptr);
  handshake_.reset();
  if (file_.busy() && state_ != State::kLoading) file_.abandon();
  if (direct_load_.busy() && state_ != State::kLoading) direct_load_.abandon();
  if (state_ == State::kConnected) {
    log_.write(LogLevel::kNotice, "Connection with master lost.");
    log_.write(LogLevel::kNotice, "Caching the disconnected master state.");
    can_continue_ = true;
    database_ = c.database;
    down_since_ms_ = loop_.executor().now_ms();
    dial_now_ = true;
  }
  // A data set that is being loaded is loaded to its end: it is whole, and the master may be able to go on from it.
  if (state_ != State::kLoading && state_ != State::kOff) enter(State::kConnect);
}

void MasterLink::send(Bytes bytes) {
  if (!connection_ || bytes.empty()) return;
  connection_->out.append(bytes);
  loop_.send_now(*connection_);
}

void MasterLink::acknowledge() {
  ack_wanted_ = false;
  if (state_ != State::kConnected) return;
  int64_t synced = loop_.executor().engine().mutations->synced();  // ours is the master's numbering
  if (synced < 0) return send(wire_command({"REPLCONF", "ACK", std::to_string(owner_.offset())}));
  send(wire_command({"REPLCONF", "ACK", std::to_string(owner_.offset()), "FACK", std::to_string(synced)}));
}

// --- what comes

void MasterLink::received(Connection& c, Bytes bytes) {
  if (state_ != State::kHandshake) loop_.stats.replica_bytes_in.add(static_cast<int64_t>(bytes.size()));
  int64_t now = loop_.executor().now_ms();
  c.last_active_ms = heard_ms_ = now;
  switch (state_) {
    case State::kHandshake: return take_lines(bytes);
    case State::kTransfer: return take_image(bytes);
    case State::kLoading: return take_stream(bytes);
    case State::kConnected: {
      const size_t before = c.query.size();
      figures_.io_ms.set(now);
      take_stream(bytes);
      figures_.received.add(static_cast<int64_t>(c.query.size() - before));
      applier_.more();
      if ((applier_.busy() || applier_.paused()) && applier_.waiting() > kMostWaiting) loop_.hold(c);
      return;
    }
    default: return;
  }
}

void MasterLink::resumed(Connection& c) {
  if (state_ == State::kConnected && connection_ == &c) applier_.more();
}

// What a master has sent before it went is a part of the history that we may have to go on with.
bool MasterLink::ends_later(Connection& c) {
  if (state_ != State::kConnected || connection_ != &c || !applier_.busy()) return false;
  ended_ = true;
  loop_.hold(c);
  return true;
}

void MasterLink::take(const ReplicaHandshake::Step& step) {
  for (const ReplicaHandshake::Remark& r : step.remarks) log_.write(r.level, "%s", r.text.c_str());
  send(step.send);
}

void MasterLink::take_lines(Bytes bytes) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (line_.size() > 1024) return sync_failed("an endless line");
    if (end == Bytes::npos) return;
    bytes.remove_prefix(end + 1);
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    OwnedBytes line;
    line.swap(line_);
    take(handshake_->line(line));
    if (handshake_->failed()) {
      if (handshake_->refused()) owner_.handed_over(false);
      return connection_ ? loop_.kill(*connection_) : void();
    }
    if (!handshake_->over()) continue;
    if (owner_.hands_over()) owner_.handed_over(true);
    Connection* c = connection_;
    shaken();
    if (connection_ == c && !bytes.empty()) received(*c, bytes);
    return;
  }
}

void MasterLink::shaken() {
  std::unique_ptr<ReplicaHandshake> h = std::move(handshake_);
  framed_ = h->framed();
  frames_.reset();
  if (h->state() == ReplicaHandshake::State::kContinue) {
    owner_.continued(h->id());
    log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
    return begin_stream(database_);
  }
  // What we have is not what the master can go on from, and will be replaced when its data set is here.
  new_id_ = h->state() == ReplicaHandshake::State::kFull ? h->id() : OwnedBytes();
  new_offset_ = std::max<int64_t>(h->offset(), 0);
  if (file_.busy() || direct_load_.busy()) return sync_failed("what the sync before has left is still being removed");
  payload_ = SyncPayload();
  header_seen_ = false;
  figures_.sync_read.set(0);
  figures_.sync_io_ms.set(heard_ms_);
  direct_ = false;
  DirectLoad::Place place;
  if (!wants_direct(place)) {
    const Options& o = loop_.executor().options();
    file_.start(o.dir, o.dbfilename, process_id_, loop_.executor().now_ms() / 1000, file_done, this);
  }
  enter(State::kTransfer);
}

// repl-diskless-load. What we have is served on only where it is an earlier state of what comes.
bool MasterLink::wants_direct(DirectLoad::Place& place) const {
  const Engine& engine = loop_.executor().engine();
  switch (loop_.executor().options().repl_diskless_load) {
    case ReplDisklessLoad::kDisabled: return false;
    case ReplDisklessLoad::kSwapdb:
      place = new_id_ == owner_.history() ? DirectLoad::Place::kBesideServing : DirectLoad::Place::kBeside;
      return true;
    case ReplDisklessLoad::kOnEmptyDb: break;
  }
  place = DirectLoad::Place::kInUse;
  for (Shard* s : engine.shards)
    for (int i = 0; i < s->databases(); i++)
      if (s->database(i).size()) return false;
  return persistence_.functions().empty();
}

void MasterLink::take_image(Bytes bytes) {
  if (payload_.state() == SyncPayload::State::kEnd) return take_stream(bytes);
  payload_.feed(bytes, [this](Bytes image) {
    if (!header_seen_) begin_image();
    put_image(image, 0);
  });
  if (payload_.framed()) {
    if (!header_seen_) begin_image();
    take_image_frames(bytes);
  }
  figures_.sync_read.set(payload_.bytes());
  figures_.sync_io_ms.set(heard_ms_);
  if (!header_seen_ && payload_.state() >= SyncPayload::State::kImage) image_header_read();
  if (payload_.state() == SyncPayload::State::kFailed) return;
  if (image_waiting() > kMostWaiting) loop_.hold(*connection_);
  if (payload_.state() != SyncPayload::State::kEnd) return;
  take_stream(bytes);
  loop_.hold(*connection_);
  if (!direct_) return file_.finish();
  enter(State::kLoading);
  direct_load_.finish();
}

void MasterLink::put_image(Bytes image, int part) { direct_ ? direct_load_.append(image, part) : file_.append(image); }

void MasterLink::take_image_frames(Bytes& bytes) {
  while (payload_.state() == SyncPayload::State::kImage) {
    FrameDecoder::Status s = frames_.next(bytes);
    if (s == FrameDecoder::Status::kMore) return;
    if (s == FrameDecoder::Status::kFrame && frames_.kind() == FrameKind::kImage) {
      payload_.image_came(frames_.bytes().size());
      put_image(frames_.bytes(), frames_.part());
      continue;
    }
    if (s == FrameDecoder::Status::kFrame && frames_.kind() == FrameKind::kImageEnd) return payload_.image_ended();
    bytes = {};
    return sync_failed(s == FrameDecoder::Status::kBad ? frames_.error() : "a frame of the stream within the image");
  }
}

// What belongs to the stream, as if it had come bare.
void MasterLink::take_stream(Bytes bytes) {
  Connection& c = *connection_;
  if (!framed_) return c.query.append(bytes);
  FrameDecoder::Status s;
  while ((s = frames_.next(bytes)) == FrameDecoder::Status::kFrame && frames_.kind() == FrameKind::kStream) c.query.append(frames_.bytes());
  if (s != FrameDecoder::Status::kMore) broken(s == FrameDecoder::Status::kBad ? frames_.error() : "a frame of an image");
}

void MasterLink::image_header_read() {
  header_seen_ = true;
  if (payload_.state() == SyncPayload::State::kFailed) {
    const OwnedBytes& e = payload_.error();
    if (!e.empty() && e[0] == '-')
      log_.write(LogLevel::kWarning, "MASTER aborted replication with an error: %s", e.c_str() + 1);
    else
      log_.write(LogLevel::kWarning,
                 "Bad protocol from MASTER, the first byte is not '$' (we received '%s'), are you sure the host and port are right?",
                 e.c_str());
    return loop_.kill(*connection_);
  }
  begin_image();
}

// Its beginning has come. It goes where it was to go when it was asked for: a file has been opened then.
void MasterLink::begin_image() {
  header_seen_ = true;
  DirectLoad::Place place = DirectLoad::Place::kInUse;
  direct_ = !file_.busy();
  if (direct_ && !wants_direct(place)) place = DirectLoad::Place::kBeside;  // the options have changed
  const char* to = direct_ ? "parser" : "disk";
  if (payload_.framed()) log_.write(LogLevel::kVerbose, "The image and the stream behind it come in frames: the master is one of ours.");
  if (payload_.length() < 0)
    log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to %s", to);
  else
    log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: receiving %lld bytes from master to %s",
               static_cast<long long>(payload_.length()), to);
  if (direct_) {
    if (place == DirectLoad::Place::kInUse) log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Flushing old data");
    log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Loading DB in memory");
    direct_load_.start(place, payload_.framed());
  }
  owner_.link_changed();
}

void MasterLink::loaded_directly(const DataLoad::Result& result) {
  if (result.state == Loader::State::kLoaded) return loaded(result);
  log_.write(LogLevel::kWarning, "Failed trying to load the MASTER synchronization DB from socket: %s", result.error.c_str());
  if (state_ != State::kTransfer && state_ != State::kLoading) return;
  if (state_ == State::kLoading) enter(State::kConnect);
  if (connection_) loop_.kill(*connection_);
}

void MasterLink::file_done(void* context, int error, const char* step) {
  auto& self = *static_cast<MasterLink*>(context);
  if (error) {
    self.log_.write(LogLevel::kWarning, "Failed to %s the file needed for MASTER <-> REPLICA synchronization: %s", step,
                    std::strerror(error));
    if (self.connection_) self.loop_.kill(*self.connection_);
    return;
  }
  self.image_over();
}

void MasterLink::image_over() {
  if (state_ != State::kTransfer) return;
  enter(State::kLoading);
  loop_.executor().with_all_shards(this);
}

void MasterLink::run(Executor& home) {
  if (state_ != State::kLoading) return;
  if (load_.active()) return connection_ ? sync_failed("another data set is being loaded") : enter(State::kConnect);
  end_data_set();
  log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Flushing old data");
  for (Shard* s : home.engine().shards)
    for (int i = 0; i < s->databases(); i++) {
      s->database_emptied(i);
      s->database(i).clear();
    }
  if (home.engine().scripting) home.engine().scripting->drop_libraries();
  log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Loading DB in memory");
  load_.start(home, home.options().rdbchecksum, {}, load_done, this);
}

// Not before all of the new one is here: until then a master that knows our history may still go on from our place.
void MasterLink::end_data_set() {
  discard_cached_master();
  owner_.new_data_set(new_offset_);
}

void MasterLink::discard_cached_master() {
  if (can_continue_) log_.write(LogLevel::kNotice, "Discarding previously cached master state.");
  can_continue_ = false;
}

void MasterLink::remove_file() {
  const Options& o = loop_.executor().options();
  if (!o.rdb_del_sync_files || !o.save.empty() || o.keeps_log()) return;
  log_.write(LogLevel::kNotice, "Removing the RDB file obtained from the master. This replica has persistence disabled");
  file_.remove();
}

void MasterLink::load_done(void* context, const DataLoad::Result& result) { static_cast<MasterLink*>(context)->loaded(result); }

void MasterLink::loaded(const DataLoad::Result& result) {
  if (state_ != State::kLoading) return;  // it is not wanted any more
  if (!direct_) remove_file();
  if (result.state != Loader::State::kLoaded) {
    log_.write(LogLevel::kWarning, "Failed trying to load the MASTER synchronization DB from disk: %s", result.error.c_str());
    enter(State::kConnect);
    if (connection_) loop_.kill(*connection_);
    return;
  }
  persistence_.loaded();
  owner_.synced(new_id_);
  int database = std::max(result.replication_database, 0);
  log_.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Finished with success");
  if (!connection_) {
    can_continue(true, database);
    return enter(State::kConnect);
  }
  begin_stream(database);
  if (payload_.length() < 0) acknowledge();  // the master waits for it before it sends the stream
}

void MasterLink::begin_stream(int database) {
  Connection& c = *connection_;
  c.role = Client::Role::kMaster;
  c.reply_mode = Client::ReplyMode::kOff;
  c.database = database;
  figures_.io_ms.set(loop_.executor().now_ms());
  figures_.received.set(owner_.offset() + static_cast<int64_t>(c.query.size()));
  down_since_ms_ = 0;
  ended_ = false;
  enter(State::kConnected);
  applier_.attach(&c);
  applier_.more();
  loop_.release(c);
}

void MasterLink::sync_failed(const char* why) {
  log_.write(LogLevel::kWarning, "MASTER <-> REPLICA sync failed: %s", why);
  loop_.kill(*connection_);
}

// --- the stream

void MasterLink::applied(Bytes bytes) {
  owner_.streamed(bytes, connection_->database);
  if (ack_wanted_) acknowledge();
  if (!ended_ && connection_->query.size() - bytes.size() < kMostWaiting / 2) loop_.release(*connection_);
}

// A command that is longer than what we keep waiting comes in all the same.
void MasterLink::wants_more() { ended_ ? loop_.kill(*connection_) : loop_.release(*connection_); }

void MasterLink::broken(const char* why) {
  log_.write(LogLevel::kWarning, "The stream of the master cannot be understood: %s", why);
  loop_.kill(*connection_);
}

void MasterLink::command_failed(Bytes error, Bytes command) {
  log_.write(LogLevel::kWarning,
             "== CRITICAL == This replica is sending an error to its master: '%.*s' after processing the command '%.*s'",
             static_cast<int>(error.size()), error.data(), static_cast<int>(command.size()), command.data());
  const Options& o = loop_.executor().options();
  if (o.replica_read_only && o.propagation_error_behavior != PropagationErrorBehavior::kIgnore)
    panic(loop_.network().engine, "This replica panicked sending an error to its master after processing the command '%.*s'",
          static_cast<int>(command.size()), command.data());
}

void MasterLink::cannot_be_kept() {
  if (!loop_.executor().options().replica_ignore_disk_write_errors)
    panic(loop_.network().engine, "Replica was unable to write command to disk.");
  const int64_t now = loop_.executor().now_ms();
  if (now < next_remark_ms_) return;
  next_remark_ms_ = now + kRemarkMs;
  log_.write(LogLevel::kWarning, "Replica is applying a command even though it is unable to write to disk.");
}

}  // namespace ringwood
