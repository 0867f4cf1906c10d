#include "engine/commands/families.h"
#include "engine/commands/geo_handlers.h"

namespace ringwood {
namespace {

using namespace geo_handlers;

constexpr KeySpec kAddedKey[] = {{.flags = kKeyRW | kKeyUpdate, .index = 1}};
constexpr KeySpec kReadKey[] = {{.flags = kKeyRO | kKeyAccess, .index = 1}};
constexpr KeySpec kRadiusKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 1},
                                   {.flags = kKeyOW | kKeyUpdate, .index = 6, .keyword = "STORE"},
                                   {.flags = kKeyOW | kKeyUpdate, .index = 6, .keyword = "STOREDIST"}};
constexpr KeySpec kRadiusByMemberKeys[] = {{.flags = kKeyRO | kKeyAccess, .index = 1},
                                           {.flags = kKeyOW | kKeyUpdate, .index = 5, .keyword = "STORE"},
                                           {.flags = kKeyOW | kKeyUpdate, .index = 5, .keyword = "STOREDIST"}};
constexpr KeySpec kSearchStoreKeys[] = {{.flags = kKeyOW | kKeyUpdate, .index = 1}, {.flags = kKeyRO | kKeyAccess, .index = 2}};

constexpr const char* kAddHistory[] = {"6.2.0|Options CH, NX and XX."};
constexpr const char* kRadiusHistory[] = {"6.2.0|Option ANY of COUNT.", "7.0.0|Units may be in upper case."};
constexpr const char* kRadiusRoHistory[] = {"6.2.0|Option ANY of COUNT."};
constexpr const char* kUnitHistory[] = {"7.0.0|Units may be in upper case."};

constexpr const char* kSearchComplexity = "O(N+log(M)) for N members in the cells around the area and M in the whole index";

constexpr CommandSpec kSpecs[] = {
    {.name = "geoadd",
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .run = geoadd,
     .keys = kAddedKey,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = "O(log(N)) a member, for an index of N",
     .summary = "Adds members with their places to a geospatial index, or moves them.",
     .syntax = "key:key [NX|XX] [CH] (longitude:double latitude:double member)...",
     .history = kAddHistory},
    {.name = "geodist",
     .arity = -4,
     .flags = kReadOnly,
     .run = geodist,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Answers how far two members of a geospatial index are from each other.",
     .syntax = "key:key member1 member2 [M|KM|FT|MI]"},
    {.name = "geohash",
     .arity = -2,
     .flags = kReadOnly,
     .run = geohash_text,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = "O(1) a member",
     .summary = "Answers the places of members of a geospatial index as textual geohashes.",
     .syntax = "key:key [member...]"},
    {.name = "geopos",
     .arity = -2,
     .flags = kReadOnly,
     .run = geopos,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = "O(1) a member",
     .summary = "Answers longitude and latitude of members of a geospatial index.",
     .syntax = "key:key [member...]"},
    {.name = "georadius",
     .arity = -6,
     .flags = kWrite | kDenyOom,
     .run = georadius,
     .keys = kRadiusKeys,
     .keys_of = radius_keys,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = kSearchComplexity,
     .summary = "Finds the members of a geospatial index within a distance of a place, and can store them.",
     .syntax = "key:key longitude:double latitude:double radius:double (M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count:integer [ANY]] [ASC|DESC] [STORE key:key|STOREDIST key:key]",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
     .history = kRadiusHistory},
    {.name = "georadius_ro",
     .arity = -6,
     .flags = kReadOnly,
     .run = georadius_ro,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.10",
     .complexity = kSearchComplexity,
     .summary = "Finds the members of a geospatial index within a distance of a place.",
     .syntax = "key:key longitude:double latitude:double radius:double (M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count:integer [ANY]] [ASC|DESC]",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` with the `BYRADIUS` argument",
     .history = kRadiusRoHistory},
    {.name = "georadiusbymember",
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .run = georadiusbymember,
     .keys = kRadiusByMemberKeys,
     .keys_of = radius_keys,
     .group = Group::kGeo,
     .since = "3.2.0",
     .complexity = kSearchComplexity,
     .summary = "Finds the members of a geospatial index within a distance of one of them, and can store them.",
     .syntax = "key:key member radius:double (M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count:integer [ANY]] [ASC|DESC] "
               "[STORE key:key|STOREDIST key:key]",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
     .history = kUnitHistory},
    {.name = "georadiusbymember_ro",
     .arity = -5,
     .flags = kReadOnly,
     .run = georadiusbymember_ro,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "3.2.10",
     .complexity = kSearchComplexity,
     .summary = "Finds the members of a geospatial index within a distance of one of them.",
     .syntax = "key:key member radius:double (M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count:integer [ANY]] [ASC|DESC]",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"},
    {.name = "geosearch",
     .arity = -7,
     .flags = kReadOnly,
     .run = geosearch,
     .keys = kReadKey,
     .group = Group::kGeo,
     .since = "6.2.0",
     .complexity = kSearchComplexity,
     .summary = "Finds the members of a geospatial index within a circle or a box.",
     .syntax = "key:key (FROMMEMBER member|FROMLONLAT longitude:double latitude:double) (BYRADIUS radius:double (M|KM|FT|MI)|"
               "BYBOX width:double height:double (M|KM|FT|MI)) [ASC|DESC] [COUNT count:integer [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
     .history = kUnitHistory},
    {.name = "geosearchstore",
     .arity = -8,
     .flags = kWrite | kDenyOom,
     .run = geosearchstore,
     .keys = kSearchStoreKeys,
     .group = Group::kGeo,
     .since = "6.2.0",
     .complexity = kSearchComplexity,
     .summary = "Stores the members of a geospatial index within a circle or a box under another key.",
     .syntax =
         "destination:key source:key (FROMMEMBER member|FROMLONLAT longitude:double latitude:double) (BYRADIUS radius:double (M|KM|FT|MI)|"
         "BYBOX width:double height:double (M|KM|FT|MI)) [ASC|DESC] [COUNT count:integer [ANY]] [STOREDIST]",
     .history = kUnitHistory},
};

}  // namespace

std::span<const CommandSpec> geo_commands() { return kSpecs; }

}  // namespace ringwood
