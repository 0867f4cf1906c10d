#include "net/migrate_desk.h"

#include <algorithm>
#include <utility>

#include "net/loop.h"
#include "net/resolver.h"

namespace ringwood {

using Failure = MigrateJob::Failure;

MigrateDesk::MigrateDesk(Loop& loop) : loop_(loop) {}
MigrateDesk::~MigrateDesk() = default;

int64_t MigrateDesk::now_ms() const { return loop_.network().engine.clock->unix_ms(); }

// --- jobs

void MigrateDesk::start(std::unique_ptr<MigrateJob> job) {
  jobs_.push_back(std::move(job));
  assign(*jobs_.back(), false);
}

void MigrateDesk::start_again(MigrateJob& job) { assign(job, false); }

void MigrateDesk::finished(const MigrateJob& job) {
  std::erase_if(jobs_, [&](const auto& j) { return j.get() == &job; });
}

void MigrateDesk::hold_writes(int attempt) {
  loop_.network().pause(Network::Pause::kMigration, now_ms() + (int64_t{10} << attempt), false);
}

// --- links

MigrateDesk::Link* MigrateDesk::idle_link(const MigrateOptions& to) {
  for (auto& l : links_)
    if (l->up && !l->job && !l->gone && l->port == to.port && l->host == to.host) return l.get();
  return nullptr;
}

// Gives a link to the job: one that is there, or a new one. `anew`: only a new one will do.
void MigrateDesk::assign(MigrateJob& job, bool anew) {
  const MigrateOptions& to = job.options();
  if (Link* idle = anew ? nullptr : idle_link(to)) {
    idle->job = &job;
    return begin(*idle);
  }
  if (links_.size() >= kMostLinks && !make_room()) return waiting_.push_back(&job);
  links_.push_back(std::make_unique<Link>(*this));
  Link& link = *links_.back();
  count(1);
  link.host = to.host;
  link.port = to.port;
  link.job = &job;
  link.active_ms = now_ms();
  link.resolving = true;
  resolve(to.host, loop_.ring(), [this, &link](const std::string& address, const std::string& error) { open(link, address, error); });
}

// The link that has been idle for longest goes. False when all are in use.
bool MigrateDesk::make_room() {
  Link* oldest = nullptr;
  for (auto& l : links_)
    if (!l->job && !l->resolving && (!oldest || l->active_ms < oldest->active_ms)) oldest = l.get();
  if (!oldest) return false;
  close(*oldest);
  sweep();
  return true;
}

void MigrateDesk::open(Link& link, const std::string& address, const std::string& error) {
  link.resolving = false;
  if (!link.job) return close(link);  // it took too long
  std::string wrong = error;
  if (wrong.empty()) link.connection = loop_.dial(address, link.port, loop_.executor().options().bind_source_addr, link, wrong);
  if (!link.connection) failed(link, Failure::kConnecting);
}

void MigrateDesk::Link::connected(Connection& c, int error) {
  if (error || !job) return;  // an error is followed by lost()
  up = true;
  c.source = this;
  desk.begin(*this);
}

void MigrateDesk::begin(Link& link) {
  link.active_ms = now_ms();
  link.job->begin_exchange(loop_.executor(), link.database);
  pump(link);
}

// Hands the kernel the next piece, when it has sent the one before.
void MigrateDesk::pump(Link& link) {
  Connection& c = *link.connection;
  if (c.sending || !c.out.empty()) return;
  std::string piece;
  link.job->exchange()->fill(piece, kPiece, now_ms());
  if (piece.empty()) return;
  c.out.append(piece);
  loop_.send_now(c);
}

void MigrateDesk::Link::drained(Connection&) {
  if (!job || !job->exchange()) return;
  active_ms = desk.now_ms();
  desk.pump(*this);
}

void MigrateDesk::Link::received(Connection& c, Bytes bytes) {
  if (!job || !job->exchange()) return desk.close(*this);  // nobody has asked for anything
  active_ms = desk.now_ms();
  switch (job->exchange()->received(bytes)) {
    case MigrateExchange::State::kGreeting: return;
    case MigrateExchange::State::kSending: return desk.pump(*this);
    case MigrateExchange::State::kBroken: return desk.loop_.kill(c);
    case MigrateExchange::State::kDone: return desk.exchange_over(*this);
  }
}

void MigrateDesk::exchange_over(Link& link) {
  MigrateJob& job = *std::exchange(link.job, nullptr);
  const MigrateExchange& x = *job.exchange();
  link.database = x.greeted() && x.error().empty() ? job.options().database : -1;
  job.over(loop_.executor(), Failure::kNone);
  if (waiting_.empty()) return;
  MigrateJob* next = waiting_.front();
  waiting_.pop_front();
  assign(*next, false);
}

void MigrateDesk::Link::lost(Connection&) {
  connection = nullptr;
  const bool was_up = std::exchange(up, false);
  if (!job) return desk.close(*this);
  if (!was_up) return desk.failed(*this, Failure::kConnecting);
  // A link that was kept may have been closed at the other end long ago, so one more attempt is made on a new one; not where anything has been answered.
  MigrateExchange& x = *job->exchange();
  if (!x.any_answer() && !job->retried) {
    MigrateJob* again = std::exchange(job, nullptr);
    again->retried = true;
    desk.close(*this);
    return desk.assign(*again, true);
  }
  desk.failed(*this, x.saying() ? Failure::kWriting : Failure::kReading);
}

void MigrateDesk::failed(Link& link, Failure failure) {
  MigrateJob* job = std::exchange(link.job, nullptr);
  close(link);
  job->over(loop_.executor(), failure);
}

// Freed with the next tick, or by make_room: one of its functions may be running.
void MigrateDesk::close(Link& link) {
  if (!link.resolving && !std::exchange(link.gone, true)) count(-1);
  link.up = false;
  if (Connection* c = std::exchange(link.connection, nullptr)) {
    c->owner = nullptr;
    c->source = nullptr;
    loop_.kill(*c);
  }
}

void MigrateDesk::count(int links) { loop_.executor().shard().stats.migrate_links.add(links); }

void MigrateDesk::sweep() {
  std::erase_if(links_, [](const auto& l) { return l->gone; });
}

void MigrateDesk::tick(int64_t now_ms) {
  for (size_t i = 0; i < links_.size(); i++) {  // a job that ends may begin another link
    Link& l = *links_[i];
    if (l.gone) continue;
    if (!l.job) {
      if (l.up && now_ms - l.active_ms > kIdleMs) close(l);
      continue;
    }
    if (now_ms - l.active_ms < l.job->options().timeout_ms) continue;
    const MigrateExchange* x = l.job->exchange();
    failed(l, !l.up ? Failure::kConnecting : x && x->saying() ? Failure::kWriting : Failure::kReading);
  }
  for (size_t i = 0; i < jobs_.size(); i++)
    if (jobs_[i]->waits_for_pause()) jobs_[i]->settle(loop_.executor());
  sweep();
  for (size_t n = waiting_.size(); n > 0; n--) {
    MigrateJob* job = waiting_.front();
    waiting_.pop_front();
    assign(*job, false);
  }
}

}  // namespace ringwood
