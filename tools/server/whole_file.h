#pragma once
// Small files that are read and written at once, by rare commands: the configuration, the ACL file.
#include <string>

#include "engine/base/bytes.h"

namespace ringwood {

// As seen from the root; the path itself where there is no such file.
std::string absolute_path(const char* path);
// These answer nothing, or the system's error text.
std::string read_whole_file(const std::string& path, std::string& text);
// The old file is replaced whole, or stays as it is.
std::string write_whole_file(const std::string& path, Bytes text);

}  // namespace ringwood
