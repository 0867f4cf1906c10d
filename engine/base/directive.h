#pragma once
// The directive table: one row for each directive of Redis 7.2.6 (and our few own), which tells how its text is read, checked, shown and
// written. Everything that reads or shows configuration (the file, the command line, CONFIG GET, SET and REWRITE) goes through a row;
// nothing else knows names.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/options.h"

namespace ringwood {

enum DirectiveFlag : uint32_t {
  kImmutable = 1u << 0,    // only at start
  kSensitive = 1u << 1,    // a password: kept out of logs, SLOWLOG and MONITOR
  kDebugShown = 1u << 2,   // of interest in a crash report
  kMultiArg = 1u << 3,     // takes several arguments
  kHidden = 1u << 4,       // CONFIG GET shows it by its exact name only
  kGuarded = 1u << 5,      // CONFIG SET only as enable-protected-configs allows
  kDenyLoading = 1u << 6,  // not while a data set is loading
  kVolatile = 1u << 7,     // names something outside (a file): setting the same text again is a change
  kRepeatable =
      1u
      << 8,  // immutable, but may be given the value that it has: who writes back what CONFIG GET answers knows only Redis's immutable ones
};

enum class DirectiveKind : uint8_t { kBool, kNumber, kText, kChoice, kFlags, kSpecial };
enum class NumberFormat : uint8_t { kInteger, kMemory, kMemoryOrPercent, kOctal };  // kMemoryOrPercent: a percentage is kept negative
enum class SetSource : uint8_t { kFile, kConfigSet };

struct ChoiceName {
  std::string_view name;
  int64_t value;
};

// One line that CONFIG REWRITE wants in the file; unless forced, only if the file has such a line already (it says the default).
struct RewriteLine {
  std::string text;
  bool forced;
};

struct Directive;
struct SpecialOps {
  std::string (*set)(Options&, std::span<const std::string> args, SetSource);  // the reason of a refusal, or empty
  std::string (*get)(const Options&);
  std::vector<RewriteLine> (*rewrite)(const Directive&, const Options&, const Options& defaults);
};

struct Directive {
  using Args = std::span<const std::string>;

  std::string_view name;
  std::string_view alias = {};  // its older name, or empty
  uint32_t flags = 0;
  DirectiveKind kind = DirectiveKind::kBool;

  // kBool, kNumber, kChoice, kFlags: the field, whatever its integral type.
  int64_t (*get_number)(const Options&) = nullptr;
  void (*set_number)(Options&, int64_t) = nullptr;
  std::string (*check_number)(int64_t, SetSource) = nullptr;  // optional; the reason of a refusal, or empty
  int64_t min = 0;
  int64_t max = 0;
  bool is_unsigned = false;  // min, max and the value are compared and shown as uint64_t
  NumberFormat format = NumberFormat::kInteger;
  std::span<const ChoiceName> choices = {};

  // kText.
  std::string Options::*text = nullptr;
  std::string (*check_text)(std::string_view) = nullptr;
  bool empty_is_unset = false;  // "" means "not configured": CONFIG REWRITE then removes the line

  const SpecialOps* special = nullptr;  // kSpecial

  // Why the directive has no effect in Ringwood; empty if it has one.
  std::string_view ignored_because = {};

  bool has(DirectiveFlag flag) const { return (flags & flag) != 0; }
};

std::span<const Directive> directives();

// By name or alias, any case; null if there is none.
const Directive* find_directive(std::string_view name);

// Reads the arguments into `options`. Returns the reason of a refusal in Redis's words (`options` may then hold half of it), or empty.
// A directive without kMultiArg needs exactly one argument: the caller has checked that.
std::string set_value(const Directive& directive, Options& options, Directive::Args args, SetSource source);

// The value as CONFIG GET shows it.
std::string get_value(const Directive& directive, const Options& options);

// The lines for CONFIG REWRITE; none removes the directive from the file.
std::vector<RewriteLine> rewrite_lines(const Directive& directive, const Options& options, const Options& defaults);

}  // namespace ringwood
