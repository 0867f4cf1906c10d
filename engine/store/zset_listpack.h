#pragma once
// The small encoding of a sorted set: members and scores in turn, ascending by (score, member). Used by zset.cc alone.
#include "engine/store/zset.h"

namespace ringwood::zset::small {

// The member's position, and its score; null when it is not there.
listpack::Position find(const uint8_t* lp, Bytes member, double& score);
// The member must not be there.
void insert(uint8_t*& lp, double score, Bytes member);
// Puts an element at the end; the caller keeps the order.
void append(uint8_t*& lp, double score, Bytes member);
// Elements before the first one for which before(position of member, score) is false.
template <class Before>
size_t count_while(const uint8_t* lp, size_t from, Before&& before) {
  size_t n = from;
  listpack::Position p = from * 2 < listpack::length(lp) ? listpack::seek(lp, static_cast<int64_t>(2 * from)) : nullptr;
  while (p) {
    listpack::Position s = listpack::next(p);
    if (!before(p, listpack_score(s))) break;
    n++;
    p = listpack::next(s);
  }
  return n;
}
// Order of a member in the block and a text.
int compare(listpack::Position p, Bytes text);

}  // namespace ringwood::zset::small
