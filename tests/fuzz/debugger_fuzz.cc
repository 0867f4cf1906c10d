// What a debugger client sends, in two pieces: the machine reads the same commands as from one, and answers well-formed arrays of one line each.
#include <cstdio>
#include <cstdlib>

#include "engine/commands/script/debug_reader.h"
#include "engine/commands/script/debugger.h"

using namespace ringwood;

namespace {

struct Nobody final : DebugTarget {
  void print(Bytes) override {}
  void evaluate(Bytes) override {}
  void call(std::span<const Bytes>) override {}
  void trace() override {}
};

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Obeys until the reader has no more.
DebugReader::Status obey(DebugReader& reader, Debugger& debugger, OutBuffer& out) {
  Nobody nobody;
  DebugReader::Status s;
  while ((s = reader.next()) == DebugReader::Status::kCommand) {
    check(!reader.words().empty(), "a command without words");
    debugger.obey(reader.words(), nobody);
    debugger.take(out);
  }
  return s;
}

void check_replies(Bytes rest) {
  while (!rest.empty()) {
    check(rest[0] == '*' || rest[0] == '+', "a line that is no reply");
    const size_t end = rest.find('\r');
    check(end != Bytes::npos && end + 1 < rest.size() && rest[end + 1] == '\n', "a broken line");
    rest.remove_prefix(end + 2);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  const size_t cut = size ? data[0] % size : 0;
  const Bytes source = "local a = 1\nfor i = 1, 3 do\n  a = a + i\nend\nreturn a\n";
  DebugReader whole, pieces;
  Debugger first(source), second(source);
  OutBuffer said, said_again;
  whole.feed(bytes);
  DebugReader::Status at_once = obey(whole, first, said);
  pieces.feed(bytes.substr(0, cut));
  DebugReader::Status in_two = obey(pieces, second, said_again);
  if (in_two == DebugReader::Status::kMore) {
    pieces.feed(bytes.substr(cut));
    in_two = obey(pieces, second, said_again);
  }
  check(at_once == in_two && said.view() == said_again.view(), "read differently in two pieces");
  check_replies(said.view());
  return 0;
}
