#pragma once
// Keys of one shard that MIGRATE has sent to another server and not yet removed here, because the answer is still to come. Belongs to the shard.
//
// Such a key is this server's in every respect: it is read and written here, and where it is deleted meanwhile it is missing here and nowhere else, so that a
// node of a cluster sends nobody to the other one for it (ASK) as long as it stands in this list.
#include "engine/exec/key_map.h"

namespace ringwood {

class KeysInFlight {
 public:
  bool empty() const { return keys_.empty(); }
  bool contains(int database, Bytes key) { return !keys_.empty() && keys_.find(database, key); }
  void add(int database, Bytes key) { keys_.make(database, key) = true; }
  void remove(int database, Bytes key) { keys_.erase(database, key); }

 private:
  KeyMap<bool> keys_;
};

}  // namespace ringwood
