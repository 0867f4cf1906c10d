#include "persist/rdb_blobs.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/base/hash.h"
#include "engine/base/number.h"
#include "engine/store/volatile_hash.h"
#include "persist/old_blobs.h"

namespace ringwood::rdb {
namespace {

unsigned width_of(Shape shape) {
  if (shape == Shape::kTimedHash) return 3;
  return shape == Shape::kHash || shape == Shape::kZSet ? 2 : 1;
}

// Redis always writes an integer's text as an integer, and lookups rely on it.
bool all_canonical(const uint8_t* lp) {
  int64_t ignored;
  for (listpack::Position p = listpack::first(lp); p; p = listpack::next(p)) {
    listpack::Value v = listpack::get(p);
    if (!v.is_integer() && v.size <= kMaxIntChars && parse_int64(Bytes(v.data, v.size), ignored)) return false;
  }
  return true;
}

uint8_t* rewritten(const uint8_t* lp) {
  uint8_t* fresh = listpack::create(listpack::bytes(lp));
  char room[kMaxIntChars];
  for (listpack::Position p = listpack::first(lp); p; p = listpack::next(p)) listpack::append(fresh, listpack::get(p).text(room));
  return fresh;
}

bool score_of(listpack::Position p, double& score) {
  listpack::Value v = listpack::get(p);
  if (v.is_integer()) {
    score = static_cast<double>(v.integer);
    return true;
  }
  return parse_double(Bytes(v.data, v.size), score) && !std::isnan(score);
}

// False when a score is no number; `ordered` as in BlobChecker::Result.
bool check_scores(const uint8_t* lp, bool& ordered) {
  double before = 0;
  OwnedBytes member_before;
  char room[kMaxIntChars];
  bool first = true;
  ordered = true;
  for (listpack::Position p = listpack::first(lp); p;) {
    Bytes member = listpack::get(p).text(room);
    listpack::Position s = listpack::next(p);
    double score;
    if (!score_of(s, score)) return false;
    if (!first && (score < before || (score == before && member < member_before))) ordered = false;
    first = false;
    before = score;
    member_before.assign(member);
    p = listpack::next(s);
  }
  return true;
}

// False when a time is none.
bool check_times(const uint8_t* lp, BlobChecker::Result& r) {
  int64_t before = 0;
  bool first = true;
  for (listpack::Position p = listpack::first(lp); p; p = timed_listpack::next(p)) {
    listpack::Value v = listpack::get(timed_listpack::time_of(p));
    if (!v.is_integer() || v.integer < 0 || v.integer > kMaxFieldTimeMs) return false;
    if (!first && v.integer && (!before || v.integer < before)) r.ordered = false;
    if (v.integer) r.timed = true;
    first = false;
    before = v.integer;
  }
  return true;
}

}  // namespace

bool BlobChecker::repeats(const uint8_t* lp, size_t members, unsigned width) {
  places_.assign(std::bit_ceil(members * 2 + 1), 0);
  size_t mask = places_.size() - 1;
  char room[kMaxIntChars];
  for (listpack::Position p = listpack::first(lp); p;) {
    Bytes text = listpack::get(p).text(room);
    size_t i = hash_bytes(text) & mask;
    for (; places_[i]; i = (i + 1) & mask)
      if (listpack::equals(lp + places_[i], text)) return true;
    places_[i] = static_cast<uint32_t>(p - lp);
    p = listpack::next(p);
    for (unsigned passed = 1; passed < width && p; passed++) p = listpack::next(p);
  }
  return false;
}

// Takes a listpack that is sound in itself.
BlobChecker::Result BlobChecker::check(uint8_t* lp, Shape shape) {
  Result r;
  r.lp = lp;
  unsigned width = width_of(shape);
  size_t n = listpack::length(static_cast<const uint8_t*>(lp));
  if (n % width) {
    r.why = width == 3 ? "a number of elements that is no multiple of three" : "an odd number of elements where pairs belong";
  } else if (shape != Shape::kList && repeats(lp, n / width, width)) {
    r.why = shape == Shape::kHash || shape == Shape::kTimedHash ? "a field stands there twice" : "a member stands there twice";
  } else if (shape == Shape::kZSet && !check_scores(lp, r.ordered)) {
    r.why = "a score is not a number";
  } else if (shape == Shape::kTimedHash && !check_times(lp, r)) {
    r.why = "the time of a field is none";
  }
  if (r.why) {
    listpack::release(lp);
    r.lp = nullptr;
  }
  return r;
}

BlobChecker::Result BlobChecker::take_listpack(Bytes blob, Shape shape) {
  if (!listpack::validate(blob, true)) return {nullptr, true, "the listpack is damaged"};
  const uint8_t* given = octets(blob);
  return check(all_canonical(given) ? listpack::adopt_copy(blob) : rewritten(given), shape);
}

BlobChecker::Result BlobChecker::convert_ziplist(Bytes blob, Shape shape) {
  persist::ZiplistReader reader(blob);
  if (!reader.valid()) return {nullptr, true, "the ziplist is damaged"};
  uint8_t* lp = listpack::create(std::min<size_t>(blob.size() + reader.count(), size_t{1} << 20));
  char room[kMaxIntChars];
  for (listpack::Value v; reader.next(v);) {
    if (!listpack::safe_to_add(lp, v.is_integer() ? sizeof(int64_t) : v.size)) {
      listpack::release(lp);
      return {nullptr, true, "the ziplist is too long"};
    }
    listpack::append(lp, v.text(room));
  }
  listpack::shrink_to_fit(lp);
  return check(lp, shape);
}

BlobChecker::Result BlobChecker::convert_zipmap(Bytes blob) {
  persist::ZipmapReader reader(blob);
  if (!reader.valid()) return {nullptr, true, "the zipmap is damaged"};
  uint8_t* lp = listpack::create(std::min<size_t>(blob.size() + 2 * reader.count(), size_t{1} << 20));
  longest_ = 0;
  for (Bytes field, value; reader.next(field, value);) {
    if (!listpack::safe_to_add(lp, field.size() + value.size())) {
      listpack::release(lp);
      return {nullptr, true, "the zipmap is too long"};
    }
    listpack::append(lp, field);
    listpack::append(lp, value);
    longest_ = std::max({longest_, field.size(), value.size()});
  }
  listpack::shrink_to_fit(lp);
  return check(lp, Shape::kHash);
}

}  // namespace ringwood::rdb
