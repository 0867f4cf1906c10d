#pragma once
// Directives whose value is more than one field: how each is read, shown and written. For the directive table alone.
#include "engine/base/directive.h"

namespace ringwood {

extern const SpecialOps kBindOps;
extern const SpecialOps kClientOutputBufferLimitOps;
extern const SpecialOps kDirOps;
extern const SpecialOps kLatencyTrackingInfoPercentilesOps;
extern const SpecialOps kNotifyKeyspaceEventsOps;
extern const SpecialOps kOomScoreAdjValuesOps;
extern const SpecialOps kReplicaofOps;
extern const SpecialOps kSaveOps;

}  // namespace ringwood
