#include "tests/sim/slot_move_sim.h"

#include <algorithm>

namespace ringwood::cluster {

using State = SlotExport::State;
using OutDo = SlotExport::Do;
using InDo = SlotImport::Do;

namespace {
constexpr uint64_t kWordBytes = 60000;  // as large as makes a few that are on their way too many for the pause to begin
}

void SlotMoveSim::start(size_t masters, int keys) {
  start_known(masters, 0);
  faults.sync_ms = 8;
  data_.resize(masters);
  left_.resize(masters);
  lonely_ms_.resize(masters, -1);
  for (size_t n = 0; n < masters; n++)
    for (int k = 0; k < keys; k++) slots_.push_back(static_cast<int>(n * kSlots / masters) + 7 * k);
  run(8000);
}

void SlotMoveSim::live(int64_t ms) {
  for (int64_t i = 0; i < ms && fault().empty(); i++) step();
}

void SlotMoveSim::step() {
  run(1);
  for (size_t n = 0; n < size(); n++)
    if (up(n) && lonely(n)) lonely_ms_[n] = now();
  for (auto& each : moves_) {
    Move& m = *each;
    if (m.claims) settle_claim(m);
    if (m.dialled_ms && now() >= m.dialled_ms) {
      m.dialled_ms = 0;
      if (up(m.target) && hears(m.source, m.target)) {
        m.connected = true;
        m.out->connected(clock(m.source));
      } else {
        m.out->cannot_connect("Connection refused", clock(m.source));
      }
    }
    // What is on its way waits while the ends do not hear each other: TCP says it again.
    auto arrive = [&](Pipe& pipe, bool alive, auto&& hear) {
      while (alive && hears(m.source, m.target) && !pipe.words.empty() && pipe.words.front().first <= now()) {
        const Word w = pipe.words.front().second;
        pipe.words.erase(pipe.words.begin());
        hear(w);
      }
    };
    arrive(m.there, up(m.target), [&](const Word& w) { hear_at_target(m, w); });
    arrive(m.back, m.out.has_value(), [&](const Word& w) { hear_at_source(m, w); });
    if (m.broken_ms && now() >= m.broken_ms && m.there.words.empty() && m.back.words.empty()) {
      m.broken_ms = 0;
      m.connected = false;
      if (m.out) m.out->lost(clock(m.source));
      if (m.in) m.in->lost(clock(m.target));
    }
    if (m.out && !m.out->over()) {
      look_at_view(m);
      if (m.settled_ms && now() >= m.settled_ms) {
        m.settled_ms = 0;
        m.tail.push_back({Word::Kind::kSign, 0, 0, {}});
        m.out->stream(m.sent + m.tail.size() * kWordBytes, false, clock(m.source));
        m.out->paused(clock(m.source));
      }
      if (m.check_ms && now() >= m.check_ms) {
        m.check_ms = 0;
        m.out->checked(everything_out(m), clock(m.source));
      }
      pump(m);
      if (now() % 100 == static_cast<int64_t>(m.source)) m.out->tick(clock(m.source));
    }
    if (m.in && !m.in->over()) {
      look_at_view(m);
      if (now() % 100 == static_cast<int64_t>(m.target)) m.in->tick(clock(m.target));
    }
    out_orders(m);
    in_orders(m);
    if (m.out)
      if (OwnedBytes wrong = m.out->invariants(); !wrong.empty()) accuse("the source: " + wrong);
    if (m.in)
      if (OwnedBytes wrong = m.in->invariants(); !wrong.empty()) accuse("the target: " + wrong);
  }
  write();
}

// --- clients

bool SlotMoveSim::lonely(size_t node) const {
  size_t heard = 0;
  for (size_t n = 0; n < size(); n++) heard += up(n) && hears(node, n) && !silent(node, n) && !silent(n, node);
  return heard < size() / 2 + 1;
}

bool SlotMoveSim::serves(size_t node, int slot) const {
  if (!up(node)) return false;
  const ClusterMachine& m = const_cast<SlotMoveSim*>(this)->machine(node);
  if (!m.ok() || m.view().owner(slot) != &m.view().myself() || m.view().withheld.test(slot)) return false;
  return std::none_of(moves_.begin(), moves_.end(), [&](const auto& x) {
    return (x->claims && x->target == node && x->what.slots.test(slot)) || (x->holds_writes && x->source == node);
  });
}

// Whoever says that it serves the slot must have the last value that anybody has acknowledged.
void SlotMoveSim::write() {
  for (int i = 0; i < 3; i++) {
    const int slot = slots_[random().below(slots_.size())];
    for (size_t n = 0; n < size(); n++) {
      if (!serves(n, slot) || (!reachable.empty() && !reachable.count(n))) continue;
      Written& last = acknowledged_[slot];
      const auto found = data_[n].find(slot);
      const uint64_t got = found == data_[n].end() ? 0 : found->second;
      if (got != last.value) {
        // The one that acknowledged it had lost the others then or since, or this one has: one of the two is to be given up.
        if (lonely_ms_[last.node] < last.at && lonely_ms_[n] < last.at)
          return accuse("slot " + std::to_string(slot) + ": node " + std::to_string(n) + " has " + std::to_string(got) + " where node " +
                        std::to_string(last.node) + " has acknowledged " + std::to_string(last.value) + " at " + std::to_string(last.at));
        excused_++;
      }
      const uint64_t value = ++value_;
      data_[n][slot] = value;
      last = {value, n, now()};
      for (auto& m : moves_)
        if (m->out && m->source == n && m->image_taken && !m->out->over() && m->what.slots.test(slot))
          m->tail.push_back({Word::Kind::kPiece, slot, value, {}});
    }
  }
}

void SlotMoveSim::lost_slots(size_t node, const SlotSet& slots) {
  if (node >= data_.size()) return;
  std::erase_if(data_[node], [&](const auto& kept) { return slots.test(kept.first); });
}

// --- what is done to them

bool SlotMoveSim::move(size_t from, size_t to) {
  if (from == to || !up(from) || !up(to)) return false;
  const ClusterView& view = machine(from).view();
  auto m = std::make_unique<Move>();
  for (int s : slots_) {
    if (view.owner(s) != &view.myself() || random().below(3) == 0) continue;
    if (std::any_of(moves_.begin(), moves_.end(),
                    [&](const auto& x) { return x->source == from && x->out && !x->out->over() && x->what.slots.test(s); }))
      continue;
    m->what.slots.set(s);
  }
  if (!m->what.slots.any()) return false;
  m->what.name = NodeId::random(random());
  m->what.source = id(from);
  m->what.target = id(to);
  m->source = from;
  m->target = to;
  m->out.emplace(m->what, random().below(2) == 0, SlotExport::Timing{4 * timeout_, timeout_ + 1000}, clock(from));
  moves_.push_back(std::move(m));
  out_orders(*moves_.back());
  return true;
}

void SlotMoveSim::cut_streams() {
  for (auto& m : moves_)
    if (m->connected) {
      m->there.words.clear();
      m->back.words.clear();
      m->broken_ms = now() + 1;
    }
}

void SlotMoveSim::delay_streams(int64_t ms) {
  for (auto& m : moves_)
    for (Pipe* pipe : {&m->there, &m->back})
      for (auto& [at, word] : pipe->words) at += ms;
}

void SlotMoveSim::die(size_t node, bool sent_arrives) {
  if (!up(node)) return;
  crash(node, sent_arrives);
  for (auto& each : moves_) {
    Move& m = *each;
    if (m.source == node && m.out) {
      m.out.reset();
      m.dialled_ms = 0;
      m.holds_writes = false;
      if (!sent_arrives) m.there.words.clear();
      m.back.words.clear();
    }
    if (m.target == node && m.in) {
      // What has come stands on the disk, and nobody knows what it was.
      if (!m.hidden.empty()) left_[node].push_back(std::move(m.hidden));
      m.hidden.clear();
      m.in.reset();
      m.claims = false;
      if (!sent_arrives) m.back.words.clear();
      m.there.words.clear();
    }
    if (m.target == node) m.there.words.clear();
    if (m.connected && (m.source == node || m.target == node)) m.broken_ms = now() + 2;
  }
}

// Slots that are its own by nodes.conf were taken over, all others never were (SlotMigrations::settle_orphans).
void SlotMoveSim::come_back(size_t node) {
  if (up(node)) return;
  restart(node);
  const ClusterView& view = machine(node).view();
  for (const auto& hidden : left_[node])
    for (const auto& [slot, value] : hidden)
      if (view.owner(slot) == &view.myself()) data_[node][slot] = value;
  left_[node].clear();
}

std::string SlotMoveSim::unrest() const {
  if (!fault().empty()) return fault();
  for (const auto& m : moves_)
    if ((m->out && !m->out->over()) || (m->in && !m->in->over()) || m->claims)
      return "a move is not over: " + std::string(m->out ? m->out->state_name() : m->in ? m->in->state_name() : "claiming");
  if (std::string d = disagreement(); !d.empty()) return d;
  for (int s : slots_) {
    size_t served = 0;
    for (size_t n = 0; n < size(); n++) {
      const auto found = up(n) ? data_[n].find(s) : data_[n].end();
      if (!serves(n, s)) {
        if (found != data_[n].end()) return "node " + std::to_string(n) + " has keys in slot " + std::to_string(s) + ", which is another's";
        continue;
      }
      served++;
    }
    if (served != 1) return "slot " + std::to_string(s) + " is served by " + std::to_string(served) + " nodes";
  }
  return {};
}

// --- the stream between the two ends

void SlotMoveSim::say(Move& m, Pipe& pipe, Word w) {
  if (!m.connected || m.broken_ms) return;
  pipe.last_ms = std::max(pipe.last_ms, now() + 1 + static_cast<int64_t>(random().below(static_cast<uint64_t>(faults.delay_ms))));
  pipe.words.emplace_back(pipe.last_ms, std::move(w));
}

void SlotMoveSim::hang_up(Move& m) {
  if (m.connected && !m.broken_ms) m.broken_ms = now() + 1;
}

void SlotMoveSim::pump(Move& m) {
  if (!m.image_taken) return;
  auto send = [&](Word w) {
    say(m, m.there, std::move(w));
    m.sent += kWordBytes;
  };
  if (now() < m.image_ms) return;
  for (int i = 0; i < 4; i++) {
    if (!m.image.empty()) {
      send(m.image.back());
      m.image.pop_back();
      m.image_ms = now() + static_cast<int64_t>(random().below(20));
      break;
    }
    if (!m.image_said) {
      m.image_said = true;
      send({Word::Kind::kImageOver, 0, 0, {}});
      m.out->image_whole(clock(m.source));
    } else if (!m.tail.empty()) {
      send(m.tail.front());
      m.tail.erase(m.tail.begin());
    }
  }
  if (m.image_said) m.out->stream(m.sent + m.tail.size() * kWordBytes, everything_out(m), clock(m.source));
}

// --- the source

void SlotMoveSim::out_orders(Move& m) {
  if (!m.out) return;
  const size_t n = m.source;
  const State before = m.out->state();
  for (OutDo what : m.out->take_orders()) switch (what) {
      case OutDo::kDial: m.dialled_ms = now() + 1 + static_cast<int64_t>(random().below(5)); break;
      case OutDo::kSayPassword: say(m, m.there, {Word::Kind::kEstablish, -1, 0, {}}); break;
      case OutDo::kSayEstablish: say(m, m.there, {Word::Kind::kEstablish, 0, 0, {}}); break;
      case OutDo::kTakeImage:
        m.image_taken = true;
        m.image_ms = now() + static_cast<int64_t>(random().below(50));
        for (const auto& [slot, value] : data_[n])
          if (m.what.slots.test(slot)) m.image.push_back({Word::Kind::kPiece, slot, value, {}});
        m.out->image_begun(clock(n));
        break;
      case OutDo::kPause:
        m.holds_writes = true;
        m.settled_ms = now() + 1 + static_cast<int64_t>(random().below(25));
        break;
      case OutDo::kResume:
        m.holds_writes = false;
        m.settled_ms = 0;
        break;
      case OutDo::kCheck: m.check_ms = now() + 1; break;
      case OutDo::kSayGranted:
        m.granted = machine(n).grant(m.what.slots, clock(n));
        carry_out(n);
        say(m, m.there, {Word::Kind::kGranted, 0, m.granted, {}});
        break;
      case OutDo::kWithhold:
      case OutDo::kRelease:
        machine(n).withhold(m.out->awaited(), what == OutDo::kWithhold, clock(n));
        carry_out(n);
        break;
      case OutDo::kAsk:
        machine(n).ask_about(m.out->awaited(), clock(n));
        carry_out(n);
        break;
      case OutDo::kTakeBack:
        machine(n).take_back(m.out->awaited(), clock(n));
        carry_out(n);
        break;
      case OutDo::kReclaim:
        machine(n).reclaim(m.granted, clock(n));
        carry_out(n);
        break;
      case OutDo::kHangUp: hang_up(m); break;
    }
  if (m.out->over() && before == m.out->state() && m.image_taken) {
    m.out->state() == State::kSuccess ? succeeded_++ : failed_++;
    m.image_taken = false;
  }
}

void SlotMoveSim::hear_at_source(Move& m, const Word& w) {
  if (!m.out || m.out->over()) return;
  const int64_t t = clock(m.source);
  if (w.kind == Word::Kind::kAnswer) m.out->answered(w.text, t);
  if (w.kind == Word::Kind::kAck) m.out->acknowledged(w.number, t);
  if (w.kind == Word::Kind::kGivenUp) m.out->refused(w.text, t);
  out_orders(m);
}

void SlotMoveSim::look_at_view(Move& m) {
  if (m.out && !m.out->over()) {
    const ClusterView& view = machine(m.source).view();
    const ClusterNode* target = view.find(m.what.target);
    if (m.out->undecided() && !machine(m.source).ok()) m.out->out_of_touch(clock(m.source));
    m.out->owned(view.myself().slots, target ? target->slots : SlotSet{}, clock(m.source));
  }
  if (m.in && !m.in->over()) {
    const ClusterView& view = machine(m.target).view();
    bool self = false, other = false;
    m.what.slots.for_each([&](int s) {
      const ClusterNode* o = view.owner(s);
      self |= o == &view.myself();
      other |= o != &view.myself() && (!o || o->id != m.what.source);
    });
    if (self) m.in->impossible("Slots were unexpectedly assigned to myself during import", clock(m.target));
    if (other) m.in->impossible("Slots are no longer owned by source node", clock(m.target));
  }
}

// --- the target

std::string SlotMoveSim::establish(Move& m) {
  const ClusterView& view = machine(m.target).view();
  std::string wrong;
  m.what.slots.for_each([&](int s) {
    const ClusterNode* o = view.owner(s);
    if (!o || o->id != m.what.source) wrong = "-ERR Target node does not agree about current slot ownership";
    if (data_[m.target].count(s)) wrong = "-ERR Target node has keys in slot";
    for (const auto& x : moves_)
      if (x.get() != &m && x->target == m.target && ((x->in && !x->in->over()) || x->claims) && x->what.slots.test(s))
        wrong = "-ERR Slot is already being imported";
  });
  return wrong;
}

void SlotMoveSim::hear_at_target(Move& m, const Word& w) {
  const int64_t t = clock(m.target);
  if (w.kind == Word::Kind::kEstablish) {
    OwnedBytes answer = w.slot < 0 ? OwnedBytes{} : establish(m);
    if (w.slot >= 0 && answer.empty()) {
      m.in.emplace(m.what, 4 * timeout_, t);
      m.in->arrived(t);
    }
    return say(m, m.back, {Word::Kind::kAnswer, 0, 0, answer.empty() ? "+OK" : answer});
  }
  if (!m.in || m.in->over()) return;
  if (w.kind == Word::Kind::kGranted) {
    uint64_t greatest = 0;
    for (const ClusterNode* n : machine(m.target).view().nodes()) greatest = std::max(greatest, n->config_epoch);
    m.in->granted(w.number, greatest, machine(m.target).in_touch(t), t);
  } else {
    if (w.kind == Word::Kind::kPiece) m.hidden[w.slot] = w.number;
    if (w.kind == Word::Kind::kImageOver) m.in->image_over(t);
    m.in->heard(kWordBytes, t);
    say(m, m.back, {Word::Kind::kAck, 0, m.in->bytes_taken(), {}});
  }
  in_orders(m);
}

void SlotMoveSim::in_orders(Move& m) {
  if (!m.in) return;
  for (InDo what : m.in->take_orders()) switch (what) {
      case InDo::kTake:
        m.claims = true;
        machine(m.target).claim_granted(m.what.slots, m.in->granted_epoch(), clock(m.target));
        carry_out(m.target);
        break;
      case InDo::kDrop: m.hidden.clear(); break;
      case InDo::kSayGivenUp: say(m, m.back, {Word::Kind::kGivenUp, 0, 0, m.in->message()}); break;
      case InDo::kHangUp: hang_up(m); break;
    }
}

// The claim is on disk: the keys are seen from now on, where it still holds.
void SlotMoveSim::settle_claim(Move& m) {
  if (waits_for_disk(m.target)) return;
  m.claims = false;
  const ClusterView& view = machine(m.target).view();
  for (const auto& [slot, value] : m.hidden)
    if (view.owner(slot) == &view.myself()) data_[m.target][slot] = value;
  m.hidden.clear();
}

}  // namespace ringwood::cluster
