// engine/precompiled/upper_half.h for tests of what needs no executor.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>
