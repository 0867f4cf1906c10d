#pragma once
// The handlers of the commands of places, one a command (engine/commands/geo_table.cc says what each takes), and what they share.
#include "engine/base/geohash.h"
#include "engine/exec/call.h"

namespace ringwood::geo_handlers {

void geoadd(Call& c);
void geopos(Call& c);
void geohash_text(Call& c);
void geodist(Call& c);
void georadius(Call& c);
void georadius_ro(Call& c);
void georadiusbymember(Call& c);
void georadiusbymember_ro(Call& c);
void geosearch(Call& c);
void geosearchstore(Call& c);

// The keys of GEORADIUS and GEORADIUSBYMEMBER: the source and, of several STORE and STOREDIST options, the last one's.
int radius_keys(std::span<const Bytes> args, int* out);

// Longitude and latitude at two arguments. False: the error has been replied.
bool to_place(Call& c, size_t at, geohash::Place& p);
// The meters of one "m", "km", "ft" or "mi". False: the error has been replied.
bool to_unit(Call& c, Bytes arg, double& meters);
// A distance in some unit, with four decimals, as a bulk string in both protocols.
void reply_distance(Reply& reply, double d);
// An array of longitude and latitude.
void reply_place(Reply& reply, geohash::Place p);

}  // namespace ringwood::geo_handlers
