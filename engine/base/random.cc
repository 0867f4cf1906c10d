#include "engine/base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace ringwood {

void system_random_bytes(void* out, size_t n) {
  char* p = static_cast<char*>(out);
  while (n > 0) {
    ssize_t got = getrandom(p, n, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      std::perror("getrandom");
      std::abort();
    }
    p += got;
    n -= static_cast<size_t>(got);
  }
}

// splitmix64 spreads one word over the state, as the generator's authors advise; it never gives four zeros in a row.
Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

Random Random::from_system() {
  Random r(0);
  do system_random_bytes(r.state_, sizeof r.state_);
  while (std::all_of(std::begin(r.state_), std::end(r.state_), [](uint64_t w) { return w == 0; }));
  return r;
}

// Lemire's multiplication: the high word is the result; the few low words that would favour some results are drawn again.
uint64_t Random::below(uint64_t n) {
  assert(n > 0);
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next()) * n;
  if (static_cast<uint64_t>(product) < n) {
    uint64_t uneven = (0 - n) % n;
    while (static_cast<uint64_t>(product) < uneven) product = static_cast<Wide>(next()) * n;
  }
  return static_cast<uint64_t>(product >> 64);
}

void Random::fill(void* out, size_t n) {
  char* p = static_cast<char*>(out);
  while (n > 0) {
    uint64_t word = next();
    size_t take = std::min(n, sizeof word);
    std::memcpy(p, &word, take);
    p += take;
    n -= take;
  }
}

OwnedBytes Random::hex(size_t n) {
  OwnedBytes text(n, '0');
  uint64_t word = 0;
  for (size_t i = 0; i < n; i++, word >>= 4) {
    if (i % 16 == 0) word = next();
    text[i] = "0123456789abcdef"[word & 15];
  }
  return text;
}

}  // namespace ringwood
