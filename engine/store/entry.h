#pragma once
// One key with its value: a single allocation for small strings, one more block for anything larger.
//
//   plain string      [header 12][key][value]
//   everything else   [header 12][4 unused][ExpiryNode 24, if any][Object 8, unless an inline string][key][value, if inline]
//
// 16 bytes of key and 64 of value thus take 92 bytes, which the allocator serves as 96. The value of an inline string is either its bytes or,
// with Encoding::kInt, one unaligned int64. A string longer than kInlineMax stands in a StringBlock behind the Object word, so that
// it can grow with slack and large bulks need not move with the entry.
#include "engine/base/bytes.h"
#include "engine/store/object.h"

namespace ringwood {

// Place of a volatile key in its shard's ExpiryIndex (intrusive list node). Entries move in memory only by way of Database, which relinks.
struct ExpiryNode {
  ExpiryNode* prev;
  ExpiryNode* next;
  uint64_t when_ms : 48;   // unix time in milliseconds; 0: the key has no expiry now (the node is unlinked)
  uint64_t database : 16;  // number of the physical Database object, which SWAPDB does not change
};
static_assert(sizeof(ExpiryNode) == 24);
constexpr int64_t kMaxExpiryMs = (int64_t{1} << 48) - 1;  // the year 10889

// A string value in a block of its own: this header, then its bytes.
struct StringBlock {
  static constexpr uint64_t kMaxSize = (uint64_t{1} << 31) - 1;  // bytes; leaves room for slack in 32 bits
  uint32_t size;
  uint32_t capacity;
  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
};

class Entry {
 public:
  static constexpr uint32_t kInlineMax = 8192;
  static constexpr size_t kEmbstrMax = 44;  // the longest string that answers "embstr" (Redis: object.c)

  // All makers allocate; free with Entry::destroy. `expiry` reserves an unlinked ExpiryNode.
  static Entry* make_string(Bytes key, Bytes value, Encoding encoding, bool expiry);
  static Entry* make_int(Bytes key, int64_t value, bool expiry);
  static Entry* make_object(Bytes key, Type type, Object object, bool expiry);
  // Inline string with room for `size` bytes whose content the caller writes.
  static Entry* make_string_space(Bytes key, uint32_t size, Encoding encoding, bool expiry);
  // A new entry with the value, access word and expiry time of `e`, under another key if wanted, and with a node where `expiry` says so (which drops a
  // time that
  // e has, if not). `e` is freed; it must not stand in an index any more.
  static Entry* remake(Entry* e, Bytes key, bool expiry);
  // A copy of the value under another key, without expiry.
  static Entry* duplicate(const Entry* e, Bytes key);
  // Frees the entry and its value.
  static void destroy(Entry* e);
  // Frees the entry alone; the object or block that it points to has another owner now.
  static void destroy_shell(Entry* e);

  Type type() const { return static_cast<Type>(type_); }
  Encoding encoding() const { return has_object() && type() != Type::kString ? object().encoding() : static_cast<Encoding>(encoding_); }
  Bytes key() const { return {key_data(), key_size_}; }
  bool is(Bytes key) const { return key_size_ == key.size() && same_bytes(key_data(), key.data(), key.size()); }

  // --- strings
  bool is_int() const { return encoding_ == static_cast<unsigned>(Encoding::kInt) && type() == Type::kString; }
  int64_t int_value() const { return load<int64_t>(value_data()); }
  void set_int(int64_t v) { store<int64_t>(value_data(), v); }
  // Bytes of a string that is not an int: inline or in its block. Valid until the entry changes.
  Bytes string_bytes() const {
    if (has_object()) {
      const StringBlock* b = object().as<StringBlock>();
      return {b->data(), b->size};
    }
    return {value_data(), value_size_};
  }
  // The same for every string; an int is written to `scratch` (at least 21 bytes).
  Bytes string_view(char* scratch) const;
  size_t string_size() const;
  char* string_data() { return has_object() ? object().as<StringBlock>()->data() : value_data(); }
  void set_encoding(Encoding e) { encoding_ = static_cast<unsigned>(e) & 3u; }
  size_t inline_size() const { return value_size_; }
  // How long an inline string could become without moving.
  size_t inline_capacity() const;
  void set_inline_size(uint32_t n) { value_size_ = static_cast<uint16_t>(n); }
  bool has_block() const { return type() == Type::kString && has_object(); }

  // --- everything else
  bool has_object() const { return layout_ & kHasObject; }
  Object& object() { return *reinterpret_cast<Object*>(base() + 16 + ((layout_ & kHasNode) ? sizeof(ExpiryNode) : 0)); }
  const Object& object() const { return const_cast<Entry*>(this)->object(); }

  // --- expiry
  bool has_node() const { return layout_ & kHasNode; }
  ExpiryNode* node() { return reinterpret_cast<ExpiryNode*>(base() + 16); }
  const ExpiryNode* node() const { return const_cast<Entry*>(this)->node(); }
  static Entry* from_node(ExpiryNode* n) { return reinterpret_cast<Entry*>(reinterpret_cast<char*>(n) - 16); }
  // Unix time in milliseconds, or -1 for none.
  int64_t expiry_ms() const { return has_node() && node()->when_ms ? static_cast<int64_t>(node()->when_ms) : -1; }
  // A key lives through the whole of its last millisecond (Redis: keyIsExpired, now > when).
  bool expired(int64_t now_ms) const { return has_node() && node()->when_ms && static_cast<int64_t>(node()->when_ms) < now_ms; }

  // The last copying of all keys that needs this entry no more: see engine/store/write_guard.h.
  static constexpr uint16_t kEpochMax = (1u << 14) - 1;
  uint16_t epoch() const { return epoch_; }
  void set_epoch(uint16_t e) { epoch_ = e & kEpochMax; }

  // Age or frequency: see engine/exec/access.h.
  static constexpr int kAccessBits = 27;
  uint32_t access() const { return access_; }
  void set_access(uint32_t a) { access_ = a & ((1u << kAccessBits) - 1); }

  // Bytes of this allocation; the object's own memory not included.
  size_t shell_memory() const;

 private:
  static constexpr unsigned kHasNode = 1, kHasObject = 2;
  char* base() { return reinterpret_cast<char*>(this); }
  static constexpr uint8_t kKeyOffset[4] = {12, 16 + 24, 16 + 8, 16 + 24 + 8};
  const char* key_data() const { return reinterpret_cast<const char*>(this) + kKeyOffset[layout_]; }
  const char* value_data() const { return key_data() + key_size_; }
  char* value_data() { return const_cast<char*>(key_data()) + key_size_; }
  static Entry* make(Bytes key, Type type, Encoding encoding, unsigned layout, uint32_t value_size);

  uint32_t key_size_;
  uint16_t value_size_;  // inline bytes behind the key; 8 for an int
  uint16_t epoch_ : 14;
  uint16_t layout_ : 2;  // kHasNode | kHasObject
  uint32_t type_ : 3;
  uint32_t encoding_ : 2;  // of strings: int, embstr or raw; other types keep theirs in the Object word
  uint32_t access_ : kAccessBits;
};
static_assert(sizeof(Entry) == 12);

}  // namespace ringwood
