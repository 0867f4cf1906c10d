#include "engine/exec/reply.h"

#include <algorithm>

namespace ringwood {

void Reply::simple(Bytes s) {
  char* p = out_->reserve(s.size() + 3);
  *p = '+';
  if (!s.empty()) std::memcpy(p + 1, s.data(), s.size());
  p[s.size() + 1] = '\r';
  p[s.size() + 2] = '\n';
  out_->commit(s.size() + 3);
}

void Reply::error(Bytes s) {
  failed_ = true;
  error_at_ = out_->size();
  char* p = out_->reserve(s.size() + 3);
  *p = '-';
  for (size_t i = 0; i < s.size(); i++) p[1 + i] = s[i] == '\r' || s[i] == '\n' ? ' ' : s[i];
  p[s.size() + 1] = '\r';
  p[s.size() + 2] = '\n';
  out_->commit(s.size() + 3);
}

Bytes Reply::error_code() const {
  constexpr size_t kLongest = 32;  // Redis looks no further (networking.c, afterErrorReply)
  Bytes all = out_->view();
  if (error_at_ >= all.size() || all[error_at_] != '-') return "ERR";
  Bytes text = all.substr(error_at_ + 1, kLongest);
  size_t end = text.find_first_of(" \r");
  return end == Bytes::npos || text[end] == '\r' ? Bytes("ERR") : text.substr(0, end);
}

void Reply::bulk_int(int64_t v) {
  char digits[24];
  bulk({digits, static_cast<size_t>(format_int64(digits, v) - digits)});
}

void Reply::null() { raw(resp_ >= 3 ? Bytes("_\r\n") : Bytes("$-1\r\n")); }
void Reply::null_array() { raw(resp_ >= 3 ? Bytes("_\r\n") : Bytes("*-1\r\n")); }

void Reply::number(double v) {
  char digits[kMaxDoubleChars];
  Bytes text(digits, static_cast<size_t>(format_double(digits, v) - digits));
  if (resp_ < 3) return bulk(text);
  raw(",");
  raw(text);
  raw("\r\n");
}

void Reply::boolean(bool v) {
  if (resp_ >= 3)
    raw(v ? "#t\r\n" : "#f\r\n");
  else
    integer(v);
}

void Reply::verbatim(Bytes text, Bytes format3) {
  if (resp_ < 3) return bulk(text);
  header('=', text.size() + 4);
  raw(format3.substr(0, 3));
  // A shorter format, as scripts may give it, is filled with spaces.
  raw(Bytes("   :").substr(std::min<size_t>(format3.size(), 3)));
  raw(text);
  raw("\r\n");
}

void Reply::big_number(Bytes digits) {
  if (resp_ < 3) return bulk(digits);
  raw("(");
  raw(digits);
  raw("\r\n");
}

void Reply::header(char kind, size_t n) {
  char* p = out_->reserve(24);
  *p = kind;
  char* e = format_int64(p + 1, static_cast<int64_t>(n));
  *e++ = '\r', *e++ = '\n';
  out_->commit(static_cast<size_t>(e - p));
}

void Reply::insert_header(size_t mark, char kind, size_t n) {
  char text[24];
  text[0] = kind;
  char* e = format_int64(text + 1, static_cast<int64_t>(n));
  *e++ = '\r', *e++ = '\n';
  out_->insert(mark, {text, static_cast<size_t>(e - text)});
}

void Reply::help(Bytes name, std::span<const char* const> lines) {
  array(lines.size() + 3);
  OwnedBytes title(name);
  simple(title.append(" <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
  for (const char* line : lines) simple(line);
  simple("HELP");
  simple("    Prints this help.");
}

void Reply::wrong_arity(Bytes full_name) {
  OwnedBytes text = "ERR wrong number of arguments for '";
  text.append(full_name).append("' command");
  error(text);
}

void Reply::bad_subcommand(Bytes name, Bytes word) {
  constexpr size_t kEcho = 128;
  OwnedBytes text = "ERR unknown subcommand or wrong number of arguments for '";
  error(text.append(word.substr(0, kEcho)).append("'. Try ").append(name).append(" HELP."));
}

}  // namespace ringwood
