// ioredis_cluster PORT...: ioredis's Cluster at work while the cluster is rearranged. Prints "ready" when it is, works until its input ends, prints what it has found at its end as JSON and ends with
// 1 where that is not what it wrote. MAY_LOSE=1: a master dies, with whose last writes some may go; that is counted.
'use strict';
const {deepStrictEqual: equal} = require('assert');
const Redis = require('ioredis');
const {sleep} = require('./run.js');

const cluster = new Redis.Cluster(process.argv.slice(2).map((port) => ({host: '127.0.0.1', port: Number(port)})), {
  slotsRefreshTimeout: 5000, slotsRefreshInterval: 1000, clusterRetryStrategy: (n) => Math.min(50 * n, 500), retryDelayOnFailover: 100, retryDelayOnClusterDown: 100,
  redisOptions: {connectTimeout: 2000, commandTimeout: 2000},
});
cluster.on('error', () => {});
cluster.on('node error', () => {});

const state = {calls: 0, failed: 0, lost: 0, errors: {}, stopped: false};
const same = (got, wanted) => { process.env.MAY_LOSE && String(got) !== String(wanted) ? state.lost++ : equal(got, wanted); };
// Until it is done: what is given up by the client is begun again, since each of these may be done twice.
const surely = async (what) => {
  for (;;) {
    try {
      state.calls++;
      return await what();
    } catch (e) {
      if (e.code === 'ERR_ASSERTION') throw e;
      state.failed++;
      const kind = String(e.message).split(' ')[0];
      state.errors[kind] = (state.errors[kind] || 0) + 1;
      await sleep(50);
    }
  }
};

// Its keys lie in one slot, so that commands with several of them are allowed.
const worker = async (tag) => {
  const key = (name) => `{${tag}}${name}`;
  let n = 0;
  while (!state.stopped) {
    n++;
    await surely(() => cluster.set(key('plain'), n));
    same(await surely(() => cluster.get(key('plain'))), String(n));
    await surely(() => cluster.mset(key('x'), n, key('y'), -n));
    same(await surely(() => cluster.mget(key('x'), key('y'))), [String(n), String(-n)]);
    await surely(() => cluster.hset(key('hash'), 'field', n, `field${n % 50}`, n));
    same(await surely(() => cluster.hget(key('hash'), 'field')), String(n));
    await surely(() => cluster.eval("redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])", 1, key('script'), n));
    same(await surely(() => cluster.get(key('script'))), String(n));
    const replies = await surely(async () => {
      const done = await cluster.pipeline().set(key('p'), n).get(key('p')).exec();
      for (const [error] of done) if (error) throw error;
      return done;
    });
    same(replies[1][1], String(n));
    const all = await surely(async () => {
      const done = await cluster.multi().set(key('t'), n).zadd(key('sorted'), n, 'member').exec();
      for (const [error] of done) if (error) throw error;
      return done;
    });
    same(all[0][1], 'OK');
    await sleep(5);
  }
  equal(await surely(() => cluster.mget(...['plain', 'x', 'script', 'p', 't'].map(key))), Array(5).fill(String(n)));
  equal(await surely(() => cluster.zscore(key('sorted'), 'member')), String(n));
  return n;
};

const main = async () => {
  await surely(() => cluster.ping());
  const workers = Array.from({length: 12}, (_, i) => worker(`ioredis:${i}`));
  setTimeout(() => console.log('ready'), 500);
  process.stdin.on('end', () => { state.stopped = true; });
  process.stdin.resume();
  const rounds = await Promise.all(workers);
  console.log(JSON.stringify({calls: state.calls, failed: state.failed, lost: state.lost, errors: state.errors, rounds: rounds.reduce((a, b) => a + b)}));
  process.exit(0);
};
main().catch((e) => { console.error(e.stack); process.exit(1); });
