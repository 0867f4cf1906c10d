#include "engine/exec/syntax.h"

#include <gtest/gtest.h>

#include "engine/commands/families.h"
#include "engine/exec/command_table.h"

namespace ringwood {
namespace {

// One line of text for a tree: type name, token, flags, children.
std::string show(const std::vector<SyntaxArg>& args) {
  std::string out;
  for (const SyntaxArg& a : args) {
    if (!out.empty()) out += ' ';
    out += a.name + ":" + arg_type_name(a.type);
    if (!a.token.empty()) out += "/" + a.token;
    if (a.optional) out += "?";
    if (a.multiple) out += "*";
    if (a.multiple_token) out += "+";
    if (!a.args.empty()) out += "{" + show(a.args) + "}";
  }
  return out;
}
std::string parsed(Bytes text) {
  auto args = parse_syntax(text);
  return args ? show(*args) : "invalid";
}

TEST(Syntax, ValuesHaveTypes) {
  EXPECT_EQ(parsed("key:key value"), "key:key value:string");
  EXPECT_EQ(parsed("key:key seconds:integer score:double at:unix-time p:pattern"),
            "key:key seconds:integer score:double at:unix-time p:pattern");
  EXPECT_EQ(parsed(""), "");
}
TEST(Syntax, ATokenTakesTheValuesBehindIt) {
  EXPECT_EQ(parsed("[COUNT count:integer]"), "count:integer/COUNT?");
  EXPECT_EQ(parsed("[LIMIT offset:integer count:integer]"), "limit:block/LIMIT?{offset:integer count:integer}");
  EXPECT_EQ(parsed("[COUNT count:integer [ANY]]"), "data:block?{count:integer/COUNT any:pure-token/ANY?}");
  EXPECT_EQ(parsed("[WEIGHTS weight:integer...]"), "weight:integer/WEIGHTS?*");
}
TEST(Syntax, AlternativesAreOneOf) {
  EXPECT_EQ(parsed("[NX|XX]"), "choice:oneof?{nx:pure-token/NX xx:pure-token/XX}");
  EXPECT_EQ(parsed("[condition=NX|XX]"), "condition:oneof?{nx:pure-token/NX xx:pure-token/XX}");
  EXPECT_EQ(parsed("[EX s:integer|KEEPTTL]"), "choice:oneof?{s:integer/EX keepttl:pure-token/KEEPTTL}");
  EXPECT_EQ(parsed("[AGGREGATE SUM|MIN]"), "aggregate:oneof/AGGREGATE?{sum:pure-token/SUM min:pure-token/MIN}");
  EXPECT_EQ(parsed("(host port:integer|NO ONE)"),
            "choice:oneof{data:block{host:string port:integer} data:block{no:pure-token/NO one:pure-token/ONE}}");
}
TEST(Syntax, GroupsRepeat) {
  EXPECT_EQ(parsed("(key:key value)..."), "data:block*{key:key value:string}");
  EXPECT_EQ(parsed("[GET pattern:pattern]..."), "pattern:pattern/GET?*+");
  EXPECT_EQ(parsed("key:key..."), "key:key*");
}
TEST(Syntax, TheEmptyStringIsAToken) { EXPECT_EQ(parsed("(selector=key:key|\"\")"), "selector:oneof{key:key empty-string:pure-token}"); }
TEST(Syntax, WhatDoesNotFitTheGrammarIsRefused) {
  for (const char* bad : {"[", "]", "(a", "a)", "[]", "[a|]", "a:nothing", "a...b:", "...", "TO(target)=host"})
    EXPECT_EQ(parsed(bad), "invalid") << bad;
  EXPECT_EQ(parsed(std::string(1000, '[')), "invalid");
}

void expect_valid(const Command& c) {
  EXPECT_TRUE(parse_syntax(c.spec->syntax)) << c.full_name << ": " << c.spec->syntax;
  EXPECT_TRUE(c.spec->arity != 1 || Bytes(c.spec->syntax).empty()) << c.full_name;
  for (const auto& s : c.subcommands) expect_valid(*s);
}
TEST(Syntax, EveryCommandsSyntaxIsValid) {
  CommandTable t;
  add_families(t);
  t.freeze(1);
  EXPECT_GT(t.all().size(), 100u);
  for (const auto& c : t.all()) expect_valid(*c);
}

}  // namespace
}  // namespace ringwood
