#pragma once
// One line of text cut into arguments, by the quoting rules that redis.conf and inline commands share.
#include <optional>
#include <string>
#include <vector>

#include "engine/base/bytes.h"

namespace ringwood {

// Arguments are separated by blanks. "Double quotes" know \n \r \t \b \a \xHH and \<any char>; 'single quotes' know \' alone. A closing
// quote must be followed by a blank or the end. A NUL ends the line, as it does for Redis. Nothing if the quotes do not balance.
std::optional<std::vector<std::string>> split_args(Bytes line);

// Appends `text` in double quotes, so that split_args reads the same bytes back.
void append_quoted(std::string& out, Bytes text);

}  // namespace ringwood
