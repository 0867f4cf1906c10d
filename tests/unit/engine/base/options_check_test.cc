#include "engine/base/options_check.h"

#include <gtest/gtest.h>

namespace ringwood {
namespace {

TEST(OptionsCheck, FileNamesAreNoPaths) {
  EXPECT_EQ(check_dbfilename("dump.rdb"), "");
  EXPECT_EQ(check_dbfilename(""), "");
  EXPECT_EQ(check_dbfilename("../dump.rdb"), "dbfilename can't be a path, just a filename");
  EXPECT_EQ(check_appendfilename(""), "appendfilename can't be empty");
  EXPECT_EQ(check_appendfilename("a\\b"), "appendfilename can't be a path, just a filename");
  EXPECT_EQ(check_appenddirname(""), "appenddirname can't be empty");
  EXPECT_EQ(check_appenddirname("/x"), "appenddirname can't be a path, just a dirname");
}

TEST(OptionsCheck, HostnamesHaveAnAlphabetAndABound) {
  EXPECT_EQ(check_hostname("node-1.example.com"), "");
  EXPECT_EQ(check_hostname(std::string(255, 'a')), "");
  EXPECT_EQ(check_hostname(std::string(256, 'a')), "Hostnames must be less than 256 characters");
  EXPECT_EQ(check_hostname("a_b"), "Hostnames may only contain alphanumeric characters, hyphens or dots");
  EXPECT_EQ(check_nodename("my node"), "");
  EXPECT_EQ(check_nodename("a@b"), "Announced human node name contained invalid character");
}

TEST(OptionsCheck, TitleTemplatesMustBeWellFormedAndShowSomething) {
  const std::string bad = "template format is invalid or contains unknown variables";
  EXPECT_EQ(check_proc_title_template("{title} {listen-addr} {server-mode}"), "");
  EXPECT_EQ(check_proc_title_template("{{literal"), "");
  EXPECT_EQ(check_proc_title_template("TEST {port}"), "");
  for (const char* text : {"", "  ", "{title}", "{unknown}", "{port", "x{", "{}"}) EXPECT_EQ(check_proc_title_template(text), bad) << text;
}

TEST(OptionsCheck, ShutdownCannotSaveAndNotSave) {
  EXPECT_EQ(check_shutdown_flags(kShutdownSave | kShutdownForce, SetSource::kFile), "");
  EXPECT_EQ(check_shutdown_flags(kShutdownSave | kShutdownNosave, SetSource::kFile),
            "shutdown options SAVE and NOSAVE can't be used simultaneously");
}

TEST(OptionsCheck, ActiveDefragmentationIsRefusedAtRunTimeOnly) {
  EXPECT_EQ(check_activedefrag(1, SetSource::kFile), "");
  EXPECT_EQ(check_activedefrag(0, SetSource::kConfigSet), "");
  EXPECT_EQ(check_activedefrag(1, SetSource::kConfigSet).substr(0, 43), "Active defragmentation cannot be enabled: i");
}

TEST(OptionsCheck, EncryptionIsRefusedRatherThanForgotten) {
  EXPECT_EQ(check_tls(0, SetSource::kFile), "");
  EXPECT_EQ(check_tls(6380, SetSource::kFile), "TLS is not available");
  EXPECT_EQ(check_tls(6380, SetSource::kConfigSet), "Unable to update TLS configuration. Check server logs.");
}

}  // namespace
}  // namespace ringwood
