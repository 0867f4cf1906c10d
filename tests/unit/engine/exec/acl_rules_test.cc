#include "engine/exec/acl_rules.h"

#include <gtest/gtest.h>

#include "engine/base/sha1.h"
#include "tests/harness/bare_engine.h"

namespace ringwood {
namespace {

class Rules {
 public:
  Rules() : language{*bare_.engine().commands, false}, rules(new_acl_rules(language)) {}
  // The fault's text, or "OK".
  std::string apply(Bytes rule) {
    AclFault f = apply_rule(rules, rule, language);
    return f == AclFault::kNone ? "OK" : fault_text(f);
  }
  std::string shown() const { return describe_rules(rules); }
  std::string commands() const { return describe_commands(rules.selectors[0]); }
  bool may_run(Bytes name) const { return rules.selectors[0].may_run(language.commands.find_original(name)->id); }

 private:
  BareEngine bare_{1};

 public:
  AclLanguage language;
  AclRules rules;
};

TEST(AclRules, ANewUserMayNothing) {
  Rules r;
  EXPECT_EQ(r.shown(), "off sanitize-payload resetchannels -@all");
  r.language.all_channels = true;
  EXPECT_EQ(r.apply("reset"), "OK");
  EXPECT_EQ(r.shown(), "off sanitize-payload &* -@all");
  EXPECT_EQ(describe_rules(unrestricted_acl_rules(r.language)), "on nopass sanitize-payload ~* &* +@all");
}

TEST(AclRules, KeepsPasswordsAsHashes) {
  Rules r;
  EXPECT_EQ(r.apply(">secret"), "OK");
  EXPECT_EQ(r.apply(">secret"), "OK");
  OwnedBytes hash = sha256_hex("secret");
  EXPECT_EQ(r.shown(), "off sanitize-payload #" + hash + " resetchannels -@all");
  EXPECT_EQ(r.apply("<other"), "The password you are trying to remove from the user does not exist");
  EXPECT_EQ(r.apply("!" + hash), "OK");
  EXPECT_EQ(r.shown(), "off sanitize-payload resetchannels -@all");
  EXPECT_EQ(r.apply("#" + hash.substr(1)),
            "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
  EXPECT_EQ(r.apply("#" + std::string(64, 'A')),
            "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
  r.apply(">x");
  r.apply("nopass");
  EXPECT_EQ(r.shown(), "off nopass sanitize-payload resetchannels -@all");
  r.apply(">y");
  EXPECT_FALSE(r.rules.any_password);
}

TEST(AclRules, CommandRulesKeepWhatStillMatters) {
  Rules r;
  for (Bytes rule : {"+get", "+@hash", "-hget", "+GET"}) EXPECT_EQ(r.apply(rule), "OK");
  EXPECT_EQ(r.commands(), "-@all +@hash -hget +get");
  EXPECT_TRUE(r.may_run("hset"));
  EXPECT_FALSE(r.may_run("hget"));
  EXPECT_FALSE(r.may_run("set"));
  EXPECT_EQ(r.apply("+@all"), "OK");
  EXPECT_TRUE(r.rules.selectors[0].all_commands);
  EXPECT_EQ(r.apply("-config|set"), "OK");
  EXPECT_FALSE(r.rules.selectors[0].all_commands);
  EXPECT_EQ(r.commands(), "+@all -config|set");
  EXPECT_TRUE(r.may_run("config|get"));
  EXPECT_EQ(r.apply("-config"), "OK");  // what was said of its subcommands goes
  EXPECT_EQ(r.commands(), "+@all -config");
  EXPECT_FALSE(r.may_run("config|get"));
  EXPECT_EQ(r.apply("+config|get"), "OK");
  EXPECT_EQ(r.commands(), "+@all -config +config|get");
}

TEST(AclRules, FirstArgumentsAreAllowedForCommandsWithoutSubcommands) {
  Rules r;
  EXPECT_EQ(r.apply("+getrange|Key"), "OK");
  EXPECT_EQ(r.commands(), "-@all +getrange|key");
  uint16_t id = r.language.commands.find_original("getrange")->id;
  ASSERT_NE(r.rules.selectors[0].first_args_of(id), nullptr);
  EXPECT_EQ(r.rules.selectors[0].first_args_of(id)->allowed[0], "Key");
  EXPECT_EQ(r.apply("+config|get|x"), "Allowing first-arg of a subcommand is not supported");
  EXPECT_EQ(r.apply("+config|nosuch"), "Unknown command or category name in ACL");
  EXPECT_EQ(r.apply("+getrange|"), "Syntax error");
  EXPECT_EQ(r.apply("-getrange|x"), "Unknown command or category name in ACL");
  EXPECT_EQ(r.apply("-getrange"), "OK");
  EXPECT_EQ(r.rules.selectors[0].first_args_of(id), nullptr);
}

TEST(AclRules, RefusesWhatItDoesNotUnderstand) {
  Rules r;
  AclRules before = r.rules;
  for (Bytes rule : {"+nosuch", "-nosuch", "+@nosuch", "+", "-", "+@"})
    EXPECT_EQ(r.apply(rule), "Unknown command or category name in ACL") << rule;
  for (Bytes rule : {"nosuch", "%~x", "%X~x", "%RR~x", "~a b", "&a\tb", "%", "(", ")", "(+get", "(nosuch)"})
    EXPECT_EQ(r.apply(rule), "Syntax error") << rule;
  EXPECT_EQ(r.apply(Bytes("~a\0b", 4)), "Syntax error");
  // What could not be read again.
  for (Bytes rule : {"(~a) +get)", "(~\"\\x22\")", "(~a\\'b +get)", "+getrange|a b"}) EXPECT_EQ(r.apply(rule), "Syntax error") << rule;
  EXPECT_EQ(r.apply("(+get +nosuch)"), "Unknown command or category name in ACL");
  EXPECT_EQ(r.rules, before);
  EXPECT_EQ(r.apply(""), "OK");
}

TEST(AclRules, PatternsOfKeysAndChannels) {
  Rules r;
  for (Bytes rule : {"%R~a*", "%w~b*", "%rw~c", "~d", "%W~a*", "&news", "&news", "&n*"}) EXPECT_EQ(r.apply(rule), "OK") << rule;
  EXPECT_EQ(r.shown(), "off sanitize-payload ~a* %W~b* ~c ~d resetchannels &news &n* -@all");
  EXPECT_EQ(r.apply("allkeys"), "OK");
  EXPECT_EQ(r.apply("~x").substr(0, 42), "Adding a pattern after the * pattern (or t");
  EXPECT_EQ(r.apply("&*"), "OK");
  EXPECT_EQ(r.apply("&x").substr(0, 42), "Adding a pattern after the * pattern (or t");
  EXPECT_EQ(r.shown(), "off sanitize-payload ~* &* -@all");
  EXPECT_EQ(r.apply("resetkeys"), "OK");
  EXPECT_EQ(r.apply("resetchannels"), "OK");
  EXPECT_EQ(r.shown(), "off sanitize-payload resetchannels -@all");
}

TEST(AclRules, SelectorsStandInParentheses) {
  Rules r;
  EXPECT_EQ(r.apply("(~x  +get)"), "OK");
  EXPECT_EQ(r.apply("( )"), "OK");
  EXPECT_EQ(r.shown(), "off sanitize-payload resetchannels -@all (~x resetchannels -@all +get) (resetchannels -@all)");
  EXPECT_EQ(r.apply("(on)"), "Syntax error");  // what is the user's is not a selector's
  EXPECT_EQ(r.apply("clearselectors"), "OK");
  EXPECT_EQ(r.shown(), "off sanitize-payload resetchannels -@all");
}

TEST(AclRules, JoinsSelectorsThatStandInSeveralArguments) {
  size_t at_fault = 99;
  std::vector<Bytes> args = {"on", "(~x", "+get", "+set)", "(~y)"};
  auto joined = join_selectors(args, at_fault);
  ASSERT_TRUE(joined);
  EXPECT_EQ(*joined, (std::vector<OwnedBytes>{"on", "(~x +get +set)", "(~y)"}));
  args = {"on", "(~x", "+get"};
  EXPECT_FALSE(join_selectors(args, at_fault));
  EXPECT_EQ(at_fault, 1u);
}

TEST(AclRules, WhatIsShownMakesTheSameUser) {
  Rules r;
  for (Bytes rule : {"on", ">p", "%R~a", "~b*", "&c", "+@all", "-@dangerous", "+config|get", "-get", "+getrange|x", "(%W~x +set)"})
    ASSERT_EQ(r.apply(rule), "OK") << rule;
  Rules again;
  OwnedBytes text = r.shown();
  std::vector<Bytes> words;
  for (size_t from = 0; from < text.size();) {
    size_t space = std::min(text.find(' ', from), text.size());
    words.push_back(Bytes(text).substr(from, space - from));
    from = space + 1;
  }
  size_t at_fault;
  auto joined = join_selectors(words, at_fault);
  ASSERT_TRUE(joined);
  for (const OwnedBytes& w : *joined) ASSERT_EQ(again.apply(w), "OK") << w;
  EXPECT_EQ(again.shown(), text);
  EXPECT_EQ(again.rules.selectors[0].commands, r.rules.selectors[0].commands);
}

}  // namespace
}  // namespace ringwood
