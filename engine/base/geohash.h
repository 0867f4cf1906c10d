#pragma once
// Places on the globe as 52-bit geohashes, distances between them, and the cells that a search has to look at. All figures are Redis's (geohash.c,
// geohash_helper.c), because clients see them: the bits are the scores of a sorted set, and distances are compared to the last digit.
#include <array>

#include "engine/base/bytes.h"

namespace ringwood::geohash {

// Degrees. The poles cannot be encoded: the limits are those of web maps (EPSG:900913).
struct Place {
  double longitude = 0, latitude = 0;
};
constexpr double kLongitudeMax = 180, kLatitudeMax = 85.05112878;
inline bool can_encode(Place p) {
  return p.longitude >= -kLongitudeMax && p.longitude <= kLongitudeMax && p.latitude >= -kLatitudeMax && p.latitude <= kLatitudeMax;
}

// A cell of the grid that halves the world `step` times in each direction: 2 * step bits, longitude and latitude in turn, longitude first.
struct Cell {
  uint64_t bits = 0;
  uint8_t step = 0;

  bool none() const { return !bits && !step; }
  bool operator==(const Cell& other) const { return bits == other.bits && step == other.step; }
};
constexpr uint8_t kSteps = 26;

// The 52 bits of a place that can be encoded, and the middle of the cell that such bits name (always within the limits).
uint64_t encode(Place p);
Place decode(uint64_t bits);
// The bits that a sorted set's score holds. A score that is no geohash gives some bits, as the conversion of x86-64 does.
uint64_t bits_of_score(double score);
// The scores from which (included) to which (excluded) the members within a cell lie.
double first_score(Cell c);
double end_score(Cell c);

// The usual textual geohash (geohash.org; latitudes from -90 to 90) of a place: 11 characters, the last always '0', since 52 bits fill ten of them.
constexpr size_t kTextSize = 11;
void write_text(Place p, char* out);

// Meters along the great circle.
double distance(Place a, Place b);

// What a search looks for: all within a radius of the centre, or within a box around it whose sides run north and east.
struct Area {
  Place center;
  bool box = false;
  double radius = 0, width = 0, height = 0;  // in units of `unit` meters
  double unit = 1;
};
// Whether the place lies in the area; if so, its distance from the centre in meters.
bool contains(const Area& area, Place p, double& meters);
// A quick look before contains(), without trigonometry: false only for places that do not lie in the area. Circles of usual sizes away
// from the poles are looked at, all else may always contain.
class Nearby {
 public:
  explicit Nearby(const Area& area);
  bool may_contain(Place p) const {
    double north = p.latitude - center_.latitude, east = p.longitude - center_.longitude;
    if (north < 0) north = -north;
    if (east < 0) east = -east;
    if (east > 180) east = 360 - east;
    return north <= up_ && east <= aside_;
  }

 private:
  Place center_;
  double up_ = 360, aside_ = 360;  // degrees
};
// The cells that cover the area, in the order in which they are to be searched (it shows in unsorted answers); unneeded ones are none().
// Around a very large area, neighbours may be the same cell: equal ones then stand next to each other.
std::array<Cell, 9> cover(const Area& area);

}  // namespace ringwood::geohash
