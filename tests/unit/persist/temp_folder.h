#pragma once
// A folder of its own for a test, removed with what is in it. In memory where that can be had: the tests make tens of thousands of files, and what a disk
// forgets is FailingDisk's part. TEST_TMPDIR says otherwise.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ringwood {

class TempFolder {
 public:
  TempFolder() {
    std::string name = place() + "/ringwood-XXXXXX";
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& bytes) const { std::ofstream(file(name), std::ios::binary) << bytes; }
  std::string read(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary | std::ios::ate);
    if (!in) return {};
    std::string bytes(static_cast<size_t>(in.tellg()), '\0');  // at once: byte by byte was half the time of the tests that damage files
    in.seekg(0).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }
  bool has(const std::string& name) const { return std::filesystem::exists(file(name)); }
  void copy_to(const TempFolder& other) const { std::filesystem::copy(path_, other.path_, std::filesystem::copy_options::recursive); }
  size_t files() const {
    size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) n += entry.exists();
    return n;
  }

 private:
  static std::string place() {
    std::error_code missing;
    const std::filesystem::space_info memory = std::filesystem::space("/dev/shm", missing);
    const bool roomy = !missing && memory.available >= uint64_t{256} << 20 && ::access("/dev/shm", W_OK) == 0;
    return roomy && !std::getenv("TEST_TMPDIR") ? "/dev/shm" : testing::TempDir();
  }
  std::string path_;
};

}  // namespace ringwood
