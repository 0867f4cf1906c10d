// The wire: writing replies, and parsing requests as they come out of a receive buffer.
#include <benchmark/benchmark.h>

#include <deque>
#include <string>

#include "engine/exec/reply.h"
#include "net/resp_parser.h"

namespace ringwood {
namespace {

using benchmark::State;

void expect(State& state, bool right) {
  if (!right) state.SkipWithError("a wrong result");
}

void reply_bulk(State& state) {
  std::string value(static_cast<size_t>(state.range(0)), 'v');
  OutBuffer out;
  for (auto _ : state) {
    out.clear();
    for (int i = 0; i < 64; i++) Reply(out, 2).bulk(value);
  }
  expect(state, out.size() == 64 * (value.size() + std::to_string(value.size()).size() + 5));
  state.SetItemsProcessed(state.iterations() * 64);
}

void reply_integer(State& state) {
  OutBuffer out;
  for (auto _ : state) {
    out.clear();
    for (int i = 0; i < 64; i++) Reply(out, 2).integer(state.range(0));
  }
  expect(state, out.size() == 64 * (std::to_string(state.range(0)).size() + 3));
  state.SetItemsProcessed(state.iterations() * 64);
}

void reply_number(State& state) {
  OutBuffer out;
  for (auto _ : state) {
    out.clear();
    for (int i = 0; i < 64; i++) Reply(out, 3).number(3.25 + i);
  }
  expect(state, out.view().substr(0, 7) == ",3.25\r\n");
  state.SetItemsProcessed(state.iterations() * 64);
}

std::string requests(size_t n, size_t value) {
  std::string one = "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$" + std::to_string(value) + "\r\n" + std::string(value, 'v') + "\r\n",
              all;
  for (size_t i = 0; i < n; i++) all += one;
  return all;
}

// A pipeline of 64 SETs; `piece` bytes arrive at once (0: all).
void parse(State& state, size_t piece) {
  std::string input = requests(64, static_cast<size_t>(state.range(0)));
  ArgArena args;
  std::deque<OwnedBytes> unquoted;
  ParseTarget to{args, unquoted};
  size_t parsed = 0;
  for (auto _ : state) {
    RequestParser parser;
    size_t begin = 0, end = piece ? 0 : input.size();
    while (begin < input.size()) {
      if (parser.parse(Bytes(input).substr(begin, end - begin), to) == RequestParser::Status::kRequest) {
        begin += parser.consumed();
        parsed += parser.args().size() == 3;
      } else {
        end = std::min(input.size(), end + piece);
      }
    }
    args.reset();
  }
  expect(state, parsed == static_cast<size_t>(state.iterations()) * 64);
  state.SetItemsProcessed(static_cast<int64_t>(parsed));
}
void parse_whole(State& state) { parse(state, 0); }
void parse_in_pieces(State& state) { parse(state, 1448); }

BENCHMARK(reply_bulk)->Arg(3)->Arg(64)->Arg(1024);
BENCHMARK(reply_integer)->Arg(1)->Arg(1234567);
BENCHMARK(reply_number);
BENCHMARK(parse_whole)->Arg(3)->Arg(64)->Arg(4096);
BENCHMARK(parse_in_pieces)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace ringwood

BENCHMARK_MAIN();
