#pragma once
// What the server knows of a command: one CommandSpec, in the one table of its family (engine/commands/*.cc, persist/commands.cc, net/commands.cc, …).
// Name, arity, flags, key positions, ACL categories and documentation stand here and nowhere else; COMMAND INFO, DOCS, LIST and GETKEYS,
// routing to shards, ACL and the fuzzer's grammar all read it.
#include <cstdint>
#include <span>

#include "engine/base/bytes.h"
#include "engine/exec/shard_set.h"

namespace ringwood {

class Call;
class Client;
struct SlotMapping;
using Handler = void (*)(Call&);

// Flags, with the names that COMMAND INFO answers (lower case, '_' for '-' left as Redis writes them: "readonly", "denyoom", …).
enum CommandFlag : uint32_t {
  kWrite = 1u << 0,
  kReadOnly = 1u << 1,
  kDenyOom = 1u << 2,
  kAdmin = 1u << 3,
  kPubSub = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,  // may wait for data
  kLoading = 1u << 7,   // allowed while the data set is loading
  kStale = 1u << 8,     // allowed on a replica with stale data
  kSkipMonitor = 1u << 9,
  kSkipSlowlog = 1u << 10,
  kAsking = 1u << 11,
  kFast = 1u << 12,
  kNoAuth = 1u << 13,
  kMayReplicate = 1u << 14,
  kNoAsyncLoading = 1u << 15,
  kNoMulti = 1u << 16,
  kMovableKeys = 1u << 17,  // key positions depend on arguments: `keys_of` gives them
  kAllowBusy = 1u << 18,
  kNoMandatoryKeys = 1u << 19,
  kProtected = 1u << 20,  // DEBUG, MODULE: subject to enable-debug-command
  kSentinel = 1u << 21,
  kOnlySentinel = 1u << 22,
  kTouchesArbitraryKeys = 1u << 23,
};

// ACL categories. Those implied by flags and group (read, write, fast, slow, the group's own, admin, dangerous for admin, …) are added by
// CommandTable as Redis does (server.c, setImplicitACLCategories); a spec names the others.
enum AclCategory : uint32_t {
  kAclKeyspace = 1u << 0,
  kAclRead = 1u << 1,
  kAclWrite = 1u << 2,
  kAclSet = 1u << 3,
  kAclSortedSet = 1u << 4,
  kAclList = 1u << 5,
  kAclHash = 1u << 6,
  kAclString = 1u << 7,
  kAclBitmap = 1u << 8,
  kAclHyperLogLog = 1u << 9,
  kAclGeo = 1u << 10,
  kAclStream = 1u << 11,
  kAclPubSub = 1u << 12,
  kAclAdmin = 1u << 13,
  kAclFast = 1u << 14,
  kAclSlow = 1u << 15,
  kAclBlocking = 1u << 16,
  kAclDangerous = 1u << 17,
  kAclConnection = 1u << 18,
  kAclTransaction = 1u << 19,
  kAclScripting = 1u << 20,
};

enum class Group : uint8_t {
  kGeneric,
  kString,
  kList,
  kSet,
  kSortedSet,
  kHash,
  kPubSub,
  kTransactions,
  kConnection,
  kServer,
  kScripting,
  kHyperLogLog,
  kCluster,
  kSentinel,
  kGeo,
  kStream,
  kBitmap
};

// Key specifications, as in Redis 7's "command key specs".
enum KeyFlag : uint16_t {
  kKeyRO = 1 << 0,
  kKeyRW = 1 << 1,
  kKeyOW = 1 << 2,
  kKeyRM = 1 << 3,
  kKeyAccess = 1 << 4,
  kKeyUpdate = 1 << 5,
  kKeyInsert = 1 << 6,
  kKeyDelete = 1 << 7,
  kKeyNotKey = 1 << 8,
  kKeyIncomplete = 1 << 9,
  kKeyVariableFlags = 1 << 10,
};
struct KeySpec {
  uint16_t flags;
  // begin_search: at argument `index`, or behind the argument `keyword`, looked for from `index` on (negative: from the end).
  // Index 0 without a keyword: Redis's "unknown", keys that no specification can describe (SORT's patterns); goes with kKeyIncomplete.
  int16_t index;
  const char* keyword = nullptr;
  // find_keys: `last` relative to the first key (negative: from the end of the arguments), every `step`-th, of the last 1/`limit` part;
  // or, with keynum >= 0: the count of keys stands `keynum` behind the beginning, the first key `first_key` behind it.
  int16_t last = 0;
  int16_t step = 1;
  int16_t limit = 0;
  int16_t keynum = -1;
  int16_t first_key = 0;
  const char* notes = nullptr;
};

// Where a command runs.
enum class Route : uint8_t {
  kByKeys,    // on the shard of its keys; under a lease where they lie on several
  kHere,      // on the loop of its connection; touches no key
  kAll,       // under a lease of every shard (FLUSHALL, KEYS, DBSIZE, …)
  kByShard,   // on the one shard that `shard_of` names (SCAN by its cursor)
  kByClient,  // on the loop of its connection, under a lease of the shards that `shards_of_client` names (EXEC, UNWATCH)
};

struct CommandSpec {
  const char* name;  // lower case; of a subcommand: its own word alone
  int arity;         // Redis's: negative means at least
  uint32_t flags = 0;
  uint32_t acl = 0;  // explicit categories only
  Route route = Route::kByKeys;
  Handler run = nullptr;  // null for a container whose subcommands do the work
  std::span<const KeySpec> keys = {};
  std::span<const CommandSpec> subcommands = {};
  // For kMovableKeys: appends the argument indexes of the keys to out (room for argc), answers their number or -1 for a syntax error.
  int (*keys_of)(std::span<const Bytes> args, int* out) = nullptr;
  // For Route::kByKeys: whether it reaches keys that only the data names (SORT's patterns), which may lie anywhere; then it runs as if by kAll.
  bool (*reaches_all)(std::span<const Bytes> args) = nullptr;
  // For Route::kByShard: the shard, given the number of shards.
  int (*shard_of)(std::span<const Bytes> args, int shards) = nullptr;
  // For Route::kByClient: adds the shards that the client's state makes necessary.
  void (*shards_of_client)(const Client& client, const SlotMapping& mapping, ShardSet& out) = nullptr;
  // Needs the connection's state besides its keys: runs on the connection's loop also where all keys lie on another shard.
  bool needs_client = false;
  // Is not queued by MULTI, but runs at once: it leaves the session, or is refused in a transaction.
  bool runs_in_multi = false;
  // The same, and it runs the queue.
  bool ends_multi = false;
  // Runs a script, which may touch any key: in a transaction every shard is held.
  bool runs_script = false;
  // May answer later than its turn (waits for other loops, the disk, data): a connection parses nothing behind it until it has answered.
  bool may_suspend = false;
  // Takes no longer than its arguments and its reply make it, though Redis does not flag it as fast (engine/exec/timekeeper.h).
  bool brief = false;

  Group group = Group::kGeneric;
  const char* since = "1.0.0";
  const char* complexity = "";
  const char* summary = "";
  // Arguments in the usual notation, from which COMMAND DOCS' argument trees are made: lower case words are values, upper case words tokens, [] optional,
  // | one of, ... repeated: "key value [NX|XX] [GET] [EX seconds|PX milliseconds|KEEPTTL]". A value's type, where not string, stands behind a colon:
  // "key:key", "seconds:integer", "score:double", "cursor:integer", "pattern:pattern", "timestamp:unix-time".
  const char* syntax = "";
  const char* tips = "";  // request and response policies and other hints, space separated
  const char* deprecated_since = nullptr;
  const char* replaced_by = nullptr;
  std::span<const char* const> history = {};  // "6.2.0|Added the GET option."
};

}  // namespace ringwood
