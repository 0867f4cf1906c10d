#include "engine/store/zset_listpack.h"

#include <charconv>
#include <cstdlib>

namespace ringwood::zset {

double value_score(const Element& e) {
  if (e.is_integer()) return static_cast<double>(e.integer);
  double v = 0;
  auto [end, error] = std::from_chars(e.data, e.data + e.size, v);
  if (error == std::errc{} && end == e.data + e.size) return v;
  // What only strtod reads (a '+', hexadecimal, subnormal numbers on some libraries); a score that is no number counts as 0, as in Redis.
  char text[128];
  size_t n = e.size < sizeof text ? e.size : sizeof text - 1;
  std::memcpy(text, e.data, n);
  text[n] = '\0';
  v = std::strtod(text, nullptr);
  return v == v ? v : 0;
}
double listpack_score(listpack::Position p) { return value_score(listpack::get(p)); }

namespace small {

int compare(listpack::Position p, Bytes text) {
  char room[kMaxIntChars];
  return compare_members(listpack::get(p).text(room), text);
}

listpack::Position find(const uint8_t* lp, Bytes member, double& score) {
  listpack::Position p = listpack::find(listpack::first(lp), member, 1);
  if (p) score = listpack_score(listpack::next(p));
  return p;
}

namespace {
void insert_score(uint8_t*& lp, double score, listpack::Position p, listpack::Where where) {
  int64_t integer;
  if (double_to_int64(score, integer)) {
    listpack::insert(lp, integer, p, where);
    return;
  }
  char text[kMaxDoubleChars];
  listpack::insert(lp, Bytes(text, static_cast<size_t>(format_double(text, score) - text)), p, where);
}
}  // namespace

void append(uint8_t*& lp, double score, Bytes member) {
  listpack::append(lp, member);
  insert_score(lp, score, lp + listpack::bytes(lp) - 1, listpack::Where::kBefore);
}

void insert(uint8_t*& lp, double score, Bytes member) {
  for (listpack::Position p = listpack::first(lp); p;) {
    listpack::Position s = listpack::next(p);
    double here = listpack_score(s);
    if (here > score || (here == score && compare(p, member) > 0)) {
      p = listpack::insert(lp, member, p, listpack::Where::kBefore);
      insert_score(lp, score, p, listpack::Where::kAfter);
      return;
    }
    p = listpack::next(s);
  }
  append(lp, score, member);
}

}  // namespace small
}  // namespace ringwood::zset
