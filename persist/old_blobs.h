#pragma once
// Readers for the blobs of old RDB files: ziplist (lists, hashes and sorted sets until RDB version 9) and zipmap (hashes in version 1 to 3).
// They prove the whole blob sound before they yield anything, and then walk it once; nothing writes these formats any more.
// The blob is borrowed and must outlive the reader and what it yields.
#include "engine/store/listpack.h"

namespace ringwood::persist {

// u32 bytes | u32 offset of the last entry | u16 entries, 65535 = too many to say | entries | 0xFF; numbers little-endian.
//   entry = bytes of the entry before (one byte, or 0xFE and u32) | encoding | payload
//   00llllll, 01llllll llllllll, 10xxxxxx + 4 bytes   string of l bytes (l is big-endian)
//   11000000, 11010000, 11100000, 11110000, 11111110  int16, int32, int64, int24, int8 follows
//   1111vvvv, v in 1..13                              the integer v - 1
class ZiplistReader {
 public:
  explicit ZiplistReader(Bytes blob);
  // False: the blob is damaged, and next() yields nothing.
  bool valid() const { return valid_; }
  // Entries, counted.
  size_t count() const { return count_; }
  bool next(listpack::Value& value);

 private:
  struct Entry {
    size_t previous_size;
    size_t head_size;  // what stands before the payload
    size_t payload_size;
    uint8_t encoding;
  };
  bool read_entry(const uint8_t* p, Entry& e) const;
  bool check();

  Bytes blob_;
  const uint8_t* end_ = nullptr;  // the end mark
  const uint8_t* at_ = nullptr;
  size_t count_ = 0;
  bool valid_ = false;
};

// u8 pairs, 254 and more = count them | pairs | 0xFF
//   pair = length | field | length | u8 unused bytes behind the value | value | the unused bytes
//   length = one byte below 254, or 0xFE and u32 little-endian
class ZipmapReader {
 public:
  explicit ZipmapReader(Bytes blob);
  // False: the blob is damaged or (Redis refuses that, too) holds no pair; next() yields nothing.
  bool valid() const { return valid_; }
  size_t count() const { return count_; }
  bool next(Bytes& field, Bytes& value);

 private:
  bool read_length(const uint8_t*& p, size_t& n) const;
  // Leaves p behind the pair; false when it does not lie inside.
  bool read_pair(const uint8_t*& p, Bytes& field, Bytes& value) const;
  bool check();

  Bytes blob_;
  const uint8_t* end_ = nullptr;
  const uint8_t* at_ = nullptr;
  size_t count_ = 0;
  bool valid_ = false;
};

}  // namespace ringwood::persist
