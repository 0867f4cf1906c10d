// node_redis PORT 2|3: every family of data as node-redis sees it in that protocol.
'use strict';
const {deepEqual: equal, rejects, ok} = require('assert');  // node-redis answers objects without a prototype
const {createClient, WatchError} = require('redis');
const {run, event, sleep} = require('./run.js');

const port = Number(process.argv[2]), RESP = Number(process.argv[3]);
let r;
const open = async () => {
  const client = createClient({socket: {port, reconnectStrategy: false}, RESP, unstableResp3: true});
  client.on('error', (e) => { console.error(e); process.exit(1); });
  return client.connect();
};
const scanned = async (iterator) => {
  const all = [];
  for await (const part of iterator) all.push(...part);
  return all;
};
const blocked = async (name) => { while (!(await r.sendCommand(['CLIENT', 'LIST'])).includes(`cmd=${name}`)) await sleep(5); };

const tests = {
  async strings() {
    equal(await r.set('a', '1', {expiration: {type: 'EX', value: 100}, condition: 'NX'}), 'OK');
    equal(await r.set('a', '2', {condition: 'NX'}), null);
    equal(await r.incrBy('a', 41), 42);
    equal(await r.incrByFloat('a', 0.5), '42.5');
    equal(await r.mSet({x: 'ohmytext', y: 'mynewtext'}), 'OK');
    equal(await r.mGet(['x', 'none']), ['ohmytext', null]);
    equal(await r.lcs('x', 'y'), 'mytext');
    equal((await r.lcsIdx('x', 'y')).matches, [[[4, 7], [5, 8]], [[2, 3], [0, 1]]]);
    await rejects(r.lPush('a', '1'), /WRONGTYPE Operation against a key holding the wrong kind of value/);
  },
  async bits() {
    equal(await r.setBit('b', 7, 1), 0);
    equal(await r.bitCount('b'), 1);
    equal(await r.bitField('b', [{operation: 'SET', encoding: 'u8', offset: 8, value: 200}, {operation: 'GET', encoding: 'u8', offset: 8}]), [0, 200]);
    equal(await r.bitOp('NOT', 'c', 'b'), 2);
  },
  async lists() {
    equal(await r.rPush('l', Array.from({length: 200}, (_, i) => String(i))), 200);
    equal((await r.lRange('l', 0, -1)).length, 200);
    equal(await r.lMove('l', 'm', 'LEFT', 'RIGHT'), '0');
    equal(await r.lPosCount('l', '7', 0), [6]);
    equal(await r.lmPop(['none', 'l'], 'LEFT', {COUNT: 2}), ['l', ['1', '2']]);
  },
  async hashes() {
    equal(await r.hSet('h', {f: '1', g: '2'}), 2);
    equal({...await r.hGetAll('h')}, {f: '1', g: '2'});
    equal({...await r.hGetAll('none')}, {});
    equal(await r.hmGet('h', ['f', 'none']), ['1', null]);
    equal((await r.hRandFieldCountWithValues('h', 5)).length, 2);
    await r.hSet('big', Object.fromEntries(Array.from({length: 1000}, (_, i) => [`f${i}`, String(i)])));
    equal((await scanned(r.hScanIterator('big'))).length, 1000);
  },
  async field_expiry() {
    equal(await r.hSet('h', {f: '1', g: '2'}), 2);
    equal(await r.hExpire('h', ['f'], 100), [1]);
    equal(await r.hTTL('h', ['f', 'g', 'none']), [100, -1, -2]);
    equal(await r.hGetDel('h', ['g']), ['2']);
  },
  async sets() {
    equal(await r.sAdd('s', ['1', '2', '3']), 3);
    equal(await r.sAdd('t', ['2', '3', '4']), 3);
    equal([...await r.sInter(['s', 't'])].sort(), ['2', '3']);
    equal([...await r.sMembers('s')].sort(), ['1', '2', '3']);
    equal(await r.smIsMember('s', ['1', '9']), [1, 0]);
    equal(await r.sIsMember('s', '1'), 1);
    await r.sAdd('many', Array.from({length: 1500}, (_, i) => `m${i}`));
    equal(new Set(await scanned(r.sScanIterator('many'))).size, 1500);
  },
  async sorted_sets() {
    equal(await r.zAdd('z', [{score: 1, value: 'one'}, {score: 2.5, value: 'two'}, {score: Infinity, value: 'top'}]), 3);
    equal(await r.zRangeWithScores('z', 0, -1), [{value: 'one', score: 1}, {value: 'two', score: 2.5}, {value: 'top', score: Infinity}]);
    equal(await r.zScore('z', 'two'), 2.5);
    equal(await r.zmScore('z', ['one', 'none']), [1, null]);
    equal(await r.zRevRank('z', 'one'), 2);
    equal(await r.zRankWithScore('z', 'two'), {rank: 1, score: 2.5});
    equal(await r.zPopMin('z'), {value: 'one', score: 1});
    equal(await r.zmPop(['none', 'z'], 'MAX'), {key: 'z', members: [{value: 'top', score: Infinity}]});
    equal(await r.zRandMemberCountWithScores('z', 1), [{value: 'two', score: 2.5}]);
  },
  async streams() {
    equal(await r.xAdd('x', '1-1', {f: 'v'}), '1-1');
    equal(await r.xAdd('x', '1-2', {f: 'w'}), '1-2');
    equal((await r.xRange('x', '-', '+')).map((e) => [e.id, {...e.message}]), [['1-1', {f: 'v'}], ['1-2', {f: 'w'}]]);
    equal(await r.xGroupCreate('x', 'g', '0'), 'OK');
    const read = await r.xReadGroup('g', 'c', {key: 'x', id: '>'});
    ok(JSON.stringify(read).includes('1-2'));
    equal(await r.xAck('x', 'g', '1-1'), 1);
    equal((await r.xPending('x', 'g')).pending, 1);
    equal((await r.xInfoStream('x')).length, 2);
    equal((await r.xInfoGroups('x'))[0].pending, 1);
    const waiting = await open();
    const late = waiting.xRead({key: 'x', id: '$'}, {BLOCK: 20000});
    await blocked('xread');
    await r.xAdd('x', '2-1', {f: 'late'});
    ok(JSON.stringify(await late).includes('late'));
    await waiting.close();
  },
  async hyperloglog_and_geo() {
    equal(await r.pfAdd('p', ['a', 'b']), 1);
    equal(await r.pfCount(['p', 'none']), 2);
    equal(await r.geoAdd('places', [{longitude: 13.361389, latitude: 38.115556, member: 'Palermo'}, {longitude: 15.087269, latitude: 37.502669, member: 'Catania'}]), 2);
    equal(await r.geoDist('places', 'Palermo', 'Catania', 'km'), 166.2742);
    const near = await r.geoSearchWith('places', {longitude: 15, latitude: 37}, {radius: 200, unit: 'km'}, ['WITHDIST', 'WITHCOORD'], {SORT: 'ASC'});
    equal(near.map((p) => [p.member, p.distance]), [['Catania', '56.4413'], ['Palermo', '190.4424']]);
    ok(Math.abs(near[0].coordinates.longitude - 15.087269) < 1e-5);
    equal((await r.geoPos('places', ['none'])), [null]);
  },
  async keys_and_sort() {
    await r.mSet(Array.from({length: 500}, (_, i) => [`k${i}`, String(i)]));
    equal((await scanned(r.scanIterator({MATCH: 'k*', COUNT: 100}))).length, 500);
    await r.rPush('ids', ['3', '1', '2']);
    equal(await r.sort('ids', {BY: 'k*', GET: ['#', 'k*'], DIRECTION: 'DESC'}), ['3', '3', '2', '2', '1', '1']);
    equal(await r.copy('ids', 'copy'), 1);
    equal(await r.type('copy'), 'list');
    equal(await r.objectEncoding('copy'), 'listpack');
    equal(await r.unlink(['ids', 'copy', 'none']), 2);
    equal((await r.configGet('maxmemory')).maxmemory, '0');
    ok((await r.info('server')).includes('redis_mode:standalone'));
  },
  async pipelines_and_transactions() {
    const replies = await Promise.all(Array.from({length: 1000}, (_, i) => r.incr(`c${i % 7}`)));
    equal(replies.at(-1), 143);
    equal(await r.multi().set('a', '1').incr('a').get('b').exec(), ['OK', 2, null]);
    const other = await open();
    await other.watch(['a', 'b', 'c']);
    await r.set('b', 'touched');
    await rejects(other.multi().set('a', 'never').exec(), WatchError);
    await other.close();
  },
  async blocking() {
    const waiting = await open();
    const popped = waiting.blPop(['q1', 'q2'], 20);
    await blocked('blpop');
    await r.rPush('q2', 'task');
    equal(await popped, {key: 'q2', element: 'task'});
    const moved = waiting.blMove('from', 'to', 'LEFT', 'RIGHT', 20);
    await blocked('blmove');
    await r.rPush('from', 'x');
    equal(await moved, 'x');
    equal(await waiting.bzPopMin('nothing', 0.02), null);
    await waiting.close();
  },
  async publish_and_subscribe() {
    const listener = await open();
    const channel = event(), pattern = event(), sharded = event();
    await listener.subscribe('news', (...m) => channel.happen(m));
    await listener.pSubscribe('n?ws', (...m) => pattern.happen(m));
    await listener.sSubscribe('shard', (...m) => sharded.happen(m));
    equal(await r.publish('news', 'hello'), 2);
    equal(await r.sPublish('shard', 'there'), 1);
    equal(await channel.happened, ['hello', 'news']);
    equal(await pattern.happened, ['hello', 'news']);
    equal(await sharded.happened, ['there', 'shard']);
    equal({...await r.pubSubNumSub(['news', 'none'])}, {news: 1, none: 0});
    // In RESP3 a subscriber may go on with commands.
    if (RESP === 3) equal(await listener.set('from', 'subscriber'), 'OK');
    await listener.unsubscribe('news');
    await listener.pUnsubscribe('n?ws');
    await listener.sUnsubscribe('shard');
    equal(String(await listener.ping()), 'PONG');
    await listener.close();
  },
};

open().then((client) => run(tests, () => (r = client).flushAll(), () => r.close()));
