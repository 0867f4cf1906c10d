#pragma once
// The handlers of the commands of sets, one a command; engine/commands/set_table.cc says what each takes.

namespace ringwood {
class Call;
}

namespace ringwood::set_handlers {

void sadd(Call& c);
void srem(Call& c);
void sismember(Call& c);
void smismember(Call& c);
void scard(Call& c);
void smembers(Call& c);
void spop(Call& c);
void srandmember(Call& c);
void smove(Call& c);
void sinter(Call& c);
void sinterstore(Call& c);
void sintercard(Call& c);
void sunion(Call& c);
void sunionstore(Call& c);
void sdiff(Call& c);
void sdiffstore(Call& c);
void sscan(Call& c);

}  // namespace ringwood::set_handlers
