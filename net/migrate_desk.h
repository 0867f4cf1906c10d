#pragma once
// One thread's links to the servers to which MIGRATE moves keys, and the jobs that use them. A link serves one job at a time and is kept for some seconds
// afterwards, with the database that it has selected; several jobs for one server have a link each. Everything of it runs on the loop's thread.
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "net/migrate_job.h"
#include "net/stream_owner.h"

namespace ringwood {

class Loop;

class MigrateDesk {
 public:
  explicit MigrateDesk(Loop& loop);
  ~MigrateDesk();
  MigrateDesk(const MigrateDesk&) = delete;

  // Takes the job over, up to its reply.
  void start(std::unique_ptr<MigrateJob> job);
  // Ten times a second: timeouts, links that nobody has used for long, jobs that wait for the end of a pause.
  void tick(int64_t now_ms);

  // --- for jobs
  void start_again(MigrateJob& job);  // another round
  void finished(const MigrateJob& job);
  // Clients' writes wait for some milliseconds, longer with each attempt, so that keys stay what they are.
  void hold_writes(int attempt);

 private:
  static constexpr size_t kMostLinks = 64;      // Redis's number
  static constexpr int64_t kIdleMs = 10'000;    // likewise
  static constexpr size_t kPiece = 256 * 1024;  // bytes that are handed to the kernel at once: progress is seen at this grain

  struct Link final : StreamOwner, OutputSource {
    explicit Link(MigrateDesk& d) : desk(d) {}
    MigrateDesk& desk;
    OwnedBytes host;
    int port = 0;
    Connection* connection = nullptr;
    MigrateJob* job = nullptr;
    int64_t database = -1;   // selected; -1: unknown
    int64_t active_ms = 0;   // unix time of the last progress, or of the last use
    bool resolving = false;  // its address is being looked up
    bool up = false;         // the connection stands
    bool gone = false;       // to be freed

    void connected(Connection& c, int error) override;
    void received(Connection& c, Bytes bytes) override;
    void resumed(Connection&) override {}
    void lost(Connection& c) override;
    void drained(Connection& c) override;
    void closed(Connection&) override {}
  };

  int64_t now_ms() const;
  void assign(MigrateJob& job, bool anew);
  Link* idle_link(const MigrateOptions& to);
  bool make_room();
  void open(Link& link, const std::string& address, const std::string& error);
  void begin(Link& link);
  void pump(Link& link);
  void exchange_over(Link& link);
  void failed(Link& link, MigrateJob::Failure failure);
  void close(Link& link);
  void sweep();
  void count(int links);

  Loop& loop_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<MigrateJob>> jobs_;
  std::deque<MigrateJob*> waiting_;  // for a link, all of which are in use
};

}  // namespace ringwood
