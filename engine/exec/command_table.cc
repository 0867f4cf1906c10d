#include "engine/exec/command_table.h"

#include <algorithm>
#include <bit>

#include "engine/base/number.h"
#include "engine/exec/engine.h"

namespace ringwood {
namespace {

// ASCII letters of eight bytes to lower case, all other bytes as they are.
uint64_t fold8(uint64_t v) {
  constexpr uint64_t kOnes = 0x0101010101010101ull, kHigh = 0x80 * kOnes;
  uint64_t low7 = v & ~kHigh;
  uint64_t from_a = low7 + (0x80 - 'A') * kOnes;      // high bit: at least 'A'
  uint64_t past_z = low7 + (0x80 - 'Z' - 1) * kOnes;  // high bit: above 'Z'
  return v | (((from_a & ~past_z & ~v) & kHigh) >> 2);
}

struct FoldedName {
  uint64_t first;  // the first eight bytes, as written
  uint64_t hash;
};

constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15ull;

uint64_t fold_rest(Bytes name, uint64_t h) {
  for (size_t i = 8; i < name.size(); i += 8) {  // the last word overlaps the one before, so that no byte behind the name is read
    size_t at = i + 8 <= name.size() ? i : name.size() - 8;
    h = (std::rotl(h, 23) ^ fold8(load<uint64_t>(name.data() + at))) * kMultiplier;
  }
  return h;
}

constexpr uint64_t kCaseBits = 0x2020202020202020ull;

// Names of up to eight bytes, which most requests have, need one word.
inline FoldedName fold_name(Bytes name) {
  uint64_t first = CommandTable::first_word(name);
  uint64_t h = ((first | kCaseBits) ^ name.size()) * kMultiplier;  // as if all bytes were letters: one step, and equal for what is equal
  if (__builtin_expect(name.size() > 8, 0)) h = fold_rest(name, h);
  return {first, h ^ h >> 32};
}

bool same_folded(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  if (a.size() <= 8) return fold8(CommandTable::first_word(a)) == fold8(CommandTable::first_word(b));
  for (size_t i = 0; i < a.size(); i += 8) {
    size_t at = i + 8 <= a.size() ? i : a.size() - 8;
    if (fold8(load<uint64_t>(a.data() + at)) != fold8(load<uint64_t>(b.data() + at))) return false;
  }
  return true;
}

uint32_t category_of(Group g) {
  switch (g) {
    case Group::kString: return kAclString;
    case Group::kList: return kAclList;
    case Group::kSet: return kAclSet;
    case Group::kSortedSet: return kAclSortedSet;
    case Group::kHash: return kAclHash;
    case Group::kPubSub: return kAclPubSub;
    case Group::kTransactions: return kAclTransaction;
    case Group::kConnection: return kAclConnection;
    case Group::kScripting: return kAclScripting;
    case Group::kHyperLogLog: return kAclHyperLogLog;
    case Group::kGeo: return kAclGeo;
    case Group::kStream: return kAclStream;
    case Group::kBitmap: return kAclBitmap;
    case Group::kGeneric: return kAclKeyspace;
    case Group::kServer:
    case Group::kCluster:
    case Group::kSentinel: return 0;
  }
  return 0;
}

// Redis's rules (server.c, setImplicitACLCategories), and the group's own category, which there every command's file names. SORT and WAIT are "generic"
// but not "keyspace": a generic command that names categories has all that it is meant to have. Containers have none.
uint32_t acl_of(const CommandSpec& s) {
  uint32_t acl = s.acl;
  if (s.run && !(s.group == Group::kGeneric && s.acl)) acl |= category_of(s.group);
  if (s.flags & kWrite) acl |= kAclWrite;
  if ((s.flags & kReadOnly) && !(acl & kAclScripting)) acl |= kAclRead;
  if (s.flags & kAdmin) acl |= kAclAdmin | kAclDangerous;
  if (s.flags & kPubSub) acl |= kAclPubSub;
  if (s.flags & kFast) acl |= kAclFast;
  if (s.flags & kBlocking) acl |= kAclBlocking;
  if (!(acl & kAclFast)) acl |= kAclSlow;
  return acl;
}

bool is_unknown(const KeySpec& k) { return !k.keyword && k.index == 0; }
bool is_plain_range(const KeySpec& k) { return !k.keyword && k.keynum < 0 && !is_unknown(k); }

// The range of first key, last key and step that clients knew before key specifications, and whether it tells only part of the truth
// (populateCommandLegacyRangeSpec): consecutive ranges of step 1 are joined, anything else makes the keys "movable".
void derive_key_range(Command& c) {
  std::span<const KeySpec> specs = c.spec->keys;
  if (specs.empty()) return;
  if (!specs[0].keyword && specs[0].keynum == 0 && specs[0].first_key == 1) c.counted_key = static_cast<uint8_t>(specs[0].index + 1);
  if (specs.size() == 1 && is_plain_range(specs[0])) {
    const KeySpec& k = specs[0];
    c.first_key = k.index;
    c.last_key = k.last >= 0 ? k.index + k.last : k.last;
    c.key_step = k.step;
    if (k.flags & kKeyIncomplete) c.flags |= kMovableKeys;
    return;
  }
  int first = 0, last = 0;
  for (const KeySpec& k : specs) {
    if (!is_plain_range(k) || k.step != 1 || (last && last != k.index - 1)) {
      c.flags |= kMovableKeys;
      continue;
    }
    if (k.flags & kKeyIncomplete) c.flags |= kMovableKeys;
    if (!first || k.index < first) first = k.index;
    int absolute = k.last >= 0 ? k.index + k.last : k.last;
    // A last key that counts from the end is beyond any that counts from the beginning.
    if (last >= 0 && (absolute < 0 || absolute > last)) last = absolute;
  }
  if (!first) {
    c.flags |= kMovableKeys;
    return;
  }
  c.first_key = first;
  c.last_key = last;
  c.key_step = 1;
}

// The place of the word `member` or `field` in the command's syntax, when nothing that may be left out is counted; 0 where there is none.
// A hint for prefetching.
uint8_t member_argument(const CommandSpec& s) {
  Bytes rest = s.syntax;
  if (!rest.starts_with("key:key ")) return 0;
  rest.remove_prefix(8);
  for (uint8_t place = 2;;) {
    size_t end = rest.find(rest.starts_with('[') ? ']' : ' ');
    Bytes word = rest.substr(0, end);
    if (!word.starts_with('[')) {
      if (word.starts_with('(')) word.remove_prefix(1);
      if (word.starts_with("member") || word.starts_with("field")) return place;
      if (word.empty() || (word[0] >= 'A' && word[0] <= 'Z')) return 0;
      place++;
    }
    if (end == Bytes::npos) return 0;
    rest.remove_prefix(end + 1);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
  }
}

bool opens_value(Group g) {
  return g == Group::kList || g == Group::kSet || g == Group::kSortedSet || g == Group::kHash || g == Group::kGeo || g == Group::kStream;
}

uint32_t refused_states(const CommandSpec& s) {
  uint32_t states = 0;
  // CLUSTER touches no data: whoever looks after a cluster is answered while a replica takes a data set over. (A small one Redis loads between two requests,
  // so that nobody is refused.)
  if (!(s.flags & kLoading) && s.group != Group::kCluster) states |= kStateLoading;
  if (s.flags & kNoAsyncLoading) states |= kStateAsyncLoading;
  if (!(s.flags & kAllowBusy) && !s.ends_multi) states |= kStateBusy;  // EXEC looks at the state itself, since it must end the transaction
  if (s.flags & kDenyOom) states |= kStateOutOfMemory | kStateMemoryLimited;
  if (s.runs_script) states |= kStateMemoryLimited;  // what it calls is refused by the state in which it began
  // PING too: a monitor that asks it shall learn that the server takes no writes.
  if ((s.flags & kWrite) || Bytes(s.name) == "ping") states |= kStateSaveFailed | kStateAofFailed;
  if (s.flags & kWrite) states |= kStateReplica | kStateFewReplicas;
  if (!(s.flags & kStale)) states |= kStateMasterDown;
  if (!s.keys.empty() || s.keys_of) states |= kStateCluster;
  return states;
}

// Where the spec's first key stands in these arguments; 0 when its keyword is not among them.
int begin_search(const KeySpec& k, std::span<const Bytes> args) {
  if (!k.keyword) return k.index;
  int argc = static_cast<int>(args.size());
  bool forward = k.index > 0;
  int step = forward ? 1 : -1;
  int end = forward ? argc - 1 : 1;  // a keyword in the last place has nothing behind it
  for (int i = forward ? k.index : argc + k.index; i != end && i >= 1 && i < argc; i += step)
    if (same_folded(args[static_cast<size_t>(i)], k.keyword)) return i + 1;
  return 0;
}

// Appends one spec's keys; false when the arguments do not fit it.
bool find_keys(const KeySpec& k, std::span<const Bytes> args, std::vector<int>& out) {
  if (is_unknown(k)) return false;
  int64_t argc = static_cast<int64_t>(args.size());
  int64_t first = begin_search(k, args);
  if (!first) return true;
  int64_t last;
  if (k.keynum >= 0) {
    int64_t count;
    if (first + k.keynum >= argc) return false;
    if (!parse_int64(args[static_cast<size_t>(first + k.keynum)], count) || count < 0 || count > argc) return false;
    first += k.first_key;
    last = first + (count - 1) * k.step;
  } else if (k.last >= 0) {
    last = first + k.last;
  } else if (k.limit == 0) {
    last = argc + k.last;
  } else {
    last = first + (argc - first) / k.limit + k.last;
  }
  if (last >= argc || last < first) return false;
  for (int64_t i = first; i <= last; i += k.step) out.push_back(static_cast<int>(i));
  return !(k.flags & kKeyIncomplete);
}

}  // namespace

struct CommandTable::Place {
  uint64_t first = 0;  // folded
  uint64_t fixed = 0;  // the bits of it that do not tell upper case from lower
  size_t size = 0;
  bool fits(uint64_t word, size_t length) const { return ((word ^ first) & fixed) == 0 && size == length; }
  const Command* command = nullptr;
};

CommandTable::CommandTable() = default;
CommandTable::~CommandTable() = default;

const Command* Command::find_subcommand(Bytes name) const {
  for (const auto& s : subcommands)
    if (same_folded(name, s->spec->name)) return s.get();
  return nullptr;
}

std::unique_ptr<Command> CommandTable::make(const CommandSpec& spec, const Command* parent) {
  auto c = std::make_unique<Command>();
  c->spec = &spec;
  c->parent = parent;
  c->full_name = parent ? parent->full_name + "|" + spec.name : OwnedBytes(spec.name);
  c->called = spec.name;
  c->id = next_id_++;
  c->flags = spec.flags;
  c->acl = acl_of(spec);
  c->refused_in = refused_states(spec);
  derive_key_range(*c);
  c->single_key = spec.route == Route::kByKeys && spec.keys.size() == 1 && is_plain_range(spec.keys[0]) && spec.keys[0].last == 0 &&
                  !(spec.keys[0].flags & (kKeyNotKey | kKeyIncomplete)) && !spec.keys_of;
  c->opens_value = opens_value(spec.group);
  c->is_short =
      spec.run && (spec.route == Route::kByKeys || spec.route == Route::kHere) && !spec.may_suspend && ((spec.flags & kFast) || spec.brief);
  if (c->opens_value) c->member = member_argument(spec);
  for (const CommandSpec& s : spec.subcommands) c->subcommands.push_back(make(s, c.get()));
  return c;
}

void CommandTable::add(std::span<const CommandSpec> family) {
  for (const CommandSpec& spec : family) commands_.push_back(make(spec, nullptr));
}

bool CommandTable::rename(Bytes from, Bytes to) {
  auto at = [this](Bytes name) {
    return std::find_if(commands_.begin(), commands_.end(), [name](const auto& c) { return same_folded(c->called, name); });
  };
  auto it = at(from);
  if (it == commands_.end()) return false;
  if (to.empty()) {
    removed_.push_back(std::move(*it));
    commands_.erase(it);
    return true;
  }
  if (at(to) != commands_.end()) return false;
  (*it)->called = OwnedBytes(to);
  return true;
}

void CommandTable::put(const Command* c) {
  FoldedName n = fold_name(c->called);
  uint64_t i = n.hash & index_mask_;
  while (index_[i].command) i = (i + 1) & index_mask_;
  const uint64_t lower = fold8(n.first), upper = lower & ~kCaseBits;
  index_[i] = Place{lower, ~(upper ^ fold8(upper)), c->called.size(), c};
}

void CommandTable::freeze(int shards) {
  index_mask_ = std::bit_ceil(commands_.size() * 4 + 1) - 1;
  index_.assign(index_mask_ + 1, Place{});
  auto settle = [shards](Command& c) {
    const CommandSpec& s = *c.spec;
    bool several = s.route == Route::kAll || s.route == Route::kByClient || s.needs_client ||
                   (s.route == Route::kByKeys && !c.single_key && (!s.keys.empty() || s.keys_of));
    c.stops_pipeline = s.may_suspend || (s.flags & kBlocking) || (shards > 1 && several);
  };
  for (auto& c : commands_) {
    settle(*c);
    for (auto& s : c->subcommands) settle(*s);
    put(c.get());
  }
}

__attribute__((always_inline)) inline const Command* CommandTable::look_up(Bytes name) const {
  if (index_.empty()) return nullptr;
  FoldedName n = fold_name(name);
  for (uint64_t i = n.hash & index_mask_; index_[i].command; i = (i + 1) & index_mask_) {
    const Place& p = index_[i];
    if (p.fits(n.first, name.size()) && (name.size() <= 8 || same_folded(p.command->called, name))) return p.command;
  }
  return nullptr;
}

const Command* CommandTable::find(Bytes name) const { return look_up(name); }

const Command* CommandTable::find_original(Bytes full_name) const {
  size_t bar = full_name.find('|');
  const Command* found = nullptr;
  for_each_original([&](const Command& c) {
    if (same_folded(c.full_name, full_name.substr(0, bar))) found = &c;
  });
  return found && bar != Bytes::npos ? found->find_subcommand(full_name.substr(bar + 1)) : found;
}

// The subcommand that the arguments name, or the container.
__attribute__((noinline)) static const Command* within(const Command* container, Bytes name) {
  const Command* s = container->find_subcommand(name);
  return s ? s : container;
}

// Short names, nearly all, are found without a call, so that nothing is saved and restored for one.
const Command* CommandTable::find(std::span<const Bytes> args) const {
  if (args.empty()) return nullptr;
  const Bytes name = args[0];
  const Command* c = nullptr;
  if (__builtin_expect(name.size() > 8 || index_.empty(), 0)) {
    c = find(name);
  } else {
    const FoldedName n = fold_name(name);
    const Place* places = index_.data();
    for (uint64_t i = n.hash & index_mask_; places[i].command; i = (i + 1) & index_mask_)
      if (places[i].fits(n.first, name.size())) {
        c = places[i].command;
        break;
      }
  }
  if (__builtin_expect(!c || c->subcommands.empty() || args.size() < 2, 1)) return c;
  return within(c, args[1]);
}

// Containers are asked anew each time: what is found depends on the next argument.
__attribute__((noinline)) const Command* CommandTable::Last::ask(const CommandTable& table, std::span<const Bytes> args) {
  const Command* c = table.find(args);
  if (!c || c->parent || !c->subcommands.empty() || args[0].size() > kLongest) return c;
  word_ = first_word(args[0]);
  end_ = last_word(args[0]);
  size_ = args[0].size();
  return command_ = c;
}

bool CommandTable::keys_by_function(const CommandSpec& spec, std::span<const Bytes> args, std::vector<int>& out) {
  out.resize(args.size());
  const int n = spec.keys_of(args, out.data());
  out.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return n >= 0;
}

// The keys that only the function sees. Of GEORADIUS's options "STORE a STORE b" the specifications name the first key, but the last one is written.
static void add_missing_keys(const CommandSpec& spec, std::span<const Bytes> args, std::vector<int>& out) {
  std::vector<int> more;
  CommandTable::keys_by_function(spec, args, more);
  for (int key : more)
    if (std::find(out.begin(), out.end(), key) == out.end()) out.push_back(key);
}

bool CommandTable::keys_of(const KeySpec& spec, std::span<const Bytes> args, std::vector<int>& out) { return find_keys(spec, args, out); }

bool CommandTable::keys_of(const Command& c, std::span<const Bytes> args, std::vector<int>& out) {
  out.clear();
  bool specs_tell = false, specs_vary = false;
  for (const KeySpec& k : c.spec->keys) {
    if (!(k.flags & kKeyNotKey)) specs_tell = true;
    if (k.flags & kKeyVariableFlags) specs_vary = true;
  }
  // Variable flags make Redis ask the function, which for positions alone answers the same; the function is asked where there is one.
  if (specs_tell && !(specs_vary && c.spec->keys_of)) {
    bool fits = true;
    for (const KeySpec& k : c.spec->keys) {
      if (k.flags & kKeyNotKey) continue;
      if (!(fits = find_keys(k, args, out))) break;
    }
    if (fits) {
      if (c.spec->keys_of) add_missing_keys(*c.spec, args, out);
      return true;
    }
    out.clear();
  }
  return c.spec->keys_of ? keys_by_function(*c.spec, args, out) : !specs_tell;
}

}  // namespace ringwood
