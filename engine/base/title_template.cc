#include "engine/base/title_template.h"

namespace ringwood {

bool fill_title_template(std::string_view text, const std::function<std::optional<std::string>(std::string_view)>& value,
                         std::string& out) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t open = text.find('{', at);
    out.append(text.substr(at, open == std::string_view::npos ? open : open - at));
    if (open == std::string_view::npos) return true;
    if (open + 1 == text.size()) return false;
    if (text[open + 1] == '{') {
      out.push_back('{');
      at = open + 2;
      continue;
    }
    const size_t close = text.find('}', open + 1);
    if (close == std::string_view::npos) return false;
    const std::optional<std::string> filled = value(text.substr(open + 1, close - open - 1));
    if (!filled) return false;
    out.append(*filled);
    at = close + 1;
  }
  return true;
}

}  // namespace ringwood
