#include "net/client/value.h"

#include <algorithm>

#include "engine/base/number.h"
#include "engine/base/resp_command.h"

namespace ringwood::client {

const Value* Value::find(Bytes key) const {
  if (!is_list()) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i].text == key) return &items[i + 1];
  return nullptr;
}

void ValueReader::feed(Bytes bytes) {
  constexpr size_t kTidy = 64 * 1024;
  if (at_ == buffer_.size() || at_ > kTidy) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_.append(bytes);
}

bool ValueReader::next(Value& value) {
  while (!broken_) {
    Value one;
    switch (read_one(one)) {
      case Step::kMore: return false;
      case Step::kOpened: continue;
      case Step::kWhole: break;
    }
    if (open_.empty()) {
      value = std::move(one);
      return true;
    }
    // Into the list that it is an item of, and that into the next where it is whole now.
    while (!open_.empty()) {
      Open& inner = open_.back();
      inner.value.items.push_back(std::move(one));
      if (--inner.missing) break;
      one = std::move(inner.value);
      open_.pop_back();
      if (open_.empty()) {
        value = std::move(one);
        return true;
      }
    }
  }
  return false;
}

ValueReader::Step ValueReader::open(Value& value, Value::Kind kind, int64_t items) {
  value.kind = items < 0 ? Value::Kind::kNil : kind;
  if (items <= 0) return Step::kWhole;
  open_.push_back({std::move(value), static_cast<size_t>(items)});
  return Step::kOpened;
}

// One value that is no list, or the head of a list.
ValueReader::Step ValueReader::read_one(Value& value) {
  using Kind = Value::Kind;
  const size_t end = buffer_.find("\r\n", at_);
  if (end == std::string::npos) return Step::kMore;
  if (end == at_) {
    broken_ = true;
    return Step::kMore;
  }
  const char type = buffer_[at_];
  const Bytes rest = Bytes(buffer_).substr(at_ + 1, end - at_ - 1);
  const size_t behind = end + 2;
  int64_t n = 0;
  const bool counted = std::string("$=!*~>%:").find(type) != std::string::npos;
  if (counted && !parse_int64(rest, n)) {
    broken_ = true;
    return Step::kMore;
  }
  switch (type) {
    case '+':
    case '(':
    case '-':
      value.kind = type == '-' ? Kind::kError : Kind::kSimple;
      value.text = rest;
      break;
    case ':':
    case ',':
      value.kind = type == ':' ? Kind::kInteger : Kind::kDouble;
      value.text = rest;
      value.integer = n;
      break;
    case '#':
      value.kind = Kind::kBool;
      value.integer = rest == "t";
      break;
    case '_': break;
    case '$':
    case '=':
    case '!': {
      if (n < 0) break;
      const auto size = static_cast<size_t>(n);
      if (buffer_.size() < behind + size + 2) return Step::kMore;
      value.kind = type == '!' ? Kind::kError : Kind::kBulk;
      value.text = buffer_.substr(behind, size);
      if (type == '=') value.text.erase(0, std::min<size_t>(4, size));  // "txt:"
      at_ = behind + size + 2;
      return Step::kWhole;
    }
    case '*':
    case '~':
    case '>': at_ = behind; return open(value, Kind::kArray, n);
    case '%': at_ = behind; return open(value, Kind::kMap, n < 0 ? n : n * 2);
    default: broken_ = true; return Step::kMore;
  }
  at_ = behind;
  return Step::kWhole;
}

std::string encode(const std::vector<std::string>& words) {
  std::string out;
  put_command(out, words);
  return out;
}

std::string show(const Value& v, const std::string& indent) {
  switch (v.kind) {
    case Value::Kind::kNil: return indent + "(nil)\n";
    case Value::Kind::kError: return indent + "(error) " + v.text + "\n";
    case Value::Kind::kInteger: return indent + "(integer) " + v.text + "\n";
    case Value::Kind::kBool: return indent + (v.integer ? "(true)\n" : "(false)\n");
    case Value::Kind::kSimple:
    case Value::Kind::kDouble:
    case Value::Kind::kBulk: {
      std::string out;
      for (size_t from = 0; from <= v.text.size();) {  // INFO and its like have lines of their own
        const size_t end = std::min(v.text.find('\n', from), v.text.size());
        Bytes line = Bytes(v.text).substr(from, end - from);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (!(line.empty() && end == v.text.size() && from)) out.append(indent).append(line).append("\n");
        from = end + 1;
      }
      return out;
    }
    case Value::Kind::kArray:
    case Value::Kind::kMap: break;
  }
  if (v.items.empty()) return indent + "(empty)\n";
  std::string out;
  const std::string inner = indent + "  ";
  for (size_t i = 0; i < v.items.size(); i++) {
    std::string item = show(v.items[i], inner);
    item[indent.size()] = v.kind == Value::Kind::kMap && i % 2 ? ' ' : '-';
    out += item;
  }
  return out;
}

}  // namespace ringwood::client
