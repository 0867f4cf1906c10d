#pragma once
// How far a long piece of work has come: a bar on a terminal, a line now and then elsewhere. On standard error, so that output stays what it is.
#include <cstdint>
#include <string>

namespace ringwood::cluster_tool {

class Progress {
 public:
  // `total` in units of `what` ("slots").
  Progress(std::string what, size_t total, bool shown);
  ~Progress();
  Progress(const Progress&) = delete;
  void step(size_t done, int64_t keys);

 private:
  void show(bool last);
  std::string what_;
  size_t total_, done_ = 0;
  int64_t keys_ = 0, began_ms_, shown_ms_ = 0;
  bool shown_, terminal_;
};

}  // namespace ringwood::cluster_tool
