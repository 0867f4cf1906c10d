#include "engine/base/split_args.h"

namespace ringwood {
namespace {

// Locale-free: a configuration must read the same whatever LC_CTYPE says.
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char unescaped(char c) {
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
  }
}

class LineReader {
 public:
  explicit LineReader(Bytes line) : line_(line.substr(0, line.find('\0'))) {}

  void skip_blanks() {
    while (at_ < line_.size() && is_blank(line_[at_])) ++at_;
  }
  bool done() const { return at_ == line_.size(); }

  // Reads one argument from where it begins. A quote may open in the middle of an argument, but closing it ends the argument.
  bool read_argument(std::string& out) {
    while (!done()) {
      const char c = line_[at_];
      if (c == ' ' || c == '\n' || c == '\r' || c == '\t') return true;
      ++at_;
      if (c == '"') return read_double_quoted(out);
      if (c == '\'') return read_single_quoted(out);
      out.push_back(c);
    }
    return true;
  }

 private:
  bool closed_well() const { return done() || is_blank(line_[at_]); }

  bool read_double_quoted(std::string& out) {
    while (!done()) {
      const char c = line_[at_++];
      if (c == '"') return closed_well();
      if (c != '\\' || done()) {
        out.push_back(c);
      } else {
        read_escape(out);
      }
    }
    return false;
  }

  void read_escape(std::string& out) {
    const char c = line_[at_++];
    if (c == 'x' && at_ + 1 < line_.size()) {
      const int high = hex_value(line_[at_]);
      const int low = hex_value(line_[at_ + 1]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        at_ += 2;
        return;
      }
    }
    out.push_back(unescaped(c));
  }

  bool read_single_quoted(std::string& out) {
    while (!done()) {
      const char c = line_[at_++];
      if (c == '\'') return closed_well();
      if (c == '\\' && !done() && line_[at_] == '\'') {
        out.push_back('\'');
        ++at_;
      } else {
        out.push_back(c);
      }
    }
    return false;
  }

  Bytes line_;
  size_t at_ = 0;
};

}  // namespace

std::optional<std::vector<std::string>> split_args(Bytes line) {
  std::vector<std::string> args;
  LineReader reader(line);
  for (reader.skip_blanks(); !reader.done(); reader.skip_blanks()) {
    if (!reader.read_argument(args.emplace_back())) return std::nullopt;
  }
  return args;
}

void append_quoted(std::string& out, Bytes text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '\\':
      case '"': out.append({'\\', c}); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      case '\a': out.append("\\a"); break;
      case '\b': out.append("\\b"); break;
      default:
        if (c >= ' ' && c <= '~') {
          out.push_back(c);
        } else {
          const auto byte = static_cast<uint8_t>(c);
          out.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
        }
    }
  }
  out.push_back('"');
}

}  // namespace ringwood
