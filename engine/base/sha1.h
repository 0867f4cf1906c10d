#pragma once
// SHA-1 (names of scripts, DEBUG DIGEST: never for secrets) and SHA-256 (ACL passwords), by libcrypto.
#include "engine/base/bytes.h"

namespace ringwood {

constexpr size_t kSha1Bytes = 20;
constexpr size_t kSha256Bytes = 32;

void sha1(Bytes data, uint8_t out[kSha1Bytes]);
void sha256(Bytes data, uint8_t out[kSha256Bytes]);
// 40 and 64 lower-case hexadecimal digits.
OwnedBytes sha1_hex(Bytes data);
OwnedBytes sha256_hex(Bytes data);
OwnedBytes to_hex(const uint8_t* data, size_t n);

}  // namespace ringwood
