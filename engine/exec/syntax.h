#pragma once
// The grammar of a command's arguments, read from CommandSpec::syntax: COMMAND DOCS shows it, and a fuzzer can write commands by it.
//
//   sequence := item*                     item := group ["..."] | word ["..."]
//   group    := "[" choice "]" (may be left out) | "(" choice ")"
//   choice   := [name "="] sequence ("|" sequence)*
//   word     := token | name [":" type]
//
// A token is a word that does not begin with a lower case letter; it takes the values behind it, up to the next token or bracket: "LIMIT offset count".
// The word "" is the token without letters, an empty string.
// Where the first of several alternatives is two tokens, the first of them stands before the whole choice: "[AGGREGATE SUM|MIN|MAX]".
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

// In the order of type names in syntax.cc.
enum class ArgType : uint8_t { kString, kInteger, kDouble, kKey, kPattern, kUnixTime, kPureToken, kOneOf, kBlock };

struct SyntaxArg {
  OwnedBytes name;
  ArgType type = ArgType::kString;
  OwnedBytes token;  // stands before the value, or alone (kPureToken)
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;  // the token is repeated with each value
  std::vector<SyntaxArg> args;  // kOneOf: the alternatives; kBlock: the sequence
};

// Nothing when the text does not follow the grammar.
std::optional<std::vector<SyntaxArg>> parse_syntax(Bytes text);

// "string", "integer", …, "block", as COMMAND DOCS writes them.
const char* arg_type_name(ArgType t);

}  // namespace ringwood
