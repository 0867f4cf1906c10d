#pragma once
// Numbers and bytes in a form for people.
#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

OwnedBytes size_text(uint64_t bytes);     // "12.3 MiB"
OwnedBytes count_text(uint64_t n);        // "1,000,000"
OwnedBytes seconds_text(double seconds);  // "1:05", "2:03:04"
OwnedBytes time_text(int64_t unix_s);     // "2026-11-25 19:15:29 UTC"
// As it is where it is printable, otherwise quoted as redis-cli does; at most `most` characters of it.
OwnedBytes shown(Bytes name, size_t most = 64);
// "1 key", "2 keys".
OwnedBytes counted(uint64_t n, const char* one, const char* many);

// Rows under a headline, in columns: the first to the left, the others to the right. For standard output, indented by two.
class TextTable {
 public:
  explicit TextTable(std::vector<OwnedBytes> headline) { rows_.push_back(std::move(headline)); }
  void add(std::vector<OwnedBytes> row) { rows_.push_back(std::move(row)); }
  void print() const;

 private:
  std::vector<std::vector<OwnedBytes>> rows_;
};

}  // namespace ringwood
