#include "engine/base/geohash.h"

#include <algorithm>
#include <cmath>

namespace ringwood::geohash {
namespace {

constexpr double kEarthRadius = 6372797.560856;  // meters: the quadratic mean for WGS-84
constexpr double kMercatorMax = 20037726.37;     // meters
constexpr double kRadian = M_PI / 180.0;         // a degree
double radians(double degrees) { return degrees * kRadian; }
double degrees(double radians) { return radians / kRadian; }

struct Range {
  double min, max;
};
struct Grid {
  Range longitude, latitude;
};
constexpr Grid kMapGrid = {{-kLongitudeMax, kLongitudeMax}, {-kLatitudeMax, kLatitudeMax}};
constexpr Grid kTextGrid = {{-180, 180}, {-90, 90}};

// Puts a zero bit before each of the 32 bits.
uint64_t spread(uint32_t v) {
  uint64_t x = v;
  x = (x | x << 16) & 0x0000ffff0000ffff;
  x = (x | x << 8) & 0x00ff00ff00ff00ff;
  x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x << 2) & 0x3333333333333333;
  return (x | x << 1) & 0x5555555555555555;
}
// Takes every second bit, from the lowest on.
uint32_t gather(uint64_t x) {
  x &= 0x5555555555555555;
  x = (x | x >> 1) & 0x3333333333333333;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x >> 4) & 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(x | x >> 16);
}

uint32_t grid_index(double v, Range r, uint8_t step) {
  double part = (v - r.min) / (r.max - r.min);
  return static_cast<uint32_t>(part * static_cast<double>(uint64_t{1} << step));
}
Cell cell_of(const Grid& g, Place p, uint8_t step) {
  return {spread(grid_index(p.latitude, g.latitude, step)) | spread(grid_index(p.longitude, g.longitude, step)) << 1, step};
}

Range grid_range(uint32_t index, Range r, uint8_t step) {
  // A power of two: multiplying by its inverse gives every digit that dividing would.
  double scale = r.max - r.min, cell = 1.0 / static_cast<double>(uint64_t{1} << step);
  uint32_t next = index + 1;
  return {r.min + (index * cell) * scale, r.min + (next * cell) * scale};
}
Grid bounds(Cell c) {
  return {grid_range(gather(c.bits >> 1), kMapGrid.longitude, c.step), grid_range(gather(c.bits), kMapGrid.latitude, c.step)};
}

// The neighbour so many cells (-1, 0 or 1) to the east and to the north; the world is round in both directions.
Cell moved(Cell c, int east, int north) {
  unsigned unused = 64u - 2u * c.step;
  uint64_t x_bits = 0xaaaaaaaaaaaaaaaa, y_bits = 0x5555555555555555;
  uint64_t x = c.bits & x_bits, y = c.bits & y_bits;
  x_bits >>= unused, y_bits >>= unused;
  // A sum or difference carries through the other direction's bits, which are filled or cleared for that.
  if (east > 0) x = (x + (y_bits + 1)) & x_bits;
  if (east < 0) x = ((x | y_bits) - (y_bits + 1)) & x_bits;
  if (north > 0) y = (y + (x_bits + 1)) & y_bits;
  if (north < 0) y = ((y | x_bits) - (x_bits + 1)) & y_bits;
  return {x | y, c.step};
}

double latitude_distance(double a, double b) { return kEarthRadius * std::fabs(radians(b) - radians(a)); }

// The step at which nine cells cover a circle in most cases.
uint8_t step_for(double meters, double latitude) {
  if (meters == 0) return kSteps;
  int step = 1;
  for (; meters < kMercatorMax; step++) meters *= 2;
  step -= 2;
  // Towards the poles the cells get narrower.
  if (latitude > 66 || latitude < -66) step--;
  if (latitude > 80 || latitude < -80) step--;
  return static_cast<uint8_t>(std::clamp(step, 1, int{kSteps}));
}

// The box around an area. Its wider side, which is the one nearer to the pole, gives the longitudes.
Grid bounding_box(const Area& a) {
  double height = a.unit * (a.box ? a.height / 2 : a.radius);
  double width = a.unit * (a.box ? a.width / 2 : a.radius);
  double up = degrees(height / kEarthRadius);
  double edge = a.center.latitude < 0 ? a.center.latitude - up : a.center.latitude + up;
  double aside = degrees(width / kEarthRadius / std::cos(radians(edge)));
  return {{a.center.longitude - aside, a.center.longitude + aside}, {a.center.latitude - up, a.center.latitude + up}};
}

enum Direction : uint8_t { kCenter, kNorth, kSouth, kEast, kWest, kNorthEast, kNorthWest, kSouthEast, kSouthWest };
using Cells = std::array<Cell, 9>;

Cells around(Cell c) {
  return {c,
          moved(c, 0, 1),
          moved(c, 0, -1),
          moved(c, 1, 0),
          moved(c, -1, 0),
          moved(c, 1, 1),
          moved(c, -1, 1),
          moved(c, 1, -1),
          moved(c, -1, -1)};
}

bool too_small(const Cells& cells, const Grid& box) {
  return bounds(cells[kNorth]).latitude.max < box.latitude.max || bounds(cells[kSouth]).latitude.min > box.latitude.min ||
         bounds(cells[kEast]).longitude.max < box.longitude.max || bounds(cells[kWest]).longitude.min > box.longitude.min;
}

void drop_unneeded(Cells& cells, const Grid& box) {
  Grid middle = bounds(cells[kCenter]);
  auto drop = [&](Direction a, Direction b, Direction c) { cells[a] = cells[b] = cells[c] = Cell{}; };
  if (middle.latitude.min < box.latitude.min) drop(kSouth, kSouthWest, kSouthEast);
  if (middle.latitude.max > box.latitude.max) drop(kNorth, kNorthEast, kNorthWest);
  if (middle.longitude.min < box.longitude.min) drop(kWest, kSouthWest, kNorthWest);
  if (middle.longitude.max > box.longitude.max) drop(kEast, kSouthEast, kNorthEast);
}

}  // namespace

uint64_t encode(Place p) { return cell_of(kMapGrid, p, kSteps).bits; }

Place decode(uint64_t bits) {
  Grid g = bounds({bits, kSteps});
  return {std::clamp((g.longitude.min + g.longitude.max) / 2, -kLongitudeMax, kLongitudeMax),
          std::clamp((g.latitude.min + g.latitude.max) / 2, -kLatitudeMax, kLatitudeMax)};
}

uint64_t bits_of_score(double score) {
  constexpr double kHalf = 0x1p63;
  if (score >= -kHalf && score < kHalf) return static_cast<uint64_t>(static_cast<int64_t>(score));
  if (score >= kHalf && score < 2 * kHalf) return static_cast<uint64_t>(score);
  return score > 0 ? 0 : uint64_t{1} << 63;
}

double first_score(Cell c) { return static_cast<double>(c.bits << (52 - 2 * c.step)); }
double end_score(Cell c) { return static_cast<double>((c.bits + 1) << (52 - 2 * c.step)); }

void write_text(Place p, char* out) {
  static constexpr char kAlphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  uint64_t bits = cell_of(kTextGrid, p, kSteps).bits;
  for (unsigned i = 0; i + 1 < kTextSize; i++) out[i] = kAlphabet[bits >> (47 - 5 * i) & 31];
  out[kTextSize - 1] = '0';
}

double distance(Place a, Place b) {
  double v = std::sin((radians(b.longitude) - radians(a.longitude)) / 2);
  if (v == 0.0) return latitude_distance(a.latitude, b.latitude);
  double from = radians(a.latitude), to = radians(b.latitude);
  double u = std::sin((to - from) / 2);
  double h = u * u + std::cos(from) * std::cos(to) * v * v;
  // Rounding can put antipodes a hair above 1, where the arc sine is no number.
  return 2.0 * kEarthRadius * std::asin(std::min(std::sqrt(h), 1.0));
}

bool contains(const Area& area, Place p, double& meters) {
  if (area.box) {
    if (latitude_distance(p.latitude, area.center.latitude) > area.height * area.unit / 2) return false;
    if (distance(p, {area.center.longitude, p.latitude}) > area.width * area.unit / 2) return false;
    meters = distance(area.center, p);
    return true;
  }
  meters = distance(area.center, p);
  return !(meters > area.radius * area.unit);
}

Nearby::Nearby(const Area& area) : center_(area.center) {
  constexpr double kMargin = 1 + 1e-6, kLeast = 1e-9;  // far above what rounding can do, in the box and in distance()
  const double up = degrees(area.radius * area.unit / kEarthRadius);
  if (area.box || !(up < 45) || std::fabs(area.center.latitude) + up > 80) return;
  const Grid box = bounding_box(area);
  up_ = up * kMargin + kLeast;
  aside_ = (box.longitude.max - area.center.longitude) * kMargin + kLeast;
}

std::array<Cell, 9> cover(const Area& area) {
  Grid box = bounding_box(area);
  double w = area.width / 2, h = area.height / 2;
  uint8_t step = step_for((area.box ? std::sqrt(w * w + h * h) : area.radius) * area.unit, area.center.latitude);
  Cells cells = around(cell_of(kMapGrid, area.center, step));
  // Near the edge of its cell an area can reach beyond the neighbours.
  if (step > 1 && too_small(cells, box)) cells = around(cell_of(kMapGrid, area.center, --step));
  if (step >= 2) drop_unneeded(cells, box);
  return cells;
}

}  // namespace ringwood::geohash
