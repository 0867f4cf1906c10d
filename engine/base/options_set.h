#pragma once
// CONFIG SET and CONFIG GET over a value of options: nothing changes in place and nothing is applied here.
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/directive.h"

namespace ringwood {

struct NameValue {
  Bytes name;
  Bytes value;
};

// CONFIG SET takes repl-backlog-size for no less, nor does a backlog ever have less.
inline constexpr int64_t kLeastBacklogBytes = 16384;

struct SetContext {
  bool local_client = false;  // from a loopback address or a UNIX socket: enable-protected-configs "local" lets it through
  bool loading = false;
};

struct SetResult {
  enum class Status : uint8_t { kOk, kError, kLoading };  // kLoading: to be answered with the -LOADING error

  Status status = Status::kOk;
  std::string error;                      // kError: the text after "-ERR "
  Options options;                        // kOk: the new value
  std::vector<const Directive*> changed;  // kOk: what has a new value, once each, in the order of the pairs; the owner applies these
};

// All pairs or none. The owner applies what changed (listens on a port, changes directory ...) and only then swaps the options; when that
// fails it keeps the old ones and answers set_failure().
SetResult set_options(const Options& base, std::span<const NameValue> pairs, SetContext context);

// The error text for a directive whose new value could not be taken or applied; without a reason the text ends at the name.
std::string set_failure(std::string_view name, std::string_view reason);

// CONFIG GET: every directive, and every alias, that one of the patterns names, once each. A pattern without glob letters is a name and
// also finds hidden directives; it is shown as the client spelt it.
std::vector<std::pair<std::string, std::string>> get_options(const Options& options, std::span<const Bytes> patterns);

}  // namespace ringwood
