#pragma once
// The handlers of the commands of sorted sets, one a command; engine/commands/zset_table.cc says what each takes.

namespace ringwood {
class Call;
}

namespace ringwood::zset_handlers {

void zadd(Call& c);
void zincrby(Call& c);
void zrem(Call& c);
void zscore(Call& c);
void zmscore(Call& c);
void zcard(Call& c);
void zcount(Call& c);
void zlexcount(Call& c);
void zrank(Call& c);
void zrevrank(Call& c);
void zrange(Call& c);
void zrangestore(Call& c);
void zrangebyscore(Call& c);
void zrevrange(Call& c);
void zrevrangebyscore(Call& c);
void zrangebylex(Call& c);
void zrevrangebylex(Call& c);
void zremrangebyrank(Call& c);
void zremrangebyscore(Call& c);
void zremrangebylex(Call& c);
void zpopmin(Call& c);
void zpopmax(Call& c);
void zmpop(Call& c);
void bzpopmin(Call& c);
void bzpopmax(Call& c);
void bzmpop(Call& c);
void zrandmember(Call& c);
void zunion(Call& c);
void zunionstore(Call& c);
void zinter(Call& c);
void zinterstore(Call& c);
void zintercard(Call& c);
void zdiff(Call& c);
void zdiffstore(Call& c);
void zscan(Call& c);

}  // namespace ringwood::zset_handlers
