// engine/precompiled/upper_half.h for tests of commands and of what stands beside them.
#include <gtest/gtest.h>

#include "engine/precompiled/upper_half.h"
#include "tests/harness/in_process.h"
