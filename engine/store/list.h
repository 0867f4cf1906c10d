#pragma once
// The list type: one listpack while it is small, then a quicklist; conversions as Redis 7.2 (t_list.c).
// Elements that are handed out are valid until the next change. An emptied list stays valid; its owner removes the key.
#include <vector>

#include "engine/store/index_range.h"
#include "engine/store/limits.h"
#include "engine/store/listpack.h"
#include "engine/store/object.h"
#include "engine/store/quicklist.h"

namespace ringwood::list {

using Element = listpack::Value;
enum class End : uint8_t { kHead, kTail };

Object create();
size_t length(const Object& o);

// Pushes the values one after the other. As in Redis the encoding is chosen once, before, from the sum of their sizes.
void push(Object& o, End end, const Bytes* values, size_t n, const Limits& limits);
inline void push(Object& o, End end, Bytes value, const Limits& limits) { push(o, end, &value, 1, limits); }

// The element at an end of a list that is not empty.
Element peek(const Object& o, End end);
OwnedBytes pop(Object& o, End end, const Limits& limits);
// Index from the end where negative; false when there is no such element.
bool get(const Object& o, int64_t index, Element& out);
bool set(Object& o, int64_t index, Bytes value, const Limits& limits);
// Beside the first element that equals pivot; false when there is none.
bool insert(Object& o, Bytes pivot, bool after, Bytes value, const Limits& limits);
// Removes elements that equal value: the first `count`, the last -count, or all (0). Returns how many.
size_t remove(Object& o, int64_t count, Bytes value, const Limits& limits);
// Removes a part; returns how many elements went.
size_t remove_range(Object& o, IndexRange range, const Limits& limits);
// Keeps only a part; returns how many elements went.
size_t trim(Object& o, IndexRange keep, const Limits& limits);

// LPOS. rank 1 means from the first match on, -1 from the last one backwards, 2 skips one match, and so on (never 0); count 0 = all
// matches; max_compared 0 = no bound. Indices as for get(), counted from the head.
std::vector<size_t> positions(const Object& o, Bytes value, int64_t rank, size_t count, size_t max_compared);

// f(Element) over a part that lies within the list, from its last element to its first when reverse.
template <class F>
void for_each(const Object& o, IndexRange range, bool reverse, F&& f) {
  size_t n = range.size();
  if (n == 0) return;
  int64_t start = static_cast<int64_t>(reverse ? range.to - 1 : range.from);
  if (o.encoding() == Encoding::kListpack) {
    const uint8_t* lp = o.as<uint8_t>();
    listpack::Position p = listpack::seek(lp, start);
    while (n--) {
      f(listpack::get(p));
      if (n) p = reverse ? listpack::previous(lp, p) : listpack::next(p);
    }
    return;
  }
  Quicklist::Cursor c = o.as<Quicklist>()->at(start);
  while (n--) {
    f(c.value());
    if (n) reverse ? c.prev() : c.next();
  }
}
template <class F>
void for_each(const Object& o, F&& f) {
  for_each(o, {0, length(o)}, false, f);
}

// ---- for loader, COPY and the like
// Takes a listpack that passed listpack::validate(deep) and is not empty.
inline Object adopt(uint8_t* lp) { return {Encoding::kListpack, lp}; }
// A quicklist without nodes, to be filled with Quicklist::append_listpack and append_plain; then fit() chooses the encoding.
Object create_quicklist(const Limits& limits);
// The encoding that the limits ask for, of a list that was built as a whole (Redis's LIST_CONV_AUTO).
void fit(Object& o, const Limits& limits);
Object duplicate(const Object& o);

}  // namespace ringwood::list
