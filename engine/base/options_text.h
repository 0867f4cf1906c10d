#pragma once
// Small text helpers of the configuration code.
#include <optional>
#include <string>
#include <string_view>

namespace ringwood::options_text {

bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string lower(std::string_view text);

// "100", "100b", "1k" (1000), "1kb" (1024), "m", "mb", "g", "gb", any case; no sign. Text without digits counts as 0, as in Redis.
// Refused when the bytes do not fit 64 bits (Redis takes what is left of them).
std::optional<uint64_t> parse_memory(std::string_view text);
// The shortest exact spelling for a configuration file: "1gb", "64mb", "3kb" or plain bytes.
std::string format_memory(uint64_t bytes);

// The whole text by the rules of C's strtoll in the given base; out-of-range values are refused.
std::optional<int64_t> parse_long(const std::string& text, int base = 10);

}  // namespace ringwood::options_text
