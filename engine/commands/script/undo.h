#pragma once
// What the keys that a script writes were before: so that a script which turns out to need more shards can begin again as if it had never run.
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

class Call;
class Entry;

class UndoLog {
 public:
  UndoLog() = default;
  ~UndoLog() { forget(); }
  UndoLog(const UndoLog&) = delete;

  // Copies the keys of `call`, a write that is about to run; each once. False when one is too large to be copied for a mere possibility: nothing is noted then.
  bool note(Call& call);
  // The same however large they are, with those that a command names in another database. False for a write whose keys its arguments do not tell.
  bool note_all(Call& call);
  // Of a read that is about to run: its keys that have expired, which it will remove. They come back as expired keys, so that the second run removes, announces
  // and propagates them; their values are not copied.
  void note_expired(Call& call);
  // Puts every noted key back.
  void revert(Call& call);
  void forget();

 private:
  struct Image {
    int database;
    OwnedBytes key;
    Entry* before;  // null: there was none
    int64_t expiry_ms;
  };
  bool noted(int database, Bytes key) const;
  void note_key(Call& call, int database, Bytes key);
  std::vector<Image> images_;
  std::vector<int> keys_;  // of one call; kept for its memory
};

}  // namespace ringwood
