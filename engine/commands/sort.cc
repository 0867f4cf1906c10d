// SORT and SORT_RO.
#include <locale.h>
#include <string.h>

#include <algorithm>
#include <deque>

#include "engine/commands/collection.h"
#include "engine/commands/families.h"
#include "engine/commands/sort_options.h"
#include "engine/exec/executor.h"
#include "engine/store/list.h"
#include "engine/store/set.h"
#include "engine/store/zset.h"

namespace ringwood {
namespace {

struct SortItem {
  Bytes text;
  Bytes weight;  // what ALPHA compares; null: there is none, which comes first
  double score = 0;
  size_t place = 0;  // before sorting
};

// The elements that are asked for, and the strings that belong to them.
class Sorter {
 public:
  Sorter(Call& c, SortOptions& options) : c_(c), o_(options) {}
  // False: an error has been replied.
  bool run(Type type, const Object& object);
  std::span<const SortItem> result() const { return std::span(items_).subspan(from_, n_); }

 private:
  void cut(size_t size);
  void load(Type type, const Object& object);
  void load_in_order(Type type, const Object& object);
  void add(const listpack::Value& v, bool stays = true);
  Bytes keep(Bytes b) { return strings_.emplace_back(b); }
  Bytes collated(locale_t locale, Bytes text);
  bool weigh_by_score();
  void weigh_by_text();
  int compare(const SortItem& a, const SortItem& b) const;
  void sort();

  Call& c_;
  SortOptions& o_;
  std::vector<SortItem> items_;
  std::deque<OwnedBytes> strings_;
  size_t from_ = 0, n_ = 0;  // LIMIT
};

void Sorter::cut(size_t size) {
  auto all = static_cast<int64_t>(size);
  int64_t from = std::clamp<int64_t>(o_.offset, 0, all);
  int64_t n = o_.count < 0 ? all - from : std::min(o_.count, all - from);
  from_ = static_cast<size_t>(from);
  n_ = static_cast<size_t>(n);
}

void Sorter::add(const listpack::Value& v, bool stays) {
  Bytes text(v.data, v.size);
  if (v.is_integer())
    text = keep(int64_text(v.integer));
  else if (!stays)
    text = keep(text);
  items_.push_back({.text = text, .weight = {}, .score = 0, .place = items_.size()});
}

// Only what is asked for, where the elements have an order of their own that is kept.
void Sorter::load_in_order(Type type, const Object& object) {
  size_t size = object_length(type, object);
  IndexRange range{from_, from_ + n_};
  if (o_.descending) range = {size - range.to, size - range.from};
  auto take = [this](const listpack::Value& v, auto&&...) { add(v); };
  if (type == Type::kList)
    list::for_each(object, range, o_.descending, take);
  else
    zset::for_each(object, range, o_.descending, [&](const listpack::Value& v, double) { add(v, !zset::is_small(object)); });
  from_ = 0;
}

void Sorter::load(Type type, const Object& object) {
  cut(object_length(type, object));
  if (o_.unsorted && type != Type::kSet) return load_in_order(type, object);
  items_.reserve(object_length(type, object));
  auto take = [this](const listpack::Value& v, auto&&...) { add(v); };
  switch (type) {
    case Type::kList: return list::for_each(object, take);
    case Type::kSet: return set::for_each(object, take);
    default: return zset::for_each(object, [&](const listpack::Value& v, double) { add(v, !zset::is_small(object)); });
  }
}

// What strtod makes of a string that ends with its first zero byte: white space in front passes, and the empty string is 0.
bool to_score(Bytes text, double& score) {
  text = text.substr(0, text.find('\0'));
  if (text.empty()) {
    score = 0;
    return true;
  }
  size_t begin = text.find_first_not_of(" \t\n\v\f\r");
  return begin != Bytes::npos && parse_double(text.substr(begin), score);
}

bool Sorter::weigh_by_score() {
  bool good = true;
  for (SortItem& item : items_) {
    Bytes weight = item.text;
    if (o_.by.given() && !o_.by.find(c_, item.text, weight)) continue;
    good = to_score(weight, item.score) && good;
  }
  if (!good) c_.reply.error("ERR One or more scores can't be converted into double");
  return good;
}

// A string whose bytes are in the order of the locale (locale-collate), in which Redis compares with strcoll.
Bytes Sorter::collated(locale_t locale, Bytes text) {
  OwnedBytes source(text), key;
  key.resize(strxfrm_l(nullptr, source.c_str(), 0, locale));
  strxfrm_l(key.data(), source.c_str(), key.size() + 1, locale);
  return keep(key);
}

// A stored result does not depend on the locale: another server may have to make the same one.
void Sorter::weigh_by_text() {
  locale_t locale = nullptr;
  if (!o_.store) locale = newlocale(LC_COLLATE_MASK, c_.options().locale_collate.c_str(), nullptr);
  for (SortItem& item : items_) {
    Bytes weight = item.text;
    if (o_.by.given() && !o_.by.find(c_, item.text, weight)) continue;
    if (locale)
      item.weight = collated(locale, weight);
    else
      item.weight = o_.by.given() ? keep(weight) : weight;
  }
  if (locale) freelocale(locale);
}

int Sorter::compare(const SortItem& a, const SortItem& b) const {
  if (!o_.alpha) return a.score < b.score ? -1 : a.score > b.score ? 1 : a.text.compare(b.text);
  if (!a.weight.data() || !b.weight.data()) return (a.weight.data() != nullptr) - (b.weight.data() != nullptr);
  return a.weight.compare(b.weight);
}

void Sorter::sort() {
  auto before = [this](const SortItem& a, const SortItem& b) {
    int order = o_.descending ? compare(b, a) : compare(a, b);
    return order < 0 || (order == 0 && a.place < b.place);
  };
  auto end = items_.begin() + static_cast<ptrdiff_t>(from_ + n_);
  if (from_ + n_ < items_.size() / 2)
    std::partial_sort(items_.begin(), end, items_.end(), before);
  else
    std::sort(items_.begin(), items_.end(), before);
}

bool Sorter::run(Type type, const Object& object) {
  // Members of a set have no order to keep: what is stored, and what scripts do, must not depend on chance.
  if (o_.unsorted && type == Type::kSet && (o_.store || c_.executor().in_script())) {
    o_.unsorted = false;
    o_.alpha = true;
    o_.by = {};
  }
  load(type, object);
  if (o_.unsorted) return true;
  if (o_.alpha)
    weigh_by_text();
  else if (!weigh_by_score())
    return false;
  sort();
  return true;
}

// f(found, value) for all that stands in the result: the elements themselves, or for each of them what the GET patterns find.
template <class F>
void for_each_value(Call& c, SortOptions& o, std::span<const SortItem> items, F&& f) {
  for (const SortItem& item : items) {
    if (o.get.empty()) f(true, item.text);
    for (SortPattern& pattern : o.get) {
      Bytes value;
      bool found = pattern.find(c, item.text, value);
      f(found, value);
    }
  }
}

void store_result(Call& c, SortOptions& o, std::span<const SortItem> items, size_t size) {
  KeyRef k = c.key(o.store);
  if (!size) return collection::store_nothing(c, k);
  Object result = list::create();
  for_each_value(c, o, items,
                 [&](bool found, Bytes value) { list::push(result, list::End::kTail, found ? value : Bytes(""), c.limits()); });
  c.add_dirty(k, static_cast<int64_t>(size) - 1);
  collection::store(c, k, Type::kList, result, size, NotifyClass::kList, "sortstore");
}

void sort(Call& c, bool read_only) {
  SortOptions o;
  if (!parse_sort(c, read_only, o)) return;
  Entry* e = c.find_read(c.key(1));
  if (e && e->type() != Type::kList && e->type() != Type::kSet && e->type() != Type::kZSet) return c.reply.wrong_type();
  Sorter sorter(c, o);
  if (e && !sorter.run(e->type(), e->object())) return;
  std::span<const SortItem> items = sorter.result();
  size_t size = items.size() * std::max<size_t>(o.get.size(), 1);
  if (o.store) return store_result(c, o, items, size);
  c.reply.array(size);
  for_each_value(c, o, items, [&](bool found, Bytes value) { found ? c.reply.bulk(value) : c.reply.null(); });
}

void sort_writing(Call& c) { sort(c, false); }
void sort_reading(Call& c) { sort(c, true); }

constexpr KeySpec kSortKeys[] = {
    {.flags = kKeyRO | kKeyAccess, .index = 1},
    {.flags = kKeyRO | kKeyAccess, .index = 0, .notes = "BY and GET: the names come from the elements"},
    {.flags = kKeyOW | kKeyUpdate, .index = 0, .notes = "STORE may stand anywhere among the options"},
};

constexpr uint32_t kSortAcl = kAclSet | kAclSortedSet | kAclList | kAclDangerous;

constexpr CommandSpec kSpecs[] = {
    {.name = "sort",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .acl = kSortAcl,
     .run = sort_writing,
     .keys = kSortKeys,
     .keys_of = sort_keys_of,
     .reaches_all = sort_reaches_all,
     .complexity = "O(N+M*log(M)) for N elements of which M are answered; O(N) when they are not sorted",
     .summary = "Sorts the elements of a list, set or sorted set, and answers or stores them.",
     .syntax = "key:key [BY by-pattern:pattern] [LIMIT offset:integer count:integer] [GET get-pattern:pattern]... [order=ASC|DESC] "
               "[sorting=ALPHA] [STORE destination:key]"},
    {.name = "sort_ro",
     .arity = -2,
     .flags = kReadOnly,
     .acl = kSortAcl,
     .run = sort_reading,
     .keys = {kSortKeys, 2},
     .keys_of = sort_ro_keys_of,
     .reaches_all = sort_reaches_all,
     .since = "7.0.0",
     .complexity = "O(N+M*log(M)) for N elements of which M are answered; O(N) when they are not sorted",
     .summary = "Sorts the elements of a list, set or sorted set, and answers them.",
     .syntax = "key:key [BY by-pattern:pattern] [LIMIT offset:integer count:integer] [GET get-pattern:pattern]... [order=ASC|DESC] "
               "[sorting=ALPHA]"},
};

}  // namespace

std::span<const CommandSpec> sort_commands() { return kSpecs; }

}  // namespace ringwood
