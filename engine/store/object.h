#pragma once
// The value of a key that is not a plain string: one 8-byte word that holds the encoding and the pointer to the structure.
// Functions of a type (list.h, set.h, hash.h, zset.h) take an Object& and may change both, for instance when a listpack
// outgrows its limits and becomes a hash table. The word lives inside the key's Entry.
#include "engine/base/bytes.h"

namespace ringwood {

// Numbers are internal (RDB has its own); order is that of TYPE's answers in tests.
enum class Type : uint8_t { kString, kList, kSet, kZSet, kHash, kStream };

enum class Encoding : uint8_t {
  kInt,        // string: a 64-bit integer stands in the entry
  kEmbstr,     // string: bytes in the entry; answers "embstr" up to 44 bytes
  kRaw,        // string: bytes in the entry or in a block of their own; answers "raw"
  kListpack,   // list, set, hash: one listpack blob, byte for byte Redis's; zset: what stands for one (store/packed_zset.h)
  kQuicklist,  // list
  kIntset,     // set: one intset blob, byte for byte Redis's
  kHashtable,  // set, hash
  kSkiplist,   // zset: B+ tree with ranks and an index by member; the name that OBJECT ENCODING answers is Redis's
  kStream,
  kListpackEx,     // hash whose fields may expire: one listpack with a time behind each pair (store/volatile_hash.h)
  kVolatileTable,  // the same when it is large; its name is "hashtable", too
};

// The names that TYPE and OBJECT ENCODING answer.
const char* type_name(Type t);
const char* encoding_name(Encoding e);

class Object {
 public:
  Object() = default;
  Object(Encoding e, void* p) { reset(e, p); }
  Encoding encoding() const { return static_cast<Encoding>(word_ >> 56); }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(word_ & kPointer);
  }
  void reset(Encoding e, void* p) { word_ = (static_cast<uint64_t>(e) << 56) | reinterpret_cast<uint64_t>(p); }

 private:
  static constexpr uint64_t kPointer = (uint64_t{1} << 56) - 1;  // user-space addresses have the top byte clear on x86-64 and arm64
  uint64_t word_ = 0;
};
static_assert(sizeof(Object) == 8);

}  // namespace ringwood
