// What engine/precompiled/upper_half.h is to most sources, this is to tests of what needs no executor.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>
