#include <algorithm>
#include <cmath>
#include <random>

#include "engine/base/geohash.h"
#include "tests/support/seed.h"
#include "tests/unit/engine/commands/fixture.h"

namespace ringwood {
namespace {

class GeoCommands : public CommandTest {
 protected:
  void sicily(const std::string& key = "s") { run("GEOADD " + key + " 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"); }
};
INSTANTIATE_TEST_SUITE_P(Shards, GeoCommands, testing::Values(1, 2));

TEST_P(GeoCommands, AddingCountsNewMembersAndWithChTheMovedOnesToo) {
  EXPECT_EQ(run("GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"), number(2));
  EXPECT_EQ(run("ZSCORE s Palermo"), bulk("3479099956230698"));
  EXPECT_EQ(run("GEOADD s NX CH 1 1 Palermo"), number(0));
  EXPECT_EQ(run("GEOADD s XX 1 1 Rome"), number(0));
  EXPECT_EQ(run("GEOADD s XX CH 1 1 Palermo"), number(1));
  EXPECT_EQ(run("GEOADD missing XX 1 1 a"), number(0));
  EXPECT_EQ(entry("missing"), nullptr);
  EXPECT_EQ(events(), "zadd s, zadd s");
  EXPECT_EQ(changes(), 3);
}

// A small sorted set does not hold such members as they are.
TEST_P(GeoCommands, MembersThatBeginAlikeAreFound) {
  run("GEOADD s 13.361389 38.115556 city:Palermo 15.087269 37.502669 city:Catania 15.1 37.6 city:Cagliari");
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ASC"), bulks({"city:Catania", "city:Cagliari", "city:Palermo"}));
  EXPECT_EQ(run("GEOSEARCHSTORE t s FROMMEMBER city:Palermo BYRADIUS 200 km COUNT 2 DESC"), number(2));
  EXPECT_EQ(run("ZCARD t"), number(2));
  EXPECT_EQ(run("GEODIST t city:Catania city:Cagliari km"), run("GEODIST s city:Catania city:Cagliari km"));
}

TEST_P(GeoCommands, ABadPlaceAddsNothing) {
  EXPECT_EQ(run("GEOADD s 1 1 a 200 100 b"), error("ERR invalid longitude,latitude pair 200.000000,100.000000"));
  EXPECT_EQ(run("GEOADD s 1 x a"), kNotFloat);
  EXPECT_EQ(run("GEOADD s 1 1 a 2"), kSyntax);
  EXPECT_EQ(run("GEOADD s NX XX 1 1 a"), kSyntax);
  EXPECT_EQ(run("GEOADD s CH CH CH"), kSyntax);
  EXPECT_NE(run("GEOADD s 1e308 -1e308 a").find("pair 100000"), std::string::npos);
  EXPECT_EQ(entry("s"), nullptr);
  run("SET s x");
  EXPECT_EQ(run("GEOADD s 1 1 a"), kWrongType);
}

TEST_P(GeoCommands, PositionsHashesAndDistancesAreRedis) {
  sicily();
  EXPECT_EQ(run("GEOPOS s Palermo none"), "*2\r\n" + bulks({"13.36138933897018433", "38.11555639549629859"}) + kNullArray);
  EXPECT_EQ(run3("GEOPOS s Palermo none"), "*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n");
  EXPECT_EQ(run("GEOPOS missing a"), "*1\r\n" + kNullArray);
  EXPECT_EQ(run("GEOHASH s Palermo none Catania"), "*3\r\n" + bulk("sqc8b49rny0") + kNull + bulk("sqdtr74hyu0"));
  EXPECT_EQ(run("GEOHASH s"), kEmpty);
  EXPECT_EQ(run("GEODIST s Palermo Catania"), bulk("166274.1516"));
  EXPECT_EQ(run3("GEODIST s Palermo Catania KM"), bulk("166.2742"));
  EXPECT_EQ(run("GEODIST s Palermo Palermo"), bulk("0.0000"));
  EXPECT_EQ(run("GEODIST s Palermo none"), kNull);
  EXPECT_EQ(run("GEODIST missing a b"), kNull);
  EXPECT_EQ(run("GEODIST s a b x"), error("ERR unsupported unit provided. please use M, KM, FT, MI"));
  EXPECT_EQ(run("GEODIST s a b m m"), kSyntax);
}

TEST_P(GeoCommands, SearchesAnswerMembersWithWhatIsAskedFor) {
  sicily();
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ASC"), bulks({"Catania", "Palermo"}));
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 15 37 BYBOX 400 400 km DESC"), bulks({"Palermo", "Catania"}));
  EXPECT_EQ(run("GEORADIUS s 15 37 100 km"), bulks({"Catania"}));
  EXPECT_EQ(run("GEORADIUS_RO s 15 37 200 km COUNT 1"), bulks({"Catania"}));
  EXPECT_EQ(run("GEORADIUSBYMEMBER s Palermo 1 m"), bulks({"Palermo"}));
  EXPECT_EQ(run("GEORADIUSBYMEMBER_RO s Palermo 200 km DESC"), bulks({"Catania", "Palermo"}));
  EXPECT_EQ(run("GEORADIUS s 15 37 100 km WITHCOORD WITHHASH WITHDIST"), "*1\r\n*4\r\n" + bulk("Catania") + bulk("56.4413") +
                                                                             number(3479447370796909) +
                                                                             bulks({"15.08726745843887329", "37.50266842333162032"}));
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 100 0 BYRADIUS 1 m"), kEmpty);
  EXPECT_EQ(run("GEOSEARCH none FROMMEMBER x BYRADIUS 1 m"), kEmpty);
}

TEST_P(GeoCommands, BadSearchesAreRefused) {
  sicily();
  EXPECT_EQ(run("GEOSEARCH s FROMMEMBER none BYRADIUS 1 m"), error("ERR could not decode requested zset member"));
  EXPECT_EQ(run("GEORADIUS s 1 1 -1 m"), error("ERR radius cannot be negative"));
  EXPECT_EQ(run("GEORADIUS s 1 1 x m"), error("ERR need numeric radius"));
  EXPECT_EQ(run("GEORADIUS s 1 1 1 m COUNT 0"), error("ERR COUNT must be > 0"));
  EXPECT_EQ(run("GEORADIUS s 1 1 1 m ANY"), error("ERR the ANY argument requires COUNT argument"));
  EXPECT_EQ(run("GEORADIUS_RO s 1 1 1 m STORE d"), kSyntax);
  EXPECT_EQ(run("GEORADIUS s 1 1 1 m STORE d WITHDIST"),
            error("ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"));
  EXPECT_EQ(run("GEOSEARCHSTORE d s FROMLONLAT 1 1 BYRADIUS 1 m WITHHASH"),
            error("ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"));
  EXPECT_EQ(run("geoSearch s BYRADIUS 1 m ASC ASC"), error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for geoSearch"));
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 1 1 ASC ASC"), error("ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH"));
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 1 1 FROMMEMBER x BYRADIUS 1 m"), kSyntax);
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 1 1 BYBOX 1 1 m BYRADIUS 1 m"), kSyntax);
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 1 1 BYBOX -1 1 m"), error("ERR height or width cannot be negative"));
  EXPECT_EQ(run("GEOSEARCH s FROMLONLAT 1 1 BYBOX 1 y m"), error("ERR need numeric height"));
}

TEST_P(GeoCommands, StoringWritesScoresOrDistancesAndReplacesWhatWasThere) {
  sicily();
  for (const char* key : {"d1", "d2", "d3"}) run(std::string("SET ") + key + " x");
  events(), changes();
  EXPECT_EQ(run("GEOSEARCHSTORE d1 s FROMLONLAT 15 37 BYRADIUS 200 km"), number(2));
  EXPECT_EQ(run("GEORADIUS s 15 37 200 km STOREDIST d2"), number(2));
  EXPECT_EQ(run("GEORADIUSBYMEMBER s Palermo 1 km STORE d3"), number(1));
  EXPECT_EQ(events(), "geosearchstore d1, georadiusstore d2, georadiusstore d3");
  EXPECT_EQ(changes(), 5);
  EXPECT_EQ(run("ZRANGE d1 0 -1 WITHSCORES"), run("ZRANGE s 0 -1 WITHSCORES"));
  EXPECT_EQ(run("ZRANGE d2 0 -1"), bulks({"Catania", "Palermo"}));
  EXPECT_EQ(run("ZRANGEBYSCORE d2 56.44 56.45"), bulks({"Catania"}));
  EXPECT_EQ(encoding("d1"), "listpack");
  EXPECT_EQ(run("GEOSEARCHSTORE s s FROMLONLAT 15 37 BYRADIUS 100 km STOREDIST"), number(1));
  EXPECT_EQ(run("ZRANGE s 0 -1"), bulks({"Catania"}));
}

TEST_P(GeoCommands, StoringNothingDeletesTheDestination) {
  sicily();
  run("SET a x");
  run("SET b x");
  events(), changes();
  EXPECT_EQ(run("GEOSEARCHSTORE a s FROMLONLAT 100 0 BYRADIUS 1 m"), number(0));
  EXPECT_EQ(run("GEORADIUSBYMEMBER missing x 1 m STORE b"), number(0));
  EXPECT_EQ(run("GEORADIUS s 100 0 1 m STORE none"), number(0));
  EXPECT_EQ(events(), "del a, del b");
  EXPECT_EQ(changes(), 2);
}

TEST_P(GeoCommands, TheLastOfSeveralDestinationsCountsAndIsAKey) {
  sicily();
  for (std::string last : {"a", "b", "c", "d", "e", "f"}) {  // some of them on the other shard
    EXPECT_EQ(run("GEORADIUS s 15 37 200 km STORE first STORE " + last), number(2));
    EXPECT_EQ(run("ZCARD " + last), number(2));
    std::vector<std::string> keys = members("COMMAND GETKEYS GEORADIUS s 15 37 200 km STORE first STORE " + last);
    EXPECT_NE(std::find(keys.begin(), keys.end(), last), keys.end());
  }
  EXPECT_EQ(entry("first"), nullptr);
}

// Searches against looking at every member.
TEST_P(GeoCommands, SearchesFindWhatLookingAtAllFinds) {
  Seeded seeded;
  std::mt19937_64& random = seeded.engine();
  std::uniform_real_distribution<double> longitude(-179, 179), latitude(-70, 70), power(5.3, 6.1);
  std::vector<std::pair<std::string, geohash::Place>> all;
  std::vector<std::string> add{"GEOADD", "g"};
  for (int i = 0; i < 500; i++) {
    geohash::Place p{longitude(random), latitude(random)};
    all.emplace_back("m" + std::to_string(i), geohash::decode(geohash::encode(p)));
    add.insert(add.end(), {std::to_string(p.longitude), std::to_string(p.latitude), all.back().first});
    all.back().second = geohash::decode(geohash::encode({std::stod(add[add.size() - 3]), std::stod(add[add.size() - 2])}));
  }
  server.run(add);
  size_t hits = 0;
  for (int i = 0; i < 300; i++) {
    geohash::Area area{.center = {longitude(random) * 0.8, latitude(random) * 0.8}, .box = i % 2 == 0};
    area.center = {std::stod(std::to_string(area.center.longitude)), std::stod(std::to_string(area.center.latitude))};
    std::string size = std::to_string(static_cast<int64_t>(std::pow(10, power(random))));
    area.radius = area.width = area.height = std::stod(size);
    std::set<std::string> wanted;
    double meters;
    for (const auto& [name, place] : all)
      if (geohash::contains(area, place, meters)) wanted.insert(name);
    std::string line = "GEOSEARCH g FROMLONLAT " + std::to_string(area.center.longitude) + " " + std::to_string(area.center.latitude);
    line += area.box ? " BYBOX " + size + " " + size + " m" : " BYRADIUS " + size + " m";
    EXPECT_EQ(member_set(line), wanted) << line;
    EXPECT_LE(members(line + " COUNT 3 ANY").size(), 3u);
    hits += wanted.size();
  }
  EXPECT_GT(hits, 100u);
}

}  // namespace
}  // namespace ringwood
