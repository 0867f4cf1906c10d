#include "tests/sim/replication_sim.h"

#include <algorithm>
#include <cstdlib>

#include "engine/base/resp_command.h"

namespace ringwood {
namespace {

constexpr int64_t kAckMs = 100, kRetryMs = 50;
constexpr size_t kPiece = 120;  // of an image or the stream, in one send

// The first command of `in`, which is dropped from it; false: none is there as a whole.
bool take_command(Bytes& in, std::vector<OwnedBytes>& words, size_t& size) {
  words.clear();
  size_t at = 0;
  auto number = [&](char kind, size_t& n) {
    const size_t end = in.find("\r\n", at);
    if (end == Bytes::npos || in[at] != kind) return false;
    n = std::strtoull(OwnedBytes(in.substr(at + 1, end - at - 1)).c_str(), nullptr, 10);
    at = end + 2;
    return true;
  };
  size_t count = 0, length = 0;
  if (!number('*', count)) return false;
  for (size_t i = 0; i < count; i++) {
    if (!number('$', length) || in.size() < at + length + 2) return false;
    words.emplace_back(in.substr(at, length));
    at += length + 2;
  }
  in.remove_prefix(at);
  size = at;
  return true;
}

uint64_t mixed(uint64_t hash, uint64_t n) {
  hash = (hash ^ n) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 29;
}

int64_t to_number(Bytes text) { return std::strtoll(OwnedBytes(text).c_str(), nullptr, 10); }

}  // namespace

ReplicationSim::ReplicationSim(uint64_t seed, size_t nodes) : random_(seed), nodes_(nodes) {
  for (Node& n : nodes_) {
    n.frames = random_.below(3) != 0;
    n.direct = random_.below(2) != 0;
    n.history.id = random_.hex(kReplicationIdSize);
  }
}

// --- what must not happen

void ReplicationSim::note_at(Bytes id, int64_t offset, const Data& data) {
  auto [at, fresh] = places_.try_emplace({OwnedBytes(id), offset}, data);
  if (!fresh && !(at->second == data)) wrong("two data sets at " + OwnedBytes(id.substr(0, 6)) + ":" + std::to_string(offset));
}

// Only who counts what is written stands at a place.
void ReplicationSim::note(const Node& n) {
  if (n.keeps_backlog) note_at(n.history.id, n.end, n.data);
}

bool ReplicationSim::settled(size_t root) const {
  const Node& r = nodes_[root];
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const Node& n) {
    if (&n == &r) return !n.replica && !n.failover.active();
    return n.replica && n.link == Link::kConnected && n.end == r.end && n.data == r.data && n.history.id == r.history.id;
  });
}

// --- links

void ReplicationSim::send(Connection& c, bool there, Bytes bytes) {
  Pipe& p = there ? c.there : c.back;
  while (!bytes.empty() && !p.lost && p.ends_ms < 0) {
    const Bytes piece = bytes.substr(0, 1 + random_.below(bytes.size()));
    p.last_ms = std::max(p.last_ms, now_ + 1 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(faults.delay_ms))));
    p.pieces.emplace_back(p.last_ms, piece);
    bytes.remove_prefix(piece.size());
    if (faults.cut > 0 && random_.real() < faults.cut) break_link(c);
  }
}

// Of what is on its way a part arrives. Each end hears of it when it does.
void ReplicationSim::break_link(Connection& c) {
  for (Pipe* p : {&c.there, &c.back}) {
    if (p->lost) continue;
    p->lost = true;
    p->pieces.resize(random_.below(p->pieces.size() + 1));
    p->ends_ms = std::max(p->last_ms, now_) + static_cast<int64_t>(random_.below(200));
  }
}

void ReplicationSim::hang_up(Connection& c, bool dialler) {
  bool& mine = dialler ? c.dialler_open : c.accepter_open;
  if (!mine) return;
  Pipe& out = dialler ? c.there : c.back;
  if (out.ends_ms < 0) out.ends_ms = std::max(out.last_ms, now_ + 1);
  ended(c, dialler);
}

// One end does not have it any more.
void ReplicationSim::ended(Connection& c, bool at_dialler) {
  if (at_dialler) {
    c.dialler_open = false;
    Node& n = nodes_[c.dialler];
    if (n.connection != &c) return;
    n.connection = nullptr;
    n.handshake.reset();
    if (n.link == Link::kConnected) n.can_continue = true;
    n.stream.clear();
    if (n.link != Link::kLoading && n.link != Link::kOff) n.link = Link::kConnect;
    n.dial_ms = now_ + (n.can_continue ? 0 : kRetryMs);
    return;
  }
  c.accepter_open = false;
  nodes_[c.accepter].peers.remove_if([&c](const Peer& p) { return p.connection == &c; });
}

void ReplicationSim::deliver() {
  for (Connection& c : connections_)
    for (const bool there : {true, false}) {
      Node& to = nodes_[there ? c.accepter : c.dialler];
      Pipe& p = there ? c.there : c.back;
      bool& open = there ? c.accepter_open : c.dialler_open;
      if (to.still_until > now_) continue;
      // A replica that loads takes nothing.
      while (open && !p.pieces.empty() && p.pieces.front().first <= now_ && (there || to.link != Link::kLoading || to.connection != &c)) {
        OwnedBytes piece = std::move(p.pieces.front().second);
        p.pieces.pop_front();
        for (; !p.pieces.empty() && p.pieces.front().first <= now_ && random_.below(3); p.pieces.pop_front())
          piece += p.pieces.front().second;
        if (there) {
          c.requests += piece;
          requests(to, c);
        } else if (to.connection == &c) {
          received(to, piece);
        }
      }
      if (open && p.pieces.empty() && p.ends_ms >= 0 && p.ends_ms <= now_) hang_up(c, !there);
    }
  connections_.remove_if([](const Connection& c) { return !c.dialler_open && !c.accepter_open; });
}

// --- the master's side

void ReplicationSim::requests(Node& n, Connection& c) {
  Bytes rest = c.requests;
  std::vector<OwnedBytes> w;
  size_t size;
  while (c.accepter_open && take_command(rest, w, size)) {
    if (w[0] == "PING") {
      send(c, false, "+PONG\r\n");
    } else if (w[0] == "PSYNC") {
      psync(n, c, w[1], to_number(w[2]), w.size() > 3);
    } else if (w[1] != "ACK") {
      for (size_t i = 1; i + 1 < w.size(); i += 2) {
        c.traits.eof |= w[i + 1] == "eof";
        c.traits.psync2 |= w[i + 1] == "psync2";
        c.traits.frames |= n.frames && w[i + 1] == kFramesCapability;
      }
      send(c, false, "+OK\r\n");
    } else {
      for (Peer& p : n.peers)
        if (p.connection == &c) {
          p.acknowledged = std::max(p.acknowledged, to_number(w[2]));
          if (p.acknowledged > n.end) wrong("more is acknowledged than was written");
          p.machine.on(ReplicaPeer::Event::kAcknowledged, false);
        }
    }
  }
  c.requests.assign(rest);
}

StreamRange ReplicationSim::range(const Node& n) const {
  if (!n.keeps_backlog) return {};
  return {true, std::max(n.log_begin, n.end - static_cast<int64_t>(backlog)), n.end};
}

void ReplicationSim::psync(Node& n, Connection& c, Bytes id, int64_t from, bool failover) {
  if (failover) {
    if (!n.replica) return send(c, false, "-ERR PSYNC FAILOVER can't be sent to a master.\r\n");
    if (id != n.history.id) return send(c, false, "-ERR PSYNC FAILOVER replid must match my replid.\r\n");
  }
  if (n.failover.active()) return send(c, false, "-NOMASTERLINK Can't SYNC while failing over\r\n");
  if (!failover && n.replica && n.link != Link::kConnected)
    return send(c, false, "-NOMASTERLINK Can't SYNC while not connected with my master\r\n");
  if (failover) become_master(n);
  Peer& p = n.peers.emplace_back();
  p.connection = &c;
  p.framed = c.traits.frames;
  const OwnedBytes frames(p.framed ? kFramesWord : Bytes());
  if (judge_partial(n.history, range(n), id, from) == PartialVerdict::kContinue) {
    partial_++;
    p.machine.go_on();
    p.read = p.acknowledged = from - 1;
    return send(c, false, "+CONTINUE " + n.history.id + frames + "\r\n");
  }
  full_++;
  p.due_ms = now_ + static_cast<int64_t>(random_.below(30));
  if (n.keeps_backlog) return;
  if (!n.replica) new_history(n);  // what was written until now was not counted
  n.keeps_backlog = true;
  n.log_begin = n.end;
  n.log.clear();
  note(n);
}

void ReplicationSim::cut_image(Node& n, Peer& p) {
  Connection& c = *p.connection;
  p.machine.on(ReplicaPeer::Event::kCut, false);
  p.read = p.acknowledged = n.end;
  p.image = std::to_string(n.data.count) + " " + std::to_string(n.data.hash) + " " + random_.hex(random_.below(1500));
  p.image_at = 0;
  p.marked = p.framed || random_.below(2) != 0;
  p.mark = random_.hex(40);
  send(c, false, "+FULLRESYNC " + n.history.id + " " + std::to_string(n.end) + OwnedBytes(p.framed ? kFramesWord : Bytes()) + "\r\n");
  if (p.framed) return send(c, false, OwnedBytes(kFramesPayload) + "\r\n");
  send(c, false, p.marked ? "$EOF:" + p.mark + "\r\n" : "$" + std::to_string(p.image.size()) + "\r\n");
}

void ReplicationSim::feed(Node& n, Peer& p) {
  Connection& c = *p.connection;
  char room[1024];
  auto framed = [&room](FrameKind kind, Bytes raw) { return Bytes(room, write_frame(room, kind, 0, raw, raw.size() > 60)); };
  if (p.machine.state() == ReplicaPeer::State::kWaiting && p.due_ms <= now_) cut_image(n, p);
  if (p.machine.state() == ReplicaPeer::State::kImage) {
    const Bytes piece = Bytes(p.image).substr(p.image_at, kPiece);
    p.image_at += piece.size();
    if (!piece.empty()) send(c, false, p.framed ? framed(FrameKind::kImage, piece) : piece);
    if (p.image_at < p.image.size()) return;
    if (p.marked) send(c, false, p.framed ? framed(FrameKind::kImageEnd, {}) : Bytes(p.mark));
    p.machine.on(p.marked ? ReplicaPeer::Event::kMarkedImageSent : ReplicaPeer::Event::kImageSent, false);
  }
  if (!p.machine.wants_stream()) return;
  const Bytes piece = Bytes(n.log).substr(static_cast<size_t>(p.read - n.log_begin), kPiece);
  if (piece.empty()) return;
  send(c, false, p.framed ? framed(FrameKind::kStream, piece) : piece);
  p.read += static_cast<int64_t>(piece.size());
}

void ReplicationSim::append(Node& n, Bytes bytes) {
  n.log += bytes;
  n.end += static_cast<int64_t>(bytes.size());
  int64_t first = n.end - static_cast<int64_t>(backlog);
  for (const Peer& p : n.peers)
    if (p.read >= 0) first = std::min(first, p.read);
  if (first <= n.log_begin) return;
  n.log.erase(0, static_cast<size_t>(first - n.log_begin));
  n.log_begin = first;
}

void ReplicationSim::put_write(Node& n) {
  const uint64_t number = ++writes_;
  n.data = {n.data.count + 1, mixed(n.data.hash, number)};
  if (!n.keeps_backlog) return;
  append(n, wire_command({"W", std::to_string(number)}));
  note(n);
}

void ReplicationSim::drop_peers(Node& n) {
  while (!n.peers.empty()) hang_up(*n.peers.front().connection, false);
}

// --- the replica's side

void ReplicationSim::dial(Node& n) {
  Connection& c = connections_.emplace_back();
  c.dialler = index(n);
  c.accepter = n.master;
  n.connection = &c;
  ReplicaHandshake::Settings s;
  s.port = static_cast<int>(index(n));
  s.version = "7.2.6";
  s.frames = n.frames;
  s.failover = n.failover.state() == PlannedFailover::State::kInProgress;
  if (n.can_continue) s.known_id = n.history.id, s.known_offset = n.end;
  n.handshake = std::make_unique<ReplicaHandshake>(std::move(s));
  n.line.clear();
  n.link = Link::kHandshake;
  send(c, true, n.handshake->begin().send);
}

void ReplicationSim::received(Node& n, Bytes bytes) {
  while (n.link == Link::kHandshake && !bytes.empty()) {
    const size_t end = bytes.find('\n');
    n.line += bytes.substr(0, end);
    if (end == Bytes::npos) return;
    bytes.remove_prefix(end + 1);
    n.line.pop_back();
    OwnedBytes line;
    line.swap(n.line);
    send(*n.connection, true, n.handshake->line(line).send);
    if (n.handshake->failed()) {
      n.dial_ms = now_ + kRetryMs;
      Connection& c = *n.connection;
      const bool refused = n.handshake->refused();
      hang_up(c, true);
      n.dial_ms = now_ + kRetryMs;
      if (refused) end_failover(n, false);
      return;
    }
    if (n.handshake->over()) shaken(n);
  }
  if (n.link == Link::kTransfer) return take_image(n, bytes);
  if (n.link == Link::kConnected) take_stream(n, bytes);
}

void ReplicationSim::shaken(Node& n) {
  if (n.failover.state() == PlannedFailover::State::kInProgress) end_failover(n, true);
  n.framed = n.handshake->framed();
  n.decoder.reset();
  n.stream.clear();
  if (n.handshake->state() == ReplicaHandshake::State::kContinue) {
    if (n.handshake->id() != n.history.id) {
      n.history.branch(n.handshake->id(), n.end);
      drop_peers(n);
    }
    if (!n.keeps_backlog) n.keeps_backlog = true, n.log_begin = n.end, n.log.clear();
    note(n);  // here a partial resync that must not be is seen
    n.link = Link::kConnected;
    return;
  }
  n.new_id = n.handshake->id();
  n.new_offset = n.handshake->offset();
  n.payload = SyncPayload();
  n.image.clear();
  n.begun = false;
  n.link = Link::kTransfer;
}

void ReplicationSim::data_set_ends(Node& n) {
  n.can_continue = false;
  drop_peers(n);
  n.end = n.log_begin = n.new_offset;
  n.log.clear();
  new_history(n);
}

void ReplicationSim::take_image(Node& n, Bytes bytes) {
  auto take = [&n](Bytes piece) { n.image += piece; };
  n.payload.feed(bytes, take);
  while (n.payload.framed() && n.payload.state() == SyncPayload::State::kImage) {
    const FrameDecoder::Status s = n.decoder.next(bytes);
    if (s == FrameDecoder::Status::kMore) break;
    if (s == FrameDecoder::Status::kBad) return wrong(n.decoder.error());
    n.decoder.kind() == FrameKind::kImage ? take(n.decoder.bytes()) : n.payload.image_ended();
  }
  if (n.payload.state() == SyncPayload::State::kFailed) return wrong("no image: " + n.payload.error());
  if (n.direct && !n.begun && n.payload.state() >= SyncPayload::State::kImage) {
    n.begun = true;
    data_set_ends(n);
    n.data = {};
  }
  if (n.payload.state() != SyncPayload::State::kEnd) return;
  n.link = Link::kLoading;
  n.loaded_ms = now_ + static_cast<int64_t>(random_.below(30));
  take_stream(n, bytes);
}

void ReplicationSim::loaded(Node& n) {
  if (!n.begun) data_set_ends(n);
  char* rest = nullptr;
  n.data.count = std::strtoull(n.image.c_str(), &rest, 10);
  n.data.hash = std::strtoull(rest, nullptr, 10);
  n.history.begin(n.new_id);
  n.keeps_backlog = true;
  note(n);
  if (!n.connection) {
    n.can_continue = true;
    n.link = Link::kConnect;
    return;
  }
  n.link = Link::kConnected;
  if (n.payload.length() < 0) acknowledge(n);
  apply(n);
}

void ReplicationSim::take_stream(Node& n, Bytes bytes) {
  if (!n.framed) {
    n.stream += bytes;
  } else {
    FrameDecoder::Status s;
    while ((s = n.decoder.next(bytes)) == FrameDecoder::Status::kFrame) n.stream += n.decoder.bytes();
    if (s == FrameDecoder::Status::kBad) return wrong(n.decoder.error());
  }
  if (n.link == Link::kConnected) apply(n);
}

void ReplicationSim::apply(Node& n) {
  Bytes rest = n.stream;
  std::vector<OwnedBytes> w;
  size_t size;
  for (Bytes before = rest; take_command(rest, w, size); before = rest) {
    if (w[0] == "W") n.data = {n.data.count + 1, mixed(n.data.hash, static_cast<uint64_t>(to_number(w[1])))};
    append(n, before.substr(0, size));
    note(n);
  }
  n.stream = OwnedBytes(rest);
}

void ReplicationSim::acknowledge(Node& n) { send(*n.connection, true, wire_command({"REPLCONF", "ACK", std::to_string(n.end)})); }

void ReplicationSim::drop_link(Node& n) {
  if (n.connection) hang_up(*n.connection, true);
  n.stream.clear();
}

// --- parts

void ReplicationSim::new_history(Node& n) { n.history.begin(random_.hex(kReplicationIdSize)); }

void ReplicationSim::become_replica(Node& n, size_t master) {
  if (!n.replica) n.can_continue = true;
  drop_link(n);
  n.replica = true;
  n.master = master;
  n.link = Link::kConnect;
  n.dial_ms = now_;
}

void ReplicationSim::become_master(Node& n) {
  drop_link(n);
  n.link = Link::kOff;
  n.replica = false;
  drop_peers(n);
  n.history.branch(random_.hex(kReplicationIdSize), n.end);
  note(n);
}

void ReplicationSim::follow(size_t node, size_t master) {
  Node& n = nodes_[node];
  if (n.failover.active() || n.link == Link::kLoading || (n.replica && n.master == master)) return;
  for (size_t at = master, hops = 0; hops < nodes_.size(); hops++) {  // nobody follows himself
    if (at == node) return;
    if (!nodes_[at].replica) break;
    at = nodes_[at].master;
  }
  become_replica(n, master);
}

void ReplicationSim::lead(size_t node) {
  Node& n = nodes_[node];
  if (n.replica && n.link != Link::kLoading && !n.failover.active()) become_master(n);
}

bool ReplicationSim::fail_over(size_t node, size_t target, int64_t timeout_ms) {
  Node& n = nodes_[node];
  FailoverWish wish;
  wish.to_one = true;
  wish.host = "n";
  wish.port = static_cast<int64_t>(target);
  wish.timeout_ms = timeout_ms;
  wish.force = random_.below(4) == 0;
  std::vector<PlannedFailover::Replica> known;
  for (const Peer& p : n.peers)
    known.push_back({"n", static_cast<int>(p.connection->dialler), p.machine.state() == ReplicaPeer::State::kOnline, p.acknowledged});
  if (!n.failover.refusal(wish, n.replica, known).empty()) return false;
  n.failover.begin(std::move(wish), now_);
  return true;
}

void ReplicationSim::look_at_failover(Node& n) {
  if (n.failover.state() != PlannedFailover::State::kWaiting) return;
  std::vector<PlannedFailover::Replica> known;
  for (const Peer& p : n.peers)
    known.push_back({"n", static_cast<int>(p.connection->dialler), p.machine.state() == ReplicaPeer::State::kOnline, p.acknowledged});
  switch (n.failover.look(now_, n.end, known)) {
    case PlannedFailover::Verdict::kWait: return;
    case PlannedFailover::Verdict::kTimedOut: return n.failover.end();
    default: break;
  }
  n.failover.start();
  drop_peers(n);
  become_replica(n, static_cast<size_t>(n.failover.port()));
}

void ReplicationSim::end_failover(Node& n, bool taken) {
  n.failover.end();
  if (!taken) become_master(n);
}

void ReplicationSim::cut(size_t node) {
  for (Connection& c : connections_)
    if (c.dialler == node || c.accepter == node) break_link(c);
}

void ReplicationSim::stand_still(size_t node, int64_t ms) { nodes_[node].still_until = now_ + ms; }

void ReplicationSim::save(size_t node) {
  Node& n = nodes_[node];
  if (n.link == Link::kLoading || (n.begun && n.link == Link::kTransfer)) return;
  n.saved = {n.data, n.history, n.end, n.keeps_backlog};
}

void ReplicationSim::restart(size_t node) {
  Node& n = nodes_[node];
  for (Connection& c : connections_) {
    if (c.dialler == node) hang_up(c, true);
    if (c.accepter == node) hang_up(c, false);
  }
  n.failover.end();
  n.data = n.saved.data;
  n.log.clear();
  n.stream.clear();
  n.keeps_backlog = n.saved.placed;
  n.can_continue = false;
  n.begun = false;
  new_history(n);
  n.end = n.log_begin = 0;
  if (n.saved.placed) {
    n.end = n.log_begin = n.saved.end;
    n.history.begin(n.saved.history.id);
    n.replica ? void(n.can_continue = true) : n.history.branch(random_.hex(kReplicationIdSize), n.end);
  }
  note(n);
  n.link = n.replica ? Link::kConnect : Link::kOff;
  n.dial_ms = now_ + 20;
}

void ReplicationSim::drop_backlog(size_t node) {
  Node& n = nodes_[node];
  if (n.replica || !n.peers.empty() || !n.keeps_backlog) return;
  n.keeps_backlog = false;
  new_history(n);
}

// --- time

void ReplicationSim::step() {
  now_++;
  deliver();
  for (Node& n : nodes_) {
    if (n.still_until > now_) continue;
    look_at_failover(n);
    if (n.link == Link::kConnect && n.dial_ms <= now_) dial(n);
    if (n.link == Link::kLoading && n.loaded_ms <= now_) loaded(n);
    if (n.link == Link::kConnected && n.connection && n.ack_ms <= now_) {
      n.ack_ms = now_ + kAckMs;
      acknowledge(n);
    }
    if (writing && !n.replica && !n.failover.active() && random_.below(4) == 0) put_write(n);
    for (auto p = n.peers.begin(); p != n.peers.end();) feed(n, *p++);
  }
}

void ReplicationSim::run(int64_t ms) {
  while (ms-- > 0 && fault_.empty()) step();
}

}  // namespace ringwood
