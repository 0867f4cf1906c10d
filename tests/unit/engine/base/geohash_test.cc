#include "engine/base/geohash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/support/seed.h"

namespace ringwood::geohash {
namespace {

std::string text(Place p) {
  char out[kTextSize];
  write_text(p, out);
  return {out, sizeof out};
}

// Scores, texts and distances as Redis 7.0.15 answers them.
TEST(Geohash, EncodesAndDecodesAsRedisDoes) {
  EXPECT_EQ(encode({13.361389, 38.115556}), 3479099956230698u);
  EXPECT_EQ(encode({15.087269, 37.502669}), 3479447370796909u);
  Place p = decode(3479099956230698);
  EXPECT_EQ(p.longitude, 13.36138933897018433);
  EXPECT_EQ(p.latitude, 38.11555639549629859);
  EXPECT_EQ(text(p), "sqc8b49rny0");
  EXPECT_EQ(text(decode(3479447370796909)), "sqdtr74hyu0");
}

TEST(Geohash, MeasuresDistancesAsRedisDoes) {
  EXPECT_NEAR(distance(decode(3479099956230698), decode(3479447370796909)), 166274.1516, 0.00005);
  EXPECT_EQ(distance({5, 5}, {5, 5}), 0);
  EXPECT_NEAR(distance({0, 0}, {180, 0}), M_PI * 6372797.560856, 1);
}

TEST(Geohash, DistancesAreNumbersEvenBetweenAntipodes) {
  for (double latitude = -85; latitude <= 85; latitude += 0.0625)
    EXPECT_NEAR(distance({-90, latitude}, {90, -latitude}), M_PI * 6372797.560856, 1) << latitude;
}

TEST(Geohash, TheCellOfAPlaceIsWithinHalfAStepOfIt) {
  Seeded seeded;
  std::mt19937_64& random = seeded.engine();
  std::uniform_real_distribution<double> longitude(-180, 180), latitude(-kLatitudeMax, kLatitudeMax);
  for (int i = 0; i < 10000; i++) {
    Place p{longitude(random), latitude(random)};
    Place q = decode(encode(p));
    EXPECT_NEAR(p.longitude, q.longitude, 360.0 / (1 << 27) * 1.0001);
    EXPECT_NEAR(p.latitude, q.latitude, 2 * kLatitudeMax / (1 << 27) * 1.0001);
  }
}

TEST(Geohash, ScoresThatAreNoGeohashDecodeToSomePlaceWithinTheLimits) {
  for (double score : {-1.0, -0x1p63, 0x1p63, 0x1p64, 1e300, -1e300, HUGE_VAL, -HUGE_VAL, 0.5})
    EXPECT_TRUE(can_encode(decode(bits_of_score(score)))) << score;
  EXPECT_EQ(bits_of_score(-1), ~uint64_t{0});
  EXPECT_EQ(bits_of_score(0x1p63), uint64_t{1} << 63);
}

// Every place in an area lies in one of the area's cells.
TEST(Geohash, TheCellsCoverTheArea) {
  Seeded seeded;
  std::mt19937_64& random = seeded.engine();
  std::uniform_real_distribution<double> longitude(-170, 170), latitude(-70, 70), power(1, 5.5), near(-1, 1);
  int inside = 0;
  for (int i = 0; i < 20000; i++) {
    Area area{.center = {longitude(random), latitude(random)}, .box = i % 2 == 0};
    area.radius = area.width = area.height = std::pow(10, power(random));
    double degrees = area.radius / 50000;
    Place p{area.center.longitude + near(random) * degrees, area.center.latitude + near(random) * degrees};
    double meters;
    if (!can_encode(p) || !contains(area, decode(encode(p)), meters)) continue;
    inside++;
    auto score = static_cast<double>(encode(p));
    bool found = false;
    for (Cell c : cover(area)) found = found || (!c.none() && score >= first_score(c) && score < end_score(c));
    EXPECT_TRUE(found) << area.center.longitude << ' ' << area.center.latitude << ' ' << area.radius << " box " << area.box;
  }
  EXPECT_GT(inside, 1000);
}

// What the quick look turns away is never in the area, also at its very edge and across the 180th meridian.
TEST(Geohash, TheQuickLookTurnsAwayOnlyWhatIsOutside) {
  Seeded seeded;
  std::mt19937_64& random = seeded.engine();
  std::uniform_real_distribution<double> longitude(-180, 180), latitude(-85, 85), power(-2, 7), near(-1.2, 1.2);
  int turned_away = 0, inside = 0;
  for (int i = 0; i < 200000; i++) {
    Area area{.center = {longitude(random), latitude(random)}, .box = i % 8 == 0};
    area.radius = area.width = area.height = std::pow(10, power(random));
    double up = area.radius / 111227;  // meters of a degree on this sphere
    double north = near(random), east = near(random);
    if (i % 3 == 0) east = std::sqrt(std::max(0.0, 1 - north * north));  // about on the circle
    Place p{area.center.longitude + east * up / std::cos(area.center.latitude * M_PI / 180), area.center.latitude + north * up};
    if (p.longitude > 180) p.longitude -= 360;
    if (p.longitude < -180) p.longitude += 360;
    if (i % 100 == 0) p = area.center;
    if (!can_encode(p)) continue;
    double meters;
    bool in = contains(area, p, meters);
    inside += in;
    if (Nearby(area).may_contain(p)) continue;
    turned_away++;
    EXPECT_FALSE(in) << area.center.longitude << ' ' << area.center.latitude << ' ' << area.radius << " place " << p.longitude << ' '
                     << p.latitude;
  }
  EXPECT_GT(turned_away, 10000);
  EXPECT_GT(inside, 10000);
}

}  // namespace
}  // namespace ringwood::geohash
