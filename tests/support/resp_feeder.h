#pragma once
// Gives a stream of bytes to the real parser in pieces, as a connection does, from blocks of exactly the right size, so that a sanitizer sees every byte read
// too far.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "net/resp_parser.h"

namespace ringwood {

struct RespFeeder {
  ArgArena arena;
  std::deque<OwnedBytes> unquoted;
  RequestParser parser;
  std::string rest;  // not parsed yet
  std::vector<std::vector<std::string>> requests;
  std::string error;
  int64_t max_bulk = 512 << 20;
  bool trusted = true;

  void feed(Bytes piece) {
    rest.append(piece);
    while (error.empty() && !rest.empty()) {
      std::unique_ptr<char[]> block(new char[rest.size()]);
      std::memcpy(block.get(), rest.data(), rest.size());
      ParseTarget to{arena, unquoted, max_bulk, trusted};
      RequestParser::Status s = parser.parse(Bytes(block.get(), rest.size()), to);
      if (s == RequestParser::Status::kIncomplete) return;
      if (s == RequestParser::Status::kError) {
        error = parser.error();
        return;
      }
      if (!parser.args().empty()) requests.emplace_back(parser.args().begin(), parser.args().end());
      rest.erase(0, parser.consumed());
    }
    arena.reset();
    unquoted.clear();
  }
};

}  // namespace ringwood
