// LCS: the longest common subsequence of two strings, by the usual table of the lengths for every pair of prefixes.
#include <algorithm>

#include "engine/base/memory.h"
#include "engine/base/number.h"
#include "engine/commands/families.h"
#include "engine/exec/call.h"

namespace ringwood {
namespace {

struct LcsOptions {
  bool length = false, indexes = false, with_match_length = false;
  int64_t min_match = 0;
};

bool parse(Call& c, LcsOptions& o) {
  for (size_t i = 3; i < c.argc(); i++) {
    if (Call::is_word(c.arg(i), "idx")) {
      o.indexes = true;
    } else if (Call::is_word(c.arg(i), "len")) {
      o.length = true;
    } else if (Call::is_word(c.arg(i), "withmatchlen")) {
      o.with_match_length = true;
    } else if (Call::is_word(c.arg(i), "minmatchlen") && i + 1 < c.argc()) {
      if (!c.to_int(c.arg(++i), o.min_match)) return false;
      o.min_match = std::max<int64_t>(o.min_match, 0);
    } else {
      return c.reply.syntax_error(), false;
    }
  }
  if (!o.length || !o.indexes) return true;
  c.reply.error("ERR If you want both the length and indexes, please just use IDX.");
  return false;
}

// at(i, j): length of the longest common subsequence of the first i bytes of a and the first j of b.
class LcsTable {
 public:
  LcsTable(Bytes a, Bytes b) : columns_(b.size() + 1), cells_(static_cast<uint32_t*>(memory::allocate(bytes(a, b)))) {
    std::fill_n(cells_, columns_, 0);
    for (size_t i = 1; i <= a.size(); i++) {
      const uint32_t* above = cells_ + (i - 1) * columns_;
      uint32_t* row = cells_ + i * columns_;
      row[0] = 0;
      for (size_t j = 1; j <= b.size(); j++) row[j] = a[i - 1] == b[j - 1] ? above[j - 1] + 1 : std::max(above[j], row[j - 1]);
    }
  }
  ~LcsTable() { memory::release(cells_); }
  LcsTable(const LcsTable&) = delete;
  LcsTable& operator=(const LcsTable&) = delete;

  static uint64_t bytes(Bytes a, Bytes b) { return (a.size() + 1) * (b.size() + 1) * sizeof(uint32_t); }
  uint32_t at(size_t i, size_t j) const { return cells_[i * columns_ + j]; }

 private:
  size_t columns_;
  uint32_t* cells_;
};

// A run of bytes that the two strings have in common one behind the other, by first and last index in each.
struct Match {
  size_t a_first, a_last, b_first, b_last;
};

void reply_match(Reply& r, const Match& m, bool with_length) {
  r.array(with_length ? 3 : 2);
  r.array(2);
  r.integer(static_cast<int64_t>(m.a_first));
  r.integer(static_cast<int64_t>(m.a_last));
  r.array(2);
  r.integer(static_cast<int64_t>(m.b_first));
  r.integer(static_cast<int64_t>(m.b_last));
  if (with_length) r.integer(static_cast<int64_t>(m.a_last - m.a_first + 1));
}

// Walks back through the table from the ends of both strings: found(byte) for each byte of the subsequence, ended(match) for each run, both from the
// last to the first.
template <class Found, class Ended>
void walk_back(Bytes a, Bytes b, const LcsTable& table, Found&& found, Ended&& ended) {
  size_t i = a.size(), j = b.size();
  bool open = false;
  Match m{};
  while (i > 0 && j > 0) {
    bool ends = false;
    if (a[i - 1] == b[j - 1]) {
      found(a[i - 1]);
      if (!open) {
        m = {i - 1, i - 1, j - 1, j - 1};
        open = true;
      } else if (m.a_first == i && m.b_first == j) {
        m.a_first--;
        m.b_first--;
      } else {
        ends = true;
      }
      if (m.a_first == 0 || m.b_first == 0) ends = true;
      i--;
      j--;
    } else {
      if (table.at(i - 1, j) > table.at(i, j - 1))
        i--;
      else
        j--;
      ends = open;
    }
    if (ends) {
      ended(m);
      open = false;
    }
  }
}

void reply_indexes(Call& c, Bytes a, Bytes b, const LcsTable& table, const LcsOptions& o) {
  c.reply.map(2);
  c.reply.bulk("matches");
  size_t mark = c.reply.begin(), n = 0;
  walk_back(
      a, b, table, [](char) {},
      [&](const Match& m) {
        if (o.min_match > 0 && static_cast<int64_t>(m.a_last - m.a_first + 1) < o.min_match) return;
        reply_match(c.reply, m, o.with_match_length);
        n++;
      });
  c.reply.end_array(mark, n);
  c.reply.bulk("len");
  c.reply.integer(table.at(a.size(), b.size()));
}

void lcs(Call& c) {
  Entry* ea = c.find_read(c.key(1));
  Entry* eb = c.find_read(c.key(2));
  if ((ea && ea->type() != Type::kString) || (eb && eb->type() != Type::kString))
    return c.reply.error("ERR The specified keys must contain string values");
  LcsOptions o;
  if (!parse(c, o)) return;
  char scratch_a[kMaxIntChars + 1], scratch_b[kMaxIntChars + 1];
  Bytes a = ea ? ea->string_view(scratch_a) : Bytes{};
  Bytes b = eb ? eb->string_view(scratch_b) : Bytes{};
  if (a.size() >= UINT32_MAX - 1 || b.size() >= UINT32_MAX - 1) return c.reply.error("ERR String too long for LCS");
  if ((b.size() + 1) > UINT64_MAX / 4 / (a.size() + 1) || LcsTable::bytes(a, b) > static_cast<uint64_t>(c.options().proto_max_bulk_len))
    return c.reply.error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  LcsTable table(a, b);
  if (o.indexes) return reply_indexes(c, a, b, table, o);
  if (o.length) return c.reply.integer(table.at(a.size(), b.size()));
  OwnedBytes result(table.at(a.size(), b.size()), '\0');
  size_t left = result.size();
  walk_back(
      a, b, table, [&](char byte) { result[--left] = byte; }, [](const Match&) {});
  c.reply.bulk(result);
}

constexpr KeySpec kKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 1, .last = 1}};

constexpr CommandSpec kCommands[] = {
    {.name = "lcs",
     .arity = -3,
     .flags = kReadOnly,
     .run = lcs,
     .keys = kKeys,
     .group = Group::kString,
     .since = "7.0.0",
     .complexity = "O(N*M) where N and M are the lengths of the two strings, in time and in transient memory.",
     .summary = "Finds the longest subsequence that two strings have in common.",
     .syntax = "key1:key key2:key [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]"},
};

}  // namespace

std::span<const CommandSpec> string_lcs_commands() { return kCommands; }

}  // namespace ringwood
