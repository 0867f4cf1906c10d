// What a loop does while a script takes longer than busy-reply-threshold: its own one, from inside of which serve_while_busy() is called, or another thread's
// to which this thread's shard is lent. Requests are answered one by one, without the executor's rounds: most of them with BUSY.
//
// Inside of a script the turn stands still somewhere in phase 3 or 4. Nothing may be touched that its frames will look at again: the bytes of the script's own
// client, which hold arguments, and the lists that are being walked over, whose elements say what has been done with them meanwhile. What stood behind the
// script in its round, what has arrived and has not been parsed yet, and connections that may go on are served here. What completes on disk waits, but for
// what says that it need not: a node of a cluster goes on talking to the others.
#include <algorithm>
#include <utility>

#include "net/loop.h"
#include "net/stream_owner.h"

namespace ringwood {

void Loop::become_busy(Call& script) {
  executor_.stop_round_for(script);
  for (size_t i = 0; i < network_.loops.size(); i++)
    if (network_.loops[i].get() != this) wake(static_cast<int>(i));
}

void Loop::serve_while_busy(Client& running) {
  outer_arrivals_.swap(arrivals_);
  inside_script_ = true;
  reap();
  // A replica that has gone is gone for the script, too, which may ask for it. Other connections end when the turn goes on.
  for (Connection* c : ended_)
    if (c->role == Client::Role::kReplica) kill(*c);
  executor_.take_mail_while_busy(running);
  resume_busy(&running);
  take_busy_arrivals(outer_arrivals_, running, true);
  take_busy_arrivals(put_off_arrivals_, running, false);
  take_busy_arrivals(arrivals_, running, false);
  if (accepting_) network_.owner.while_busy(executor_);
  put_off_arrivals_.insert(put_off_arrivals_.end(), arrivals_.begin(), arrivals_.end());
  arrivals_.clear();
  inside_script_ = false;
  outer_arrivals_.swap(arrivals_);
  send_busy_replies(running);
  executor_.post_mail_while_busy([this](int other) { wake(other); });
  enter(false);
}

void Loop::wait_inside(const Client& running, const size_t& outstanding) {
  while (outstanding) {
    executor_.post_mail_while_busy([this](int other) { wake(other); });
    enter(false);
    executor_.take_mail_while_busy(running);
  }
}

bool Loop::may_feed_busy(const Connection& c, const Client* running) {
  return &c != running && !c.stopped && !c.halted && !c.close_after_reply && !c.held && !c.owner;
}

// Connections that may go on, with what stands in their query buffers.
void Loop::resume_busy(const Client* running) {
  std::vector<Client*> later;
  auto resume = [&](std::vector<Client*>& clients) {
    for (Client*& client : clients) {
      auto* c = static_cast<Connection*>(std::exchange(client, nullptr));
      if (!c) continue;
      if (c == running || c->owner) {
        later.push_back(c);
        continue;
      }
      c->stopped = false;
      if (c->close_after_reply) list(*c);
      feed_busy(*c, running);
    }
  };
  resume(resumed_);
  for (std::vector<Client*> clients; !executor_.resumed().empty(); clients.clear()) {
    clients.swap(executor_.resumed());
    resume(clients);
  }
  executor_.resumed().swap(later);
  for (Connection* c : resuming_) feed_busy(*c, running);
  for (Connection* c : waiting_to_parse_) feed_busy(*c, running);
  if (feeding_) feed_busy(*feeding_, running);
  if (running) receive_on(*running);
}

// Whose receive ended in this turn, so that the rest of a large argument might come in place, would be armed at its end only.
void Loop::receive_on(const Client& running) {
  for (Connection* c : untidy_)
    if (may_feed_busy(*c, &running) && c->receiving == Connection::Receiving::kNot && !c->ended && !c->dying) arm_receive(*c);
}

// What is taken goes to the query buffer first. Buffers of the turn in whose midst the script is are given back at its end.
void Loop::take_busy_arrivals(std::vector<Arrival>& arrivals, const Client& running, bool keeps_buffers) {
  size_t left = 0;
  for (Arrival& a : arrivals) {
    Connection& c = *a.connection;
    if (a.taken < a.size && c.owner && c.owner->at_any_time()) {
      parse_arrival(a);
      if (!keeps_buffers) ring_.give_back(a.buffer);
      continue;
    }
    const bool fits = c.query.size() + a.size - a.taken <= executor_.options().client_query_buffer_limit;
    if (a.taken < a.size && fits && may_feed_busy(c, &running)) {
      note(a);
      c.query.append(rest(a));
      a.taken = a.size;
      if (!keeps_buffers) ring_.give_back(a.buffer);
      feed_busy(c, &running);
    } else if (!keeps_buffers) {
      arrivals[left++] = a;
    }
  }
  if (!keeps_buffers) arrivals.resize(left);
}

// Parses and answers what stands in the query buffer. `running`: null where the script is another thread's.
void Loop::feed_busy(Connection& c, const Client* running) {
  if (c.query.empty() || !may_feed_busy(c, running)) return;
  ArgArena args;
  std::deque<OwnedBytes> unquoted;
  while (!c.query.empty() && !c.stopped && !c.close_after_reply) {
    ParseTarget to{args, unquoted, executor_.options().proto_max_bulk_len, !c.must_log_in()};
    RequestParser::Status s = c.parser.parse(c.query.view(), to);
    if (s == RequestParser::Status::kError) {
      size_t start = c.reply_buffer().size();
      Reply(c.reply_buffer(), c.resp).error(std::string("ERR ") + c.parser.error());
      c.end_reply(start);
      c.close_after_reply = true;
      list(c);
    }
    if (s != RequestParser::Status::kRequest) break;
    if (!c.parser.args().empty()) executor_.run_while_busy(c, c.parser.args(), running != nullptr);
    if (c.waiting) c.stopped = true;
    c.query.consume(c.parser.consumed());
    args.reset();
  }
  mark_untidy(c);
  if (running && c.receiving == Connection::Receiving::kNot && !c.ended && !c.dying) arm_receive(c);
}

// This thread's shard is lent to a script that takes long, so nobody is parsed: those who have come are told so, and those who wait for the shard.
void Loop::parse_while_busy() {
  executor_.refuse_while_lent();
  resume_busy(nullptr);
  std::vector<Connection*> waiting;
  waiting.swap(waiting_to_parse_);
  for (Connection* c : waiting) {
    c->waits_to_parse = c->held;
    if (c->held) waiting_to_parse_.push_back(c);
  }
}

// As send_replies(), but for the client whose command runs, whose buffer may end in the midst of a reply.
void Loop::send_busy_replies(const Client& running) {
  std::vector<Client*>& written = executor_.written();
  const uint64_t durable = executor_.durable();
  size_t kept = 0;
  for (Client* client : written) {
    if (client == &running || client->log_end > durable) {
      written[kept++] = client;
      continue;
    }
    client->listed = false;
    flush(static_cast<Connection&>(*client));
  }
  written.resize(kept);
}

}  // namespace ringwood
