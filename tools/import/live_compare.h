#pragma once
// Whether two running servers hold the same: every key of the source that is taken over is asked of both for its DEBUG DIGEST-VALUE. Nothing may be
// written meanwhile.
#include <functional>

#include "net/client/link.h"
#include "tools/import/options.h"

namespace ringwood {

class LiveCompare {
 public:
  // `pace` is called now and then: whatever keeps the source still. False from it ends the comparison.
  LiveCompare(const ImportOptions& options, client::Link& source, client::Link& target, std::function<bool()> pace)
      : options_(options), source_(source), target_(target), pace_(std::move(pace)) {}

  // False: it could not be made, error() says why.
  bool run();
  uint64_t compared() const { return compared_; }
  uint64_t different() const { return different_; }  // the first of them have been told
  const OwnedBytes& error() const { return error_; }

 private:
  bool database(int number);
  bool keys(int database, std::vector<OwnedBytes> names);
  bool digests(client::Link& link, const char* which, const std::vector<OwnedBytes>& names, std::vector<OwnedBytes>& out);
  bool ask(client::Link& link, const char* which, const std::vector<std::string>& words, client::Value& reply);

  const ImportOptions& options_;
  client::Link &source_, &target_;
  std::function<bool()> pace_;
  uint64_t compared_ = 0, different_ = 0;
  OwnedBytes error_;
};

}  // namespace ringwood
