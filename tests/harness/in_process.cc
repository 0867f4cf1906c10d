#include "tests/harness/in_process.h"

#include <algorithm>

#include "engine/commands/acl_info.h"
#include "engine/commands/families.h"
#include "engine/commands/info_parts.h"
#include "engine/commands/script/scripting.h"
#include "net/commands.h"
#include "persist/commands.h"

namespace ringwood {

InProcess::InProcess(int shards, Options options)
    : options_(std::move(options)),
      log_(shards),
      engine_{.mapping = SlotMapping(shards)},
      scripting_(std::make_unique<Scripting>(engine_, shards, 1)) {
  add_families(commands_);
  commands_.add(persist_commands());
  commands_.add(session_commands());
  commands_.freeze(shards);
  engine_.commands = &commands_;
  acl_ = std::make_unique<Acl>(commands_, options_.get().requirepass);
  engine_.acl = acl_.get();
  engine_.tracking = &tracking_;
  engine_.options = &options_;
  engine_.pubsub = &pubsub_;
  engine_.mutations = &log_;
  engine_.records = &records_;
  engine_.clock = &clock_;
  engine_.start_ms = clock_.unix_ms();
  engine_.run_id = std::string(40, 'a');
  add_engine_info(engine_.info);
  add_acl_info(engine_.info);
  for (int i = 0; i < shards; i++) {
    shards_.push_back(std::make_unique<Shard>(i, engine_.mapping, options_.get().databases, static_cast<uint64_t>(i) + 1));
    engine_.shards.push_back(shards_.back().get());
  }
  for (int i = 0; i < shards; i++) {
    executors_.push_back(std::make_unique<Executor>(engine_, i));
    engine_.executors.push_back(executors_.back().get());
  }
}

InProcess::~InProcess() = default;

InProcess::Session& InProcess::session(size_t i) {
  while (sessions_.size() <= i) {
    auto s = std::make_unique<Session>();
    s->home = sessions_.size() % executors_.size();
    s->client.id = engine_.next_client_id++;
    s->client.become(acl_->default_user(), acl_->default_user()->open_to_strangers());
    s->client.created_ms = s->client.last_active_ms = now_ms();
    sessions_.push_back(std::move(s));
  }
  return *sessions_[i];
}

Client& InProcess::client(size_t i) { return session(i).client; }

std::string InProcess::run3(const Args& args) {
  Client& c = client(0);
  int before = c.resp;
  c.resp = 3;
  std::string reply = run(args);
  c.resp = before;
  return reply;
}

std::string InProcess::run_as(size_t client, const Args& args) {
  send(client, args);
  return receive(client);
}

void InProcess::send(size_t client, const Args& args) { session(client).requests.push_back(args); }

std::string InProcess::receive(size_t client) {
  Session& s = session(client);
  settle();
  std::string bytes(s.client.out.view());
  s.client.out.clear();
  return bytes;
}

bool InProcess::blocked(size_t client) {
  Session& s = session(client);
  settle();
  return s.client.slots_open() || s.client.waiting || !s.requests.empty();
}

void InProcess::advance_ms(int64_t ms) {
  clock_.advance_us(ms * 1000);
  settle();
}

std::string InProcess::propagated() {
  settle();
  if (!log_reader_.attached()) {
    log_.attach_at_end(log_reader_, false);  // the end is there always
    log_.forget_database();
    executors_[0]->refresh_all_effects();
    return {};
  }
  std::string stream;
  for (Bytes piece; !(piece = log_reader_.peek()).empty(); log_reader_.advance(piece.size())) stream += piece;
  return words(stream);
}

// Arguments have no line breaks in tests.
std::string InProcess::words(Bytes stream) {
  std::string text;
  auto line = [&] {
    size_t end = stream.find("\r\n");
    Bytes l = stream.substr(0, end);
    stream.remove_prefix(end + 2);
    return l;
  };
  while (!stream.empty()) {
    int n = std::stoi(std::string(line().substr(1)));
    for (int i = 0; i < n; i++) {
      auto size = static_cast<size_t>(std::stoi(std::string(line().substr(1))));
      text.append(i ? " " : "").append(stream.substr(0, size));
      stream.remove_prefix(size + 2);
    }
    text += '\n';
  }
  return text;
}

void InProcess::settle() {
  // One quiet round of all threads is not enough: mail posted by the last thread is seen by the first one only in the next round.
  for (int quiet = 0; quiet < 3;) {
    bool moved = false;
    for (size_t i = 0; i < executors_.size(); i++) moved |= turn(i);
    quiet = moved ? 0 : quiet + 1;
  }
}

// Submits what the client may submit now; true when there was something.
bool InProcess::feed(Session& s) {
  Executor& e = *executors_[s.home];
  bool any = false;
  while (!s.requests.empty() && !s.client.waiting && !s.client.close_after_reply) {
    s.in_flight.push_back(std::move(s.requests.front()));
    s.requests.pop_front();
    const Args& request = s.in_flight.back();
    Bytes* args = e.args().take(request.size());
    for (size_t i = 0; i < request.size(); i++) args[i] = request[i];
    any = true;
    s.client.arrived = e.timekeeper().turn_began();
    if (!e.submit(s.client, {args, request.size()})) break;
  }
  return any;
}

bool InProcess::turn(size_t thread) {
  Executor& e = *executors_[thread];
  e.begin_turn(clock_.unix_us());
  bool moved = e.take_mail();
  while (!e.leased_out()) {
    e.resumed().clear();
    bool fed = false;
    for (auto& s : sessions_)
      if (s->home == thread) fed |= feed(*s);
    if (!fed) break;
    moved = true;
    e.run();
    for (auto& s : sessions_)
      if (s->home == thread) s->in_flight.clear();
  }
  for (Client* c : e.written()) c->listed = false;
  moved |= !e.written().empty();
  moved |= e.background();
  e.written().clear();
  e.post_mail([](int) {});
  e.end_turn();
  moved |= !e.may_sleep();
  e.awake();
  return moved;
}

}  // namespace ringwood
