#pragma once
// Reads one value of an RDB file or of a DUMP payload, which may arrive in pieces, and makes a loose Entry of it. Checks everything (persist/rdb_reader.h).
#include "engine/store/entry.h"
#include "engine/store/limits.h"
#include "persist/collection_builder.h"
#include "persist/rdb_blobs.h"
#include "persist/rdb_decode.h"
#include "persist/rdb_stream_reader.h"

namespace ringwood::rdb {

class ValueReader {
 public:
  // `limits` decide on encodings, as Redis does when it loads; they must outlive the reader and may change between values.
  explicit ValueReader(const Limits& limits) : builder_(limits), limits_(limits) {}
  ~ValueReader();
  ValueReader(const ValueReader&) = delete;
  ValueReader& operator=(const ValueReader&) = delete;

  // Whether some version of RDB has such a type.
  static bool known(uint8_t type);
  // What a type that cannot be loaded is ("a value of a module", ...), or null.
  static const char* refusal(uint8_t type);

  // A value of a type that is known and not refused. `expiry` makes room for a time to live in the entry.
  void begin(uint8_t type, Bytes key, bool expiry);
  // kDone: take() has it. kBad: Input::why.
  Step step(Input& in);
  // The entry, the caller's from now on; null when the collection has no element, which Redis never writes.
  Entry* take();

  Bytes key() const { return key_; }
  uint8_t type() const { return type_; }

 private:
  Step string_value(Input& in);
  Step blob_value(Input& in);
  Step intset_value(Input& in, Bytes blob);
  Step elements(Input& in);
  Step element(Input& in);
  Step pair(Input& in);
  Step scored(Input& in);
  Step quicklist_node(Input& in);
  Step stream_value(Input& in);
  Step timed_blob(Input& in);
  Step timed_pair(Input& in);
  Step earliest_time(Input& in);
  void use_timed_blob(const BlobChecker::Result& r);
  void use_blob(uint8_t* lp, Type type, bool rebuild);
  void finish(Type type, Object object);

  StringDecoder first_, second_;
  BlobChecker blobs_;
  CollectionBuilder builder_;
  StreamReader stream_;
  const Limits& limits_;
  OwnedBytes key_;
  Entry* entry_ = nullptr;
  uint64_t remaining_ = 0;   // elements to come
  int64_t earliest_ms_ = 0;  // of a hash's fields, where their times are relative to it
  bool counted_ = false;     // remaining_ is known
  bool expiry_ = false;
  uint8_t type_ = 0;
};

}  // namespace ringwood::rdb
