#include "cluster/migrate_exchange.h"

#include <algorithm>
#include <utility>

#include "engine/base/number.h"
#include "engine/base/resp_command.h"

namespace ringwood {
namespace {

// Redis answers with one short line; whoever sends more without an end is something else.
constexpr size_t kLongestLine = 64 * 1024;

}  // namespace

MigrateExchange::MigrateExchange(Settings settings, std::vector<Item> items)
    : settings_(std::move(settings)), items_(std::move(items)), answers_(items_.size(), Answer::kNone) {
  greeting_left_ = static_cast<size_t>(settings_.authenticate) + static_cast<size_t>(settings_.select);
  if (greeting_left_ == 0) state_ = State::kSending;
  lines_before_ = !items_.empty() && settings_.asking && items_[0].what == What::kDelete;
}

void MigrateExchange::fill(std::string& out, size_t most, int64_t now_ms) {
  if (state_ == State::kGreeting) {
    if (std::exchange(greeting_sent_, true)) return;
    if (settings_.authenticate && settings_.user.empty()) out += wire_command({"AUTH", settings_.password});
    if (settings_.authenticate && !settings_.user.empty()) out += wire_command({"AUTH", settings_.user, settings_.password});
    if (settings_.select) out += wire_command({"SELECT", int64_text(settings_.database)});
    return;
  }
  while (state_ == State::kSending && out.size() < most) {
    if (!pending_.empty()) {
      out.append(pending_);
      pending_.clear();
      continue;
    }
    if (part_ == 0 && item_ == items_.size()) return;
    const Item* item = part_ == 0 ? nullptr : &items_[item_];
    if (part_ == 0) {
      head_of_item(now_ms);
    } else if (part_ == 1) {
      size_t n = std::min(item->payload.size() - payload_at_, most - out.size());
      out.append(item->payload.substr(payload_at_, n));
      payload_at_ += n;
      if (payload_at_ == item->payload.size()) part_ = 2;
    } else {
      pending_ = "\r\n";
      if (item->what == What::kReplace) put_bulk(pending_, "REPLACE");
      part_ = 0;
      item_++;
    }
  }
}

// Everything in front of the payload.
void MigrateExchange::head_of_item(int64_t now_ms) {
  const Item& item = items_[item_];
  if (item.what == What::kDelete) {
    if (settings_.asking) pending_ += wire_command({"ASKING"});
    pending_ += wire_command({"DEL", item.key});
    item_++;
    return;
  }
  // The time that is left, not the time of its end: the two clocks may differ.
  const int64_t left = item.expires_ms ? std::max<int64_t>(item.expires_ms - now_ms, 1) : 0;
  pending_ = item.what == What::kReplace ? "*5\r\n" : "*4\r\n";
  put_bulk(pending_, settings_.asking ? "RESTORE-ASKING" : "RESTORE");
  put_bulk(pending_, item.key);
  put_bulk(pending_, int64_text(left));
  put_bulk_head(pending_, item.payload.size());
  payload_at_ = 0;
  part_ = 1;
}

MigrateExchange::State MigrateExchange::received(Bytes bytes) {
  rest_.append(bytes);
  size_t from = 0;
  while (state_ != State::kDone && state_ != State::kBroken) {
    size_t end = rest_.find("\r\n", from);
    if (end == std::string::npos) break;
    line(Bytes(rest_).substr(from, end - from));
    from = end + 2;
  }
  rest_.erase(0, from);
  // Nothing was asked whose answer could stand behind the last one, and no answer is this long.
  if (state_ == State::kDone ? !rest_.empty() : rest_.size() > kLongestLine) state_ = State::kBroken;
  return state_;
}

void MigrateExchange::line(Bytes text) {
  const char kind = text.empty() ? '\0' : text[0];
  if (kind != '+' && kind != '-' && kind != ':') {
    state_ = State::kBroken;
    return;
  }
  const bool refused = kind == '-';
  if (refused && error_.empty()) error_ = text.substr(1);
  if (state_ == State::kGreeting) {
    greeting_refused_ |= refused;
    if (--greeting_left_ == 0) state_ = greeting_refused_ ? State::kDone : State::kSending;
    return;
  }
  if (replies_ == items_.size()) {
    state_ = State::kBroken;
    return;
  }
  if (lines_before_) {
    lines_before_--;
    return;
  }
  answers_[replies_++] = refused ? Answer::kRefused : Answer::kAccepted;
  if (replies_ == items_.size())
    state_ = State::kDone;
  else
    lines_before_ = settings_.asking && items_[replies_].what == What::kDelete;
}

}  // namespace ringwood
