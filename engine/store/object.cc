#include "engine/store/object.h"

namespace ringwood {

const char* type_name(Type t) {
  static constexpr const char* kNames[] = {"string", "list", "set", "zset", "hash", "stream"};
  return kNames[static_cast<int>(t)];
}

const char* encoding_name(Encoding e) {
  static constexpr const char* kNames[] = {"int",       "embstr",   "raw",    "listpack",   "quicklist", "intset",
                                           "hashtable", "skiplist", "stream", "listpackex", "hashtable"};
  return kNames[static_cast<int>(e)];
}

}  // namespace ringwood
