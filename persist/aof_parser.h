#pragma once
// Cuts an append-only file's bytes into commands and notes (lines that begin with '#'). Pure, and strict: nobody has typed them, so what is not as a
// server writes it is damage. Where and why it could not go on is told, for whoever has to find the place in the file.
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

class AofParser {
 public:
  enum class Status : uint8_t { kCommand, kNote, kMore, kBad };

  // Why parse() stopped: with kBad what is wrong, with kMore what has not arrived.
  enum class Fault : uint8_t {
    kNone,
    kNothing,     // kMore: the next line has not begun
    kNote,        // kMore: a note without its end
    kNoCommand,   // kBad: neither a command nor a note begins here
    kMark,        // kBad: a line begins with another character than `mark`
    kLineEnd,     // no CR LF behind a number, but got[]
    kCount,       // kBad: a command of `number` arguments
    kSize,        // kBad: an argument of `number` bytes
    kBytes,       // kMore: of `number` bytes (CR LF counted) `present` are there
    kTerminator,  // kBad: no CR LF behind an argument, but got[]
  };
  struct Stop {
    Fault fault = Fault::kNone;
    size_t at = 0;  // in the input: where the line or the argument begins
    char mark = 0;
    uint8_t got[2] = {0, 0};
    int64_t number = 0, present = 0;
  };

  // `input` begins where a command begins. kCommand and kNote: consumed() bytes were understood; the arguments point into the input. kMore: to be called
  // again with more.
  Status parse(Bytes input);
  std::span<const Bytes> args() const { return args_; }
  size_t consumed() const { return consumed_; }
  // Of the last parse().
  const Stop& stop() const { return stop_; }
  // Lines of the last command that were whole, also when the command was not. Notes are not counted.
  int64_t lines() const { return lines_; }

 private:
  bool parse_whole(Bytes input);
  Status parse_steps(Bytes input);
  Status take_number(Bytes input, char mark, int64_t& number);
  Status take_argument(Bytes input, int64_t size);
  Status stopped(Status status, Fault fault, size_t at) {
    stop_.fault = fault;
    stop_.at = at;
    return status;
  }
  void note_got(Bytes input, size_t at);

  std::vector<Bytes> args_;
  size_t at_ = 0;  // in the input, during parse()
  size_t consumed_ = 0;
  int64_t lines_ = 0;
  Stop stop_;
};

// "expected \r\n, got \x0a": what the stop says, in words.
OwnedBytes describe(const AofParser::Stop& stop);

}  // namespace ringwood
