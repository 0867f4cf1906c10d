#include "tools/import/handover.h"

#include <unistd.h>

#include "engine/base/number.h"

namespace ringwood {
namespace {

using client::Value;

constexpr int64_t kPatienceMs = 10'000, kRenewMs = 15'000;
constexpr const char* kPauseMs = "60000";
constexpr const char* kNobodyHasSoMany = "2147483647";  // replicas
constexpr useconds_t kSettleUs = 30'000;

}  // namespace

OwnedBytes info_field(Bytes info, Bytes name) {
  for (size_t at = info.find(name); at != Bytes::npos; at = info.find(name, at + 1)) {
    if ((at && info[at - 1] != '\n') || info.substr(at + name.size(), 1) != ":") continue;
    Bytes value = info.substr(at + name.size() + 1);
    return OwnedBytes(value.substr(0, value.find_first_of("\r\n")));
  }
  return {};
}

int64_t offset_of(Bytes info) {
  int64_t n;
  return parse_int64(info_field(info, "master_repl_offset"), n) ? n : -1;
}

bool Handover::ask(const std::vector<std::string>& words, Value& reply) {
  reply = orders_.call(words, kPatienceMs);
  if (!reply.failed()) return true;
  error_ = words[0] + " " + words[1] + ": " + reply.text;
  return false;
}

bool Handover::hold() {
  Value reply = orders_.call({"CLIENT", "PAUSE", kPauseMs, "WRITE"}, kPatienceMs);
  // Before Redis 6.2 there is no other pause than one of everything.
  if (reply.failed() && reply.error_code() == "ERR") reply = orders_.call({"CLIENT", "PAUSE", kPauseMs}, kPatienceMs);
  if (reply.failed()) return error_ = "CLIENT PAUSE: " + reply.text, false;
  renew_ms_ = client::monotonic_ms() + kRenewMs;
  return true;
}

// A write that was let in just before may still be on its way in a source of several threads: the offset has to stand still.
int64_t Handover::offset_held() {
  int64_t last = -1;
  for (;;) {
    Value info;
    if (!ask({"INFO", "replication"}, info)) return -1;
    const int64_t now = offset_of(info.text);
    if (now < 0) return error_ = "INFO replication tells no offset", -1;
    if (now == last) return now;
    last = now;
    usleep(kSettleUs);
  }
}

bool Handover::close() {
  Value reply;
  if (!ask({"CONFIG", "GET", "min-replicas-to-write"}, reply)) return false;
  before_ = reply.items.size() == 2 ? reply.items[1].text : "0";
  if (!ask({"CONFIG", "SET", "min-replicas-to-write", kNobodyHasSoMany}, reply)) return false;
  return ask({"CLIENT", "UNPAUSE"}, reply);
}

void Handover::release() { orders_.call({"CLIENT", "UNPAUSE"}, kPatienceMs); }

}  // namespace ringwood
