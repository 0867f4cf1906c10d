#include <gtest/gtest.h>

#include "engine/base/sha1.h"
#include "tests/harness/in_process.h"

namespace ringwood {
namespace {

constexpr const char* kNoKey = "-NOPERM No permissions to access a key\r\n";

class AclCommands : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Shards, AclCommands, testing::Values(1, 2, 3));

TEST_P(AclCommands, AChangeHoldsFromTheNextCommandOnOnEveryConnection) {
  InProcess s(GetParam());
  EXPECT_EQ(s.run({"ACL", "SETUSER", "bob", "on", ">p", "+@all", "~k*"}), "+OK\r\n");
  for (size_t i = 1; i <= 4; i++) {
    EXPECT_EQ(s.run_as(i, {"AUTH", "bob", "p"}), "+OK\r\n");
    EXPECT_EQ(s.run_as(i, {"SET", "k" + std::to_string(i), "1"}), "+OK\r\n");
    EXPECT_EQ(s.run_as(i, {"SET", "x" + std::to_string(i), "1"}), kNoKey);
    EXPECT_EQ(s.run_as(i, {"ACL", "WHOAMI"}), "$3\r\nbob\r\n");
  }
  EXPECT_EQ(s.run({"ACL", "SETUSER", "bob", "resetkeys", "~x*", "-get"}), "+OK\r\n");
  for (size_t i = 1; i <= 4; i++) {
    EXPECT_EQ(s.run_as(i, {"SET", "x" + std::to_string(i), "1"}), "+OK\r\n");
    EXPECT_EQ(s.run_as(i, {"SET", "k" + std::to_string(i), "1"}), kNoKey);
    EXPECT_EQ(s.run_as(i, {"GET", "x1"}), "-NOPERM User bob has no permissions to run the 'get' command\r\n");
  }
  EXPECT_EQ(s.run({"ACL", "SETUSER", "bob", "allkeys", "allchannels", "+@all"}), "+OK\r\n");
  EXPECT_EQ(s.run_as(2, {"GET", "x1"}), "$1\r\n1\r\n");
  EXPECT_EQ(s.run_as(2, {"EXISTS", "x1", "x2", "k1"}), ":3\r\n");
}

TEST_P(AclCommands, AskTheKeysOfEveryCommand) {
  InProcess s(GetParam());
  s.run({"ACL", "SETUSER", "u", "on", "nopass", "+@all", "%R~r*", "%W~w*", "~b*"});
  EXPECT_EQ(s.run_as(1, {"AUTH", "u", "anything"}), "+OK\r\n");
  EXPECT_EQ(s.run_as(1, {"MSET", "w1", "1", "w2", "2", "b3", "3"}), "+OK\r\n");
  EXPECT_EQ(s.run_as(1, {"MSET", "w1", "1", "r2", "2"}), kNoKey);
  EXPECT_EQ(s.run_as(1, {"MGET", "r1", "b3"}), "*2\r\n$-1\r\n$1\r\n3\r\n");
  EXPECT_EQ(s.run_as(1, {"MGET", "r1", "w1"}), kNoKey);
  EXPECT_EQ(s.run_as(1, {"SET", "w1", "x"}), "+OK\r\n");
  EXPECT_EQ(s.run_as(1, {"SET", "w1", "x", "GET"}), kNoKey);
  EXPECT_EQ(s.run_as(1, {"COPY", "r1", "w1"}), ":0\r\n");
  EXPECT_EQ(s.run_as(1, {"COPY", "w1", "r1"}), kNoKey);
  EXPECT_EQ(s.run_as(1, {"SORT", "r1", "STORE", "w1"}), ":0\r\n");
  EXPECT_EQ(s.run_as(1, {"SORT", "r1", "STORE", "r2"}), kNoKey);
  EXPECT_EQ(s.run_as(1, {"SORT", "r1", "BY", "b*"}), "-ERR BY option of SORT denied due to insufficient ACL permissions.\r\n");
  EXPECT_EQ(s.run_as(1, {"SORT", "r1", "GET", "b*"}), "-ERR GET option of SORT denied due to insufficient ACL permissions.\r\n");
  s.run({"ACL", "SETUSER", "u", "%R~*"});
  EXPECT_EQ(s.run_as(1, {"SORT", "r1", "BY", "b*", "GET", "b*"}), "*0\r\n");
}

TEST_P(AclCommands, SelectorsGrantAsAWhole) {
  InProcess s(GetParam());
  s.run({"ACL", "SETUSER", "u", "on", "nopass", "~a*", "+get", "(~b*", "+set)"});
  s.run_as(1, {"AUTH", "u", ""});
  EXPECT_EQ(s.run_as(1, {"GET", "a"}), "$-1\r\n");
  EXPECT_EQ(s.run_as(1, {"SET", "b", "1"}), "+OK\r\n");
  EXPECT_EQ(s.run_as(1, {"SET", "a", "1"}), kNoKey);
  EXPECT_EQ(s.run_as(1, {"GET", "b"}), kNoKey);
  EXPECT_EQ(s.run_as(1, {"DEL", "b"}), "-NOPERM User u has no permissions to run the 'del' command\r\n");
}

TEST_P(AclCommands, RemovedUsersAreShutOut) {
  InProcess s(GetParam());
  s.run({"ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*", "&*"});
  s.run_as(1, {"AUTH", "u", ""});
  EXPECT_EQ(s.run_as(1, {"SET", "a", "1"}), "+OK\r\n");
  EXPECT_EQ(s.run({"ACL", "DELUSER", "u", "nobody"}), ":1\r\n");
  EXPECT_EQ(s.run_as(1, {"SET", "a", "2"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(s.run_as(2, {"AUTH", "u", ""}), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  EXPECT_EQ(s.run({"ACL", "DELUSER", "default"}), "-ERR The 'default' user cannot be removed\r\n");
  s.run({"ACL", "SETUSER", "self", "on", "nopass", "+@all", "~*", "&*"});
  s.run_as(3, {"AUTH", "self", ""});
  EXPECT_EQ(s.run_as(3, {"ACL", "DELUSER", "self"}), ":1\r\n");
  EXPECT_TRUE(s.client(3).close_after_reply);
}

TEST_P(AclCommands, RightsAreAskedWhenQueuedAndAgainAtExec) {
  InProcess s(GetParam());
  s.run({"ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*"});
  s.run_as(1, {"AUTH", "u", ""});
  s.run_as(1, {"MULTI"});
  EXPECT_EQ(s.run_as(1, {"SET", "a", "1"}), "+QUEUED\r\n");
  EXPECT_EQ(s.run_as(1, {"INCR", "a"}), "+QUEUED\r\n");
  s.run({"ACL", "SETUSER", "u", "-incr"});
  EXPECT_EQ(s.run_as(1, {"EXEC"}),
            "*2\r\n+OK\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is "
            "no longer allowed for the following reason: no permission to execute the command or subcommand\r\n");
  s.run_as(1, {"MULTI"});
  EXPECT_EQ(s.run_as(1, {"INCR", "a"}), "-NOPERM User u has no permissions to run the 'incr' command\r\n");
  EXPECT_EQ(s.run_as(1, {"EXEC"}), "-EXECABORT Transaction discarded because of previous errors.\r\n");
}

TEST_P(AclCommands, WhoWaitsIsAskedAgain) {
  InProcess s(GetParam());
  s.run({"ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*"});
  s.run_as(1, {"AUTH", "u", ""});
  s.send(1, {"BLPOP", "l", "0"});
  EXPECT_TRUE(s.blocked(1));
  s.run({"ACL", "SETUSER", "u", "resetkeys"});
  EXPECT_EQ(s.run({"RPUSH", "l", "x"}), ":1\r\n");
  EXPECT_EQ(s.receive(1), kNoKey);
  EXPECT_EQ(s.run({"LLEN", "l"}), ":1\r\n");
}

TEST_P(AclCommands, DefaultUserAndRequirepass) {
  Options o;
  o.requirepass = "secret";
  InProcess s(GetParam(), o);
  EXPECT_EQ(s.run({"GET", "a"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(s.run({"AUTH", "wrong"}), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  EXPECT_EQ(s.run({"AUTH", "secret"}), "+OK\r\n");
  EXPECT_EQ(s.run_as(1, {"AUTH", "default", "secret"}), "+OK\r\n");
  EXPECT_EQ(s.run({"CONFIG", "SET", "requirepass", "other"}), "+OK\r\n");
  EXPECT_EQ(s.run_as(1, {"GET", "a"}), "$-1\r\n");  // it has logged in
  EXPECT_EQ(s.run_as(2, {"GET", "a"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(s.run_as(2, {"AUTH", "secret"}), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  EXPECT_EQ(s.run({"CONFIG", "SET", "requirepass", ""}), "+OK\r\n");
  EXPECT_EQ(s.run_as(2, {"GET", "a"}), "$-1\r\n");  // nobody has to any more
  EXPECT_EQ(s.run_as(2, {"AUTH", "x"}),
            "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is "
            "correct?\r\n");
  EXPECT_EQ(s.run({"ACL", "SETUSER", "default", "off"}), "+OK\r\n");
  EXPECT_EQ(s.run_as(3, {"GET", "a"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(s.run_as(3, {"HELLO"}).substr(0, 7), "-NOAUTH");
}

TEST_P(AclCommands, ChannelsAreAskedToo) {
  InProcess s(GetParam());
  s.run({"ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*", "resetchannels", "&news.*"});
  s.run_as(1, {"AUTH", "u", ""});
  EXPECT_EQ(s.run_as(1, {"PUBLISH", "news.a", "x"}), ":0\r\n");
  EXPECT_EQ(s.run_as(1, {"PUBLISH", "other", "x"}), "-NOPERM No permissions to access a channel\r\n");
  EXPECT_EQ(s.run_as(1, {"SUBSCRIBE", "news.a", "other"}), "-NOPERM No permissions to access a channel\r\n");
  EXPECT_EQ(s.run_as(1, {"PSUBSCRIBE", "news.a*"}), "-NOPERM No permissions to access a channel\r\n");  // a pattern counts literally
  EXPECT_EQ(s.run_as(1, {"PSUBSCRIBE", "news.*"}), "*3\r\n$10\r\npsubscribe\r\n$6\r\nnews.*\r\n:1\r\n");
}

TEST_P(AclCommands, LogTellsWhatWasRefused) {
  InProcess s(GetParam());
  s.run({"ACL", "SETUSER", "u", "on", ">p", "+get", "+multi", "~a"});
  s.run_as(1, {"AUTH", "u", "wrong"});
  s.run_as(1, {"AUTH", "u", "p"});
  s.run_as(1, {"GET", "b"});
  s.run_as(1, {"GET", "b"});
  s.run_as(1, {"MULTI"});
  s.run_as(1, {"SET", "a", "1"});
  std::string log = s.run({"ACL", "LOG", "1"});
  EXPECT_NE(log.find("$7\r\ncontext\r\n$5\r\nmulti\r\n$6\r\nobject\r\n$3\r\nset\r\n$8\r\nusername\r\n$1\r\nu\r\n"), std::string::npos)
      << log;
  log = s.run({"ACL", "LOG"});
  EXPECT_EQ(log.substr(0, 4), "*3\r\n");
  EXPECT_NE(log.find("$5\r\ncount\r\n:2\r\n$6\r\nreason\r\n$3\r\nkey\r\n"), std::string::npos) << log;
  EXPECT_NE(log.find("$6\r\nreason\r\n$4\r\nauth\r\n$7\r\ncontext\r\n$8\r\ntoplevel\r\n$6\r\nobject\r\n$4\r\nAUTH\r\n"), std::string::npos);
  EXPECT_NE(s.run({"INFO", "stats"}).find("acl_access_denied_auth:1\r\nacl_access_denied_cmd:1\r\nacl_access_denied_key:2\r\n"),
            std::string::npos);
  EXPECT_EQ(s.run({"ACL", "LOG", "RESET"}), "+OK\r\n");
  EXPECT_EQ(s.run({"ACL", "LOG"}), "*0\r\n");
}

TEST(AclCommand, GetuserListAndUsers) {
  InProcess s;
  s.run({"ACL", "SETUSER", "bob", "on", ">p", "~a", "%R~b", "&c", "+@read", "-get", "(~x +set)"});
  OwnedBytes hash = sha256_hex("p");
  EXPECT_EQ(
      s.run({"ACL", "GETUSER", "bob"}),
      "*12\r\n$5\r\nflags\r\n*2\r\n$2\r\non\r\n$16\r\nsanitize-payload\r\n$9\r\npasswords\r\n*1\r\n$64\r\n" + hash +
          "\r\n$8\r\ncommands\r\n$17\r\n-@all +@read -get\r\n$4\r\nkeys\r\n$7\r\n~a %R~b\r\n$8\r\nchannels\r\n$2\r\n&c\r\n"
          "$9\r\nselectors\r\n*1\r\n*6\r\n$8\r\ncommands\r\n$10\r\n-@all +set\r\n$4\r\nkeys\r\n$2\r\n~x\r\n$8\r\nchannels\r\n$0\r\n\r\n");
  EXPECT_EQ(s.run({"ACL", "GETUSER", "nobody"}), "$-1\r\n");
  EXPECT_EQ(s.run({"ACL", "USERS"}), "*2\r\n$3\r\nbob\r\n$7\r\ndefault\r\n");
  std::string line = "user bob on sanitize-payload #" + hash + " ~a %R~b resetchannels &c -@all +@read -get (~x resetchannels -@all +set)";
  EXPECT_EQ(s.run({"ACL", "LIST"}),
            "*2\r\n$" + std::to_string(line.size()) + "\r\n" + line + "\r\n$51\r\nuser default on nopass sanitize-payload ~* &* +@all\r\n");
}

TEST(AclCommand, RefusesWithRedissTexts) {
  InProcess s;
  EXPECT_EQ(s.run({"ACL", "SETUSER", "a b"}), "-ERR Usernames can't contain spaces or null characters\r\n");
  EXPECT_EQ(s.run({"ACL", "SETUSER", "u", "on", "+nosuch"}),
            "-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL\r\n");
  EXPECT_EQ(s.run({"ACL", "SETUSER", "u", "(+get", "~x"}), "-ERR Unmatched parenthesis in acl selector starting at '(+get'.\r\n");
  EXPECT_EQ(s.run({"ACL", "USERS"}), "*1\r\n$7\r\ndefault\r\n");  // a user that could not be made is not there
  EXPECT_EQ(s.run({"ACL", "CAT", "nosuch"}), "-ERR Unknown category 'nosuch'\r\n");
  EXPECT_EQ(s.run({"ACL", "GENPASS", "0"}),
            "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096\r\n");
  EXPECT_EQ(s.run({"ACL", "GENPASS"}).substr(0, 5), "$64\r\n");
  EXPECT_EQ(s.run({"ACL", "GENPASS", "5"}).substr(0, 4), "$2\r\n");
  EXPECT_EQ(s.run({"ACL", "NOSUCH"}), "-ERR unknown subcommand 'NOSUCH'. Try ACL HELP.\r\n");
  EXPECT_EQ(s.run({"ACL", "LOAD"}).substr(0, 64), "-ERR This Redis instance is not configured to use an ACL file. Y");
}

TEST(AclCommand, Dryrun) {
  InProcess s;
  s.run({"ACL", "SETUSER", "u", "+get", "+publish", "~a", "&c"});
  EXPECT_EQ(s.run({"ACL", "DRYRUN", "u", "GET", "a"}), "+OK\r\n");
  EXPECT_EQ(s.run({"ACL", "DRYRUN", "u", "GET", "b"}), "$47\r\nUser u has no permissions to access the 'b' key\r\n");
  EXPECT_EQ(s.run({"ACL", "DRYRUN", "u", "PUBLISH", "d", "x"}), "$51\r\nUser u has no permissions to access the 'd' channel\r\n");
  EXPECT_EQ(s.run({"ACL", "DRYRUN", "u", "SET", "a", "1"}), "$50\r\nUser u has no permissions to run the 'set' command\r\n");
  EXPECT_EQ(s.run({"ACL", "DRYRUN", "nobody", "GET", "a"}), "-ERR User 'nobody' not found\r\n");
  EXPECT_EQ(s.run({"ACL", "DRYRUN", "u", "NOSUCH", "a"}), "-ERR Command 'NOSUCH' not found\r\n");
  EXPECT_EQ(s.run({"ACL", "DRYRUN", "u", "GET"}), "-ERR wrong number of arguments for 'get' command\r\n");
}

TEST(AclFile, IsReadAsAWhole) {
  InProcess s;
  AclLanguage language = s.engine().acl->language(Options());
  AclFileUsers read = read_acl_file("user bob on nopass +@all ~*\n\n  user alice off (+get ~x)  \n", "f", language);
  EXPECT_EQ(read.error, "");
  ASSERT_EQ(read.users.size(), 2u);
  EXPECT_EQ(describe_rules(read.users["alice"]), "off sanitize-payload resetchannels -@all (~x resetchannels -@all +get)");
  read = read_acl_file("user bob +nosuch on\nuser bob\nbob\nuser x ~a (b\n", "f", language);
  EXPECT_EQ(
      read.error,
      "f:1: Error in applying operation '+nosuch': Unknown command or category name in ACL. WARNING: Duplicate user 'bob' found on line "
      "2. f:3 should start with user keyword followed by the username. f:4: Unmatched parenthesis in selector definition.WARNING: ACL "
      "errors detected, no change to the previously active ACL rules was performed");
  EXPECT_TRUE(read.users.empty());
}

}  // namespace
}  // namespace ringwood
