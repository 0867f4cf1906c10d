#pragma once
// The listpack of a small hash whose fields may expire ("listpackex"): field, value and time in turn, the time in unix ms or 0 for none. Earlier times come
// first, fields without one last; so what has expired stands at the beginning. Byte for byte as Redis 7.4 saves it (RDB type 25).
#include "engine/store/listpack.h"

namespace ringwood::timed_listpack {

using listpack::Position;  // of a field here; null for "none"

inline size_t fields(const uint8_t* lp) { return listpack::length(lp) / 3; }
inline Position value_of(Position field) { return listpack::next(field); }
inline Position time_of(Position field) { return listpack::next(listpack::next(field)); }
inline int64_t time(Position field) { return listpack::get(time_of(field)).integer; }
inline Position next(Position field) { return listpack::next(time_of(field)); }
inline Position find(const uint8_t* lp, Bytes field) { return listpack::find(listpack::first(lp), field, 2); }
// Whether a time means that the field has expired.
inline bool passed(int64_t when_ms, int64_t now_ms) { return when_ms != 0 && when_ms < now_ms; }
// The first field that has not expired.
Position first_live(const uint8_t* lp, int64_t now_ms);
// The earliest time, or 0.
inline int64_t earliest(const uint8_t* lp) { return listpack::empty(lp) ? 0 : time(listpack::first(lp)); }

// A new listpack of a plain hash's pairs, none with a time.
uint8_t* from_pairs(const uint8_t* pairs);
// Adds a field that is not there.
void insert(uint8_t*& lp, Bytes field, Bytes value, int64_t when_ms);
inline void set_value(uint8_t*& lp, Position field, Bytes value) { listpack::replace(lp, value_of(field), value); }
// Gives a field another time, or none.
void set_time(uint8_t*& lp, Position field, int64_t when_ms);
inline void erase(uint8_t*& lp, Position field) { listpack::erase(lp, field, 3); }
// Removes the first n fields.
void erase_first(uint8_t*& lp, size_t n);
size_t count_passed(const uint8_t* lp, int64_t now_ms);

}  // namespace ringwood::timed_listpack
