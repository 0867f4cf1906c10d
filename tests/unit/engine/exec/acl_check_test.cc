#include "engine/exec/acl_check.h"

#include <gtest/gtest.h>

#include "engine/base/glob.h"
#include "tests/harness/bare_engine.h"

namespace ringwood {
namespace {

class Asked {
 public:
  explicit Asked(std::initializer_list<Bytes> rules) : user_("somebody", made(rules)) {}
  // Whether the user may run this, and whether that can be told at once.
  bool allowed(std::initializer_list<Bytes> words) const { return !acl_check(&user_, command(words), {words.begin(), words.size()}); }
  bool at_once(std::initializer_list<Bytes> words) const {
    return acl_allows_at_once(user_, command(words), {words.begin(), words.size()});
  }

 private:
  AclRules made(std::initializer_list<Bytes> rules) {
    AclLanguage language{*bare_.engine().commands, false};
    AclRules all = new_acl_rules(language);
    for (Bytes rule : rules) EXPECT_EQ(apply_rule(all, rule, language), AclFault::kNone) << rule;
    return all;
  }
  const Command& command(std::initializer_list<Bytes> words) const {
    return *bare_.engine().commands->find(std::span<const Bytes>(words.begin(), words.size()));
  }
  mutable BareEngine bare_{1};
  AclUser user_;
};

TEST(AclCheck, MatchesKeysAsGlobPatternsDo) {
  for (Bytes pattern : {"a", "ab", "a*", "ab*", "?*", "?", "??", "a?", "a?*", "*b", "a*b", "[ab]*", "a[b]", "\\*", "a\\*", "a**", "?a*"}) {
    Asked user({"on", "+@all", "~" + OwnedBytes(pattern)});
    for (Bytes key : {"", "a", "b", "ab", "ba", "abc", "aab", "*", "a*", "a*b", "ab*"}) {
      EXPECT_EQ(user.allowed({"GET", key}), glob_match(pattern, key)) << pattern << " " << key;
      EXPECT_EQ(user.at_once({"GET", key}), user.allowed({"GET", key})) << pattern << " " << key;
    }
  }
}

TEST(AclCheck, TellsAtOnceOnlyWhatIsAllowed) {
  Asked user({"on", "+get", "+set", "+mget", "+publish", "+append", "~both:*", "%R~read:*", "%W~write:*", "(+incr ~*)"});
  EXPECT_TRUE(user.at_once({"GET", "both:1"}));
  EXPECT_TRUE(user.at_once({"GET", "read:1"}));
  EXPECT_FALSE(user.at_once({"GET", "write:1"}));
  EXPECT_FALSE(user.allowed({"GET", "write:1"}));
  EXPECT_TRUE(user.at_once({"SET", "both:1", "v"}));
  EXPECT_TRUE(user.allowed({"SET", "write:1", "v"}));
  EXPECT_FALSE(user.allowed({"SET", "write:1", "v", "GET"}));
  EXPECT_FALSE(user.at_once({"SET", "write:1", "v", "GET"}));
  EXPECT_FALSE(user.at_once({"SET", "read:1", "v"}));
  EXPECT_FALSE(user.at_once({"APPEND", "read:1", "v"}));
  EXPECT_FALSE(user.at_once({"MGET", "both:1"}));  // allowed, as the whole check tells
  EXPECT_TRUE(user.allowed({"MGET", "both:1", "read:2"}));
  EXPECT_TRUE(user.allowed({"INCR", "other"}));
  EXPECT_FALSE(user.at_once({"INCR", "other"}));
  EXPECT_FALSE(user.at_once({"DEL", "both:1"}));
  EXPECT_FALSE(user.at_once({"PUBLISH", "channel", "message"}));
}

}  // namespace
}  // namespace ringwood
