// What a loop does while a script takes longer than busy-reply-threshold: its own one, from inside of which serve_while_busy() is called, or another thread's
// to which this thread's shard is lent. Requests are answered one by one, without the executor's rounds: most of them with BUSY.
//
// Inside of a script the turn stands still somewhere in phase 3 or 4: arguments of its requests point into receive buffers and query buffers, and lists are
// being walked over. So nothing of that is touched: connections that have a part in the turn wait for its end, and so does what completes on disk.
#include <algorithm>

#include "net/loop.h"

namespace ringwood {

void Loop::serve_while_busy(Client& running) {
  outer_arrivals_.swap(arrivals_);
  inside_script_ = true;
  reap();
  inside_script_ = false;
  executor_.take_mail_while_busy();
  take_busy_arrivals(running);
  arrivals_.clear();
  outer_arrivals_.swap(arrivals_);
  send_busy_replies(running);
  executor_.post_mail_while_busy([this](int other) { wake(other); });
  ring_.enter(false);
}

void Loop::wake_all() {
  for (size_t i = 0; i < network_.loops.size(); i++)
    if (network_.loops[i].get() != this) wake(static_cast<int>(i));
}

// The connection has no part in the turn that stands still.
bool Loop::may_feed_busy(const Connection& c, const Client& running) const {
  if (&c == &running || &c == feeding_ || c.stopped || c.close_after_reply || executor_.submitted(c)) return false;
  auto same = [&c](const Arrival& a) { return a.connection == &c; };
  return std::none_of(outer_arrivals_.begin(), outer_arrivals_.end(), same) &&
         std::none_of(put_off_arrivals_.begin(), put_off_arrivals_.end(), same);
}

void Loop::take_busy_arrivals(const Client& running) {
  for (const Arrival& a : arrivals_) {
    Connection& c = *a.connection;
    if (!may_feed_busy(c, running) || c.query.size() + a.size > executor_.options().client_query_buffer_limit) {
      put_off_arrivals_.push_back(a);
      continue;
    }
    c.bytes_in += a.size;
    stats.bytes_in.add(a.size);
    c.last_active_ms = executor_.now_ms();
    c.query.append(Bytes(ring_.buffer(a.buffer), a.size));
    ring_.give_back(a.buffer);
    feed_busy(c, true);
  }
}

// Parses and answers what stands in the query buffer.
void Loop::feed_busy(Connection& c, bool inside) {
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
    if (!c.parser.args().empty()) executor_.run_while_busy(c, c.parser.args(), inside);
    if (c.waiting) c.stopped = true;
    c.query.consume(c.parser.consumed());
    args.reset();
  }
  mark_untidy(c);
}

// This thread's shard is lent to a script that takes long, so nobody is parsed: those who have come are told so.
void Loop::parse_while_busy() {
  std::vector<Connection*> waiting;
  waiting.swap(waiting_to_parse_);
  for (Connection* c : waiting) {
    c->waits_to_parse = false;
    if (!c->stopped && !c->close_after_reply) feed_busy(*c, false);
  }
}

// As send_replies(), but for the client whose command runs, whose buffer may end in the midst of a reply.
void Loop::send_busy_replies(const Client& running) {
  std::vector<Client*>& written = executor_.written();
  size_t kept = 0;
  for (Client* client : written) {
    if (client == &running) {
      written[kept++] = client;
      continue;
    }
    client->listed = false;
    flush(static_cast<Connection&>(*client));
  }
  written.resize(kept);
}

}  // namespace ringwood
