#include "engine/base/options_set.h"

#include <algorithm>

#include "engine/base/glob.h"
#include "engine/base/options_text.h"

namespace ringwood {
namespace {

SetResult failed(std::string error) {
  SetResult result;
  result.status = SetResult::Status::kError;
  result.error = std::move(error);
  return result;
}

// Cut at each single space: two in a row make an empty argument. No argument at all for the empty text.
std::vector<std::string> split_at_spaces(Bytes text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  size_t from = 0;
  for (size_t at = text.find(' '); at != Bytes::npos; at = text.find(' ', from)) {
    parts.emplace_back(text.substr(from, at - from));
    from = at + 1;
  }
  parts.emplace_back(text.substr(from));
  return parts;
}

bool may_change_protected(const Options& options, SetContext context) {
  return options.enable_protected_configs == ProtectedAction::kYes ||
         (options.enable_protected_configs == ProtectedAction::kLocal && context.local_client);
}

std::string refusal(const Directive& directive, Bytes value, const Options& base, SetContext context) {
  const bool stays = directive.has(kRepeatable) && value == get_value(directive, base);
  if (directive.has(kImmutable) && !stays) return "can't set immutable config";
  if (directive.has(kGuarded) && !may_change_protected(base, context)) return "can't set protected config";
  return "";
}

// Finds all directives before any value is read, so that the first bad name wins over a bad value. Fills `result` when one is refused.
std::vector<const Directive*> find_all(const Options& base, std::span<const NameValue> pairs, SetContext context, SetResult& result) {
  std::vector<const Directive*> found;
  for (const NameValue& pair : pairs) {
    const Directive* directive = find_directive(pair.name);
    if (!directive) {
      result = failed("Unknown option or number of arguments for CONFIG SET - '" + std::string(pair.name) + "'");
      return {};
    }
    std::string reason = refusal(*directive, pair.value, base, context);
    if (reason.empty() && directive->has(kDenyLoading) && context.loading) {
      result.status = SetResult::Status::kLoading;
      return {};
    }
    if (reason.empty() && std::find(found.begin(), found.end(), directive) != found.end()) reason = "duplicate parameter";
    if (!reason.empty()) {
      result = failed(set_failure(pair.name, reason));
      return {};
    }
    found.push_back(directive);
  }
  return found;
}

}  // namespace

std::string set_failure(std::string_view name, std::string_view reason) {
  std::string out = "CONFIG SET failed (possibly related to argument '";
  out.append(name).append("')");
  if (!reason.empty()) out.append(" - ").append(reason);
  return out;
}

SetResult set_options(const Options& base, std::span<const NameValue> pairs, SetContext context) {
  SetResult result;
  const std::vector<const Directive*> found = find_all(base, pairs, context, result);
  if (result.status != SetResult::Status::kOk) return result;
  result.options = base;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto args = found[i]->has(kMultiArg) ? split_at_spaces(pairs[i].value) : std::vector<std::string>{std::string(pairs[i].value)};
    const std::string reason = set_value(*found[i], result.options, args, SetSource::kConfigSet);
    if (reason.empty()) continue;
    const bool by_alias = options_text::equal_ignoring_case(pairs[i].name, found[i]->alias);
    return failed(set_failure(by_alias ? found[i]->alias : found[i]->name, reason));
  }
  result.options.hz = std::clamp(result.options.hz, kMinHz, kMaxHz);
  result.options.repl_backlog_size = std::max(result.options.repl_backlog_size, kLeastBacklogBytes);
  for (const Directive* directive : found) {
    if (directive->has(kVolatile) || get_value(*directive, base) != get_value(*directive, result.options))
      result.changed.push_back(directive);
  }
  return result;
}

std::vector<std::pair<std::string, std::string>> get_options(const Options& options, std::span<const Bytes> patterns) {
  std::vector<std::pair<std::string, std::string>> shown;
  const auto show = [&](std::string_view name, const Directive& directive) {
    for (const auto& [known, value] : shown) {
      if (options_text::equal_ignoring_case(known, name)) return;
    }
    shown.emplace_back(name, get_value(directive, options));
  };
  for (const Bytes pattern : patterns) {
    if (pattern.find_first_of("[*?") == Bytes::npos) {
      if (const Directive* directive = find_directive(pattern)) show(pattern, *directive);
      continue;
    }
    for (const Directive& directive : directives()) {
      if (directive.has(kHidden)) continue;
      if (glob_match(pattern, directive.name, true)) show(directive.name, directive);
      if (!directive.alias.empty() && glob_match(pattern, directive.alias, true)) show(directive.alias, directive);
    }
  }
  return shown;
}

}  // namespace ringwood
