#pragma once
// CRC16 (XMODEM polynomial, Redis Cluster's key hash) and CRC64 (Jones polynomial, reflected: Redis's RDB and DUMP checksum).
#include "engine/base/bytes.h"

namespace ringwood {

uint16_t crc16(Bytes data);
uint64_t crc64(uint64_t crc, Bytes data);
// The CRC of two texts one behind the other, from that of the first, and that and the length of the second, both begun at 0.
uint64_t crc64_join(uint64_t first, uint64_t second, uint64_t second_bytes);

// Slot of a key, 0..16383: CRC16 of the key, or of what stands between its first '{' and the next '}' where that is not empty
// (Redis Cluster specification, "Hash tags").
constexpr int kSlots = 16384;
uint16_t key_slot(Bytes key);

}  // namespace ringwood
