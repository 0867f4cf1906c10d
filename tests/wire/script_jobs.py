#!/usr/bin/env python3
"""What applications do with scripts: background jobs in the manner of Sidekiq, and rate limiters, by many clients at once. No job is lost or runs twice; never more than the limit passes.

    script_jobs.py SERVER
"""
import json
import random
import sys
import threading
import time

from servers import Resp, Ringwood, Tap, equal, together

BINARY = sys.argv[1]
tap = Tap()


def per_shards(title, *options):
    def add(test):
        def run(server):
            test(server, random.Random(title))
            equal(server.stop(), 0)  # a sanitizer that has found something says so by its status
        tap.per_shards(title, lambda shards: Ringwood(BINARY, *options, shards=shards))(run)
        return test
    return add


class Script:
    """Called by its SHA, loaded when the server does not know it."""

    def __init__(self, text):
        self.text, self.sha = text, None

    def __call__(self, client, keys, *args):
        self.sha = self.sha or client("SCRIPT", "LOAD", self.text)
        reply = client("EVALSHA", self.sha, len(keys), *keys, *args)
        if isinstance(reply, Resp.Error) and reply.startswith("NOSCRIPT"):
            reply = client("EVAL", self.text, len(keys), *keys, *args)
        if isinstance(reply, Resp.Error):
            raise AssertionError(reply)
        return reply


# --- jobs

# As Sidekiq's scheduled poller: one job that is due leaves the sorted set.
DUE = Script("""
local job = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 1)[1]
if job then redis.call('ZREM', KEYS[1], job) end
return job
""")
# The same, and puts all that is due into the queues that the jobs name: keys which nobody declares.
ENQUEUE = Script("""
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, text in ipairs(due) do
  if redis.call('ZREM', KEYS[1], text) == 1 then
    local queue = cjson.decode(text).queue
    redis.call('SADD', 'queues', queue)
    redis.call('LPUSH', 'queue:' .. queue, text)
  end
end
return #due
""")
# Takes from the first queue that has a job and is not paused, into the list of what this worker has in hand.
FETCH = Script("""
for i = 2, #KEYS do
  if redis.call('SISMEMBER', 'paused', KEYS[i]) == 0 then
    local job = redis.call('RPOPLPUSH', KEYS[i], KEYS[1])
    if job then
      redis.call('HSET', 'busy', KEYS[1], KEYS[i])
      return {KEYS[i], job}
    end
  end
end
return false
""")
ACKNOWLEDGE = Script("""
if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 0 then return 0 end
redis.call('INCR', 'stat:processed')
redis.call('DEL', 'unique:' .. cjson.decode(ARGV[1]).jid)
return 1
""")
# What dead workers had in hand goes back to where it came from.
RESCUE = Script("""
local n = 0
for _, hand in ipairs(redis.call('KEYS', 'hand:*')) do
  if redis.call('EXISTS', 'alive:' .. hand) == 0 then
    while true do
      local job = redis.call('RPOP', hand)
      if not job then break end
      redis.call('RPUSH', 'queue:' .. cjson.decode(job).queue, job)
      n = n + 1
    end
  end
end
return n
""")
# At most one of a name is in the queue or runs.
PUSH_UNIQUE = Script("""
if not redis.call('SET', 'unique:' .. ARGV[1], 1, 'NX', 'EX', 1000) then return 0 end
redis.call('LPUSH', KEYS[1], ARGV[2])
return 1
""")
QUEUES = ["queue:critical", "queue:default", "queue:low"]


def jobs_of(rng, n, prefix="job"):
    return [json.dumps({"jid": f"{prefix}-{i}", "queue": rng.choice(["critical", "default", "low"])}) for i in range(n)]


@per_shards("the scheduled set: several pollers, each job leaves it once and not before its time")
def scheduled(server, rng):
    c, now = server.client(), 1000
    soon, late = jobs_of(rng, 300, "soon"), jobs_of(rng, 50, "late")
    for i, j in enumerate(soon):
        c("ZADD", "schedule", now - i, j)
    for i, j in enumerate(late):
        c("ZADD", "schedule", now + 1 + i, j)
    taken = []

    def poll():
        own = server.client()
        while job := DUE(own, ["schedule"], now):
            taken.append(job.decode())
    together(*[poll] * 6)
    equal(sorted(taken), sorted(soon))
    equal(sorted(j.decode() for j in c("ZRANGE", "schedule", 0, -1)), sorted(late))

    def poll_many():
        own = server.client()
        while ENQUEUE(own, ["schedule"], now + 1000, 7):
            pass
    together(*[poll_many] * 6)
    equal(sorted(j.decode() for q in QUEUES for j in c("LRANGE", q, 0, -1)), sorted(late))
    equal(c("ZCARD", "schedule"), 0)


@per_shards("reliable fetch: workers that die in the midst of a job lose none, and no job is done twice")
def reliable(server, rng):
    jobs, done, pushed = jobs_of(rng, 400), [], threading.Event()

    def push():
        c = server.client()
        for i, j in enumerate(jobs):
            if i % 2:
                c("ZADD", "schedule", i, j)
            else:
                c("LPUSH", "queue:" + json.loads(j)["queue"], j)
            if i % 50 == 49:
                ENQUEUE(c, ["schedule"], i, 10)
        while ENQUEUE(c, ["schedule"], len(jobs), 10):
            pass
        pushed.set()

    def work(number):
        mine, life = random.Random(number), 0
        while True:
            life += 1
            hand, c = f"hand:{number}:{life}", server.client()
            c("SET", "alive:" + hand, 1)
            while True:
                ended = pushed.is_set()
                got = FETCH(c, [hand, *mine.sample(QUEUES, 3)])
                if got is None:
                    if ended and c("GET", "stat:processed") == str(len(jobs)).encode():
                        return
                    time.sleep(0.005)
                    continue
                if mine.random() < 0.05:  # dies with the job in hand
                    c("DEL", "alive:" + hand)
                    c.close()
                    break
                equal(ACKNOWLEDGE(c, [hand], got[1]), 1)
                done.append(got[1].decode())

    def rescue():
        c, end = server.client(), time.monotonic() + 50
        while c("GET", "stat:processed") != str(len(jobs)).encode():
            RESCUE(c, [])
            time.sleep(0.02)
            equal(time.monotonic() < end, True, f"done {len(done)}")
    together(push, rescue, *[lambda n=n: work(n) for n in range(6)])
    equal(sorted(done), sorted(jobs))
    equal(sum(server.client()("LLEN", q) for q in QUEUES), 0)


@per_shards("unique jobs: of a name at most one is queued or runs")
def unique(server, _):
    running, lock, ran, accepted, ended = set(), threading.Lock(), [], [], threading.Event()

    def push(seed):
        c, mine = server.client(), random.Random(seed)
        for _ in range(200):
            name = f"name-{mine.randrange(12)}"
            if PUSH_UNIQUE(c, ["queue:default"], name, json.dumps({"jid": name, "queue": "default"})):
                accepted.append(name)

    def work(number):
        c, hand = server.client(), f"hand:{number}"
        while True:
            last = ended.is_set()
            got = FETCH(c, [hand, "queue:default"])
            if got is None:
                if last:
                    return
                continue
            name = json.loads(got[1])["jid"]
            with lock:
                equal(name in running, False, f"{name} runs twice at a time")
                running.add(name)
            ran.append(name)
            with lock:
                running.remove(name)
            equal(ACKNOWLEDGE(c, [hand], got[1]), 1)

    def push_all():
        try:
            together(*[lambda s=s: push(s) for s in range(4)])
        finally:
            ended.set()
    together(push_all, *[lambda n=n: work(n) for n in range(4)])
    equal(sorted(ran), sorted(accepted))
    equal(len(ran) > 12, True)
    equal(server.client()("KEYS", "unique:*"), [])


# --- rate limiters: time is told by the caller, so that a limit is exact, except where the server's own is the point

FIXED_WINDOW = Script("""
local key = KEYS[1] .. ':' .. math.floor(ARGV[1] / ARGV[2])
local n = redis.call('INCR', key)
if n == 1 then redis.call('PEXPIRE', key, 100000) end
return n <= tonumber(ARGV[3]) and 1 or 0
""")
SLIDING_WINDOW = Script("""
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[2])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
local id = redis.call('INCR', KEYS[1] .. ':ids')
redis.call('ZADD', KEYS[1], ARGV[1], id)
redis.call('PEXPIRE', KEYS[1], 100000)
return 1
""")
TOKEN_BUCKET = Script("""
local now, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local have = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(have[1]) or burst
local at = tonumber(have[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local passes = tokens >= 1
if passes then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(math.max(now, at)))
redis.call('INCR', KEYS[1] .. (passes and ':passed' or ':refused'))
return passes and 1 or 0
""")
GCRA = Script("""
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
if due - now > (burst - 1) * interval then return {0, tostring(due - now - (burst - 1) * interval)} end
redis.call('SET', KEYS[1], tostring(due + interval), 'PX', 100000)
return {1, '0'}
""")


def passes(script, c, key, *args):
    reply = script(c, [key], *args)
    return reply[0] if isinstance(reply, list) else reply


LIMITERS = {  # script, further arguments, how many of many requests at one time pass, how many more when `pause` has passed, pause
    "a fixed window": (FIXED_WINDOW, (1000, 10), 10, 10, 1000),
    "a sliding window": (SLIDING_WINDOW, (1000, 10), 10, 10, 1000),
    "a token bucket": (TOKEN_BUCKET, (0.0078125, 10), 10, 2, 256),
    "GCRA": (GCRA, (128, 10), 10, 2, 256),
}
for title, (script, arguments, first, more, pause) in LIMITERS.items():
    @per_shards(f"{title}: never more than the limit passes, and not less")
    def limit(server, _, script=script, arguments=arguments, first=first, more=more, pause=pause):
        names, at = [f"user:{i}" for i in range(6)], 1000000
        for step, wanted in enumerate((first, more, more)):
            passed = []

            def ask(step=step, passed=passed):
                c, mine = server.client(), random.Random()
                for name in mine.sample(names * 6, len(names) * 6):
                    if passes(script, c, name, at + step * pause, *arguments):
                        passed.append(name)
            together(*[ask] * 6)
            equal({n: passed.count(n) for n in names}, {n: wanted for n in names}, f"step {step}")


# By the server's clock, whole: what passes in a second of real time.
BY_THE_CLOCK = Script("""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZCARD', KEYS[1]) >= limit then return 0 end
redis.call('ZADD', KEYS[1], now, t[1] .. '.' .. t[2] .. ':' .. redis.call('INCR', 'serial'))
redis.call('RPUSH', 'passed:' .. KEYS[1], now)
return 1
""")


@per_shards("a sliding window by the server's clock")
def by_the_clock(server, _):
    limit, window, end = 8, 250, time.monotonic() + 1.2

    def ask(number):
        c = server.client()
        while time.monotonic() < end:
            BY_THE_CLOCK(c, [f"user:{number % 2}"], limit, window)
    together(*[lambda n=n: ask(n) for n in range(6)])
    c = server.client()
    for name in ("user:0", "user:1"):
        times = [int(t) for t in c("LRANGE", "passed:" + name, 0, -1)]
        equal(times, sorted(times))
        equal(len(times) > limit, True, "time goes on")
        close = [times[i + limit] - times[i] for i in range(len(times) - limit)]
        equal([d for d in close if d < window], [], f"{limit + 1} within {window} ms")


if __name__ == "__main__":
    tap.run()
