#include "persist/old_blobs.h"

namespace ringwood::persist {
namespace {

constexpr uint8_t kEnd = 0xff;
constexpr uint8_t kLong = 0xfe;  // a 32-bit length follows
constexpr size_t kZiplistHeader = 10;
constexpr size_t kUnknownCount = 65535;

enum ZiplistInteger : uint8_t {
  kInt16 = 0xc0,
  kInt32 = 0xd0,
  kInt64 = 0xe0,
  kInt24 = 0xf0,
  kInt8 = 0xfe,
  kFirstNibble = 0xf1,
  kLastNibble = 0xfd
};

// Payload bytes of an integer entry; false for an encoding that does not exist.
bool integer_size(uint8_t encoding, size_t& n) {
  switch (encoding) {
    case kInt8: n = 1; return true;
    case kInt16: n = 2; return true;
    case kInt24: n = 3; return true;
    case kInt32: n = 4; return true;
    case kInt64: n = 8; return true;
    default: n = 0; return encoding >= kFirstNibble && encoding <= kLastNibble;
  }
}

int64_t read_integer(uint8_t encoding, const uint8_t* p) {
  switch (encoding) {
    case kInt8: return load<int8_t>(p);
    case kInt16: return load<int16_t>(p);
    case kInt24: return static_cast<int32_t>(static_cast<uint32_t>(p[0]) << 8 | static_cast<uint32_t>(load<uint16_t>(p + 1)) << 16) >> 8;
    case kInt32: return load<int32_t>(p);
    case kInt64: return load<int64_t>(p);
    default: return encoding - kFirstNibble;
  }
}

Bytes bytes_at(const uint8_t* p, size_t n) { return Bytes(reinterpret_cast<const char*>(p), n); }

}  // namespace

// ---- ziplist

ZiplistReader::ZiplistReader(Bytes blob) : blob_(blob) {
  valid_ = check();
  at_ = valid_ ? octets(blob_) + kZiplistHeader : nullptr;
}

// Reads the head of the entry at p < end_ and proves that the whole entry ends at or before the end mark.
bool ZiplistReader::read_entry(const uint8_t* p, Entry& e) const {
  const uint8_t* start = p;
  auto has = [&](size_t n) { return static_cast<size_t>(end_ - p) >= n; };
  if (*p == kLong) {
    if (!has(5)) return false;
    e.previous_size = load<uint32_t>(p + 1);
    p += 5;
  } else {
    e.previous_size = *p++;
  }
  if (!has(1)) return false;
  e.encoding = *p;
  switch (e.encoding >> 6) {
    case 0:
      e.payload_size = e.encoding & 63u;
      p += 1;
      break;
    case 1:
      if (!has(2)) return false;
      e.payload_size = (e.encoding & 63u) << 8 | p[1];
      p += 2;
      break;
    case 2:
      if (!has(5)) return false;
      e.payload_size = __builtin_bswap32(load<uint32_t>(p + 1));
      p += 5;
      break;
    default:
      if (!integer_size(e.encoding, e.payload_size)) return false;
      p += 1;
  }
  e.head_size = static_cast<size_t>(p - start);
  return has(e.payload_size);
}

bool ZiplistReader::check() {
  if (blob_.size() < kZiplistHeader + 1 || blob_.size() > UINT32_MAX) return false;
  const uint8_t* start = octets(blob_);
  end_ = start + blob_.size() - 1;
  if (load<uint32_t>(start) != blob_.size() || *end_ != kEnd) return false;
  const size_t tail = load<uint32_t>(start + 4);
  if (tail > blob_.size() - 1) return false;
  const uint8_t* p = start + kZiplistHeader;
  const uint8_t* last = nullptr;
  size_t last_size = 0;
  for (; p != end_; count_++) {
    Entry e;
    if (*p == kEnd || !read_entry(p, e) || e.previous_size != last_size) return false;
    last = p;
    last_size = e.head_size + e.payload_size;
    p += last_size;
  }
  if (last && last != start + tail) return false;
  const size_t stated = load<uint16_t>(start + 8);
  return stated == kUnknownCount || stated == count_;
}

bool ZiplistReader::next(listpack::Value& value) {
  if (!valid_ || at_ == end_) return false;
  Entry e{};
  read_entry(at_, e);
  const uint8_t* payload = at_ + e.head_size;
  value = {};
  if (e.encoding < 0xc0) {
    value.data = reinterpret_cast<const char*>(payload);
    value.size = static_cast<uint32_t>(e.payload_size);
  } else {
    value.integer = read_integer(e.encoding, payload);
  }
  at_ = payload + e.payload_size;
  return true;
}

// ---- zipmap

ZipmapReader::ZipmapReader(Bytes blob) : blob_(blob) {
  valid_ = check();
  at_ = valid_ ? octets(blob_) + 1 : nullptr;
}

bool ZipmapReader::read_length(const uint8_t*& p, size_t& n) const {
  size_t room = static_cast<size_t>(end_ - p);
  if (room == 0 || *p == kEnd || (*p == kLong && room < 5)) return false;
  n = *p == kLong ? load<uint32_t>(p + 1) : *p;
  p += *p == kLong ? 5 : 1;
  return true;
}

bool ZipmapReader::read_pair(const uint8_t*& p, Bytes& field, Bytes& value) const {
  auto has = [&](size_t n) { return static_cast<size_t>(end_ - p) >= n; };
  size_t n;
  if (!read_length(p, n) || !has(n)) return false;
  field = bytes_at(p, n);
  p += n;
  if (!read_length(p, n) || !has(1)) return false;
  size_t unused = *p++;
  if (!has(n + unused)) return false;
  value = bytes_at(p, n);
  p += n + unused;
  return true;
}

bool ZipmapReader::check() {
  if (blob_.size() < 2 || static_cast<uint8_t>(blob_.back()) != kEnd) return false;
  const uint8_t* p = octets(blob_) + 1;
  end_ = octets(blob_) + blob_.size() - 1;
  Bytes field, value;
  for (; p != end_; count_++)
    if (!read_pair(p, field, value)) return false;
  size_t stated = octets(blob_)[0];
  return count_ > 0 && (stated >= kLong || stated == count_);
}

bool ZipmapReader::next(Bytes& field, Bytes& value) { return valid_ && at_ != end_ && read_pair(at_, field, value); }

}  // namespace ringwood::persist
