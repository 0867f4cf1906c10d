#include "engine/commands/script/library.h"

#include <algorithm>

#include "engine/commands/script/interpreter.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

constexpr int64_t kLoadLimitMs = 500;

OwnedBytes lower(Bytes name) {
  OwnedBytes folded(name);
  for (char& c : folded)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return folded;
}

}  // namespace

const LibrarySet::Place* LibrarySet::find(Bytes function) const {
  auto it = functions.find(lower(function));
  return it == functions.end() ? nullptr : &it->second;
}

std::shared_ptr<const Library> LibrarySet::library(Bytes name) const {
  for (const auto& l : libraries)
    if (l->name == name) return l;
  return nullptr;
}

void LibrarySet::add(std::shared_ptr<const Library> added) {
  for (size_t i = 0; i < added->functions.size(); i++) functions[lower(added->functions[i].name)] = {added.get(), i};
  libraries.push_back(std::move(added));
}

void LibrarySet::remove(Bytes name) {
  std::shared_ptr<const Library> gone = library(name);
  if (!gone) return;
  for (const Function& f : gone->functions) functions.erase(lower(f.name));
  std::erase(libraries, gone);
}

const Function* LibrarySet::clash(const Library& added) const {
  for (const Function& f : added.functions)
    if (find(f.name)) return &f;
  return nullptr;
}

size_t LibrarySet::memory() const {
  size_t bytes = sizeof *this;
  for (const auto& l : libraries) {
    bytes += sizeof *l + l->name.capacity() + l->source.capacity();
    for (const Function& f : l->functions) bytes += sizeof f + f.name.capacity() + f.description.capacity();
  }
  return bytes + functions.size() * (sizeof(Place) + sizeof(OwnedBytes) + 2 * sizeof(void*));
}

void LibraryLoad::look_at_time(Interpreter& interpreter) {
  int64_t now = interpreter.executor().engine().clock->monotonic_us() / 1000;
  if (!begun_ms) begun_ms = now;
  if (limited && now - begun_ms > kLoadLimitMs) interpreter.stop("FUNCTION LOAD timeout");
}

}  // namespace ringwood
