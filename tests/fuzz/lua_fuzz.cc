// The Lua API with bytes that nobody meant for it: nothing that a script does with them ends the process, and every script has one whole reply, in RESP2
// and in RESP3. The first byte says which script, the rest is its argument, cut in two at the first line feed.
#include <cstdio>
#include <cstdlib>

#include "tests/harness/in_process.h"

using namespace ringwood;

namespace {

constexpr const char* kScripts[] = {
    // What JSON can say is what a script can answer: maps, doubles and the like among it.
    "return cjson.decode(ARGV[1] .. ARGV[2])",
    "local v = cjson.decode(ARGV[1] .. ARGV[2]) return {cjson.encode(v), cmsgpack.pack(v)}",
    "return {cmsgpack.unpack(ARGV[1] .. ARGV[2])}",
    "local ok, one = pcall(cmsgpack.unpack, ARGV[1] .. ARGV[2]) if ok then return {cmsgpack.pack(one), pcall(cjson.encode, one)} end "
    "return one",
    "return {cmsgpack.unpack_limit(ARGV[2], tonumber(ARGV[1]) or 1, 0)}",
    "return {struct.unpack(ARGV[1], ARGV[2])}",
    "return {struct.unpack(ARGV[1], ARGV[2], #ARGV[2] - 3)}",
    "return {pcall(struct.size, ARGV[1]), pcall(struct.pack, ARGV[1], 1, 258, ARGV[2], 2.5, -1, 'abc')}",
    "return string.format(ARGV[1], ARGV[2], 1, 'x')",
    "return {pcall(redis.error_reply, ARGV[1]), redis.status_reply(ARGV[2])}",
    "return redis.error_reply(ARGV[1] .. ARGV[2])",
    "error(ARGV[1] .. ARGV[2])",
    "error({err = ARGV[1] .. ARGV[2]})",
    "return redis.acl_check_cmd(ARGV[1], ARGV[2])",
    "return {loadstring(ARGV[1] .. '\\n' .. ARGV[2]) ~= nil, tostring(tonumber(ARGV[1])), tostring(tonumber(ARGV[2], 16)), "
    "redis.sha1hex(ARGV[1])}",
    "return {pcall(bit.band, ARGV[1], ARGV[2]), pcall(bit.lshift, ARGV[1], ARGV[2]), pcall(bit.tohex, ARGV[1], ARGV[2])}",
};

void fail(const char* what, const std::string& reply) {
  std::fprintf(stderr, "%s: %s\n", what, reply.c_str());
  std::abort();
}

// Takes one reply from the front; false: it is not whole.
bool take_reply(Bytes& rest) {
  size_t end = rest.find("\r\n");
  if (end == Bytes::npos || end == 0) return false;
  char kind = rest[0];
  long long n = std::atoll(std::string(rest.substr(1, end - 1)).c_str());
  rest.remove_prefix(end + 2);
  if (Bytes("+-:,#(_").find(kind) != Bytes::npos) return true;
  if (n < 0) return n == -1;
  if (kind == '$' || kind == '=') {
    auto size = static_cast<size_t>(n);
    if (rest.size() < size + 2 || rest.substr(size, 2) != "\r\n") return false;
    rest.remove_prefix(size + 2);
    return true;
  }
  if (Bytes("*~%>").find(kind) == Bytes::npos) return false;
  for (long long i = 0; i < n * (kind == '%' ? 2 : 1); i++)
    if (!take_reply(rest)) return false;
  return true;
}

void check(const std::string& reply) {
  Bytes rest = reply;
  if (!take_reply(rest)) fail("no whole reply", reply);
  if (!rest.empty()) fail("more than a reply", reply);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static InProcess server;
  if (!size) return 0;
  std::string script = kScripts[data[0] % std::size(kScripts)], text(reinterpret_cast<const char*>(data) + 1, size - 1);
  size_t cut = std::min(text.find('\n'), text.size());
  InProcess::Args args = {"EVAL", script, "0", text.substr(0, cut), text.substr(std::min(cut + 1, text.size()))};
  check(server.run(args));
  check(server.run3(args));
  return 0;
}
