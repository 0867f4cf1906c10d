#pragma once
// Requests made from templates: a command line whose words may hold {n}, a random number below a bound in 12 digits. Making one costs a copy and the digits.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ringwood::bench {

class RequestTemplate {
 public:
  // One command: its words, {n} and all.
  explicit RequestTemplate(const std::vector<std::string_view>& words) {
    text_ = "*" + std::to_string(words.size()) + "\r\n";
    for (std::string_view word : words) {
      std::string filled;
      std::vector<size_t> at;
      for (size_t i = 0; i < word.size();) {
        if (word.substr(i).starts_with("{n}")) {
          at.push_back(filled.size());
          filled.append(kDigits, '0');
          i += 3;
        } else {
          filled += word[i++];
        }
      }
      text_ += "$" + std::to_string(filled.size()) + "\r\n";
      for (size_t offset : at) numbers_.push_back(text_.size() + offset);
      words_.push_back({text_.size(), filled.size()});
      text_ += filled + "\r\n";
    }
  }
  size_t size() const { return text_.size(); }
  // Where a word stands in what make() writes.
  struct Place {
    size_t offset, size;
  };
  Place word(size_t i) const { return words_[i]; }
  size_t words() const { return words_.size(); }
  // The words as they are without numbers.
  std::vector<std::string> example() const {
    std::vector<std::string> out;
    for (const Place& p : words_) out.push_back(text_.substr(p.offset, p.size));
    return out;
  }

  // Writes one request to `out`, which has room for size() bytes; `random` answers a number below the bound.
  template <class F>
  char* make(char* out, F&& random) const {
    std::memcpy(out, text_.data(), text_.size());
    for (size_t at : numbers_) {
      uint64_t v = random();
      for (char* p = out + at + kDigits - 1; v; v /= 10) *p-- = static_cast<char>('0' + v % 10);
    }
    return out + text_.size();
  }

 private:
  static constexpr size_t kDigits = 12;
  std::string text_;
  std::vector<size_t> numbers_;  // where digits stand
  std::vector<Place> words_;
};

// Counts the replies in a stream of bytes, and keeps the first error, at any depth.
class ReplyCounter {
 public:
  // Reads what is whole in [from, to) and answers where it stopped: the rest is the beginning of a line, to be given again with more behind it.
  const char* feed(const char* from, const char* to) {
    while (from < to) {
      if (skip_) {
        auto step = static_cast<size_t>(to - from) < skip_ ? static_cast<size_t>(to - from) : skip_;
        from += step, skip_ -= step;
        if (!skip_) done();
        continue;
      }
      auto* end = static_cast<const char*>(std::memchr(from, '\n', static_cast<size_t>(to - from)));
      if (!end) break;
      line({from, static_cast<size_t>(end - from)});
      from = end + 1;
    }
    return from;
  }
  uint64_t replies() const { return replies_; }
  // Of them, those of a node that sends clients elsewhere, or takes part again soon. They are no error where the counter is told so.
  uint64_t redirections() const { return redirections_; }
  void allow_redirections() { redirections_allowed_ = true; }
  const std::string& error() const { return error_; }

 private:
  void line(std::string_view text) {
    long n = 0;
    switch (text[0]) {
      case '$':
      case '=':
        n = std::atol(text.data() + 1);
        if (n < 0) return done();
        skip_ = static_cast<size_t>(n) + 2;
        return;
      case '*':
      case '%':
      case '~':
      case '>':
        n = std::atol(text.data() + 1) * (text[0] == '%' ? 2 : 1);
        if (n <= 0) return done();
        open_ += static_cast<uint64_t>(n);
        if (open_ > static_cast<uint64_t>(n)) open_--;  // it is itself an element of what is open
        return;
      case '-':
        if (redirections_allowed_ && is_redirection(text))
          redirections_++;
        else if (error_.empty())
          error_ = text;
        return done();
      default: return done();
    }
  }
  static bool is_redirection(std::string_view text) {
    for (std::string_view code : {"-MOVED ", "-ASK ", "-TRYAGAIN ", "-CLUSTERDOWN "})
      if (text.starts_with(code)) return true;
    return false;
  }
  // An element has ended: with the last of them the reply.
  void done() {
    if (open_ && --open_) return;
    replies_++;
  }
  uint64_t replies_ = 0, redirections_ = 0;
  bool redirections_allowed_ = false;
  uint64_t open_ = 0;  // elements that are still to come of the reply that has begun
  size_t skip_ = 0;    // bytes of a bulk string that are still to come
  std::string error_;
};

}  // namespace ringwood::bench
