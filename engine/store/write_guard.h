#pragma once
// Told of every entry that is about to be changed, moved or freed, while somebody copies the keys of a shard away bit by bit (a snapshot, persist/).
//
// Each copying has a number, its epoch. An entry carries the number of the last copying that needs it no more, because it has been copied or was made after
// the cut (Entry::epoch). So what is still needed is known by one comparison, however tables grow, shrink or are emptied meanwhile. All of it stays behind one
// branch as long as nobody copies (Database::before_write).
#include <cstddef>

namespace ringwood {

class Database;
class Entry;
class TableArray;

class WriteGuard {
 public:
  // `e` has not been copied yet. Afterwards it carries the guard's epoch. Whoever holds the shard calls this, on any thread.
  virtual void save_now(const Database& d, Entry* e) = 0;
  // An entry has left its database and is of no more use: true when the guard keeps it and frees it later.
  virtual bool take_over(Entry* e) = 0;
  // An entry has left its database for another shard, whose thread may change it from now on: of its value nothing may be read later.
  virtual void give_away(const Entry& e) = 0;
  // The database is being emptied: the guard owns these tables and their entries from now on. Nothing links to the entries any more.
  virtual void keep(const Database& d, TableArray tables) = 0;
  // All keys of `from` are about to become keys of `to`: what has not been copied yet is found there from now on.
  virtual void absorbed(const Database& from, const Database& to) = 0;

 protected:
  ~WriteGuard() = default;
};

}  // namespace ringwood
