#pragma once
// DEBUG's subcommands. DEBUG runs under a lease of all shards, so that each may look at any key.
#include "engine/exec/call.h"

namespace ringwood::debug {

// debug_data.cc: keys and their values.
void digest(Call& c);
void digest_value(Call& c);
void object(Call& c);
void sdslen(Call& c);
void listpack(Call& c);
void quicklist(Call& c);
void populate(Call& c);
void htstats(Call& c);
void htstats_key(Call& c);

// debug_protocol.cc: replies of every kind.
void protocol(Call& c);
void error(Call& c);

}  // namespace ringwood::debug
