#pragma once
// The request grammar written once more, as simply as can be: whole input, everything copied, one look at a time. The model that the real parser is
// compared with (tests/unit/net, tests/fuzz).
#include <string>
#include <vector>

#include "engine/base/number.h"
#include "engine/base/split_args.h"

namespace ringwood {

struct DumbResp {
  std::vector<std::vector<std::string>> requests;  // empty ones left out
  std::string error;                               // what ended it, or empty
  size_t used = 0;                                 // bytes of whole requests

  DumbResp(const std::string& input, int64_t max_bulk, bool trusted) {
    while (error.empty() && one(input, max_bulk, trusted)) {
    }
  }

 private:
  static constexpr size_t kLine = 65536;
  // "\r" ends a header, with any byte behind it; nothing is found behind a NUL.
  static size_t header_end(const std::string& in, size_t from) {
    size_t cr = in.find('\r', from);
    return cr != std::string::npos && in.find('\0', from) > cr ? cr : std::string::npos;
  }
  bool fail(const std::string& text) {
    error = "Protocol error: " + text;
    return false;
  }

  bool one(const std::string& in, int64_t max_bulk, bool trusted) {
    size_t at = used;
    if (at >= in.size()) return false;
    if (in[at] != '*') return line(in);
    size_t cr = header_end(in, at);
    if (cr == std::string::npos) return in.size() - at > kLine ? fail("too big mbulk count string") : false;
    if (cr + 2 > in.size()) return false;
    int64_t n;
    if (!parse_int64(Bytes(in).substr(at + 1, cr - at - 1), n) || n > 2147483647) return fail("invalid multibulk length");
    if (n > 10 && !trusted) return fail("unauthenticated multibulk length");
    at = cr + 2;
    std::vector<std::string> args;
    for (int64_t i = 0; i < n; i++) {
      if (at >= in.size()) return false;
      cr = header_end(in, at);
      if (cr == std::string::npos) return in.size() - at > kLine ? fail("too big bulk count string") : false;
      if (cr + 2 > in.size()) return false;
      if (in[at] != '$')
        return fail(std::string("expected '$', got '") + std::string(in.c_str() + at, in[at] ? 1 : 0) + (in[at] ? "'" : ""));
      int64_t size;
      if (!parse_int64(Bytes(in).substr(at + 1, cr - at - 1), size) || size < 0 || size > max_bulk) return fail("invalid bulk length");
      if (size > 16384 && !trusted) return fail("unauthenticated bulk length");
      at = cr + 2;
      if (in.size() - at < static_cast<size_t>(size) + 2) return false;
      args.push_back(in.substr(at, static_cast<size_t>(size)));
      at += static_cast<size_t>(size) + 2;
    }
    if (!args.empty()) requests.push_back(args);
    used = at;
    return true;
  }

  bool line(const std::string& in) {
    size_t nl = in.find('\n', used);
    if (nl != std::string::npos && in.find('\0', used) < nl) nl = std::string::npos;
    if (nl == std::string::npos) return in.size() - used > kLine ? fail("too big inline request") : false;
    std::string text = in.substr(used, nl - used);
    if (!text.empty() && text.back() == '\r') text.pop_back();
    auto words = split_args(text);
    if (!words) return fail("unbalanced quotes in request");
    if (!words->empty()) requests.push_back(*words);
    used = nl + 1;
    return true;
  }
};

}  // namespace ringwood
