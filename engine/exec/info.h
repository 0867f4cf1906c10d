#pragma once
// INFO as a registry: each module adds its part of a section at start (its own fields, its own counters) and INFO puts them together. A part
// runs on the thread of the asking client while the other threads work: what it reads elsewhere are Counters.
#include <span>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

struct Engine;
class Executor;

// Writes "name:value" lines.
class InfoText {
 public:
  void field(Bytes name, Bytes value);
  void field(Bytes name, const char* value) { field(name, Bytes(value)); }
  void field(Bytes name, int64_t value);
  void field(Bytes name, uint64_t value);
  void field(Bytes name, int value) { field(name, static_cast<int64_t>(value)); }
  void field(Bytes name, unsigned value) { field(name, static_cast<uint64_t>(value)); }
  void field(Bytes name, bool) = delete;  // INFO knows 0 and 1
  // With that many decimals.
  void field(Bytes name, double value, int decimals, Bytes unit = {});
  // Bytes for people: "1.50M" (server.c, bytesToHuman).
  void human_field(Bytes name, uint64_t bytes);
  void line(Bytes text);
  // The characters that would break the format, replaced.
  static OwnedBytes safe(Bytes text);

  OwnedBytes text;
};

struct InfoContext {
  Engine& engine;
  Executor& here;
};

struct InfoPart {
  const char* section;  // one of the names in info.cc
  void (*write)(InfoText& out, const InfoContext& context, void* self);
  // CONFIG RESETSTAT, under a lease of all shards; may be null. Counters that go on counting meanwhile are remembered as a base instead.
  void (*reset)(const InfoContext& context, void* self) = nullptr;
  void* self = nullptr;
};

class InfoRegistry {
 public:
  // Before the threads start. Parts of one section appear in the order in which they were added.
  void add(const InfoPart& part) { parts_.push_back(part); }
  // The sections that INFO's arguments name, in Redis's order; without arguments the default ones.
  OwnedBytes render(std::span<const Bytes> wanted, const InfoContext& context) const;
  void reset(const InfoContext& context) const;

 private:
  std::vector<InfoPart> parts_;
};

}  // namespace ringwood
