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

}  // namespace ringwood::stream_handlers
