#pragma once
// Decoders of RDB's primitives over bytes that may not all have arrived yet. A decoder either takes its whole token from the input, or takes nothing and
// says that it needs more, to be called again when the input is longer. A length that the file states never leads to an allocation by itself:
// memory grows as bytes arrive.
#include "engine/exec/out_buffer.h"
#include "persist/rdb_format.h"

namespace ringwood::rdb {

enum class Step : uint8_t {
  kDone,  // the token has been taken
  kMore,  // nothing was taken: the token goes on beyond what is there
  kBad,   // what is there is not RDB; Input::why says what is wrong
};

struct Input {
  const char* p;
  const char* end;
  OwnedBytes why;  // set with Step::kBad

  explicit Input(Bytes b) : p(b.data()), end(b.data() + b.size()) {}
  size_t left() const { return static_cast<size_t>(end - p); }
  Step bad(Bytes reason) {
    why = reason;
    return Step::kBad;
  }
};

Step take_byte(Input& in, uint8_t& b);
// n bytes as they stand; the view lives as long as the input's.
Step take_bytes(Input& in, size_t n, Bytes& bytes);
Step take_length(Input& in, uint64_t& n);
template <class T>
Step take_fixed(Input& in, T& v) {
  if (in.left() < sizeof v) return Step::kMore;
  v = load<T>(in.p);
  in.p += sizeof v;
  return Step::kDone;
}
// A score of ZSET: text with a one-byte length, or a name for what has no digits.
Step take_text_score(Input& in, double& score);

// Takes strings; keeps the room that compressed ones are unpacked into.
class StringDecoder {
 public:
  struct Text {
    Bytes bytes;  // valid until the next take(), or the end of the input's bytes
    bool is_integer = false;
    int64_t integer = 0;           // when it was written as one; `bytes` is empty then, see view()
    Bytes view(char* room) const;  // the text in either case; room for kMaxIntChars
  };
  Step take(Input& in, Text& text);

 private:
  Step take_packed(Input& in, const char* start, Text& text);
  OutBuffer unpacked_;
};

}  // namespace ringwood::rdb
