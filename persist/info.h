#pragma once
// INFO's persistence section.
#include "engine/exec/info.h"

namespace ringwood {

class DataLoad;
class Persistence;

struct PersistenceInfo {
  const Persistence* persistence;
  const DataLoad* load;
};
// `what` must live as long as the registry.
void add_persistence_info(InfoRegistry& registry, PersistenceInfo& what);

}  // namespace ringwood
