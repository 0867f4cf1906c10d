#include "net/slot_log_filter.h"

#include "engine/base/number.h"
#include "engine/exec/call.h"

namespace ringwood {

using Fault = SlotLogFilter::Fault;

Fault SlotLogFilter::feed(Bytes log, OutBuffer& out) {
  const bool gathered = !rest_.empty();
  if (gathered) rest_.append(log);
  Bytes input = gathered ? rest_.view() : log;
  size_t used = 0;
  Fault fault = Fault::kNone;
  while (used < input.size() && fault == Fault::kNone) {
    ParseTarget to{args_, unquoted_, INT64_MAX, true};
    RequestParser::Status s = parser_.parse(input.substr(used), to);
    if (s == RequestParser::Status::kError) return Fault::kNotUnderstood;
    if (s == RequestParser::Status::kIncomplete) break;
    fault = judge(input.substr(used, parser_.consumed()), out);
    used += parser_.consumed();
    args_.reset();
  }
  OutBuffer left;
  left.append(input.substr(used));
  rest_ = std::move(left);
  return fault;
}

Fault SlotLogFilter::judge(Bytes whole, OutBuffer& out) {
  std::span<const Bytes> args = parser_.args();
  const Command* c = args.empty() ? nullptr : commands_.find(args);
  if (!c) return Fault::kNone;
  if (c->full_name == "select") {
    if (args.size() < 2 || !parse_int64(args[1], database_)) return Fault::kNotUnderstood;
    return Fault::kNone;
  }
  if (database_ != 0) return Fault::kNone;  // what this node imports itself
  if (c->full_name == "flushall" || c->full_name == "flushdb") return Fault::kFlushed;
  keys_.clear();
  if (!CommandTable::keys_of(*c, args, keys_) || keys_.empty()) return Fault::kNone;
  size_t inside = 0;
  for (int i : keys_) inside += slots_.test(key_slot(args[static_cast<size_t>(i)]));
  if (!inside) return Fault::kNone;
  if (inside != keys_.size()) return Fault::kStraddles;
  out.append(whole);
  return Fault::kNone;
}

}  // namespace ringwood
