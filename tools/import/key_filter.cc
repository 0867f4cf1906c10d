#include "tools/import/key_filter.h"

#include <algorithm>

#include "engine/base/glob.h"

namespace ringwood {
namespace {

template <class List, class One>
bool has(const List& list, const One& one) {
  return list.empty() || std::find(list.begin(), list.end(), one) != list.end();
}

}  // namespace

bool takes_name(const ImportOptions& options, int database, Bytes key) {
  if (!has(options.databases, database)) return false;
  return options.patterns.empty() ||
         std::any_of(options.patterns.begin(), options.patterns.end(), [key](const OwnedBytes& p) { return glob_match(p, key); });
}

bool takes(const ImportOptions& options, int database, const Entry& e) {
  return has(options.types, e.type()) && takes_name(options, database, e.key());
}

}  // namespace ringwood
