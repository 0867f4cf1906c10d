#include "net/replica_desk.h"
#include "engine/exec/cluster.h"

#include <algorithm>

#include "cluster/stream_frame.h"
#include "engine/base/options_set.h"
#include "engine/base/random.h"
#include "net/socket.h"

namespace ringwood {
namespace {

constexpr int64_t kLookMs = 100;

constexpr Bytes kPing = "*1\r\n$4\r\nPING\r\n";
constexpr Bytes kGetAck = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";

}  // namespace

ReplicaDesk::ReplicaDesk(Loop& loop, Snapshots& snapshots, ReplicaDeskOwner& owner)
    : loop_(loop), snapshots_(snapshots), owner_(owner), log_(*loop.executor().engine().mutations), text_(loop.network().log) {}

ReplicaDesk::~ReplicaDesk() = default;

OwnedBytes ReplicaDesk::name(const Peer& p) const {
  Connection& c = *p.connection;
  OwnedBytes address = c.traits ? c.traits->address : OwnedBytes();
  if (address.empty()) address = c.peer_address().substr(0, c.peer_address().rfind(':'));
  if (c.traits && c.traits->port) return address + ":" + std::to_string(c.traits->port);
  return address + ":<unknown-replica-port>";
}

ReplicaDesk::Peer* ReplicaDesk::find(const Connection& c) {
  for (Peer& p : peers_)
    if (p.connection == &c) return &p;
  return nullptr;
}

void ReplicaDesk::send(Peer& p, Bytes bytes) {
  append(*p.connection, bytes);
  loop_.send_now(*p.connection);
}

void ReplicaDesk::append(Connection& c, Bytes bytes) {
  loop_.expect_output(c, bytes.size());
  c.out.append(bytes);
}

// --- the backlog

StreamRange ReplicaDesk::backlog() const {
  if (!log_.backlog()) return {};
  return backlog_bounds().range(static_cast<int64_t>(log_.published()));
}

ReplicaDesk::BacklogBounds ReplicaDesk::backlog_bounds() const {
  BacklogBounds b;
  b.any = log_.backlog() != 0;
  if (!b.any) return b;
  b.oldest = static_cast<int64_t>(log_.oldest());
  b.kept = static_cast<int64_t>(std::min(log_.backlog(), wanted_backlog()));  // as CONFIG SET has just said
  for (const Peer& p : peers_)
    if (p.reader.attached()) b.held_from = std::min(b.held_from, static_cast<int64_t>(p.reader.position()));
  return b;
}

uint64_t ReplicaDesk::wanted_backlog() const {
  return static_cast<uint64_t>(std::max<int64_t>(loop_.executor().options().repl_backlog_size, kLeastBacklogBytes));
}

void ReplicaDesk::keep_backlog() {
  uint64_t wanted = wanted_backlog();
  if (!log_.backlog()) alone_since_ms_ = loop_.executor().now_ms();
  if (log_.backlog() != wanted) log_.set_backlog(wanted);
}

void ReplicaDesk::drop_backlog() { log_.set_backlog(0); }

// --- coming

void ReplicaDesk::admit(Connection& c, bool old, Bytes id, int64_t from) {
  peers_.emplace_back();
  Peer& p = peers_.back();
  p.connection = &c;
  p.old = old;
  p.waits_since_ms = p.ack_ms = loop_.executor().now_ms();
  if (peers_.size() == 1) last_ping_ms_ = p.ack_ms;
  c.role = Client::Role::kReplica;
  c.reply_mode = Client::ReplyMode::kOff;
  c.source = this;
  if (loop_.executor().options().repl_disable_tcp_nodelay) gather_packets(c.fd);
  const ReplicationHistory& history = owner_.present_history();
  text_.write(LogLevel::kNotice, "Replica %s asks for synchronization", name(p).c_str());
  PartialVerdict verdict = old ? PartialVerdict::kAsked : judge_partial(history, backlog(), id, from);
  if (verdict == PartialVerdict::kContinue && log_.attach(p.reader, static_cast<uint64_t>(from - 1), false)) {
    partial_++;
    p.machine.go_on();
    p.acknowledged = from - 1;
    p.fed_to = log_.end();
    text_.write(LogLevel::kNotice,
                "Partial resynchronization request from %s accepted. Sending %lld bytes of backlog starting from offset %lld.",
                name(p).c_str(), static_cast<long long>(p.reader.lag()), static_cast<long long>(from));
    OwnedBytes answer = "+CONTINUE";
    if (traits(p).psync2) answer += " " + history.id;
    if (framed(p)) answer += kFramesWord;
    send(p, answer + "\r\n");
    if (peers_.size() == 1) loop_.executor().follow_log(this);
    feed(p);
    return owner_.replicas_changed();
  }
  switch (verdict) {
    case PartialVerdict::kAsked:
      if (!old) text_.write(LogLevel::kNotice, "Full resync requested by replica %s", name(p).c_str());
      break;
    case PartialVerdict::kOtherHistory:
      text_.write(LogLevel::kNotice,
                  "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '%.*s', my replication IDs are '%s' "
                  "and '%s')",
                  static_cast<int>(id.size()), id.data(), history.id.c_str(), history.previous_id.c_str());
      break;
    case PartialVerdict::kTooLateForPrevious:
      text_.write(LogLevel::kNotice,
                  "Partial resynchronization not accepted: Requested offset for second ID was %lld, but I can reply up to %lld",
                  static_cast<long long>(from), static_cast<long long>(history.previous_until));
      break;
    default:
      text_.write(LogLevel::kNotice, "Unable to partial resync with replica %s for lack of backlog (Replica request was: %lld).",
                  name(p).c_str(), static_cast<long long>(from));
      if (from > static_cast<int64_t>(log_.published()))
        text_.write(LogLevel::kWarning,
                    "Warning: replica %s tried to PSYNC with an offset that is greater than the master replication offset.",
                    name(p).c_str());
  }
  if (verdict != PartialVerdict::kAsked) refused_++;
  full_++;
  if (peers_.size() == 1) loop_.executor().follow_log(this);
  if (!log_.backlog()) {
    owner_.backlog_begins();
    keep_backlog();
  }
  if (snapping_ && marked_)
    text_.write(LogLevel::kNotice, "Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC");
  else if (snapping_ && joins_image(p))
    text_.write(LogLevel::kNotice, "Waiting for end of BGSAVE for SYNC");
  else if (snapping_)
    text_.write(LogLevel::kNotice, "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC");
  owner_.replicas_changed();
}

// --- time

bool ReplicaDesk::look(int64_t now_ms) {
  if (snapshot_is_due(now_ms)) {
    asked_ = true;
    loop_.executor().with_all_shards(this);
  }
  if (__builtin_expect(held_, 0)) {
    held_ = false;
    for (Peer& p : peers_)
      if (p.machine.wants_stream()) feed_log(p);
  }
  if (now_ms < next_look_ms_) return false;
  next_look_ms_ = now_ms + kLookMs;
  note_offset(now_ms);
  keep_alive(now_ms);
  check_limits(now_ms);
  if (ask_later_) ask();
  owner_.replicas_changed();
  return false;
}

// Those who wait for the same image as the first of them are served together, the others later.
const ReplicaTraits* ReplicaDesk::next_served() const {
  for (const Peer& p : peers_)
    if (p.machine.state() == ReplicaPeer::State::kWaiting) return &traits(p);
  return nullptr;
}

const ReplicaTraits& ReplicaDesk::traits(const Peer& p) {
  static const ReplicaTraits none;
  return p.connection->traits ? *p.connection->traits : none;
}

bool ReplicaDesk::snapshot_is_due(int64_t now_ms) const {
  if (asked_ || snapping_ || snapshots_.busy()) return false;
  const Options& o = loop_.executor().options();
  int waiting = 0;
  int64_t longest_ms = 0;
  const ReplicaTraits* served = next_served();
  if (!served) return false;
  bool marked = o.repl_diskless_sync || served->without_keys;
  for (const Peer& p : peers_) {
    if (p.machine.state() != ReplicaPeer::State::kWaiting || !traits(p).wants_as(*served)) continue;
    waiting++;
    longest_ms = std::max(longest_ms, now_ms - p.waits_since_ms);
    marked &= traits(p).eof;
  }
  if (!marked || longest_ms >= o.repl_diskless_sync_delay * int64_t{1000}) return true;
  return o.repl_diskless_sync_max_replicas > 0 && waiting >= o.repl_diskless_sync_max_replicas;
}

// Where the log's end was, ten times a second for the last minutes.
void ReplicaDesk::note_offset(int64_t now_ms) {
  auto end = static_cast<int64_t>(log_.published());
  if (!ends_.empty() && ends_.back().offset == end) return;
  // All its memory is there from the beginning: it grows when keys may have to go for every byte.
  if (ends_.empty()) ends_.reserve(kMostEnds);
  if (ends_.size() == kMostEnds) ends_.erase(ends_.begin(), ends_.begin() + kMostEnds / 2);
  ends_.push_back({end, now_ms});
}

int64_t ReplicaDesk::lag_ms(const Peer& p, int64_t now_ms) const {
  auto later = [](int64_t offset, const End& e) { return offset < e.offset; };
  auto at = std::upper_bound(ends_.begin(), ends_.end(), p.acknowledged, later);
  return at == ends_.end() ? 0 : now_ms - at->when_ms;
}

// So that neither side takes the other for dead.
void ReplicaDesk::keep_alive(int64_t now_ms) {
  const Options& o = loop_.executor().options();
  if (now_ms < next_ping_ms_) return;
  if (owner_.leads() && !peers_.empty() && now_ms >= last_ping_ms_ + o.repl_ping_replica_period * int64_t{1000} &&
      !loop_.network().paused_for(Network::Pause::kFailover)) {  // which waits until a replica has all there is
    last_ping_ms_ = now_ms;
    put_between(kPing);
  }
  next_ping_ms_ = now_ms + 1000;
  for (Peer& p : peers_)
    if (p.machine.state() == ReplicaPeer::State::kWaiting || (p.machine.state() == ReplicaPeer::State::kImage && !marked_ && !image_whole_))
      send(p, "\n");
}

// A command for replicas alone that is for no database.
void ReplicaDesk::put_between(Bytes command) { log_.append_between(loop_.executor().self(), command); }

void ReplicaDesk::ask() {
  ask_later_ = loop_.network().paused(loop_.executor().now_ms());
  if (!ask_later_ && owner_.leads() && any()) put_between(kGetAck);
}

// What a replica has not been sent stands in the log; how much of that it may have is client-output-buffer-limit's.
void ReplicaDesk::check_limits(int64_t now_ms) {
  const Options& o = loop_.executor().options();
  const OutputBufferLimit& limit = o.client_output_buffer_limit[static_cast<size_t>(ClientClass::kReplica)];
  std::vector<Connection*> over;
  for (Peer& p : peers_) {
    if (!p.machine.wants_stream()) {
      // The log is there for all; while the image is sent its end is near, unless the replica takes nothing at all.
      if (p.reader.attached() && p.reader.lag() > kMostLag) over.push_back(p.connection);
      if (p.connection->bytes_out != p.bytes_out || !p.connection->output_bytes()) {
        p.bytes_out = p.connection->bytes_out;
        p.moved_ms = now_ms;
      } else if (marked_ && now_ms - p.moved_ms > o.repl_timeout * int64_t{1000}) {
        text_.write(LogLevel::kWarning, "Disconnecting timedout replica (full sync): %s", name(p).c_str());
        over.push_back(p.connection);
      }
      continue;
    }
    bool silent = now_ms - p.ack_ms > o.repl_timeout * int64_t{1000};
    if (silent && !p.old) {
      text_.write(LogLevel::kWarning, "Disconnecting timedout replica (streaming sync): %s", name(p).c_str());
      over.push_back(p.connection);
      continue;
    }
    uint64_t bytes = p.reader.lag() + p.connection->output_bytes();
    // What has gathered while the image went out is no fault of the replica: were it dropped for that, the next image would take as long.
    const uint64_t hard = std::max<uint64_t>(limit.hard_bytes, static_cast<uint64_t>(o.repl_backlog_size));
    if (bytes <= (limit.soft_bytes ? limit.soft_bytes : hard)) p.inherited_bytes = 0;
    bool too_much = limit.hard_bytes && bytes > hard + p.inherited_bytes;
    if (!limit.soft_bytes || bytes <= limit.soft_bytes || p.inherited_bytes)
      p.over_since_ms = 0;
    else if (!p.over_since_ms)
      p.over_since_ms = now_ms;
    else
      too_much |= now_ms - p.over_since_ms > limit.soft_seconds * int64_t{1000};
    too_much |= bytes > kMostLag;
    if (!too_much) continue;
    text_.write(LogLevel::kWarning, "Client id=%llu addr=%s scheduled to be closed ASAP for overcoming of output buffer limits.",
                static_cast<unsigned long long>(p.connection->id), p.connection->peer_address().c_str());
    over.push_back(p.connection);
  }
  for (Connection* c : over) loop_.kill(*c);
  if (!peers_.empty() || !log_.backlog() || !owner_.leads()) {
    alone_since_ms_ = now_ms;
  } else if (o.repl_backlog_ttl && now_ms - alone_since_ms_ > o.repl_backlog_ttl * 1000) {
    text_.write(LogLevel::kNotice, "Replication backlog freed after %lld seconds without connected replicas.",
                static_cast<long long>(o.repl_backlog_ttl));
    drop_backlog();
    owner_.backlog_dropped();
  }
  if (log_.backlog()) keep_backlog();
}

// --- the snapshot

void ReplicaDesk::run(Executor& home) {
  if (snapping_ || (home.engine().cluster && home.engine().cluster->value_arrives())) return;  // again with the next turn
  snapping_ = snapshots_.start_held(home, *this);
}

void ReplicaDesk::at_cut(Executor& home, SnapshotInfo& info) {
  const ReplicaTraits* next = next_served();
  const ReplicaTraits served = next ? *next : ReplicaTraits();
  auto waits = [&served](const Peer& p) { return p.machine.state() == ReplicaPeer::State::kWaiting && traits(p).wants_as(served); };
  info.without_keys = served.without_keys;
  info.without_functions = served.without_functions;
  marked_ = home.options().repl_diskless_sync || served.without_keys;
  for (const Peer& p : peers_)
    if (waits(p)) marked_ &= traits(p).eof;
  framed_ = marked_ && std::all_of(peers_.begin(), peers_.end(), [&waits](const Peer& p) { return !waits(p) || framed(p); });
  if (framed_) {  // LZ4 in the place of LZF: it costs less, and packs more
    frame_encoder_.set_packs(info.write.compress);
    info.write.compress = false;
    info.encoder = &frame_encoder_;
  }
  text_.write(LogLevel::kNotice, "Starting BGSAVE for SYNC with target: %s", marked_ ? "replicas sockets" : "disk");
  snapshots_.for_replicas = true;
  if (owner_.leads()) log_.forget_database();
  cut_ = static_cast<int64_t>(log_.end());
  const ReplicationHistory& history = owner_.present_history();
  info.with_replication = true;
  info.replication_id = history.id;
  info.replication_offset = cut_;
  info.replication_database = std::max(owner_.stream_database(), 0);
  chunks_.clear();
  image_bytes_ = 0;
  image_whole_ = false;
  mark_ = Random::from_system().hex(40);
  for (Peer& p : peers_)
    if (waits(p)) give_image(p);
  home.refresh_all_effects();
  owner_.replicas_changed();
}

// The image of the cut, and the stream from there on: false, and nothing is given, when that is not kept any more.
bool ReplicaDesk::give_image(Peer& p) {
  if (!traits(p).image_only && !log_.attach(p.reader, static_cast<uint64_t>(cut_), false)) return false;
  p.machine.on(ReplicaPeer::Event::kCut, false);
  p.chunk = p.at = 0;
  p.acknowledged = cut_;
  OwnedBytes answer = "+FULLRESYNC " + owner_.present_history().id + " " + std::to_string(cut_);
  if (framed(p)) answer += kFramesWord;
  if (!p.old) send(p, answer + "\r\n");
  if (framed_)
    send(p, OwnedBytes(kFramesPayload) + "\r\n");
  else if (marked_)
    send(p, "$EOF:" + mark_ + "\r\n");
  return true;
}

// An image whose length is told is sent when it is whole: until then there is all of it, also for who comes later.
bool ReplicaDesk::joins_image(Peer& p) {
  if (image_whole_ || !receivers() || traits(p).without_keys || traits(p).without_functions) return false;
  return give_image(p);
}

void ReplicaDesk::take(OutBuffer chunk) {
  image_bytes_ += chunk.size();
  chunks_.push_back(std::move(chunk));
  if (!marked_) return snapshots_.consumed(*this);  // sent when its length is known
  for (Peer& p : peers_) feed(p);
  release_chunks();
}

void ReplicaDesk::complete() {
  image_whole_ = true;
  snapshots_.for_replicas = false;
  if (marked_) text_.write(LogLevel::kNotice, "Diskless rdb transfer, done reading from pipe, %d replicas still up.", receivers());
  text_.write(LogLevel::kNotice, "Background %s terminated with success", marked_ ? "RDB transfer" : "saving");
  if (!marked_)
    for (Peer& p : peers_)
      if (p.machine.state() == ReplicaPeer::State::kImage) send(p, "$" + std::to_string(image_bytes_) + "\r\n");
  for (Peer& p : peers_) feed(p);
  release_chunks();
}

void ReplicaDesk::broken() {
  std::vector<Connection*> lost;
  for (Peer& p : peers_)
    if (p.machine.state() == ReplicaPeer::State::kImage) lost.push_back(p.connection);
  snapping_ = false;
  snapshots_.for_replicas = false;
  chunks_.clear();
  released_ = 0;
  for (Connection* c : lost) loop_.kill(*c);
}

int ReplicaDesk::receivers() const {
  auto receives = [](const Peer& p) { return p.machine.state() == ReplicaPeer::State::kImage && !p.connection->dying; };
  return static_cast<int>(std::count_if(peers_.begin(), peers_.end(), receives));
}

// An image that nobody waits for any more is called off, except where Redis would have it as a saved file.
struct ReplicaDesk::CallOff final : LeaseJob {
  ReplicaDesk* desk = nullptr;
  void run(Executor& home) override {
    if (desk->snapping_ && !desk->image_whole_ && !desk->receivers()) desk->snapshots_.cancel_held(home, *desk);
  }
  void finished(Executor&) override { delete this; }
};

void ReplicaDesk::call_off() {
  if (marked_)
    text_.write(LogLevel::kNotice, "Diskless rdb transfer, last replica dropped, killing fork child.");
  else if (!loop_.executor().options().save.empty())
    return;
  auto* job = new CallOff;
  job->desk = this;
  loop_.executor().with_all_shards(job);
}

// Chunks that everybody has are given back. The snapshot is over when that is all of them.
void ReplicaDesk::release_chunks() {
  if (!snapping_) return;
  size_t least = chunks_.size();
  for (const Peer& p : peers_)
    if (p.machine.state() == ReplicaPeer::State::kImage) least = std::min(least, p.chunk);
  for (; released_ < least; released_++) {
    chunks_[released_] = OutBuffer();
    if (marked_) snapshots_.consumed(*this);
  }
  if (!image_whole_ || released_ < chunks_.size()) return;
  snapping_ = false;
  chunks_.clear();
  released_ = 0;
}

// --- feeding

void ReplicaDesk::feed(Peer& p) {
  if (p.machine.state() == ReplicaPeer::State::kImage) feed_image(p);
  if (p.machine.wants_stream()) feed_log(p);
}

void ReplicaDesk::feed_image(Peer& p) {
  Connection& c = *p.connection;
  if (!marked_ && !image_whole_) return;
  while (p.chunk < chunks_.size() && c.output_bytes() < kImageBytes) {
    Bytes rest = chunks_[p.chunk].view().substr(p.at);
    Bytes piece = rest.substr(0, kImageBytes);
    append(c, piece);
    p.at += piece.size();
    if (piece.size() < rest.size()) continue;
    p.chunk++;
    p.at = 0;
  }
  loop_.send_now(c);
  if (image_whole_ && p.chunk == chunks_.size()) image_sent(p);
}

void ReplicaDesk::image_sent(Peer& p) {
  if (framed_) {
    OutBuffer& out = p.connection->out;
    out.commit(write_frame(out.reserve(frame_room(0)), FrameKind::kImageEnd, 0, {}, false));
    loop_.send_now(*p.connection);
  } else if (marked_) {
    send(p, mark_);
  }
  bool image_only = traits(p).image_only;
  p.machine.on(marked_ ? ReplicaPeer::Event::kMarkedImageSent : ReplicaPeer::Event::kImageSent, image_only);
  p.ack_ms = loop_.executor().now_ms();
  begin_catching_up(p);
  if (marked_)
    text_.write(LogLevel::kNotice,
                "Streamed RDB transfer with replica %s succeeded (socket). Waiting for REPLCONF ACK from replica to enable streaming",
                name(p).c_str());
  if (image_only) {
    text_.write(LogLevel::kNotice, "RDB transfer completed, rdb only replica (%s) should be disconnected asap", name(p).c_str());
    p.connection->close_after_reply = true;
  } else if (!marked_) {
    text_.write(LogLevel::kNotice, "Synchronization with replica %s succeeded", name(p).c_str());
  }
  owner_.replicas_changed();
}

// What is behind it from here on is not its own slowness, and goes out a piece at a time.
void ReplicaDesk::begin_catching_up(Peer& p) {
  p.inherited_bytes = p.reader.attached() ? p.reader.lag() : 0;
  p.fed_to = log_.end();
}

// As much as has come since, so that nobody falls behind whatever is written, and a piece of what is behind.
void ReplicaDesk::feed_log(Peer& p) {
  Connection& c = *p.connection;
  if (__builtin_expect(loop_.network().stream_holds.load() != 0, 0)) {
    held_ = true;
    return;
  }
  const uint64_t end = log_.end();
  const size_t most = std::min<uint64_t>(end - p.fed_to + kCatchUpBytes, kSendBytes);
  size_t given = 0;
  while (p.reader.attached() && given < most && c.output_bytes() < most) {
    Bytes piece = p.reader.peek().substr(0, most - given);
    if (piece.empty()) break;
    framed(p) ? put_frame(p, piece) : append(c, piece);
    p.reader.advance(piece.size());
    given += piece.size();
  }
  if (!given) return;
  p.fed_to = end;
  loop_.send_now(c);
}

// Compressed where the link is what the replica waits for: otherwise that would only cost both sides time. Replicas are as a rule at the
// same place: the work is done once for all of them.
void ReplicaDesk::put_frame(Peer& p, Bytes piece) {
  const uint64_t at = p.reader.position();
  if (frame_.empty() || frame_at_ != at || frame_raw_ != piece.size()) {
    frame_.clear();
    if (const size_t room = frame_room(piece.size()); room > frame_.capacity()) count_frame(OutBuffer::grown_for(room));
    frame_.commit(write_frame(frame_.reserve(frame_room(piece.size())), FrameKind::kStream, 0, piece, p.reader.lag() > kPackLag));
    frame_at_ = at;
    frame_raw_ = piece.size();
    count_frame(frame_.capacity());
  }
  append(*p.connection, frame_.view());
}

// It is the replicas', like what stands in their buffers: no key goes for it.
void ReplicaDesk::count_frame(size_t bytes) {
  loop_.stats.replica_memory.add(static_cast<int64_t>(bytes) - static_cast<int64_t>(frame_counted_));
  frame_counted_ = bytes;
}

void ReplicaDesk::log_grew(Executor&) {
  for (Peer& p : peers_)
    if (p.machine.wants_stream()) feed_log(p);
}

void ReplicaDesk::drained(Connection& c) {
  Peer* p = find(c);
  if (!p) return;
  feed(*p);
  release_chunks();
}

void ReplicaDesk::acknowledged(Connection& c, int64_t offset, int64_t on_disk) {
  Peer* p = find(c);
  if (!p) return;
  p->ack_ms = loop_.executor().now_ms();
  p->acknowledged = std::max(p->acknowledged, offset);
  p->on_disk = std::max(p->on_disk, on_disk);
  if (p->machine.on(ReplicaPeer::Event::kAcknowledged, false)) {
    text_.write(LogLevel::kNotice, "Synchronization with replica %s succeeded", name(*p).c_str());
    begin_catching_up(*p);
    feed(*p);
    owner_.replicas_changed();
  }
  owner_.acknowledged();
}

// --- going

void ReplicaDesk::closed(Connection& c) {
  auto at = std::find_if(peers_.begin(), peers_.end(), [&c](const Peer& p) { return p.connection == &c; });
  if (at == peers_.end()) return;
  text_.write(LogLevel::kNotice, "Connection with replica %s lost.", name(*at).c_str());
  peers_.erase(at);
  if (peers_.empty()) {
    frame_ = OutBuffer();
    count_frame(0);
    loop_.executor().unfollow_log(this);
    alone_since_ms_ = loop_.executor().now_ms();
  }
  if (snapping_ && !image_whole_ && !receivers()) call_off();
  release_chunks();
  owner_.replicas_changed();
}

void ReplicaDesk::disconnect_all() {
  frame_.clear();  // another history may begin, in which its place means something else
  std::vector<Connection*> all;
  for (Peer& p : peers_) all.push_back(p.connection);
  for (Connection* c : all) loop_.kill(*c);
}

// --- telling

void ReplicaDesk::describe(ReplicationStatus& s, const Options& o, int64_t now_ms) const {
  s.replicas.clear();
  s.good_replicas = 0;
  for (const Peer& p : peers_) {
    ReplicationStatus::Replica r;
    Connection& c = *p.connection;
    r.address = c.traits ? c.traits->address : OwnedBytes();
    if (r.address.empty()) r.address = c.peer_address().substr(0, c.peer_address().rfind(':'));
    r.port = c.traits ? c.traits->port : 0;
    switch (p.machine.state()) {
      case ReplicaPeer::State::kWaiting: r.state = ReplicationStatus::Replica::State::kWaiting; break;
      case ReplicaPeer::State::kImage:
        r.state = marked_ || !image_whole_ ? ReplicationStatus::Replica::State::kWaiting : ReplicationStatus::Replica::State::kSendingImage;
        break;
      case ReplicaPeer::State::kOnline: r.state = ReplicationStatus::Replica::State::kOnline; break;
      default: r.state = ReplicationStatus::Replica::State::kSendingImage;
    }
    r.acknowledged = p.acknowledged;
    r.on_disk = p.on_disk;
    r.ack_ms = p.ack_ms;
    r.lag_ms = lag_ms(p, now_ms);
    if (p.machine.wants_stream() && (now_ms - p.ack_ms) / 1000 <= o.min_replicas_max_lag) s.good_replicas++;
    s.replicas.push_back(std::move(r));
  }
  s.full_syncs = full_;
  s.partial_syncs = partial_;
  s.refused_partial_syncs = refused_;
}

}  // namespace ringwood
