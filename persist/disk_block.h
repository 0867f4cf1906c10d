#pragma once
// Memory for what goes past the system's cache (O_DIRECT): buffer, position and length of such reads and writes are multiples of a block.
#include <cstddef>
#include <cstdlib>

namespace ringwood {

inline constexpr size_t kDiskBlock = 4096;  // no disk wants a larger one

// `bytes` is a multiple of kDiskBlock. std::free() takes it back.
inline char* allocate_disk_blocks(size_t bytes) {
  auto* blocks = static_cast<char*>(std::aligned_alloc(kDiskBlock, bytes));
  if (!blocks) std::abort();
  return blocks;
}

}  // namespace ringwood
