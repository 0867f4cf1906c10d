// Reading, showing and writing of one directive's value, by its kind.
#include <algorithm>
#include <cstdio>

#include "engine/base/directive.h"
#include "engine/base/number.h"
#include "engine/base/options_text.h"
#include "engine/base/split_args.h"

namespace ringwood {
namespace {

using options_text::equal_ignoring_case;
using options_text::parse_long;
using options_text::parse_memory;

constexpr size_t kMaxReason = 255;  // Redis cuts generated reasons here

std::string octal_text(int64_t value) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%llo", static_cast<unsigned long long>(value));
  return std::string(text, static_cast<size_t>(size));
}

std::string number_text(const Directive& directive, int64_t value) {
  if (directive.format == NumberFormat::kOctal) return octal_text(value);
  return directive.is_unsigned ? std::to_string(static_cast<uint64_t>(value)) : std::to_string(value);
}

std::string parse_number(const Directive& directive, const std::string& text, int64_t& value) {
  const bool memory = directive.format == NumberFormat::kMemory || directive.format == NumberFormat::kMemoryOrPercent;
  if (memory) {
    if (const auto bytes = parse_memory(text)) {
      value = static_cast<int64_t>(*bytes);
      return "";
    }
  }
  switch (directive.format) {
    case NumberFormat::kInteger: return parse_int64(text, value) ? "" : "argument couldn't be parsed into an integer";
    case NumberFormat::kMemory: return "argument must be a memory value";
    case NumberFormat::kMemoryOrPercent:
      if (text.size() > 1 && text.back() == '%' && parse_int64(Bytes(text).substr(0, text.size() - 1), value) && value >= 0) {
        value = -value;
        return "";
      }
      return "argument must be a memory or percent value";
    case NumberFormat::kOctal: break;
  }
  const auto octal = parse_long(text, 8);
  if (!octal) return "argument couldn't be parsed as an octal number";
  value = *octal;
  return "";
}

std::string check_range(const Directive& directive, int64_t value) {
  bool inside = value >= directive.min && value <= directive.max;
  if (directive.is_unsigned) {
    const auto u = static_cast<uint64_t>(value);
    inside = u >= static_cast<uint64_t>(directive.min) && u <= static_cast<uint64_t>(directive.max);
  } else if (directive.format == NumberFormat::kMemoryOrPercent && value < 0) {
    return value >= directive.min ? "" : "percentage argument must be less or equal to " + std::to_string(-directive.min);
  }
  if (inside) return "";
  return "argument must be between " + number_text(directive, directive.min) + " and " + number_text(directive, directive.max) +
         " inclusive";
}

std::string parse_choices(const Directive& directive, Directive::Args args, int64_t& value) {
  bool valid = !args.empty() && (directive.kind == DirectiveKind::kFlags || args.size() == 1);
  value = 0;
  for (const std::string& arg : args) {
    const auto found = std::find_if(directive.choices.begin(), directive.choices.end(),
                                    [&](const ChoiceName& choice) { return equal_ignoring_case(choice.name, arg); });
    if (found == directive.choices.end()) {
      valid = false;
      break;
    }
    value |= found->value;
  }
  if (valid) return "";
  std::string reason = "argument(s) must be one of the following: ";
  for (const ChoiceName& choice : directive.choices) {
    if (&choice != directive.choices.data()) reason += ", ";
    reason.append(choice.name);
  }
  return reason.substr(0, kMaxReason);
}

std::string choice_text(const Directive& directive, int64_t value) {
  std::string out;
  for (const ChoiceName& choice : directive.choices) {
    if (choice.value == value) return std::string(choice.name);
    if (directive.kind == DirectiveKind::kFlags && choice.value != 0 && (value & choice.value) == choice.value) {
      if (!out.empty()) out.push_back(' ');
      out.append(choice.name);
    }
  }
  return out;
}

std::string parse_bool(const std::string& text, int64_t& value) {
  value = equal_ignoring_case(text, "yes");
  return value || equal_ignoring_case(text, "no") ? "" : "argument must be 'yes' or 'no'";
}

std::string set_scalar(const Directive& directive, Options& options, Directive::Args args, SetSource source) {
  int64_t value = 0;
  std::string reason;
  switch (directive.kind) {
    case DirectiveKind::kBool: reason = parse_bool(args[0], value); break;
    case DirectiveKind::kNumber:
      reason = parse_number(directive, args[0], value);
      if (reason.empty()) reason = check_range(directive, value);
      break;
    default: reason = parse_choices(directive, args, value);
  }
  if (reason.empty() && directive.check_number) reason = directive.check_number(value, source);
  if (reason.empty()) directive.set_number(options, value);
  return reason;
}

std::string set_text(const Directive& directive, Options& options, const std::string& value) {
  // Paths and the like end at a NUL for the kernel, so they end there for everybody; passwords may hold any byte.
  const std::string text = directive.has(kSensitive) ? value : value.substr(0, value.find('\0'));
  if (directive.check_text) {
    std::string reason = directive.check_text(text);
    if (!reason.empty()) return reason;
  }
  options.*directive.text = text;
  return "";
}

std::string memory_line_value(const Directive& directive, int64_t value) {
  if (directive.format == NumberFormat::kMemoryOrPercent && value < 0) return std::to_string(-value) + "%";
  return options_text::format_memory(static_cast<uint64_t>(value));
}

}  // namespace

const Directive* find_directive(std::string_view name) {
  for (const Directive& directive : directives()) {
    if (equal_ignoring_case(directive.name, name)) return &directive;
    if (!directive.alias.empty() && equal_ignoring_case(directive.alias, name)) return &directive;
  }
  return nullptr;
}

std::string set_value(const Directive& directive, Options& options, Directive::Args args, SetSource source) {
  switch (directive.kind) {
    case DirectiveKind::kSpecial: return directive.special->set(options, args, source);
    case DirectiveKind::kText: return set_text(directive, options, args[0]);
    default: return set_scalar(directive, options, args, source);
  }
}

std::string get_value(const Directive& directive, const Options& options) {
  switch (directive.kind) {
    case DirectiveKind::kSpecial: return directive.special->get(options);
    case DirectiveKind::kText: return options.*directive.text;
    case DirectiveKind::kBool: return directive.get_number(options) ? "yes" : "no";
    case DirectiveKind::kChoice:
    case DirectiveKind::kFlags: return choice_text(directive, directive.get_number(options));
    case DirectiveKind::kNumber: break;
  }
  const int64_t value = directive.get_number(options);
  if (directive.format == NumberFormat::kMemoryOrPercent && value < 0) return std::to_string(-value) + "%";
  return number_text(directive, value);
}

std::vector<RewriteLine> rewrite_lines(const Directive& directive, const Options& options, const Options& defaults) {
  if (directive.kind == DirectiveKind::kSpecial) return directive.special->rewrite(directive, options, defaults);
  std::string line = std::string(directive.name) + " ";
  if (directive.kind == DirectiveKind::kText) {
    const std::string& value = options.*directive.text;
    if (value.empty() && directive.empty_is_unset) return {};
    append_quoted(line, value);
    return {{std::move(line), value != defaults.*directive.text}};
  }
  const int64_t value = directive.get_number(options);
  const bool memory = directive.format == NumberFormat::kMemory || directive.format == NumberFormat::kMemoryOrPercent;
  line += memory ? memory_line_value(directive, value) : get_value(directive, options);
  return {{std::move(line), value != directive.get_number(defaults)}};
}

}  // namespace ringwood
