#include "cluster/replica_handshake.h"

#include <algorithm>

#include "cluster/replication_history.h"
#include "cluster/stream_frame.h"
#include "engine/base/number.h"
#include "engine/base/resp_command.h"

namespace ringwood {
namespace {

using State = ReplicaHandshake::State;

// What an error means in each state before PSYNC. `good` is a line that begins with '+'.
struct Rule {
  State state;
  bool error_is_fatal;
  const char* what;  // for the log
};
constexpr Rule kRules[] = {
    {State::kPing, true, "Error reply to PING from master"},
    {State::kAuth, true, "Unable to AUTH to MASTER"},
    {State::kPort, false, "(Non critical) Master does not understand REPLCONF listening-port"},
    {State::kAddress, false, "(Non critical) Master does not understand REPLCONF ip-address"},
    {State::kCapabilities, false, "(Non critical) Master does not understand REPLCONF capa"},
    {State::kVersion, false, "(Non critical) Master does not understand REPLCONF version"},
};

bool starts_with(Bytes text, Bytes with) { return text.substr(0, with.size()) == with; }

// A master that asks for a password or a permission answers PING with an error and goes on all the same.
bool asks_for_auth(Bytes text) {
  return starts_with(text, "-NOAUTH") || starts_with(text, "-NOPERM") || starts_with(text, "-ERR operation not permitted");
}

}  // namespace

State ReplicaHandshake::next_needed(State after) const {
  auto next = static_cast<State>(static_cast<int>(after) + 1);
  if (next == State::kAuth && settings_.password.empty()) next = State::kPort;
  if (next == State::kAddress && settings_.address.empty()) next = State::kCapabilities;
  return next;
}

OwnedBytes ReplicaHandshake::request(State state) const {
  switch (state) {
    case State::kPing: return wire_command({"PING"});
    case State::kAuth:
      if (settings_.user.empty()) return wire_command({"AUTH", settings_.password});
      return wire_command({"AUTH", settings_.user, settings_.password});
    case State::kPort: return wire_command({"REPLCONF", "listening-port", std::to_string(settings_.port)});
    case State::kAddress: return wire_command({"REPLCONF", "ip-address", settings_.address});
    case State::kCapabilities:
      if (!settings_.frames) return wire_command({"REPLCONF", "capa", "eof", "capa", "psync2"});
      return wire_command({"REPLCONF", "capa", "eof", "capa", "psync2", "capa", kFramesCapability});
    case State::kVersion: return wire_command({"REPLCONF", "version", settings_.version});
    case State::kPsync: {
      OwnedBytes id = settings_.known_id.empty() ? "?" : settings_.known_id;
      OwnedBytes from = settings_.known_id.empty() ? "-1" : std::to_string(settings_.known_offset + 1);
      return settings_.failover ? wire_command({"PSYNC", id, from, "FAILOVER"}) : wire_command({"PSYNC", id, from});
    }
    default: return {};
  }
}

void ReplicaHandshake::enter(State state, Step& step) {
  state_ = state;
  step.send += request(state);
  if (state != State::kPsync) return;
  if (settings_.known_id.empty())
    step.remarks.push_back({LogLevel::kNotice, "Partial resynchronization not possible (no cached master)"});
  else
    step.remarks.push_back({LogLevel::kNotice, "Trying a partial resynchronization (request " + settings_.known_id + ":" +
                                                   std::to_string(settings_.known_offset + 1) + ")."});
}

ReplicaHandshake::Step ReplicaHandshake::begin() {
  Step step;
  enter(State::kPing, step);
  return step;
}

ReplicaHandshake::Step ReplicaHandshake::line(Bytes text) {
  Step step;
  if (state_ == State::kPsync) {
    answer_to_psync(text, step);
    return step;
  }
  for (const Rule& rule : kRules) {
    if (rule.state != state_) continue;
    bool wrong = text.empty() || text[0] != '+';
    if (state_ == State::kPing && wrong && asks_for_auth(text)) wrong = false;
    if (wrong)
      step.remarks.push_back(
          {rule.error_is_fatal ? LogLevel::kWarning : LogLevel::kNotice, OwnedBytes(rule.what) + ": '" + OwnedBytes(text) + "'"});
    if (wrong && rule.error_is_fatal) {
      state_ = State::kFailed;
      return step;
    }
    if (state_ == State::kPing) step.remarks.push_back({LogLevel::kNotice, "Master replied to PING, replication can continue..."});
    enter(next_needed(state_), step);
    return step;
  }
  return step;
}

void ReplicaHandshake::answer_to_psync(Bytes text, Step& step) {
  if (text.empty()) return;  // the master keeps the link alive while it prepares its answer
  framed_ = settings_.frames && text.ends_with(kFramesWord);
  if (framed_) text.remove_suffix(kFramesWord.size());
  if (starts_with(text, "+FULLRESYNC")) return full_sync(text, step);
  if (starts_with(text, "+CONTINUE")) return go_on(text, step);
  if (settings_.failover) {
    refused_ = true;
    state_ = State::kFailed;
    return;
  }
  if (starts_with(text, "-NOMASTERLINK") || starts_with(text, "-LOADING")) {
    step.remarks.push_back({LogLevel::kNotice, "Master is currently unable to PSYNC but should be in the future: " + OwnedBytes(text)});
    state_ = State::kFailed;
    return;
  }
  if (starts_with(text, "-ERR"))
    step.remarks.push_back({LogLevel::kNotice, "Master does not support PSYNC or is in error state (reply: " + OwnedBytes(text) + ")"});
  else
    step.remarks.push_back({LogLevel::kWarning, "Unexpected reply to PSYNC from master: " + OwnedBytes(text)});
  step.remarks.push_back({LogLevel::kNotice, "Retrying with SYNC..."});
  step.send = "SYNC\r\n";
  state_ = State::kOldSync;
}

void ReplicaHandshake::full_sync(Bytes text, Step& step) {
  Bytes rest = text.substr(std::min<size_t>(text.size(), 12));
  size_t space = rest.find(' ');
  if (space != kReplicationIdSize || !parse_int64(rest.substr(space + 1), offset_) || offset_ < 0) {
    step.remarks.push_back({LogLevel::kWarning, "Master replied with wrong +FULLRESYNC syntax."});
    state_ = State::kFailed;
    return;
  }
  id_ = rest.substr(0, space);
  step.remarks.push_back({LogLevel::kNotice, "Full resync from master: " + id_ + ":" + std::to_string(offset_)});
  state_ = State::kFull;
}

void ReplicaHandshake::go_on(Bytes text, Step& step) {
  step.remarks.push_back({LogLevel::kNotice, "Successful partial resynchronization with master."});
  Bytes rest = text.substr(std::min<size_t>(text.size(), 10));
  id_ = rest.size() == kReplicationIdSize ? OwnedBytes(rest) : settings_.known_id;
  if (id_ != settings_.known_id) step.remarks.push_back({LogLevel::kNotice, "Master replication ID changed to " + id_});
  offset_ = settings_.known_offset;
  state_ = State::kContinue;
}

}  // namespace ringwood
