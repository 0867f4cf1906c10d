#include "net/slot_exporter.h"

#include <cstring>
#include <utility>

#include "cluster/cluster_machine.h"
#include "engine/base/number.h"
#include "engine/base/resp_command.h"
#include "net/held_work.h"
#include "persist/snapshots.h"

namespace ringwood {

using cluster::SlotExport;
using State = cluster::SlotExport::State;

namespace {

constexpr int64_t kSignMs = 1000;
constexpr int64_t kLongestPauseMs = 5000;  // for which nobody need end it; the machine ends it long before

OwnedBytes sign_of_life() { return wire_command({"CLUSTER", "SYNCSLOTS", "ACK"}); }

SlotExport::Timing timing(const Options& o) { return {o.repl_timeout * int64_t{1000}, o.cluster_node_timeout + 1000}; }

}  // namespace

SlotExporter::SlotExporter(SlotMoveOwner& owner, Loop& loop, Snapshots& snapshots, const cluster::SlotMove& move, OwnedBytes host, int port)
    : owner_(owner),
      loop_(loop),
      snapshots_(snapshots),
      log_(*loop.executor().engine().mutations),
      text_(loop.network().log),
      host_(std::move(host)),
      port_(port),
      machine_(move, !loop.executor().options().masterauth.empty(), timing(loop.executor().options()),
               loop.network().engine.clock->unix_ms()),
      filter_(*loop.executor().engine().commands, machine_.move().slots) {
  move.slots.for_each([this](int slot) { bits_.set(static_cast<size_t>(slot)); });
}

SlotExporter::~SlotExporter() = default;

int64_t SlotExporter::now_ms() const { return loop_.network().engine.clock->unix_ms(); }

void SlotExporter::start() {
  text_.write(LogLevel::kNotice, "Slot migration %.40s of %s to %.40s begins", machine_.move().name.text.data(),
              machine_.move().ranges().c_str(), machine_.move().target.text.data());
  carry_out();
}

bool SlotExporter::cancel() {
  const bool done = machine_.cancel(now_ms());
  carry_out();
  return done;
}

void SlotExporter::impossible(Bytes why) {
  machine_.impossible(why, now_ms());
  carry_out();
}

void SlotExporter::look_at_view() {
  if (machine_.over()) return;
  const cluster::ClusterView& view = owner_.machine().view();
  // With what it has granted it may have lost all that it had, and follows the new owner.
  if (!view.myself().is_master() && !machine_.undecided()) return impossible("This node is not a master any more");
  const cluster::ClusterNode* target = view.find(machine_.move().target);
  machine_.owned(view.myself().slots, target ? target->slots : cluster::SlotSet{}, now_ms());
  carry_out();
}

void SlotExporter::turn() {
  if (machine_.over()) return;
  if (!image_.empty()) pump();
  if (settles_ && settling_.done()) {
    settles_ = false;
    read_log();
    tail_.append(sign_of_life());  // so that the target acknowledges something now, however quiet it has been
    pump();
    machine_.paused(now_ms());
    carry_out();
  }
  if (machine_.state() == State::kWaitingToSnapshot && !asks_for_image_ && !snapshots_.busy()) ask_for_image();
}

void SlotExporter::tick(int64_t now_ms) {
  if (machine_.over()) return;
  if (machine_.undecided() && !owner_.machine().ok()) machine_.out_of_touch(now_ms);
  machine_.tick(now_ms);
  carry_out();
  // Nor where a part of the log has gone out, which may end within a command.
  if (!connection_ || machine_.state() < State::kWaitingToSnapshot || machine_.state() >= State::kPausing || now_ms < next_sign_ms_ ||
      !image_.empty() || snapping_ || tail_at_)
    return;
  next_sign_ms_ = now_ms + kSignMs;
  const OwnedBytes sign = sign_of_life();
  out_ += sign.size();
  say(sign);
  tell_stream();
}

// --- what the machine wants

void SlotExporter::carry_out() {
  if (carrying_out_) return;
  carrying_out_ = true;
  std::shared_ptr<SlotExporter> alive = weak_from_this().lock();
  for (;;) {
    std::vector<Do> orders = machine_.take_orders();
    if (orders.empty()) break;
    for (Do what : orders) carry_out(what);
  }
  carrying_out_ = false;
  if (machine_.over() && !std::exchange(told_end_, true))
    text_.write(machine_.state() == State::kFailed ? LogLevel::kWarning : LogLevel::kNotice, "Slot migration %.40s is over: %s%s%s",
                machine_.move().name.text.data(), machine_.state_name(), machine_.message().empty() ? "" : ": ",
                machine_.message().c_str());
}

void SlotExporter::carry_out(Do what) {
  const Options& o = loop_.executor().options();
  switch (what) {
    case Do::kDial: return dial();
    case Do::kSayPassword:
      return say(o.masteruser.empty() ? wire_command({"AUTH", o.masterauth}) : wire_command({"AUTH", o.masteruser, o.masterauth}));
    case Do::kSayEstablish: {
      OwnedBytes command;
      put_command(command, establish_words(machine_.move()));
      return say(command);
    }
    case Do::kTakeImage:
      if (!snapshots_.busy()) ask_for_image();  // otherwise with one of the next turns
      return;
    case Do::kPause:
      holds_writes_ = true;
      held_since_us_ = loop_.network().engine.clock->monotonic_us();
      owner_.hold_writes(now_ms() + kLongestPauseMs);
      settles_ = true;
      return settling_.begin(loop_.executor());
    case Do::kResume:
      holds_writes_ = settles_ = false;
      held_us_ = loop_.network().engine.clock->monotonic_us() - held_since_us_;
      return owner_.resume_writes();
    case Do::kCheck: return check();
    case Do::kSayGranted: {
      granted_epoch_ = owner_.machine().grant(machine_.move().slots, now_ms());
      owner_.machine_moved();
      return say(wire_command({"CLUSTER", "SYNCSLOTS", "FAILOVER-GRANTED", std::to_string(granted_epoch_)}));
    }
    case Do::kWithhold:
    case Do::kRelease: owner_.machine().withhold(machine_.awaited(), what == Do::kWithhold, now_ms()); return owner_.machine_moved();
    case Do::kAsk: owner_.machine().ask_about(machine_.awaited(), now_ms()); return owner_.machine_moved();
    case Do::kTakeBack: owner_.machine().take_back(machine_.awaited(), now_ms()); return owner_.machine_moved();
    case Do::kReclaim: owner_.machine().reclaim(granted_epoch_, now_ms()); return owner_.machine_moved();
    case Do::kHangUp: return hang_up();
  }
}

void SlotExporter::dial() {
  std::string error;
  connection_ = loop_.dial(host_, port_, loop_.executor().options().bind_source_addr, static_cast<StreamOwner&>(*this), error);
  if (!connection_) machine_.cannot_connect(error, now_ms());
}

void SlotExporter::connected(Connection& c, int error) {
  if (error) {
    machine_.cannot_connect(std::strerror(error), now_ms());
  } else {
    c.source = this;
    machine_.connected(now_ms());
  }
  carry_out();
}

void SlotExporter::lost(Connection&) {
  connection_ = nullptr;
  machine_.lost(now_ms());
  carry_out();
}

void SlotExporter::say(Bytes bytes) {
  if (!connection_) return;
  connection_->out.append(bytes);
  loop_.send_now(*connection_);
}

void SlotExporter::received(Connection& c, Bytes bytes) {
  c.last_active_ms = loop_.executor().now_ms();
  words_.append(bytes);
  const std::shared_ptr<SlotExporter> alive = shared_from_this();
  std::vector<OwnedBytes> words;
  while (connection_ && !machine_.over()) {
    if (machine_.state() == State::kAuthenticating || machine_.state() == State::kEstablishing) {
      OwnedBytes line;
      if (!words_.line(line)) return;
      machine_.answered(line, now_ms());
    } else {
      if (!words_.command(words)) break;
      told(words);
    }
    carry_out();
  }
  if (words_.broken()) impossible("What the target says cannot be understood");
}

void SlotExporter::told(const std::vector<OwnedBytes>& words) {
  int64_t bytes;
  if (words.size() >= 4 && words[2] == "ACK" && parse_int64(words[3], bytes))
    machine_.acknowledged(static_cast<uint64_t>(bytes), now_ms());
  else if (words.size() >= 7 && words[2] == "FINISH")
    machine_.refused(words[6], now_ms());
}

// --- the image

void SlotExporter::ask_for_image() {
  asks_for_image_ = true;
  with_every_shard(loop_.executor(), [self = shared_from_this()](Executor& home) {
    self->asks_for_image_ = false;
    if (self->machine_.state() != State::kWaitingToSnapshot) return;
    if (self->snapshots_.start_held(home, *self)) self->kept_ = self;
  });
}

void SlotExporter::at_cut(Executor& home, SnapshotInfo& info) {
  snapping_ = true;
  info.only = &bits_;
  info.without_functions = true;
  info.checksum = false;
  info.encoder = nullptr;
  Engine& engine = home.engine();
  machine_.move().slots.for_each([&](int slot) {
    keys_in_all_ += static_cast<int64_t>(engine.shard_of(static_cast<uint16_t>(slot)).database(0).slot_size(static_cast<uint16_t>(slot)));
  });
  log_.attach_at_end(reader_, false);
  log_.forget_database();
  home.refresh_all_effects();
  home.follow_log(this);
  machine_.image_begun(now_ms());
}

void SlotExporter::take(OutBuffer chunk) {
  if (snapshots_.giving() < 0 || machine_.over() || chunk.empty()) return snapshots_.consumed(*this);
  wrap_piece(chunk, snapshots_.value_open());
  image_.push_back(std::move(chunk));
  pump();
}

void SlotExporter::complete() {
  image_whole_ = true;
  snapping_ = false;
  const std::shared_ptr<SlotExporter> alive = std::move(kept_);
  if (machine_.over()) return;
  pump();
}

void SlotExporter::broken() {
  snapping_ = false;
  const std::shared_ptr<SlotExporter> alive = std::move(kept_);
  machine_.image_broken(now_ms());
  carry_out();
}

// --- the log

void SlotExporter::log_grew(Executor&) {
  if (machine_.over()) return;
  read_log();
  pump();
}

void SlotExporter::read_log() {
  while (reader_.attached()) {
    const Bytes piece = reader_.peek();
    if (piece.empty()) break;
    const SlotLogFilter::Fault fault = filter_.feed(piece, tail_);
    reader_.advance(piece.size());
    switch (fault) {
      case SlotLogFilter::Fault::kNone: continue;
      case SlotLogFilter::Fault::kFlushed: return impossible("Data was flushed");
      case SlotLogFilter::Fault::kStraddles: return impossible("A command has written to slots inside and outside of the migration");
      case SlotLogFilter::Fault::kNotUnderstood: return impossible("The log of changes cannot be understood");
    }
  }
  const OutputBufferLimit& limit = loop_.executor().options().client_output_buffer_limit[static_cast<size_t>(ClientClass::kReplica)];
  if (limit.hard_bytes && tail_.size() - tail_at_ > limit.hard_bytes)
    impossible("More has been written than the target can take (client-output-buffer-limit replica)");
}

// --- sending

void SlotExporter::pump() {
  if (!connection_ || machine_.over()) return;
  Connection& c = *connection_;
  bool any = false;
  while (c.output_bytes() < kSendBytes) {
    if (!image_.empty()) {
      if (!c.out.empty()) break;  // the buffer itself is sent, with nothing copied
      c.out.swap(image_.front());
      out_ += c.out.size();
      image_.pop_front();
      if (snapping_) snapshots_.consumed(*this);
    } else if (image_whole_ && !image_over_) {
      image_over_ = true;
      const OwnedBytes end = wire_command({"CLUSTER", "SYNCSLOTS", "SNAPSHOT-EOF"});
      c.out.append(end);
      out_ += end.size();
      machine_.image_whole(now_ms());
    } else if (image_over_ && tail_at_ < tail_.size()) {
      const Bytes piece = tail_.view().substr(tail_at_, kSendBytes);
      c.out.append(piece);
      out_ += piece.size();
      tail_at_ += piece.size();
      if (tail_at_ == tail_.size()) {
        tail_.clear();
        tail_.shrink(kSendBytes);
        tail_at_ = 0;
      }
    } else {
      break;
    }
    any = true;
  }
  if (any) loop_.send_now(c);
  tell_stream();
}

void SlotExporter::tell_stream() {
  if (!image_over_) return;
  machine_.stream(out_ + tail_.size() - tail_at_, all_out(), now_ms());
  carry_out();
}

bool SlotExporter::all_out() const { return tail_.size() == tail_at_ && reader_.attached() && reader_.lag() == 0 && filter_.at_rest(); }

// Has the target got all there is? Asked when nothing has been under way for a while, and once more here, where nothing can be.
void SlotExporter::check() {
  with_every_shard(loop_.executor(), [self = shared_from_this()](Executor& home) {
    home.hand_over();
    const bool everything = self->all_out();
    self->machine_.checked(everything, self->now_ms());
    self->carry_out();
    if (!everything) self->log_grew(home);
  });
}

// --- the end

void SlotExporter::hang_up() {
  keys_ = machine_.state() == State::kSuccess ? keys_in_all_ : keys_sent();
  if (Connection* c = std::exchange(connection_, nullptr)) {
    c->owner = nullptr;
    c->source = nullptr;
    loop_.kill(*c);
  }
  image_.clear();
  OutBuffer().swap(tail_);
  tail_at_ = 0;
  if (!reader_.attached() && !snapping_) return;
  with_every_shard(loop_.executor(), [self = shared_from_this()](Executor& home) {
    if (self->snapping_) self->snapshots_.cancel_held(home, *self);
    if (!self->reader_.attached()) return;
    self->log_.detach(self->reader_);
    home.unfollow_log(self.get());
    home.refresh_all_effects();
  });
}

int64_t SlotExporter::keys_sent() const { return image_whole_ ? keys_in_all_ : snapping_ ? snapshots_.keys_done() : 0; }

cluster::SlotMoveReport SlotExporter::report() const {
  cluster::SlotMoveReport r = report_of(machine_);
  r.keys = machine_.over() ? keys_ : keys_sent();
  r.keys_in_all = keys_in_all_;
  r.bytes = static_cast<int64_t>(out_);
  r.pause_us = held_us_;
  return r;
}

}  // namespace ringwood
