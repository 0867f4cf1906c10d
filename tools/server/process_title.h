#pragma once
// The title of the process, which ps and top show instead of its arguments (set-proc-title, proc-title-template).
#include <string>

#include "engine/base/options.h"

namespace ringwood {

// Makes room for titles where the arguments and the environment lie; the environment moves elsewhere, argv is void afterwards. Once, before there are threads.
void reserve_process_title(int argc, char** argv);
// Fills in the template and shows it, unless the options say no or nothing was reserved. `program` is the program's name as it was
// started, `config_file` may be empty.
void set_process_title(const Options& options, const std::string& program, const std::string& config_file);

}  // namespace ringwood
