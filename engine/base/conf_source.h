#pragma once
// The only place of the configuration code that touches files.
#include <string>

#include "engine/base/conf_file.h"

namespace ringwood {

inline constexpr size_t kMaxConfigBytes = 64u << 20;  // of all files of one pattern together

// The text of one file, or of all files that a pattern with * ? [ matches, in order of their names; no match is an empty text. Blocks: for
// the start of the program only.
FileText read_config_files(const std::string& path_or_pattern);

// All of standard input.
FileText read_config_stdin();

}  // namespace ringwood
