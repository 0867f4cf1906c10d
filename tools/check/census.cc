#include "tools/check/census.h"

#include <algorithm>

#include "engine/base/memory.h"
#include "engine/store/object_free.h"

namespace ringwood {
namespace {

constexpr size_t kSamples = 5;  // of a large value's elements, as MEMORY USAGE takes them

bool larger(const LargeKey& a, const LargeKey& b) { return a.memory > b.memory; }

void count(KeyCount& c, const KeyCount& one) {
  c.keys++;
  c.elements += one.elements;
  c.memory += one.memory;
  c.bytes += one.bytes;
  c.timed += one.timed;
  c.expired += one.expired;
}

}  // namespace

uint64_t entry_memory(const Entry& e) {
  uint64_t bytes = e.shell_memory();
  if (e.has_block()) return bytes + memory::usable(e.object().as<StringBlock>());
  return e.has_object() ? bytes + object_memory(e.type(), e.object(), kSamples) : bytes;
}

KeyCount& Census::group_of(Bytes name) {
  size_t end = name.find(options_.separator);
  if (end == Bytes::npos) return plain_;
  Bytes prefix = name.substr(0, end + 1);
  if (prefix_count_ && prefix_ == prefix) return *prefix_count_;
  prefix_ = prefix;
  auto at = prefixes_.find(prefix_);
  if (at == prefixes_.end()) {
    if (prefixes_.size() >= kMostPrefixes) {
      prefix_count_ = nullptr;
      return other_;
    }
    at = prefixes_.emplace(prefix_, KeyCount()).first;
  }
  prefix_count_ = &at->second;
  return at->second;
}

void Census::add(const rdb::LoadedKey& key, uint64_t bytes) {
  const Entry& e = *key.entry;
  KeyCount one;
  one.elements = e.has_object() && e.type() != Type::kString ? object_length(e.type(), e.object()) : 1;
  one.memory = entry_memory(e);
  one.bytes = bytes;
  one.timed = e.expiry_ms() >= 0 ? 1 : 0;
  one.expired = e.expired(options_.now_ms) ? 1 : 0;
  count(all_, one);
  count(types_[static_cast<size_t>(e.type())], one);
  count(databases_[key.database], one);
  count(group_of(e.key()), one);
  if (!options_.largest || (largest_.size() == options_.largest && largest_.front().memory >= one.memory)) return;
  if (largest_.size() == options_.largest) {
    std::pop_heap(largest_.begin(), largest_.end(), larger);
    largest_.pop_back();
  }
  largest_.push_back({one.memory, bytes, one.elements, key.database, e.type(), OwnedBytes(e.key())});
  std::push_heap(largest_.begin(), largest_.end(), larger);
}

std::vector<LargeKey> Census::largest() const {
  std::vector<LargeKey> out = largest_;
  std::sort(out.begin(), out.end(), larger);
  return out;
}

std::vector<std::pair<OwnedBytes, KeyCount>> Census::prefixes(size_t most) const {
  std::vector<std::pair<OwnedBytes, KeyCount>> out(prefixes_.begin(), prefixes_.end());
  auto order = [](const auto& a, const auto& b) {
    return a.second.memory != b.second.memory ? a.second.memory > b.second.memory : a.first < b.first;
  };
  std::sort(out.begin(), out.end(), order);
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace ringwood
