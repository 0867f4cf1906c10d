#pragma once
// Keys with a time to live that the clients of a replica have written (replica-read-only no). The master does not know of them, so that no deletion comes for
// them, and everything else on a replica waits for that; these the replica removes itself. By shard and in the order of time.
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/exec/stats.h"

namespace ringwood {

class Call;
class Executor;

class LocalExpires {
 public:
  // `database` is the number that clients use.
  void note(int database, Bytes key, int64_t when_ms);
  void clear();
  bool empty() const { return by_key_.empty(); }
  // Takes out the first whose time was at or before then; false when there is none.
  bool take(int64_t until_ms, int& database, OwnedBytes& key);
  // From any thread.
  int64_t count() const { return count_.get(); }

 private:
  using Place = std::pair<int, OwnedBytes>;
  std::map<Place, int64_t> by_key_;
  std::set<std::tuple<int64_t, int, OwnedBytes>> by_time_;
  Counter count_;
};

// The keys of a command that has run, as far as they have a time to live now.
void note_local_expires(Call& call);
// Removes what is due on the shard of `here`, at most so many keys. True when there is more.
bool run_local_expiry(Executor& here, int budget);

}  // namespace ringwood
