#pragma once
// The arguments of SORT and SORT_RO, and its patterns: names of keys, or of hash fields, that are made from an element.
#include <vector>

#include "engine/exec/call.h"

namespace ringwood {

// BY and GET. The first '*' stands for the element; behind "->" stands the field of a hash. "#" is the element itself, and a pattern without '*' finds
// nothing.
class SortPattern {
 public:
  SortPattern() = default;
  explicit SortPattern(Bytes text);

  bool given() const { return text_.data() != nullptr; }
  bool is_element() const { return text_ == "#"; }
  bool names_keys() const { return star_ != Bytes::npos; }
  // What it finds for an element: false when that is nothing. `value` is valid until the next change of the data, an integer until the next call.
  bool find(Call& c, Bytes element, Bytes& value);

 private:
  Bytes text_, field_;
  size_t star_ = Bytes::npos, key_end_ = 0;
  OwnedBytes key_;  // kept for its memory
  char digits_[kMaxIntChars + 1];
};

struct SortOptions {
  bool descending = false;
  bool alpha = false;
  bool unsorted = false;  // BY a pattern without '*'
  int64_t offset = 0, count = -1;
  SortPattern by;
  std::vector<SortPattern> get;
  size_t store = 0;  // argument; 0 = the result is replied
};
// False: an error has been replied.
bool parse_sort(Call& c, bool read_only, SortOptions& o);

// CommandSpec::keys_of of each command, and reaches_all of both.
int sort_keys_of(std::span<const Bytes> args, int* out);
int sort_ro_keys_of(std::span<const Bytes> args, int* out);
bool sort_reaches_all(std::span<const Bytes> args);

}  // namespace ringwood
