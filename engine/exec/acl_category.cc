#include "engine/exec/acl_category.h"

#include "engine/base/options_text.h"

namespace ringwood {
namespace {

constexpr AclCategoryName kNames[] = {
    {kAclKeyspace, "keyspace"},
    {kAclRead, "read"},
    {kAclWrite, "write"},
    {kAclSet, "set"},
    {kAclSortedSet, "sortedset"},
    {kAclList, "list"},
    {kAclHash, "hash"},
    {kAclString, "string"},
    {kAclBitmap, "bitmap"},
    {kAclHyperLogLog, "hyperloglog"},
    {kAclGeo, "geo"},
    {kAclStream, "stream"},
    {kAclPubSub, "pubsub"},
    {kAclAdmin, "admin"},
    {kAclFast, "fast"},
    {kAclSlow, "slow"},
    {kAclBlocking, "blocking"},
    {kAclDangerous, "dangerous"},
    {kAclConnection, "connection"},
    {kAclTransaction, "transaction"},
    {kAclScripting, "scripting"},
};

}  // namespace

std::span<const AclCategoryName> acl_categories() { return kNames; }

uint32_t acl_category(Bytes name) {
  for (const AclCategoryName& c : kNames)
    if (options_text::equal_ignoring_case(name, c.name)) return c.bit;
  return 0;
}

}  // namespace ringwood
