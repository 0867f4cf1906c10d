// ioredis PORT: every family of data as ioredis sees it.
'use strict';
const {deepStrictEqual: equal, rejects, ok} = require('assert');
const Redis = require('ioredis');
const {run, event, sleep} = require('./run.js');

const port = Number(process.argv[2]);
const open = () => new Redis({port, maxRetriesPerRequest: 0, retryStrategy: null});
const r = open();
const scanned = async (stream) => {
  const all = [];
  for await (const part of stream) all.push(...part);
  return all;
};

const tests = {
  async strings() {
    equal(await r.set('a', 1, 'EX', 100, 'NX'), 'OK');
    equal(await r.set('a', 2, 'NX'), null);
    equal(await r.incrby('a', 41), 42);
    equal(await r.incrbyfloat('a', 0.5), '42.5');
    equal(await r.mset({x: '1', y: '2', z: Buffer.from([0, 255, 13, 10])}), 'OK');
    equal(await r.mget('x', 'y', 'none'), ['1', '2', null]);
    equal(await r.getBuffer('z'), Buffer.from([0, 255, 13, 10]));
    equal(await r.getex('a', 'PERSIST'), '42.5');
    equal(await r.ttl('a'), -1);
    equal(await r.lcs('x', 'y'), '');
    await rejects(r.lpush('a', 1), /^ReplyError: WRONGTYPE Operation against a key holding the wrong kind of value$/);
  },
  async bits() {
    equal(await r.setbit('b', 7, 1), 0);
    equal(await r.bitcount('b'), 1);
    equal(await r.bitfield('b', 'SET', 'u8', 8, 200, 'INCRBY', 'u4', 0, 5, 'OVERFLOW', 'FAIL', 'INCRBY', 'u4', 0, 15), [0, 5, null]);
    equal(await r.bitop('NOT', 'c', 'b'), 2);
    equal(await r.bitpos('c', 1), 0);
  },
  async lists() {
    equal(await r.rpush('l', ...Array.from({length: 200}, (_, i) => i)), 200);
    equal((await r.lrange('l', 0, -1)).map(Number), Array.from({length: 200}, (_, i) => i));
    equal(await r.lmove('l', 'm', 'LEFT', 'RIGHT'), '0');
    equal(await r.lpos('l', '7'), 6);
    equal(await r.lmpop(2, 'none', 'l', 'LEFT', 'COUNT', 2), ['l', ['1', '2']]);
  },
  async hashes() {
    equal(await r.hset('h', {f: '1', g: '2'}), 2);
    equal(await r.hgetall('h'), {f: '1', g: '2'});
    equal(await r.hgetall('none'), {});
    equal(await r.hincrbyfloat('h', 'f', 1.5), '2.5');
    equal(await r.hmget('h', 'f', 'none'), ['2.5', null]);
    await r.hset('big', ...Array.from({length: 1000}, (_, i) => [`f${i}`, i]).flat());
    equal((await scanned(r.hscanStream('big'))).length, 2000);
  },
  async field_expiry() {
    equal(await r.hset('h', {f: '1', g: '2'}), 2);
    equal(await r.hexpire('h', 100, 'FIELDS', 1, 'f'), [1]);
    equal(await r.httl('h', 'FIELDS', 2, 'f', 'g'), [100, -1]);
  },
  async sets() {
    equal(await r.sadd('s', 1, 2, 3), 3);
    equal(await r.sadd('t', 2, 3, 4), 2 + 1);
    equal((await r.sinter('s', 't')).sort(), ['2', '3']);
    equal((await r.sdiff('s', 't')), ['1']);
    equal(await r.smismember('s', 1, 9), [1, 0]);
    equal(await r.sintercard(2, 's', 't', 'LIMIT', 1), 1);
    await r.sadd('many', ...Array.from({length: 1500}, (_, i) => `m${i}`));
    equal(new Set(await scanned(r.sscanStream('many'))).size, 1500);
  },
  async sorted_sets() {
    equal(await r.zadd('z', 1, 'one', 2, 'two', '+inf', 'top'), 3);
    equal(await r.zrange('z', 0, -1, 'WITHSCORES'), ['one', '1', 'two', '2', 'top', 'inf']);
    equal(await r.zrangebyscore('z', '(1', 5), ['two']);
    equal(await r.zrevrank('z', 'one'), 2);
    equal(await r.zadd('z', 'INCR', 3, 'one'), '4');
    equal(await r.zpopmin('z'), ['two', '2']);
    equal(await r.zunion(2, 'z', 'none', 'WITHSCORES'), ['one', '4', 'top', 'inf']);
  },
  async streams() {
    equal(await r.xadd('x', '1-1', 'f', 'v'), '1-1');
    equal(await r.xadd('x', '1-2', 'f', 'w'), '1-2');
    equal(await r.xread('COUNT', 1, 'STREAMS', 'x', 0), [['x', [['1-1', ['f', 'v']]]]]);
    equal(await r.xgroup('CREATE', 'x', 'g', 0), 'OK');
    equal(await r.xreadgroup('GROUP', 'g', 'c', 'STREAMS', 'x', '>'), [['x', [['1-1', ['f', 'v']], ['1-2', ['f', 'w']]]]]);
    equal(await r.xack('x', 'g', '1-1'), 1);
    equal((await r.xpending('x', 'g'))[0], 1);
    equal((await r.xautoclaim('x', 'g', 'd', 0, 0)).slice(0, 2), ['0-0', [['1-2', ['f', 'w']]]]);
    const waiting = open();
    const read = waiting.xread('BLOCK', 20000, 'STREAMS', 'x', '$');
    while (!(await r.client('LIST')).includes('cmd=xread')) await sleep(5);
    await r.xadd('x', '2-1', 'f', 'late');
    equal(await read, [['x', [['2-1', ['f', 'late']]]]]);
    waiting.disconnect();
  },
  async hyperloglog_and_geo() {
    equal(await r.pfadd('p', 'a', 'b'), 1);
    equal(await r.pfcount('p', 'none'), 2);
    equal(await r.geoadd('places', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'), 2);
    equal(await r.geodist('places', 'Palermo', 'Catania', 'km'), '166.2742');
    equal(await r.geosearch('places', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km', 'ASC'), ['Catania', 'Palermo']);
  },
  async keys_and_sort() {
    await r.mset(Array.from({length: 500}, (_, i) => [`k${i}`, i]).flat());
    equal((await scanned(r.scanStream({match: 'k*', count: 100}))).length, 500);
    await r.rpush('ids', 3, 1, 2);
    equal(await r.sort('ids', 'BY', 'k*', 'GET', '#', 'GET', 'k*', 'DESC'), ['3', '3', '2', '2', '1', '1']);
    equal(await r.copy('ids', 'copy'), 1);
    equal(await r.rename('copy', 'moved'), 'OK');
    const dump = await r.dumpBuffer('moved');
    equal(await r.restore('again', 0, dump), 'OK');
    equal(await r.lrange('again', 0, -1), ['3', '1', '2']);
    equal(await r.unlink('ids', 'again', 'none'), 2);
  },
  async pipelines_and_transactions() {
    const many = r.pipeline();
    for (let i = 0; i < 1000; i++) many.incr(`c${i % 7}`);
    const replies = await many.exec();
    ok(replies.every(([error]) => error === null));
    equal(replies.at(-1), [null, 143]);
    equal(await r.multi().set('a', 1).incr('a').get('b').exec(), [[null, 'OK'], [null, 2], [null, null]]);
    const failing = await r.multi().set('s', 'x').incr('s').exec();
    equal(failing[1][0].message, 'ERR value is not an integer or out of range');
    const other = open();
    await other.watch('a', 'b', 'c');
    await r.set('b', 'touched');
    equal(await other.multi().set('a', 'never').exec(), null);
    await rejects(r.multi().set('a').exec(), /EXECABORT/);
    other.disconnect();
  },
  async blocking() {
    const waiting = open();
    const popped = waiting.blpop('q1', 'q2', 20);
    while (!(await r.client('LIST')).includes('cmd=blpop')) await sleep(5);
    await r.rpush('q2', 'task');
    equal(await popped, ['q2', 'task']);
    const moved = waiting.blmove('from', 'to', 'LEFT', 'RIGHT', 20);
    while (!(await r.client('LIST')).includes('cmd=blmove')) await sleep(5);
    await r.rpush('from', 'x');
    equal(await moved, 'x');
    equal(await r.lrange('to', 0, -1), ['x']);
    equal(await waiting.bzpopmin('nothing', 0.02), null);
    waiting.disconnect();
  },
  async publish_and_subscribe() {
    const listener = open();
    const channel = event(), pattern = event();
    listener.on('message', (...m) => channel.happen(m));
    listener.on('pmessage', (...m) => pattern.happen(m));
    equal(await listener.subscribe('news', 'other'), 2);
    equal(await listener.psubscribe('n?ws'), 3);
    equal(await r.publish('news', 'hello'), 2);
    equal(await channel.happened, ['news', 'hello']);
    equal(await pattern.happened, ['n?ws', 'news', 'hello']);
    equal(await r.pubsub('NUMSUB', 'news', 'none'), ['news', 1, 'none', 0]);
    equal(await listener.unsubscribe('news', 'other'), 1);
    equal(await listener.punsubscribe(), 0);
    listener.disconnect();
  },
};

run(tests, () => r.flushall(), () => r.quit());
