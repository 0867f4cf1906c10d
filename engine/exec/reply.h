#pragma once
// Writes one reply in RESP2 or RESP3 (https://github.com/redis/redis-specifications, protocol/RESP3.md) into a buffer. Where the protocols differ, each
// method writes what Redis writes: null is "$-1" or "_", a map is a flat array or "%", and so on.
#include <span>

#include "engine/base/bytes.h"
#include "engine/base/number.h"
#include "engine/exec/out_buffer.h"

namespace ringwood {

class Reply {
 public:
  Reply(OutBuffer& out, int resp) : out_(&out), start_(out.size()), resp_(resp) {}
  int resp() const { return resp_; }
  void set_resp(int resp) { resp_ = resp; }
  OutBuffer& out() { return *out_; }

  void ok() { raw("+OK\r\n"); }
  void simple(Bytes s);  // +s; s has no line break
  // -s; `s` begins with its code ("ERR ...", "WRONGTYPE ..."). Line breaks become spaces. Counted as a failed call.
  void error(Bytes s);
  void integer(int64_t v) {
    char* p = out_->reserve(24);
    if (static_cast<uint64_t>(v) < 10) {
      p[0] = ':', p[1] = static_cast<char>('0' + v), p[2] = '\r', p[3] = '\n';
      out_->commit(4);
      return;
    }
    *p = ':';
    char* e = format_int64(p + 1, v);
    *e++ = '\r', *e++ = '\n';
    out_->commit(static_cast<size_t>(e - p));
  }
  void bulk(Bytes b) {
    constexpr uint64_t kLineEnd = '\r' | '\n' << 8;
    char* p = out_->reserve(b.size() + 32);
    char* e = p;
    if (b.size() < 100) {  // nearly all: no call, and the head is one word
      const uint64_t n = b.size(), tens = n / 10, two = tens != 0;
      const uint64_t digits = two ? tens | (n - tens * 10) << 8 | 0x3030 : n | 0x30;
      store(e, '$' | digits << 8 | kLineEnd << (16 + 8 * two));
      e += 4 + two;
    } else {
      *e++ = '$';
      e = format_int64(e, static_cast<int64_t>(b.size()));
      store(e, static_cast<uint16_t>(kLineEnd));
      e += 2;
    }
    copy_bytes(e, b.data(), b.size());
    e += b.size();
    store(e, static_cast<uint16_t>(kLineEnd));
    out_->commit(static_cast<size_t>(e + 2 - p));
  }
  void bulk_int(int64_t v);  // the digits as a bulk string
  void null();               // $-1 or _
  void null_array();         // *-1 or _
  void array(size_t n) { header('*', n); }
  void map(size_t pairs) { resp_ >= 3 ? header('%', pairs) : header('*', pairs * 2); }
  void set(size_t n) { header(resp_ >= 3 ? '~' : '*', n); }
  void push(size_t n) { header(resp_ >= 3 ? '>' : '*', n); }
  void attribute(size_t pairs) { header('|', pairs); }  // RESP3 alone
  void number(double v);                                // ",v" or a bulk with Redis 7.2's format (format_double)
  void boolean(bool v);                                 // "#t" or an integer
  void verbatim(Bytes text, Bytes format3);             // "=" with a three-letter format, or a bulk
  void big_number(Bytes digits);
  void raw(Bytes b) { out_->append(b); }

  // An array (or map, set) whose length is known only at its end: call begin, write the elements, call end with their number.
  size_t begin() const { return out_->size(); }
  void end_array(size_t mark, size_t n) { insert_header(mark, '*', n); }
  void end_map(size_t mark, size_t pairs) { resp_ >= 3 ? insert_header(mark, '%', pairs) : insert_header(mark, '*', pairs * 2); }
  void end_set(size_t mark, size_t n) { insert_header(mark, resp_ >= 3 ? '~' : '*', n); }

  // Throws away what this reply has written so far.
  void rewind() { out_->truncate(start_); }
  bool failed() const { return failed_; }
  // The error stands in the statistics already: a script answers what a command that it called has answered.
  void set_counted() { counted_ = true; }
  bool counted() const { return counted_; }
  // The first word of the last error ("WRONGTYPE"), or "ERR" where there is none.
  Bytes error_code() const;
  Bytes written() const { return out_->view().substr(start_); }

  // The errors that every family gives.
  void wrong_type() { error("WRONGTYPE Operation against a key holding the wrong kind of value"); }
  void not_integer() { error("ERR value is not an integer or out of range"); }
  void not_float() { error("ERR value is not a valid float"); }
  void syntax_error() { error("ERR syntax error"); }
  void no_such_key() { error("ERR no such key"); }
  void out_of_range() { error("ERR index out of range"); }
  // The reply of a container's HELP; each line describes a subcommand. `name` in upper case.
  void help(Bytes name, std::span<const char* const> lines);
  // "ERR wrong number of arguments for 'name' command"
  void wrong_arity(Bytes full_name);
  // A subcommand whose arguments do not fit. `name` is the container's in upper case, `word` what the client wrote.
  void bad_subcommand(Bytes name, Bytes word);

 private:
  void header(char kind, size_t n);
  void insert_header(size_t mark, char kind, size_t n);
  OutBuffer* out_;
  size_t start_;
  int resp_;
  bool failed_ = false, counted_ = false;
  size_t error_at_ = 0;  // where the last error begins
};

}  // namespace ringwood
