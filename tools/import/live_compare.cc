#include "tools/import/live_compare.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tools/files/words.h"
#include "tools/import/key_filter.h"

namespace ringwood {
namespace {

using client::Value;

constexpr int64_t kPatienceMs = 60'000;
constexpr uint64_t kMostTold = 20;
constexpr int kLooks = 5;  // at a key that differs: its time may have come here and not there yet
constexpr useconds_t kBetweenLooksUs = 100'000;

// Databases that INFO keyspace names: "db3:keys=…".
std::vector<int> databases_of(Bytes info) {
  std::vector<int> numbers;
  for (size_t at = info.find("db"); at != Bytes::npos; at = info.find("\ndb", at + 1)) {
    int number = 0;
    if (std::sscanf(OwnedBytes(info.substr(info[at] == '\n' ? at + 1 : at, 24)).c_str(), "db%d:keys=", &number) == 1)
      numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

bool LiveCompare::ask(client::Link& link, const char* which, const std::vector<std::string>& words, Value& reply) {
  reply = link.call(words, kPatienceMs);
  if (!reply.failed()) return true;
  error_ = OwnedBytes("the ") + which + ": " + reply.text;
  if (words[0] == "DEBUG") error_ += "  (--verify needs enable-debug-command yes, or local, at both)";
  return false;
}

bool LiveCompare::run() {
  Value info;
  if (!ask(source_, "source", {"INFO", "keyspace"}, info)) return false;
  for (int number : databases_of(info.text)) {
    const bool wanted =
        options_.databases.empty() || std::find(options_.databases.begin(), options_.databases.end(), number) != options_.databases.end();
    if (wanted && !database(number)) return false;
  }
  return true;
}

bool LiveCompare::database(int number) {
  Value reply;
  if (!ask(source_, "source", {"SELECT", std::to_string(number)}, reply) ||
      !ask(target_, "target", {"SELECT", std::to_string(number)}, reply))
    return false;
  std::vector<OwnedBytes> types;
  for (Type t : options_.types) types.emplace_back(type_name(t));
  if (types.empty()) types.emplace_back();
  for (const OwnedBytes& type : types) {
    OwnedBytes cursor = "0";
    do {
      std::vector<std::string> words = {"SCAN", cursor, "COUNT", "1000"};
      if (!type.empty()) words.insert(words.end(), {"TYPE", type});
      if (!ask(source_, "source", words, reply)) return false;
      if (reply.items.size() != 2) return error_ = "the source: a strange answer to SCAN", false;
      cursor = reply.items[0].text;
      std::vector<OwnedBytes> names;
      for (const Value& v : reply.items[1].items)
        if (takes_name(options_, number, v.text)) names.push_back(v.text);
      if (!names.empty() && !keys(number, std::move(names))) return false;
      if (!pace_()) return error_ = "given up", false;
    } while (cursor != "0");
  }
  return true;
}

bool LiveCompare::digests(client::Link& link, const char* which, const std::vector<OwnedBytes>& names, std::vector<OwnedBytes>& out) {
  std::vector<std::string> words = {"DEBUG", "DIGEST-VALUE"};
  words.insert(words.end(), names.begin(), names.end());
  Value reply;
  if (!ask(link, which, words, reply)) return false;
  if (reply.items.size() != names.size()) return error_ = OwnedBytes("the ") + which + ": a strange answer to DEBUG DIGEST-VALUE", false;
  out.clear();
  for (const Value& v : reply.items) out.push_back(v.text);
  return true;
}

bool LiveCompare::keys(int database, std::vector<OwnedBytes> names) {
  compared_ += names.size();
  std::vector<OwnedBytes> here, there;
  for (int look = 0; look < kLooks; look++) {
    if (look) usleep(kBetweenLooksUs);
    if (!digests(source_, "source", names, here) || !digests(target_, "target", names, there)) return false;
    std::vector<OwnedBytes> left;
    for (size_t i = 0; i < names.size(); i++)
      if (here[i] != there[i]) left.push_back(names[i]);
    names.swap(left);
    if (names.empty()) return true;
  }
  for (const OwnedBytes& name : names)
    if (different_++ < kMostTold) std::printf("key %s of database %d differs\n", shown(name).c_str(), database);
  return true;
}

}  // namespace ringwood
