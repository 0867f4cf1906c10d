#pragma once
// Checks of single directives beyond their type. Each answers the reason of a refusal in Redis's words, or empty.
#include <string>
#include <string_view>

#include "engine/base/directive.h"

namespace ringwood {

std::string check_dbfilename(std::string_view value);
std::string check_appendfilename(std::string_view value);
std::string check_appenddirname(std::string_view value);
std::string check_waldirname(std::string_view value);
std::string check_hostname(std::string_view value);
std::string check_nodename(std::string_view value);
std::string check_proc_title_template(std::string_view value);
std::string check_shutdown_flags(int64_t value, SetSource source);
std::string check_activedefrag(int64_t value, SetSource source);
std::string check_tls(int64_t value, SetSource source);

}  // namespace ringwood
