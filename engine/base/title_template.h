#pragma once
// proc-title-template: text with {variables}; "{{" is a brace.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ringwood {

// Appends the template with its variables filled in; nothing from `value` means an unknown variable. False for one of these and for a brace that is not closed.
bool fill_title_template(std::string_view text, const std::function<std::optional<std::string>(std::string_view)>& value, std::string& out);

}  // namespace ringwood
