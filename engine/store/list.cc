#include "engine/store/list.h"

#include <algorithm>

namespace ringwood::list {
namespace {

bool is_listpack(const Object& o) { return o.encoding() == Encoding::kListpack; }
Quicklist& quick(const Object& o) { return *o.as<Quicklist>(); }

void to_quicklist(Object& o, const Limits& limits) {
  uint8_t* lp = o.as<uint8_t>();
  auto* list = new Quicklist(limits.list_max_listpack_size);
  if (listpack::empty(lp))
    listpack::release(lp);
  else
    list->append_listpack(lp);
  o.reset(Encoding::kQuicklist, list);
}

void before_growth(Object& o, size_t bytes, size_t count, const Limits& limits) {
  if (!is_listpack(o)) return;
  const uint8_t* lp = o.as<uint8_t>();
  if (Quicklist::exceeds_limit(limits.list_max_listpack_size, listpack::bytes(lp) + bytes, listpack::length(lp) + count))
    to_quicklist(o, limits);
}

// Back to one listpack where a single packed node is left within the limit, or within half of it: so that a list at
// the limit does not flip at every change.
void to_listpack_if_small(Object& o, bool shrinking, const Limits& limits) {
  if (is_listpack(o)) return;
  const Quicklist::Node* node = quick(o).single_listpack();
  if (!node) return;
  Quicklist::NodeLimit limit = Quicklist::node_limit(limits.list_max_listpack_size);
  size_t divisor = shrinking ? 2 : 1;
  if (node->bytes > limit.bytes / divisor || node->count > limit.count / divisor) return;
  Quicklist* list = o.as<Quicklist>();
  o.reset(Encoding::kListpack, list->take_listpack());
  delete list;
}

void after_removal(Object& o, const Limits& limits) { to_listpack_if_small(o, true, limits); }

// Calls changes on the block of a listpack-encoded list, which may move.
template <class F>
auto with_listpack(Object& o, F&& change) {
  uint8_t* lp = o.as<uint8_t>();
  auto result = change(lp);
  o.reset(Encoding::kListpack, lp);
  return result;
}

}  // namespace

Object create() { return {Encoding::kListpack, listpack::create()}; }
Object create_quicklist(const Limits& limits) { return {Encoding::kQuicklist, new Quicklist(limits.list_max_listpack_size)}; }

size_t length(const Object& o) { return is_listpack(o) ? listpack::length(static_cast<const uint8_t*>(o.as<uint8_t>())) : quick(o).size(); }

void push(Object& o, End end, const Bytes* values, size_t n, const Limits& limits) {
  size_t bytes = 0;
  for (size_t i = 0; i < n; i++) bytes += values[i].size();
  before_growth(o, bytes, n, limits);
  if (is_listpack(o)) {
    with_listpack(o, [&](uint8_t*& lp) {
      if (end == End::kTail && n > 1)
        listpack::append_all(lp, values, n);
      else
        for (size_t i = 0; i < n; i++) end == End::kTail ? listpack::append(lp, values[i]) : listpack::prepend(lp, values[i]);
      return 0;
    });
    return;
  }
  for (size_t i = 0; i < n; i++) {
    if (end == End::kTail)
      quick(o).push_back(values[i], limits.list_packed_threshold);
    else
      quick(o).push_front(values[i], limits.list_packed_threshold);
  }
}

Element peek(const Object& o, End end) {
  if (end == End::kHead && !is_listpack(o)) return quick(o).front();
  Element e;
  get(o, end == End::kHead ? 0 : -1, e);
  return e;
}

OwnedBytes pop(Object& o, End end, const Limits& limits) {
  OwnedBytes value = peek(o, end).to_string();
  size_t at = end == End::kHead ? 0 : length(o) - 1;
  remove_range(o, {at, at + 1}, limits);
  return value;
}

bool get(const Object& o, int64_t index, Element& out) {
  if (is_listpack(o)) {
    listpack::Position p = listpack::seek(o.as<uint8_t>(), index);
    if (!p) return false;
    out = listpack::get(p);
    return true;
  }
  Quicklist::Cursor c = quick(o).at(index);
  if (!c.valid()) return false;
  out = c.value();
  return true;
}

bool set(Object& o, int64_t index, Bytes value, const Limits& limits) {
  before_growth(o, value.size(), 1, limits);
  if (is_listpack(o)) {
    return with_listpack(o, [&](uint8_t*& lp) {
      listpack::Position p = listpack::seek(lp, index);
      if (p) listpack::replace(lp, p, value);
      return p != nullptr;
    });
  }
  Quicklist::Cursor c = quick(o).at(index);
  if (!c.valid()) return false;
  quick(o).replace(c, value, limits.list_packed_threshold);
  to_listpack_if_small(o, true, limits);
  return true;
}

bool insert(Object& o, Bytes pivot, bool after, Bytes value, const Limits& limits) {
  before_growth(o, value.size(), 1, limits);
  if (is_listpack(o)) {
    return with_listpack(o, [&](uint8_t*& lp) {
      listpack::Position p = listpack::find(listpack::first(lp), pivot);
      if (p) listpack::insert(lp, value, p, after ? listpack::Where::kAfter : listpack::Where::kBefore);
      return p != nullptr;
    });
  }
  Quicklist& list = quick(o);
  for (Quicklist::Cursor c = list.at(0); c.valid(); c.next()) {
    if (!c.equals(pivot)) continue;
    if (after)
      list.insert_after(c, value, limits.list_packed_threshold);
    else
      list.insert_before(c, value, limits.list_packed_threshold);
    return true;
  }
  return false;
}

namespace {
size_t remove_from_listpack(uint8_t*& lp, bool backwards, size_t most, Bytes value) {
  size_t removed = 0;
  if (!backwards) {
    listpack::Position p = listpack::first(lp);
    while ((p = listpack::find(p, value))) {
      p = listpack::erase(lp, p);
      if (++removed == most) break;
    }
    return removed;
  }
  listpack::Position p = listpack::last(lp);
  while (p && removed < most) {
    if (!listpack::equals(p, value)) {
      p = listpack::previous(lp, p);
      continue;
    }
    listpack::Position next = listpack::erase(lp, p);
    removed++;
    p = next ? listpack::previous(lp, next) : listpack::last(lp);
  }
  return removed;
}

size_t remove_from_quicklist(Quicklist& list, bool backwards, size_t most, Bytes value) {
  size_t removed = 0;
  Quicklist::Cursor c = list.at(backwards ? -1 : 0);
  while (c.valid() && removed < most) {
    if (!c.equals(value)) {
      backwards ? c.prev() : c.next();
      continue;
    }
    Quicklist::Cursor next = list.erase(c);
    removed++;
    if (!backwards) {
      c = next;
    } else if (next.valid()) {
      c = next;
      c.prev();
    } else {
      c = list.at(-1);
    }
  }
  return removed;
}
}  // namespace

size_t remove(Object& o, int64_t count, Bytes value, const Limits& limits) {
  bool backwards = count < 0;
  size_t most = count == 0 ? SIZE_MAX : backwards ? 0 - static_cast<size_t>(count) : static_cast<size_t>(count);
  if (is_listpack(o)) return with_listpack(o, [&](uint8_t*& lp) { return remove_from_listpack(lp, backwards, most, value); });
  size_t removed = remove_from_quicklist(quick(o), backwards, most, value);
  if (removed) after_removal(o, limits);
  return removed;
}

size_t remove_range(Object& o, IndexRange range, const Limits& limits) {
  if (range.empty()) return 0;
  if (is_listpack(o)) {
    return with_listpack(o, [&](uint8_t*& lp) {
      // From the end where that is nearer.
      int64_t from = static_cast<int64_t>(range.from), n = static_cast<int64_t>(listpack::length(lp));
      return listpack::erase_range(lp, from > n / 2 && from < n ? from - n : from, range.size());
    });
  }
  if (range.from == 0 && range.size() == 1 && length(o)) {
    quick(o).pop_front();
    after_removal(o, limits);
    return 1;
  }
  size_t removed = quick(o).erase_range(range.from, range.size());
  after_removal(o, limits);
  return removed;
}

size_t trim(Object& o, IndexRange keep, const Limits& limits) {
  size_t n = length(o);
  if (keep.empty()) return remove_range(o, {0, n}, limits);
  size_t removed = remove_range(o, {keep.to, n}, limits);
  return removed + remove_range(o, {0, keep.from}, limits);
}

std::vector<size_t> positions(const Object& o, Bytes value, int64_t rank, size_t count, size_t max_compared) {
  std::vector<size_t> found;
  size_t n = length(o), matches = 0;
  bool backwards = rank < 0;
  uint64_t first = backwards ? 0 - static_cast<uint64_t>(rank) : static_cast<uint64_t>(rank);
  size_t most = max_compared ? std::min(max_compared, n) : n;
  // True when the search is over.
  auto compare = [&](bool equal, size_t i) {
    if (!equal || ++matches < first) return false;
    found.push_back(backwards ? n - 1 - i : i);
    return count != 0 && found.size() == count;
  };
  if (is_listpack(o)) {
    const uint8_t* lp = o.as<uint8_t>();
    listpack::Position p = backwards ? listpack::last(lp) : listpack::first(lp);
    for (size_t i = 0; i < most; i++) {
      if (compare(listpack::equals(p, value), i)) break;
      p = backwards ? listpack::previous(lp, p) : listpack::next(p);
    }
    return found;
  }
  Quicklist::Cursor c = quick(o).at(backwards ? -1 : 0);
  for (size_t i = 0; i < most; i++) {
    if (compare(c.equals(value), i)) break;
    backwards ? c.prev() : c.next();
  }
  return found;
}

void fit(Object& o, const Limits& limits) {
  if (is_listpack(o))
    before_growth(o, 0, 0, limits);
  else
    to_listpack_if_small(o, false, limits);
}

Object duplicate(const Object& o) {
  if (is_listpack(o)) return {Encoding::kListpack, listpack::duplicate(o.as<uint8_t>())};
  return {Encoding::kQuicklist, quick(o).duplicate()};
}

}  // namespace ringwood::list
