#pragma once
// Function libraries: what has been loaded, as an immutable set that is swapped whole.
#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

class Interpreter;

struct Function {
  OwnedBytes name, description;
  bool described = false;
  uint32_t flags = 0;
};

struct Library {
  OwnedBytes name, source;
  size_t code_at = 0;  // behind the first line of the source
  std::vector<Function> functions;
  // One of its functions has reached keys that it had not declared: it begins with every shard.
  mutable std::atomic<bool> wide{false};
};

struct LibrarySet {
  struct Place {
    const Library* library;
    size_t function;  // in it
  };
  std::vector<std::shared_ptr<const Library>> libraries;
  std::unordered_map<OwnedBytes, Place> functions;  // by the name in lower case

  const Place* find(Bytes function) const;
  std::shared_ptr<const Library> library(Bytes name) const;
  void add(std::shared_ptr<const Library> added);
  void remove(Bytes name);
  // The first of its functions that there is already; null when there is none.
  const Function* clash(const Library& added) const;
  size_t memory() const;
};

// A library's code while it runs for the first time: it registers its functions.
struct LibraryLoad {
  struct Registered {
    Function function;
    int callback;  // a reference in the interpreter
  };
  std::vector<Registered> functions;
  Registered next;       // the one that is being registered
  int64_t begun_ms = 0;  // monotonic; 0: not looked at yet
  bool limited = true;   // in time: FUNCTION LOAD, but not what a file brings

  void look_at_time(Interpreter& interpreter);
};

}  // namespace ringwood
