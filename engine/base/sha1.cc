#include "engine/base/sha1.h"

#include <openssl/sha.h>

namespace ringwood {

static_assert(kSha1Bytes == SHA_DIGEST_LENGTH && kSha256Bytes == SHA256_DIGEST_LENGTH);

void sha1(Bytes data, uint8_t out[kSha1Bytes]) { SHA1(octets(data), data.size(), out); }
void sha256(Bytes data, uint8_t out[kSha256Bytes]) { SHA256(octets(data), data.size(), out); }

OwnedBytes sha1_hex(Bytes data) {
  uint8_t digest[kSha1Bytes];
  sha1(data, digest);
  return to_hex(digest, sizeof digest);
}

OwnedBytes sha256_hex(Bytes data) {
  uint8_t digest[kSha256Bytes];
  sha256(data, digest);
  return to_hex(digest, sizeof digest);
}

OwnedBytes to_hex(const uint8_t* data, size_t n) {
  OwnedBytes text(2 * n, '0');
  for (size_t i = 0; i < n; i++) {
    text[2 * i] = "0123456789abcdef"[data[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[data[i] & 15];
  }
  return text;
}

}  // namespace ringwood
