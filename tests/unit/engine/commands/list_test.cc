#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class ListCommands : public CommandTest {};
INSTANTIATE_TEST_SUITE_P(Shards, ListCommands, testing::Values(1, 2, 4));

TEST_P(ListCommands, PushingAnswersTheLengthAndKeepsTheOrderOfArguments) {
  EXPECT_EQ(run("LPUSH a 1 2 3"), number(3));
  EXPECT_EQ(run("RPUSH a x y"), number(5));
  EXPECT_EQ(run("LRANGE a 0 -1"), bulks({"3", "2", "1", "x", "y"}));
  EXPECT_EQ(run("LPUSHX missing 1"), number(0));
  EXPECT_EQ(run("RPUSHX missing 1"), number(0));
  EXPECT_EQ(run("LPUSHX a f"), number(6));
  EXPECT_EQ(run("RPUSHX a l m"), number(8));
  EXPECT_EQ(run("LLEN a"), number(8));
  EXPECT_EQ(run("LLEN missing"), number(0));
  EXPECT_EQ(events(), "lpush a, rpush a, lpush a, rpush a");
  EXPECT_EQ(changes(), 8);
}

TEST_P(ListCommands, OtherTypesAreRefused) {
  run("SADD s m");
  for (const char* line :
       {"LPUSH s 1", "RPUSHX s 1", "LPOP s", "LLEN s", "LINDEX s 0", "LSET s 0 v", "LINSERT s BEFORE a b", "LRANGE s 0 1", "LTRIM s 0 1",
        "LREM s 0 a", "LPOS s a", "LMOVE s t LEFT LEFT", "RPOPLPUSH s t", "LMPOP 1 s LEFT"})
    EXPECT_EQ(run(line), kWrongType) << line;
  run("RPUSH l 1");
  EXPECT_EQ(run("LMOVE l s LEFT LEFT"), kWrongType);
  EXPECT_EQ(run("LRANGE l 0 -1"), bulks({"1"}));
}

TEST_P(ListCommands, PoppingTakesOneOrManyFromEitherEnd) {
  run("RPUSH a 1 2 3 4 5");
  events();
  EXPECT_EQ(run("LPOP a"), bulk("1"));
  EXPECT_EQ(run("RPOP a"), bulk("5"));
  EXPECT_EQ(run("RPOP a 2"), bulks({"4", "3"}));
  EXPECT_EQ(run("LPOP a 0"), kEmpty);
  EXPECT_EQ(run("LPOP a 9"), bulks({"2"}));
  EXPECT_EQ(entry("a"), nullptr);
  EXPECT_EQ(events(), "lpop a, rpop a, rpop a, lpop a, del a");
  EXPECT_EQ(run("LPOP a"), kNull);
  EXPECT_EQ(run("LPOP a 1"), kNullArray);
  EXPECT_EQ(run3("LPOP a 1"), kNull3);
  EXPECT_EQ(run3("LPOP a"), kNull3);
}

TEST_P(ListCommands, PoppingChecksItsCount) {
  EXPECT_EQ(run("LPOP a 1 2"), error("ERR wrong number of arguments for 'lpop' command"));
  EXPECT_EQ(run("RPOP a -1"), error("ERR value is out of range, must be positive"));
  EXPECT_EQ(run("RPOP a x"), error("ERR value is out of range, must be positive"));
}

TEST_P(ListCommands, ManyPopTakesFromTheFirstListThatIsThere) {
  run("RPUSH b 1 2 3");
  EXPECT_EQ(run("LMPOP 2 a b LEFT COUNT 2"), "*2\r\n" + bulk("b") + bulks({"1", "2"}));
  EXPECT_EQ(run("LMPOP 2 a b RIGHT"), "*2\r\n" + bulk("b") + bulks({"3"}));
  EXPECT_EQ(run("LMPOP 2 a b RIGHT"), kNullArray);
  EXPECT_EQ(run3("LMPOP 1 a LEFT"), kNull3);
  EXPECT_EQ(run("LMPOP 0 a LEFT"), error("ERR numkeys should be greater than 0"));
  EXPECT_EQ(run("LMPOP x a LEFT"), error("ERR numkeys should be greater than 0"));
  EXPECT_EQ(run("LMPOP 2 a LEFT"), kSyntax);
  EXPECT_EQ(run("LMPOP 1 a MIDDLE"), kSyntax);
  EXPECT_EQ(run("LMPOP 1 a LEFT COUNT"), kSyntax);
  EXPECT_EQ(run("LMPOP 1 a LEFT COUNT 0"), error("ERR count should be greater than 0"));
  EXPECT_EQ(run("LMPOP 1 a LEFT COUNT 1 COUNT 2"), kSyntax);
}

TEST_P(ListCommands, IndexReadsAndSetsFromBothEnds) {
  run("RPUSH a x y z");
  EXPECT_EQ(run("LINDEX a 0"), bulk("x"));
  EXPECT_EQ(run("LINDEX a -1"), bulk("z"));
  EXPECT_EQ(run("LINDEX a 3"), kNull);
  EXPECT_EQ(run("LINDEX a -4"), kNull);
  EXPECT_EQ(run("LINDEX a i"), kNotInteger);
  EXPECT_EQ(run("LINDEX missing i"), kNull);
  EXPECT_EQ(run("LSET a -2 17"), kOk);
  EXPECT_EQ(run("LRANGE a 0 -1"), bulks({"x", "17", "z"}));
  EXPECT_EQ(run("LSET a 3 v"), error("ERR index out of range"));
  EXPECT_EQ(run("LSET a i v"), kNotInteger);
  EXPECT_EQ(run("LSET missing 0 v"), error("ERR no such key"));
}

TEST_P(ListCommands, InsertPutsAnElementBesideThePivot) {
  run("RPUSH a 1 2 3");
  EXPECT_EQ(run("LINSERT a BEFORE 2 x"), number(4));
  EXPECT_EQ(run("LINSERT a after 3 y"), number(5));
  EXPECT_EQ(run("LRANGE a 0 -1"), bulks({"1", "x", "2", "3", "y"}));
  EXPECT_EQ(run("LINSERT a BEFORE nothing x"), number(-1));
  EXPECT_EQ(run("LINSERT missing BEFORE 2 x"), number(0));
  EXPECT_EQ(run("LINSERT a BESIDE 2 x"), kSyntax);
}

TEST_P(ListCommands, RangesAreInclusiveAndClamped) {
  run("RPUSH a 0 1 2 3 4");
  EXPECT_EQ(run("LRANGE a 1 -2"), bulks({"1", "2", "3"}));
  EXPECT_EQ(run("LRANGE a -100 100"), bulks({"0", "1", "2", "3", "4"}));
  EXPECT_EQ(run("LRANGE a 3 1"), kEmpty);
  EXPECT_EQ(run("LRANGE a 5 9"), kEmpty);
  EXPECT_EQ(run("LRANGE a -9223372036854775808 9223372036854775807"), bulks({"0", "1", "2", "3", "4"}));
  EXPECT_EQ(run("LRANGE missing 0 -1"), kEmpty);
  EXPECT_EQ(run("LRANGE a 0 x"), kNotInteger);
}

TEST_P(ListCommands, TrimKeepsARangeAndDeletesAnEmptiedList) {
  run("RPUSH a 0 1 2 3 4");
  events(), changes();
  EXPECT_EQ(run("LTRIM a 1 -2"), kOk);
  EXPECT_EQ(run("LRANGE a 0 -1"), bulks({"1", "2", "3"}));
  EXPECT_EQ(changes(), 2);
  EXPECT_EQ(run("LTRIM a 5 9"), kOk);
  EXPECT_EQ(entry("a"), nullptr);
  EXPECT_EQ(events(), "ltrim a, ltrim a, del a");
  EXPECT_EQ(run("LTRIM missing 0 1"), kOk);
}

TEST_P(ListCommands, RemoveTakesEqualElementsFromEitherEnd) {
  run("RPUSH a x 1 x 2 x 3 x");
  EXPECT_EQ(run("LREM a 1 x"), number(1));
  EXPECT_EQ(run("LREM a -1 x"), number(1));
  EXPECT_EQ(run("LRANGE a 0 -1"), bulks({"1", "x", "2", "x", "3"}));
  EXPECT_EQ(run("LREM a 0 x"), number(2));
  EXPECT_EQ(run("LREM a 0 x"), number(0));
  EXPECT_EQ(run("LREM missing 0 x"), number(0));
  EXPECT_EQ(run("LREM a x x"), kNotInteger);
  for (const char* line : {"LREM a 0 1", "LREM a 0 2", "LREM a 0 3"}) run(line);
  EXPECT_EQ(entry("a"), nullptr);
}

TEST_P(ListCommands, PositionHonoursRankCountAndMaxlen) {
  run("RPUSH a a b c 1 2 3 c c");
  EXPECT_EQ(run("LPOS a c"), number(2));
  EXPECT_EQ(run("LPOS a c RANK 2"), number(6));
  EXPECT_EQ(run("LPOS a c RANK -1"), number(7));
  EXPECT_EQ(run("LPOS a c RANK 4"), kNull);
  EXPECT_EQ(run("LPOS a c COUNT 2"), "*2\r\n:2\r\n:6\r\n");
  EXPECT_EQ(run("LPOS a c COUNT 0 RANK -1"), "*3\r\n:7\r\n:6\r\n:2\r\n");
  EXPECT_EQ(run("LPOS a c COUNT 0 MAXLEN 7"), "*2\r\n:2\r\n:6\r\n");
  EXPECT_EQ(run("LPOS a c MAXLEN 1"), kNull);
  EXPECT_EQ(run("LPOS a nothing COUNT 1"), kEmpty);
  EXPECT_EQ(run("LPOS missing c COUNT 1"), kEmpty);
  EXPECT_EQ(run("LPOS missing c"), kNull);
}

TEST_P(ListCommands, PositionNamesTheFaultOfItsOptions) {
  EXPECT_EQ(run("LPOS a c RANK 0"), error("ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
                                          "negative to start from the end of the list"));
  EXPECT_EQ(run("LPOS a c COUNT -1"), error("ERR COUNT can't be negative"));
  EXPECT_EQ(run("LPOS a c MAXLEN -1"), error("ERR MAXLEN can't be negative"));
  EXPECT_EQ(run("LPOS a c RANK -9223372036854775808"),
            error("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"));
  EXPECT_EQ(run("LPOS a c RANK"), kSyntax);
}

TEST_P(ListCommands, MoveTakesFromOneEndAndPutsAtAnother) {
  run("RPUSH a 1 2 3");
  events(), changes();
  EXPECT_EQ(run("LMOVE a b LEFT RIGHT"), bulk("1"));
  EXPECT_EQ(events(), "rpush b, lpop a");
  EXPECT_EQ(changes(), 1);
  EXPECT_EQ(run("RPOPLPUSH a b"), bulk("3"));
  EXPECT_EQ(run("LRANGE b 0 -1"), bulks({"3", "1"}));
  EXPECT_EQ(run("LMOVE a b RIGHT RIGHT"), bulk("2"));
  EXPECT_EQ(entry("a"), nullptr);
  EXPECT_EQ(run("LMOVE a b RIGHT RIGHT"), kNull);
  EXPECT_EQ(run("LMOVE a b UP RIGHT"), kSyntax);
  EXPECT_EQ(run("LMOVE a b RIGHT UP"), kSyntax);
}

TEST_P(ListCommands, MoveWithinOneListRotatesIt) {
  run("RPUSH a 1 2 3");
  EXPECT_EQ(run("RPOPLPUSH a a"), bulk("3"));
  EXPECT_EQ(run("LRANGE a 0 -1"), bulks({"3", "1", "2"}));
  EXPECT_EQ(run("LMOVE a a LEFT LEFT"), bulk("3"));
  EXPECT_EQ(run("LMOVE a a LEFT RIGHT"), bulk("3"));
  EXPECT_EQ(run("LRANGE a 0 -1"), bulks({"1", "2", "3"}));
  run("RPUSH one only");
  EXPECT_EQ(run("RPOPLPUSH one one"), bulk("only"));
  EXPECT_EQ(run("LRANGE one 0 -1"), bulks({"only"}));
}

TEST_P(ListCommands, LargeElementsMakeAQuicklistAndBackAgain) {
  std::string big(9000, 'x');
  run("RPUSH a 1");
  EXPECT_EQ(encoding("a"), "listpack");
  server.run({"RPUSH", "a", big});
  EXPECT_EQ(encoding("a"), "quicklist");
  EXPECT_EQ(run("LPOP a"), bulk("1"));
  EXPECT_EQ(server.run({"LMOVE", "a", "b", "LEFT", "LEFT"}), bulk(big));
  EXPECT_EQ(encoding("b"), "quicklist");
  EXPECT_EQ(encoding("a"), "none");
}

}  // namespace
}  // namespace ringwood
