#pragma once
// What the programs here run: for each main command the keys to begin with, the requests, and the reply that each of them gets.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/exec/client.h"
#include "tests/harness/bare_engine.h"

namespace ringwood::bench {

using Args = std::vector<std::string>;

struct Workload {
  const char* name;
  void (*fill)(std::vector<Args>& out, size_t keys);  // requests that make the data
  Args (*request)(size_t key);
  std::string (*reply)(size_t key);  // of every request, the first time it is made
};
std::span<const Workload> workloads();
const Workload* find_workload(const std::string& name);

// One shard's executor fed with batches of the workload's requests, one a client, as a loop would that has parsed them already; replies are thrown away
// where a loop would send them.
class Driver {
 public:
  Driver(const Workload& w, size_t keys, size_t batch);
  // From now on all clients are a user with rules, who may do what the workload asks for; or all of them track the keys that they read.
  void use_acl();
  void use_tracking();
  // Other options from the next batch on.
  void use_options(const std::function<void(Options&)>& change);
  // Runs as many whole batches as `requests` make; the keys are taken in a fixed order that looks random.
  void run(size_t requests);
  // True when each of the first `requests` got the reply that it should. Before anything else has run, and with a number of keys that makes whole batches,
  // so that none comes twice.
  bool verify(size_t requests);

 private:
  void round();
  BareEngine engine_{1};
  const Workload& workload_;
  std::vector<size_t> order_;  // key numbers
  std::vector<std::string> texts_;
  std::vector<Bytes> views_;  // of all requests, in order
  std::vector<std::span<const Bytes>> requests_;
  std::vector<std::unique_ptr<Client>> clients_;
  size_t next_ = 0;
};

}  // namespace ringwood::bench
