#pragma once
// A whole server in the test's own thread, with commands written as one line, replies written short, and what happened to keys listed.
#include <gtest/gtest.h>

#include <initializer_list>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/harness/in_process.h"

namespace ringwood {

inline std::string bulk(const std::string& s) { return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n"; }
inline std::string bulks(const std::vector<std::string>& v, char kind = '*') {
  std::string text = kind + std::to_string(v.size()) + "\r\n";
  for (const std::string& s : v) text += bulk(s);
  return text;
}
inline std::string number(int64_t n) { return ":" + std::to_string(n) + "\r\n"; }
inline std::string error(const std::string& s) { return "-" + s + "\r\n"; }
inline const std::string kOk = "+OK\r\n", kNull = "$-1\r\n", kNull3 = "_\r\n", kNullArray = "*-1\r\n", kEmpty = "*0\r\n";
inline const std::string kWrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
inline const std::string kSyntax = "-ERR syntax error\r\n";
inline const std::string kNotInteger = "-ERR value is not an integer or out of range\r\n";
inline const std::string kNotFloat = "-ERR value is not a valid float\r\n";

// The parameter is the number of shards.
class CommandTest : public testing::TestWithParam<int>, private KeyEventListener {
 protected:
  CommandTest() : server(GetParam()) {
    for (Shard* s : server.engine().shards) s->listener = this;
  }
  // Words are parted by one space; a word '' is the empty string.
  std::string run(const std::string& line) { return server.run(words(line)); }
  std::string run3(const std::string& line) { return server.run3(words(line)); }
  // The bulk strings of an array or set reply, in whatever arrays they stand.
  std::vector<std::string> members(const std::string& line) {
    std::string reply = run(line);
    std::vector<std::string> found;
    for (size_t p = reply.find('$'); p < reply.size();) {
      size_t end = reply.find('\r', p);
      size_t n = std::stoul(reply.substr(p + 1, end - p - 1));
      found.push_back(reply.substr(end + 2, n));
      p = reply.find('$', end + 2 + n + 2);
    }
    return found;
  }
  std::set<std::string> member_set(const std::string& line) {
    std::vector<std::string> m = members(line);
    std::set<std::string> unique(m.begin(), m.end());
    EXPECT_EQ(unique.size(), m.size()) << line;
    return unique;
  }
  const Entry* entry(const std::string& key) {
    KeyRef k{Bytes(key)};
    return server.engine().shard_of(k.slot).database(0).find(k);
  }
  // As OBJECT ENCODING names it; "none" for no key.
  std::string encoding(const std::string& key) {
    const Entry* e = entry(key);
    return e ? encoding_name(e->encoding()) : "none";
  }
  // The events since the last call: "lpush a, del a".
  std::string events() { return std::exchange(events_, ""); }
  // Changes counted since the last call (Redis's dirty).
  int64_t changes() {
    int64_t now = 0;
    for (Shard* s : server.engine().shards) now += s->stats.dirty.get();
    return now - std::exchange(changes_, now);
  }

  InProcess server;

 private:
  static std::vector<std::string> words(const std::string& line) {
    std::vector<std::string> result;
    std::istringstream in(line);
    for (std::string w; in >> w;) result.push_back(w == "''" ? "" : w);
    return result;
  }
  void on_key_event(uint32_t, const char* event, Bytes key, int) override {
    if (Bytes(event) == "keymiss" || Bytes(event) == "new") return;
    events_ += (events_.empty() ? "" : ", ") + std::string(event) + " " + std::string(key);
  }
  std::string events_;
  int64_t changes_ = 0;
};

}  // namespace ringwood
