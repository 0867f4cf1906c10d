#include "tools/server/oom_score.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace ringwood {
namespace {

constexpr const char* kPath = "/proc/self/oom_score_adj";

bool read_score(int& score) {
  FILE* f = std::fopen(kPath, "r");
  if (!f) return false;
  bool read = std::fscanf(f, "%d", &score) == 1;
  std::fclose(f);
  return read;
}

bool write_score(int score) {
  FILE* f = std::fopen(kPath, "w");
  if (!f) return false;
  bool written = std::fprintf(f, "%d\n", score) > 0;
  written &= std::fclose(f) == 0;  // the kernel refuses when it is flushed
  return written;
}

}  // namespace

bool OomScore::apply(const Options& options, Log& log) {
  const bool wanted = options.oom_score_adj != OomScoreAdj::kNo;
  if (!wanted && !ours_) return true;
  if (!ours_ && !read_score(before_)) {
    log.write(LogLevel::kWarning, "Unable to read oom_score_adj: %s", std::strerror(errno));
    return false;
  }
  int score = before_;
  if (wanted) {
    int value = options.oom_score_adj_values[options.replicaof_host.empty() ? 0 : 1];
    score = options.oom_score_adj == OomScoreAdj::kRelative ? before_ + value : value;
  }
  ours_ = wanted;
  if (write_score(score)) return true;
  log.write(LogLevel::kWarning, "Unable to write oom_score_adj: %s", std::strerror(errno));
  return false;
}

}  // namespace ringwood
