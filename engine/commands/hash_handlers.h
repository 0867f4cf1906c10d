#pragma once
// The handlers of the commands of hashes, one a command; engine/commands/hash_table.cc and hash_expire_table.cc say what each takes.

namespace ringwood {
class Call;
}

namespace ringwood::hash_handlers {

void hset(Call& c);
void hmset(Call& c);
void hsetnx(Call& c);
void hget(Call& c);
void hmget(Call& c);
void hgetall(Call& c);
void hkeys(Call& c);
void hvals(Call& c);
void hlen(Call& c);
void hstrlen(Call& c);
void hexists(Call& c);
void hdel(Call& c);
void hincrby(Call& c);
void hincrbyfloat(Call& c);
void hrandfield(Call& c);
void hscan(Call& c);
void hexpire(Call& c);
void hpexpire(Call& c);
void hexpireat(Call& c);
void hpexpireat(Call& c);
void hexpiretime(Call& c);
void hpexpiretime(Call& c);
void httl(Call& c);
void hpttl(Call& c);
void hpersist(Call& c);
void hgetex(Call& c);
void hsetex(Call& c);
void hgetdel(Call& c);

}  // namespace ringwood::hash_handlers
