#include "persist/aof_manifest.h"

#include <algorithm>

#include "engine/base/number.h"
#include "engine/base/split_args.h"

namespace ringwood {
namespace {

constexpr size_t kLongestLine = 1024;

// A name that split_args would not read back as it stands is quoted.
void put_line(OwnedBytes& out, const AofFile& f, char type) {
  bool plain = !f.name.empty() &&
               std::all_of(f.name.begin(), f.name.end(), [](char c) { return c > ' ' && c < 127 && c != '"' && c != '\'' && c != '\\'; });
  out += "file ";
  plain ? out.append(f.name) : (append_quoted(out, f.name), out);
  out.append(" seq ").append(int64_text(f.seq)).append(" type ").append(1, type).append("\n");
}

bool same_word(const std::string& a, Bytes b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

bool is_word(const std::string& a) {
  return std::all_of(a.begin(), a.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
}

// Null when the line was understood.
const char* take_line(Bytes line, AofManifest& out) {
  constexpr const char* kInvalid = "Invalid AOF manifest file format";
  auto words = split_args(line);
  if (!words || words->size() < 6 || words->size() % 2) return kInvalid;
  AofFile f;
  char type = 0;
  for (size_t i = 0; i + 1 < words->size(); i += 2) {
    const std::string& value = (*words)[i + 1];
    if (same_word((*words)[i], "file")) {
      if (!f.name.empty()) return "Two files stand in one line";
      f.name = value;
      if (value.find('/') != std::string::npos) return "File can't be a path, just a filename";
    } else if (same_word((*words)[i], "seq")) {
      if (f.seq || !parse_int64(value, f.seq)) return kInvalid;
    } else if (same_word((*words)[i], "type")) {
      if (type || value.empty()) return kInvalid;  // twice: what was the end of a line is something else
      type = value[0];
    } else if (!is_word((*words)[i])) {
      return kInvalid;  // no word of a later version, but damage that has swallowed one of these
    }
  }
  if (f.name.empty() || !f.seq || !type) return kInvalid;
  switch (type) {
    case 'b':
      if (out.base) return "Found duplicate base file information";
      out.base_seq = f.seq;
      out.base = std::move(f);
      return nullptr;
    case 'h': out.history.push_back(std::move(f)); return nullptr;
    case 'i':
      if (f.seq <= out.incr_seq) return "Found a non-monotonic sequence number";
      out.incr_seq = f.seq;
      out.incr.push_back(std::move(f));
      return nullptr;
    default: return "Unknown AOF file type";
  }
}

// A manifest has no checksum. But what became history did so because something came after it, so that a file which a damaged byte calls history is told from
// one. (Of the names only those of the log are sure: the base may be an append-only file of before Redis 7.)
bool superseded(const AofManifest& m) {
  auto incremental = [](const AofFile& f) { return f.name.find(".incr.") != OwnedBytes::npos || f.name.ends_with(".log"); };
  const bool old_base = std::any_of(m.history.begin(), m.history.end(), [&](const AofFile& f) { return !incremental(f); });
  return std::all_of(m.history.begin(), m.history.end(), [&](const AofFile& f) {
    if (!m.base) return false;
    if (!incremental(f)) return f.seq < m.base->seq;
    return m.incr.empty() ? old_base : f.seq < m.incr.front().seq;
  });
}

// "#ile x seq 1 type i": a line of ours whose first byte is another one, and not what somebody has written down.
bool was_a_file(Bytes comment) { return comment.substr(1, 4) == "ile " && comment.find(" seq ") != Bytes::npos; }

}  // namespace

OwnedBytes AofManifest::text() const {
  OwnedBytes out;
  if (base) put_line(out, *base, 'b');
  for (const AofFile& f : history) put_line(out, f, 'h');
  for (const AofFile& f : incr) put_line(out, f, 'i');
  return out;
}

const AofFile& AofManifest::add_incr(Bytes stem, Bytes suffix) {
  int64_t n = ++incr_seq;
  incr.push_back({OwnedBytes(stem) + "." + int64_text(n) + OwnedBytes(suffix), n});
  return incr.back();
}

const AofFile& AofManifest::set_base(Bytes stem, Bytes suffix) {
  if (base) history.insert(history.begin(), *base);
  int64_t n = ++base_seq;
  base = AofFile{OwnedBytes(stem) + "." + int64_text(n) + OwnedBytes(suffix), n};
  return *base;
}

void AofManifest::retire_incr(size_t keep) {
  while (incr.size() > keep) {
    history.push_back(incr.front());
    incr.erase(incr.begin());
  }
}

std::optional<AofManifestError> parse_manifest(Bytes text, AofManifest& out) {
  out = {};
  if (text.empty()) return AofManifestError{"Found an empty AOF manifest", 0, {}};
  for (int number = 1; !text.empty(); number++) {
    size_t end = text.find('\n');
    Bytes line = text.substr(0, end);
    if (end == Bytes::npos || line.size() + 1 >= kLongestLine)
      return AofManifestError{"The AOF manifest file contains too long line", number, OwnedBytes(line.substr(0, kLongestLine))};
    text.remove_prefix(end + 1);
    if (!line.empty() && line[0] == '#') {
      if (was_a_file(line)) return AofManifestError{"Invalid AOF manifest file format", number, OwnedBytes(line)};
      continue;
    }
    if (const char* reason = take_line(line, out)) return AofManifestError{reason, number, OwnedBytes(line)};
  }
  if (!superseded(out)) return AofManifestError{"A file is called history, but nothing has taken its place", 0, {}};
  return std::nullopt;
}

}  // namespace ringwood
