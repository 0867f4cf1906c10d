#include "net/client/merge.h"

#include <algorithm>
#include <functional>

namespace ringwood::client {
namespace {

using Combine = std::function<int64_t(int64_t, int64_t)>;

// Numbers, or lists of numbers item by item (SCRIPT EXISTS).
Value combine(std::vector<Value>& replies, const Combine& f) {
  Value out = std::move(replies[0]);
  for (size_t i = 1; i < replies.size(); i++) {
    const Value& next = replies[i];
    if (out.kind == Value::Kind::kInteger && next.kind == Value::Kind::kInteger) {
      out = Value::of(f(out.integer, next.integer));
    } else if (out.is_list() && next.is_list() && out.items.size() == next.items.size()) {
      for (size_t j = 0; j < out.items.size(); j++) out.items[j] = Value::of(f(out.items[j].integer, next.items[j].integer));
    } else {
      return Value::error("ERR the replies of the nodes do not fit together");
    }
  }
  return out;
}

Value concatenate(std::vector<Value> replies) {
  if (!std::all_of(replies.begin(), replies.end(), [](const Value& v) { return v.is_list(); })) return Value::array(std::move(replies));
  Value out = std::move(replies[0]);
  for (size_t i = 1; i < replies.size(); i++)
    for (Value& item : replies[i].items) out.items.push_back(std::move(item));
  return out;
}

}  // namespace

Value merge(ResponsePolicy policy, std::vector<Value> replies) {
  auto failed = std::find_if(replies.begin(), replies.end(), [](const Value& v) { return v.failed(); });
  if (policy == ResponsePolicy::kSpecial) return Value::array(std::move(replies));
  if (policy == ResponsePolicy::kOneSucceeded) {
    auto good = std::find_if(replies.begin(), replies.end(), [](const Value& v) { return !v.failed(); });
    return std::move(good == replies.end() ? replies[0] : *good);
  }
  if (failed != replies.end()) return std::move(*failed);
  switch (policy) {
    case ResponsePolicy::kAllSucceeded: return std::move(replies[0]);
    case ResponsePolicy::kLogicalAnd: return combine(replies, [](int64_t a, int64_t b) -> int64_t { return a && b; });
    case ResponsePolicy::kLogicalOr: return combine(replies, [](int64_t a, int64_t b) -> int64_t { return a || b; });
    case ResponsePolicy::kMin: return combine(replies, [](int64_t a, int64_t b) { return std::min(a, b); });
    case ResponsePolicy::kMax: return combine(replies, [](int64_t a, int64_t b) { return std::max(a, b); });
    case ResponsePolicy::kSum: return combine(replies, [](int64_t a, int64_t b) { return a + b; });
    case ResponsePolicy::kOneSucceeded:
    case ResponsePolicy::kSpecial:
    case ResponsePolicy::kDefault: break;
  }
  return concatenate(std::move(replies));
}

}  // namespace ringwood::client
