#pragma once
// A line on the terminal that tells how far a long piece of work is. Nothing where standard output is no terminal.
#include <cstdint>

#include "engine/base/bytes.h"

namespace ringwood {

// "[####....]  25%" for a part of 0 to 1.
OwnedBytes progress_bar(double part);

class Progress {
 public:
  // `wanted` false: no line whatever standard output is.
  Progress(OwnedBytes title, uint64_t total_bytes, bool wanted);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // So many bytes are done, with so many items ("keys"). Draws at most ten times a second, and not in the first half second.
  void at(uint64_t bytes, uint64_t items, const char* items_are);
  // Takes the line away, so that something else can be printed.
  void clear();

 private:
  OwnedBytes title_;
  uint64_t total_;
  int64_t start_us_, drawn_us_ = 0;
  bool on_, shown_ = false;
};

}  // namespace ringwood
