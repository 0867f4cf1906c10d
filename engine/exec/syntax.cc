#include "engine/exec/syntax.h"

#include <utility>

#include "engine/base/options_text.h"

namespace ringwood {
namespace {

constexpr const char* kTypeNames[] = {"string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block"};
constexpr int kMaxDepth = 16;

using Args = std::vector<SyntaxArg>;

class Parser {
 public:
  explicit Parser(Bytes text) : rest_(text) {}

  std::optional<Args> all() {
    Args out = sequence(0);
    if (failed_ || !rest_.empty()) return std::nullopt;
    return out;
  }

 private:
  bool fail() { return failed_ = true, false; }
  void skip_space() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool take(Bytes what) {
    if (rest_.substr(0, what.size()) != what) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  bool at_end() {
    skip_space();
    return failed_ || rest_.empty() || rest_.front() == '|' || rest_.front() == ']' || rest_.front() == ')';
  }

  Args sequence(int depth) {
    Args out;
    if (depth > kMaxDepth) fail();
    while (!at_end()) out.push_back(item(depth));
    return out;
  }

  SyntaxArg item(int depth) {
    SyntaxArg a;
    if (take("[")) {
      a = group("]", depth);
      a.optional = true;
    } else if (take("(")) {
      a = group(")", depth);
    } else {
      a = word();
      if (a.type == ArgType::kPureToken) return with_values(std::move(a), depth);
    }
    repeat(a);
    return a;
  }

  void repeat(SyntaxArg& a) {
    if (!take("...")) return;
    a.multiple = true;
    a.multiple_token = !a.token.empty();
  }

  SyntaxArg word() {
    size_t n = rest_.find_first_of(" []()|");
    if (n == Bytes::npos) n = rest_.size();
    if (size_t dots = rest_.substr(0, n).find("..."); dots != Bytes::npos) n = dots;
    Bytes text = rest_.substr(0, n);
    rest_.remove_prefix(n);
    SyntaxArg a;
    if (text.empty() || (text.size() > 1 && text.find('=') != Bytes::npos)) {
      fail();
    } else if (text == "\"\"") {
      a.type = ArgType::kPureToken;
      a.name = "empty-string";
    } else if (text[0] < 'a' || text[0] > 'z') {
      a.type = ArgType::kPureToken;
      a.token = text;
      a.name = options_text::lower(text);
    } else {
      size_t colon = text.find(':');
      a.name = text.substr(0, colon);
      if (colon != Bytes::npos && !set_type(a, text.substr(colon + 1))) fail();
    }
    return a;
  }

  static bool set_type(SyntaxArg& a, Bytes name) {
    for (size_t i = 0; i <= static_cast<size_t>(ArgType::kUnixTime); i++)
      if (name == kTypeNames[i]) return a.type = static_cast<ArgType>(i), true;
    return false;
  }

  // A token with what it takes: one value is shown with the token, several become a block.
  SyntaxArg with_values(SyntaxArg token, int depth) {
    Args values;
    while (!at_end() && (rest_.front() == '(' || (rest_.front() >= 'a' && rest_.front() <= 'z'))) values.push_back(item(depth));
    if (values.empty()) {
      repeat(token);
      return token;
    }
    SyntaxArg out;
    if (values.size() == 1 && values[0].token.empty()) {
      out = std::move(values[0]);
    } else {
      out.type = ArgType::kBlock;
      out.name = token.name;
      out.args = std::move(values);
    }
    out.token = std::move(token.token);
    return out;
  }

  SyntaxArg group(Bytes close, int depth) {
    OwnedBytes name = choice_name();
    std::vector<Args> alternatives;
    do {
      alternatives.push_back(sequence(depth + 1));
      if (alternatives.back().empty()) fail();
    } while (!failed_ && take("|"));
    if (!take(close)) fail();
    if (failed_) return {};
    if (alternatives.size() == 1) return joined(std::move(alternatives[0]), name);
    SyntaxArg out;
    out.type = ArgType::kOneOf;
    Args& first = alternatives[0];
    if (first.size() == 2 && first[0].type == ArgType::kPureToken && first[1].type == ArgType::kPureToken) {
      out.token = first[0].token;
      out.name = first[0].name;
      first.erase(first.begin());
    }
    if (!name.empty()) out.name = name;
    if (out.name.empty()) out.name = "choice";
    for (Args& a : alternatives) out.args.push_back(joined(std::move(a), {}));
    return out;
  }

  // "name=" at the beginning of a group.
  OwnedBytes choice_name() {
    size_t n = rest_.find_first_not_of("abcdefghijklmnopqrstuvwxyz-");
    if (n == Bytes::npos || n == 0 || rest_[n] != '=') return {};
    OwnedBytes name(rest_.substr(0, n));
    rest_.remove_prefix(n + 1);
    return name;
  }

  static SyntaxArg joined(Args sequence, const OwnedBytes& name) {
    SyntaxArg out;
    if (sequence.size() == 1) {
      out = std::move(sequence[0]);
    } else {
      out.type = ArgType::kBlock;
      out.name = "data";
      out.args = std::move(sequence);
    }
    if (!name.empty()) out.name = name;
    return out;
  }

  Bytes rest_;
  bool failed_ = false;
};

}  // namespace

std::optional<std::vector<SyntaxArg>> parse_syntax(Bytes text) { return Parser(text).all(); }

const char* arg_type_name(ArgType t) { return kTypeNames[static_cast<size_t>(t)]; }

}  // namespace ringwood
