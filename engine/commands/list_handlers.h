#pragma once
// The handlers of the commands of lists, one a command; engine/commands/list_table.cc says what each takes.

namespace ringwood {
class Call;
}

namespace ringwood::list_handlers {

void lpush(Call& c);
void rpush(Call& c);
void lpushx(Call& c);
void rpushx(Call& c);
void lpop(Call& c);
void rpop(Call& c);
void lmpop(Call& c);
void llen(Call& c);
void lindex(Call& c);
void lset(Call& c);
void linsert(Call& c);
void lrange(Call& c);
void ltrim(Call& c);
void lrem(Call& c);
void lpos(Call& c);
void lmove(Call& c);
void rpoplpush(Call& c);
void blpop(Call& c);
void brpop(Call& c);
void blmove(Call& c);
void brpoplpush(Call& c);
void blmpop(Call& c);

}  // namespace ringwood::list_handlers
