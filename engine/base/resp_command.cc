#include "engine/base/resp_command.h"

#include "engine/base/number.h"

namespace ringwood {
namespace {

void put_number(OwnedBytes& out, char mark, size_t n) {
  char digits[kMaxIntChars];
  out += mark;
  out.append(digits, static_cast<size_t>(format_uint64(digits, n) - digits));
  out += "\r\n";
}

}  // namespace

void put_bulk_head(OwnedBytes& out, size_t size) { put_number(out, '$', size); }

void put_bulk(OwnedBytes& out, Bytes word) {
  put_bulk_head(out, word.size());
  out.append(word);
  out += "\r\n";
}

void put_command_head(OwnedBytes& out, size_t words) { put_number(out, '*', words); }

OwnedBytes wire_command(std::initializer_list<Bytes> words) {
  OwnedBytes out;
  put_command(out, words);
  return out;
}

}  // namespace ringwood
