#pragma once
// The names of the ACL categories, in Redis's order.
#include <span>

#include "engine/exec/command.h"

namespace ringwood {

struct AclCategoryName {
  uint32_t bit;
  const char* name;
};

std::span<const AclCategoryName> acl_categories();
// The bit of a category's name, any case; 0 for none.
uint32_t acl_category(Bytes name);

}  // namespace ringwood
