#pragma once
// A maxmemory that has become smaller than what is used: with one shard whoever has been told so finds that keys have gone, since eviction comes before the
// next command. With several each thread evicts its own, so the answer waits until each has had its turns.

namespace ringwood {

class Call;

// Whether CONFIG SET has left more in memory than the options allow, and other threads have a part in mending that. The options have been published.
bool others_must_evict(Call& call);

// Answers OK when every thread has looked, and has evicted as much of its part as one call may.
void reply_when_evicted(Call& call);

}  // namespace ringwood
