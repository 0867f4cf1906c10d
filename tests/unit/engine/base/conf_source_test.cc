#include "engine/base/conf_source.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace ringwood {
namespace {

class ConfSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "ringwood-conf-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }

  std::string folder_;
};

TEST_F(ConfSource, OneFileIsReadWhole) {
  const std::string text(40000, 'x');
  write("a.conf", text);
  EXPECT_EQ(read_config_files(folder_ + "/a.conf").text, text);
}

TEST_F(ConfSource, APatternJoinsItsFilesByNameAndMayMatchNone) {
  write("b.conf", "hz 2");
  write("a.conf", "hz 1\n");
  EXPECT_EQ(read_config_files(folder_ + "/*.conf").text, "hz 1\nhz 2\n");
  EXPECT_EQ(read_config_files(folder_ + "/*.none").text, "");
}

TEST_F(ConfSource, AMissingFileIsNamed) {
  const FileText missing = read_config_files(folder_ + "/none");
  EXPECT_FALSE(missing.text);
  EXPECT_EQ(missing.error, "Fatal error, can't open config file '" + folder_ + "/none': No such file or directory");
  EXPECT_FALSE(read_config_files(folder_).text);  // a folder
}

TEST_F(ConfSource, IncludesReachTheLoader) {
  write("a.conf", "include " + folder_ + "/*.part\nhz 30");
  write("x.part", "port 77");
  const LoadedOptions loaded = load_options(*read_config_files(folder_ + "/a.conf").text, read_config_files);
  ASSERT_FALSE(loaded.error);
  EXPECT_EQ(loaded.options.port, 77);
  EXPECT_EQ(loaded.options.hz, 30);
}

}  // namespace
}  // namespace ringwood
