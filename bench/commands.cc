// The whole path of the main commands without parser and socket: gates, look-up, execution, reply, in batches of 1, 16 and 64 over two numbers of keys:
// one that fits the cache and one that does not.
#include <benchmark/benchmark.h>

#include "bench/workloads.h"

namespace ringwood::bench {
namespace {

void command(benchmark::State& state, const Workload& w) {
  auto batch = static_cast<size_t>(state.range(0)), keys = static_cast<size_t>(state.range(1));
  if (!Driver(w, 192, batch).verify(192)) return state.SkipWithError("a reply is wrong");
  Driver driver(w, keys, batch);
  for (auto _ : state) driver.run(batch);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}

}  // namespace
}  // namespace ringwood::bench

int main(int argc, char** argv) {
  using namespace ringwood::bench;
  bool brief = false;  // `brief`: the test's run, with few keys
  for (int i = 1; i < argc; i++) brief |= std::string(argv[i]) == "--benchmark_min_time=0.001";
  for (const Workload& w : workloads()) {
    auto* b = benchmark::RegisterBenchmark(w.name, command, w)->ArgNames({"batch", "keys"});
    for (int64_t batch : {1, 16, 64})
      for (int64_t keys : {1000, 500000})
        if (keys == 1000 || !brief) b->Args({batch, keys});
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
