// DEBUG PROTOCOL and DEBUG ERROR: replies for tests of client libraries.
#include "engine/commands/debug_handlers.h"

namespace ringwood::debug {
namespace {

void map(Reply& r) {
  r.map(3);
  for (int i = 0; i < 3; i++) {
    r.integer(i);
    r.boolean(i == 1);
  }
}

void attribute(Reply& r) {
  if (r.resp() >= 3) {
    r.attribute(1);
    r.bulk("key-popularity");
    r.array(2);
    r.bulk("key:123");
    r.integer(90);
  }
  r.bulk("Some real reply following the attribute");  // an attribute is no reply by itself
}

void push(Reply& r) {
  if (r.resp() < 3) return r.error("ERR RESP2 is not supported by this command");
  r.push(2);
  r.bulk("server-cpu-usage");
  r.integer(42);
  r.bulk("Some real reply following the push reply");  // nor is a push
}

void numbers(Reply& r) {
  for (int i = 0; i < 3; i++) r.integer(i);
}

struct Kind {
  Bytes name;
  void (*write)(Reply& r);
};
constexpr Kind kKinds[] = {
    {"string", [](Reply& r) { r.bulk("Hello World"); }},
    {"integer", [](Reply& r) { r.integer(12345); }},
    {"double", [](Reply& r) { r.number(3.141); }},
    {"bignum", [](Reply& r) { r.big_number("1234567999999999999999999999999999999"); }},
    {"null", [](Reply& r) { r.null(); }},
    {"array", [](Reply& r) { r.array(3), numbers(r); }},
    {"set", [](Reply& r) { r.set(3), numbers(r); }},
    {"map", map},
    {"attrib", attribute},
    {"push", push},
    {"verbatim", [](Reply& r) { r.verbatim("This is a verbatim\nstring", "txt"); }},
    {"true", [](Reply& r) { r.boolean(true); }},
    {"false", [](Reply& r) { r.boolean(false); }},
};

}  // namespace

void protocol(Call& c) {
  for (const Kind& k : kKinds)
    if (Call::is_word(c.arg(2), k.name)) return k.write(c.reply);
  c.reply.error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

// The client's own text as an error; like Redis, it is not counted as one.
void error(Call& c) {
  OwnedBytes text = "-";
  text.append(c.arg(2));
  for (char& ch : text)
    if (ch == '\r' || ch == '\n') ch = ' ';
  c.reply.raw(text.append("\r\n"));
}

}  // namespace ringwood::debug
