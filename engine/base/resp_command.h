#pragma once
// A command as it goes over a wire and stands in an append-only file: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n". For who talks to other servers; the mutation log
// has a writer of its own (engine/exec/effects.cc), into an OutBuffer.
#include <initializer_list>

#include "engine/base/bytes.h"

namespace ringwood {

// All of them append. The head of a word ("$3\r\n"), and a word whole.
void put_bulk_head(OwnedBytes& out, size_t size);
void put_bulk(OwnedBytes& out, Bytes word);
// The head of a command of so many words ("*2\r\n").
void put_command_head(OwnedBytes& out, size_t words);
// A command whole; `Words` is any range of what converts to Bytes.
template <class Words>
void put_command(OwnedBytes& out, const Words& words) {
  put_command_head(out, words.size());
  for (const auto& w : words) put_bulk(out, w);
}
OwnedBytes wire_command(std::initializer_list<Bytes> words);

}  // namespace ringwood
