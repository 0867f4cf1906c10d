#pragma once
// The handlers of the commands of streams, one a command; engine/commands/stream_table.cc says what each takes.

namespace ringwood {
class Call;
}

namespace ringwood::stream_handlers {

void xadd(Call& c);
void xlen(Call& c);
void xrange(Call& c);
void xrevrange(Call& c);
void xdel(Call& c);
void xtrim(Call& c);
void xsetid(Call& c);
void xread(Call& c);

void xgroup_create(Call& c);
void xgroup_setid(Call& c);
void xgroup_destroy(Call& c);
void xgroup_createconsumer(Call& c);
void xgroup_delconsumer(Call& c);
void xgroup_help(Call& c);
void xreadgroup(Call& c);
void xack(Call& c);
void xpending(Call& c);
void xclaim(Call& c);
void xautoclaim(Call& c);
void xinfo_stream(Call& c);
void xinfo_groups(Call& c);
void xinfo_consumers(Call& c);
void xinfo_help(Call& c);

}  // namespace ringwood::stream_handlers
