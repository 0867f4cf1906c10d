// What nearly every file of the engine's upper half reaches, for builds that precompile it (-Db_pch=true, as tools/test does for two of its three builds:
// most of a compilation is reading these). No source may include or rely on it: in any other build it is not there.
#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/executor.h"
