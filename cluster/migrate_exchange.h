#pragma once
// What MIGRATE says to the other server over one connection, as a pure machine: bytes to send and bytes that have come go through it, nothing else.
//
//   kGreeting -> kSending -> kDone
//       |                      ^
//       +--- an error ---------+
//
// The greeting (AUTH, SELECT) is answered before any key is sent, so that a wrong password or database costs nothing at the other end. Then the keys follow
// each other without waiting, and their replies are counted off in the same order.
#include <string>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

class MigrateExchange {
 public:
  enum class What : uint8_t {
    kRestore,  // the other side must not have the key yet
    kReplace,
    kDelete,  // it is to lose what it got from us
  };
  enum class Answer : uint8_t { kNone, kAccepted, kRefused };
  struct Item {
    What what;
    Bytes key, payload;      // the payload as DUMP answers it; both stay where they are
    int64_t expires_ms = 0;  // unix time; 0: never
  };
  struct Settings {
    OwnedBytes user, password;
    bool authenticate = false;
    int64_t database = 0;
    bool select = false;  // the connection has another database selected
    bool asking = false;  // to a node of a cluster, which is importing the slot
  };
  enum class State : uint8_t { kGreeting, kSending, kDone, kBroken };

  MigrateExchange(Settings settings, std::vector<Item> items);

  // Appends the bytes to be sent next, about `most` of them, to `out`; nothing where a reply must come first or all has been said.
  void fill(std::string& out, size_t most, int64_t now_ms);
  // Bytes of the other side. kBroken: it does not speak the protocol.
  State received(Bytes bytes);

  State state() const { return state_; }
  // The greeting has been accepted: the connection has that database selected.
  bool greeted() const { return state_ == State::kSending || (state_ == State::kDone && greeting_left_ == 0 && !greeting_refused_); }
  bool all_sent() const { return state_ != State::kGreeting && item_ == items_.size() && pending_.empty() && part_ == 0; }
  // There is more to say, and no answer must come first.
  bool saying() const { return state_ == State::kSending && !all_sent(); }
  // A reply to any of the keys has come.
  bool any_answer() const { return replies_ > 0; }
  Answer answer(size_t item) const { return answers_[item]; }
  // The first error of the other side, without its '-'; empty: none.
  const OwnedBytes& error() const { return error_; }

 private:
  void line(Bytes text);
  void head_of_item(int64_t now_ms);

  Settings settings_;
  std::vector<Item> items_;
  std::vector<Answer> answers_;
  State state_ = State::kGreeting;
  bool greeting_sent_ = false, greeting_refused_ = false;
  size_t greeting_left_ = 0;  // replies to it that are due
  // Sending: the item under way, what of its head or tail is still to go, and how far its payload has gone.
  size_t item_ = 0, payload_at_ = 0;
  int part_ = 0;  // of the item: 0 nothing yet, 1 its payload, 2 its tail
  std::string pending_;
  // Receiving: the item whose reply is next, and how many lines its reply still has before the one that counts.
  size_t replies_ = 0, lines_before_ = 0;
  std::string rest_;
  OwnedBytes error_;
};

}  // namespace ringwood
