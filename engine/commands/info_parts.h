#pragma once
// The engine's own parts of INFO.
#include "engine/exec/info.h"

namespace ringwood {

// The version of Redis whose behaviour, commands and reply shapes are kept; it is what clients ask for.
inline constexpr const char* kRedisVersion = "7.2.6";
inline constexpr const char* kRingwoodVersion = "0.1.0";

// server, memory, stats, replication, cpu, modules, commandstats, errorstats, latencystats, servicestats, cluster, keyspace, keysizes.
void add_engine_info(InfoRegistry& registry);

// Of these, commandstats, latencystats and servicestats.
void add_command_info(InfoRegistry& registry);

// Of these, keysizes.
void add_keysizes_info(InfoRegistry& registry);

// What MEMORY STATS and INFO's memory section tell, in bytes and ratios.
struct MemoryFigures {
  size_t used, not_counted, peak, startup, resident, keys, clients;
  size_t backlog;         // of the mutation log: what replicas that come back may be sent
  size_t replicas;        // what replicas have not been sent yet
  size_t replica_stream;  // both of these
  size_t append_only;     // what the file has not been given yet
  size_t overhead;        // what is not the data set: start-up, clients, all of these and the keys' tables
  size_t dataset() const { return used > overhead ? used - overhead : 0; }
  double dataset_percent() const {
    return used > startup ? 100.0 * static_cast<double>(dataset()) / static_cast<double>(used - startup) : 0;
  }
  double peak_percent() const { return peak ? 100.0 * static_cast<double>(used) / static_cast<double>(peak) : 0; }
  double fragmentation() const { return used ? static_cast<double>(resident) / static_cast<double>(used) : 0; }
  int64_t fragmentation_bytes() const { return static_cast<int64_t>(resident) - static_cast<int64_t>(used); }
};
// From any thread; the tables' size is estimated from the number of keys.
MemoryFigures memory_figures(const Engine& engine);

const char* memory_allocator_name();

}  // namespace ringwood
