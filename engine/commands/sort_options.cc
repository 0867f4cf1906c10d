#include "engine/commands/sort_options.h"

#include "engine/exec/acl_check.h"
#include "engine/exec/client.h"
#include "engine/store/hash.h"

namespace ringwood {

SortPattern::SortPattern(Bytes text) : text_(text), star_(text.find('*')), key_end_(text.size()) {
  if (star_ == Bytes::npos) return;
  size_t arrow = text.find("->", star_ + 1);
  if (arrow == Bytes::npos || arrow + 2 == text.size()) return;
  key_end_ = arrow;
  field_ = text.substr(arrow + 2);
}

bool SortPattern::find(Call& c, Bytes element, Bytes& value) {
  if (is_element()) {
    value = element;
    return true;
  }
  if (!names_keys()) return false;
  key_.assign(text_.substr(0, star_)).append(element).append(text_.substr(star_ + 1, key_end_ - star_ - 1));
  Entry* e = c.find_read(KeyRef(key_));
  if (!e) return false;
  if (field_.empty()) {
    if (e->type() != Type::kString) return false;
    value = e->string_view(digits_);
    return true;
  }
  hash::Element found;
  if (e->type() != Type::kHash || !hash::get(e->object(), field_, c.now_ms(), found)) return false;
  value = found.is_integer() ? Bytes(digits_, static_cast<size_t>(format_int64(digits_, found.integer) - digits_))
                             : Bytes(found.data, found.size);
  return true;
}

namespace {

// What a pattern names may lie anywhere: on other nodes, and among keys that the user may not read. (Redis refuses GET # as well to a user who may not read
// all keys; it names none, and the client may not be at hand where it runs.)
bool refuse_pattern(Call& c, const SortPattern& pattern, const char* option) {
  OwnedBytes text = "ERR ";
  text.append(option).append(" option of SORT denied ");
  if (c.options().cluster_enabled) return c.reply.error(text + "in Cluster mode."), true;
  if (!pattern.names_keys()) return false;
  const AclUser* user = c.client() ? c.client()->user.get() : nullptr;
  if (acl_check_all_keys_readable(user, c.command(), c.args())) return false;
  c.reply.error(text + "due to insufficient ACL permissions.");
  return true;
}

// Walks over the options as both the command and the functions below read them: calls f(option in lower case, index of its first value), until it
// answers false. Answers the index of the argument at which it ended: none, or one that is no option; with `past_others` it goes on behind such a one.
template <class F>
size_t for_each_option(std::span<const Bytes> args, F&& f, bool past_others = false) {
  struct Option {
    const char* name;
    size_t values;
  };
  constexpr Option kOptions[] = {{"asc", 0}, {"desc", 0}, {"alpha", 0}, {"limit", 2}, {"store", 1}, {"by", 1}, {"get", 1}};
  size_t i = 2;
  while (i < args.size()) {
    const Option* found = nullptr;
    for (const Option& o : kOptions)
      if (Call::is_word(args[i], o.name) && args.size() - i > o.values) found = &o;
    if (found ? !f(Bytes(found->name), i + 1) : !past_others) break;
    i += 1 + (found ? found->values : 0);
  }
  return i;
}

}  // namespace

bool parse_sort(Call& c, bool read_only, SortOptions& o) {
  bool failed = false;
  auto take = [&](Bytes name, size_t at) {
    if (name == "asc" || name == "desc") {
      o.descending = name == "desc";
    } else if (name == "alpha") {
      o.alpha = true;
    } else if (name == "limit") {
      failed = !c.to_int(c.arg(at), o.offset) || !c.to_int(c.arg(at + 1), o.count);
    } else if (name == "store") {
      if (read_only) return false;
      o.store = at;
    } else if (name == "by") {
      o.by = SortPattern(c.arg(at));
      if (!o.by.names_keys())
        o.unsorted = true;
      else
        failed = refuse_pattern(c, o.by, "BY");
    } else {
      o.get.emplace_back(c.arg(at));
      failed = refuse_pattern(c, o.get.back(), "GET");
    }
    return !failed;
  };
  size_t end = for_each_option(c.args(), take);
  if (!failed && end < c.argc()) {
    c.reply.syntax_error();
    return false;
  }
  return !failed;
}

int sort_keys_of(std::span<const Bytes> args, int* out) {
  int n = 1;
  out[0] = 1;
  auto take = [&](Bytes name, size_t at) {
    if (name == "store") out[1] = static_cast<int>(at), n = 2;
    return true;
  };
  for_each_option(args, take, true);  // the keys of a command with a faulty option are asked for as well (COMMAND GETKEYS, access control)
  return n;
}

// SORT_RO has no STORE: who writes it is told of the syntax, not of rights or slots of what stands behind.
int sort_ro_keys_of(std::span<const Bytes>, int* out) {
  out[0] = 1;
  return 1;
}

bool sort_reaches_all(std::span<const Bytes> args) {
  bool all = false;
  for_each_option(args, [&](Bytes name, size_t at) {
    all = all || ((name == "by" || name == "get") && SortPattern(args[at]).names_keys());
    return true;
  });
  return all;
}

}  // namespace ringwood
