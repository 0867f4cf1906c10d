#pragma once
// CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: the handlers; their specifications stand with CLIENT's others.
#include <span>

#include "engine/base/bytes.h"

namespace ringwood {

class Call;

void client_tracking(Call& c);
void client_caching(Call& c);
void client_getredir(Call& c);
void client_trackinginfo(Call& c);
// Tracking to another client: that one is looked for on all threads first, and no shard is held meanwhile. All else runs with every shard held.
bool tracking_without_redirect(std::span<const Bytes> args);

}  // namespace ringwood
