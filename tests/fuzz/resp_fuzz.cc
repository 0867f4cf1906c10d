// The request parser against its model: any bytes, cut anywhere. The first byte of the input says how the rest is cut and whether the client is trusted.
#include <cstdio>
#include <cstdlib>

#include "tests/support/dumb_resp.h"
#include "tests/support/resp_feeder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ringwood;
  if (size < 1) return 0;
  constexpr int64_t kMaxBulk = 20000;
  bool trusted = data[0] & 1;
  size_t step = data[0] >> 1;
  std::string stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  DumbResp whole(stream, kMaxBulk, trusted);
  RespFeeder f;
  f.max_bulk = kMaxBulk;
  f.trusted = trusted;
  if (!step) step = stream.size() + 1;
  for (size_t at = 0; at < stream.size(); at += step) f.feed(Bytes(stream).substr(at, step));
  if (f.requests != whole.requests || f.error != whole.error) {
    std::fprintf(stderr, "parser: %zu requests, '%s'; model: %zu requests, '%s'\n", f.requests.size(), f.error.c_str(),
                 whole.requests.size(), whole.error.c_str());
    std::abort();
  }
  return 0;
}
