#include "engine/base/title_template.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

std::optional<std::string> value(std::string_view name) {
  if (name == "port") return "6379";
  if (name == "nothing") return "";
  return std::nullopt;
}

TEST(TitleTemplate, FillsInWhatItKnows) {
  std::string out;
  EXPECT_TRUE(fill_title_template("a {port}{nothing} {{b} {port}", value, out));
  EXPECT_EQ(out, "a 6379 {b} 6379");
}

TEST(TitleTemplate, RefusesUnknownNamesAndOpenBraces) {
  for (const char* bad : {"{unknown}", "{port", "{", "x {}"}) {
    std::string out;
    EXPECT_FALSE(fill_title_template(bad, value, out)) << bad;
  }
}

}  // namespace
}  // namespace ringwood
