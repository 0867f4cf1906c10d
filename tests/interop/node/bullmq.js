// bullmq PORT: queues whose scripts make their keys inside: workers, delayed and repeated jobs, flows, rate limits, retries, pause and removal.
'use strict';
const {deepStrictEqual: equal, ok} = require('assert');
const {Queue, Worker, QueueEvents, FlowProducer, UnrecoverableError} = require('bullmq');
const Redis = require('ioredis');
const {run, event, sleep} = require('./run.js');

const connection = {host: '127.0.0.1', port: Number(process.argv[2])};
const r = new Redis(connection);
const open = [];
const kept = (thing) => {
  thing.on('error', (e) => { console.error(e); process.exit(1); });
  open.push(thing);
  return thing;
};
const queue = (name, options = {}) => kept(new Queue(name, {connection, ...options}));
const worker = (name, work, options = {}) => kept(new Worker(name, work, {connection, drainDelay: 1, ...options}));
const close = async () => {
  await Promise.all(open.splice(0).reverse().map((thing) => thing.close()));
};
const until = async (condition, what) => {
  for (const end = Date.now() + 15000; !(await condition());) {
    if (Date.now() > end) throw new Error(`not within 15 s: ${what}`);
    await sleep(10);
  }
};
const counts = (q) => q.getJobCounts('waiting', 'active', 'delayed', 'completed', 'failed', 'prioritized', 'paused', 'waiting-children');
const all = (given) => ({waiting: 0, active: 0, delayed: 0, completed: 0, failed: 0, prioritized: 0, paused: 0, 'waiting-children': 0, ...given});

const tests = {
  async every_job_runs_once() {
    const q = queue('many');
    const seen = [];
    const events = kept(new QueueEvents('many', {connection}));
    await events.waitUntilReady();
    const told = new Set();
    events.on('completed', ({jobId}) => told.add(jobId));
    for (let i = 0; i < 4; i++) worker('many', async (job) => { seen.push(job.data.n); return job.data.n * 2; }, {concurrency: 5});
    const jobs = (await Promise.all(Array.from({length: 10}, (_, part) =>
      q.addBulk(Array.from({length: 30}, (__, i) => ({name: 'job', data: {n: part * 30 + i}})))))).flat();
    await until(async () => told.size === 300, 'events of all jobs');
    equal(seen.sort((a, b) => a - b), Array.from({length: 300}, (_, i) => i));
    equal(await counts(q), all({completed: 300}));
    const job = await q.getJob(jobs[17].id);
    equal([job.returnvalue, await job.getState(), job.attemptsMade], [job.data.n * 2, 'completed', 1]);
    equal(await jobs[299].waitUntilFinished(events, 1000), jobs[299].data.n * 2);
  },
  async order_and_priority() {
    const q = queue('order');
    await q.addBulk([...[3, 1, 2].map((n) => ({name: 'p', data: `p${n}`, opts: {priority: n}})), {name: 'a', data: 'first'}, {name: 'b', data: 'second'},
      {name: 'c', data: 'top', opts: {lifo: true}}]);
    equal(await counts(q), all({waiting: 3, prioritized: 3}));
    const seen = [];
    worker('order', async (job) => { seen.push(job.data); });
    await until(async () => (await q.getCompletedCount()) === 6, 'all done');
    equal(seen, ['top', 'first', 'second', 'p1', 'p2', 'p3']);
  },
  async delayed_jobs() {
    const q = queue('late');
    const seen = [];
    worker('late', async (job) => { seen.push([job.data, Date.now() - job.timestamp]); });
    await q.add('x', 'third', {delay: 600});
    await q.add('x', 'second', {delay: 300});
    const far = await q.add('x', 'far', {delay: 100000});
    await q.add('x', 'first');
    await until(async () => seen.length === 3, 'three jobs');
    equal(seen.map(([what]) => what), ['first', 'second', 'third']);
    ok(seen[1][1] >= 300 && seen[2][1] >= 600, `${seen}`);
    equal(await counts(q), all({delayed: 1, completed: 3}));
    await far.promote();
    await until(async () => seen.length === 4, 'the promoted job');
    const moved = await q.add('x', 'moved', {delay: 100000});
    await moved.changeDelay(50);
    await until(async () => seen.length === 5, 'the job whose delay was changed');
  },
  async job_schedulers() {
    const q = queue('again');
    const seen = [];
    worker('again', async (job) => { seen.push(job.name); });
    await q.upsertJobScheduler('often', {every: 100}, {name: 'tick', data: {a: 1}});
    await q.upsertJobScheduler('yearly', {pattern: '0 0 1 1 *'}, {name: 'never'});
    equal((await q.getJobSchedulers()).map((s) => s.key).sort(), ['often', 'yearly']);
    await until(async () => seen.length >= 5, 'five ticks');
    equal(await q.removeJobScheduler('often'), true);
    equal(await q.getJobSchedulersCount(), 1);
    await until(async () => (await q.getActiveCount()) === 0, 'the last tick has ended');
    const ticks = seen.length;
    await sleep(300);
    equal(seen.length, ticks);
    equal(new Set(seen), new Set(['tick']));
    equal((await q.getDelayed()).length, 1);
    // Ends by itself.
    await q.upsertJobScheduler('thrice', {every: 50, limit: 3}, {name: 'thrice'});
    await until(async () => seen.filter((name) => name === 'thrice').length === 3, 'three runs');
    await sleep(200);
    equal(seen.filter((name) => name === 'thrice').length, 3);
  },
  async flows() {
    const flow = kept(new FlowProducer({connection}));
    const parents = queue('parents'), children = queue('children');
    const tree = await flow.add({name: 'root', queueName: 'parents', children: [
      {name: 'sum', queueName: 'parents', children: [1, 2, 3].map((n) => ({name: 'leaf', queueName: 'children', data: n}))},
      {name: 'leaf', queueName: 'children', data: 10},
    ]});
    equal(await counts(parents), all({'waiting-children': 2}));
    equal(await counts(children), all({waiting: 4}));
    equal((await flow.getFlow({id: tree.job.id, queueName: 'parents'})).children.length, 2);
    const order = [];
    worker('children', async (job) => job.data, {concurrency: 3});
    worker('parents', async (job) => {
      order.push(job.name);
      return Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0);
    });
    await until(async () => (await tree.job.getState()) === 'completed', 'the root');
    equal(order, ['sum', 'root']);
    equal((await parents.getJob(tree.job.id)).returnvalue, 16);
    // A child that fails takes its parent along.
    const failing = await flow.add({name: 'root', queueName: 'parents', children: [{name: 'bad', queueName: 'failing', opts: {failParentOnFailure: true}}]});
    worker('failing', async () => { throw new Error('no'); });
    await until(async () => (await failing.job.getState()) === 'failed', 'the parent of the child that failed');
  },
  async rate_limits() {
    const q = queue('limited');
    const times = [];
    const options = {limiter: {max: 5, duration: 400}, concurrency: 10};
    await q.addBulk(Array.from({length: 20}, (_, i) => ({name: 'x', data: i})));
    for (let i = 0; i < 3; i++) worker('limited', async () => { times.push(Date.now()); }, options);
    await until(async () => times.length === 20, 'all of the limited jobs');
    times.sort((a, b) => a - b);
    // 5 in each window, so 11 jobs in a row take more than one whole window. Timers of this process are imprecise.
    for (let i = 0; i + 10 < times.length; i++) ok(times[i + 10] - times[i] >= 380, `job ${i + 10} came ${times[i + 10] - times[i]} ms after job ${i}`);
    ok(times[19] - times[0] >= 1100, `${times[19] - times[0]} ms in all`);
  },
  async retries() {
    const q = queue('fails');
    const attempts = {};
    worker('fails', async (job) => {
      attempts[job.data] = (attempts[job.data] || 0) + 1;
      if (job.data === 'never') throw new UnrecoverableError('gone');
      if (attempts[job.data] < 3) throw new Error('not yet');
      return 'at last';
    }, {concurrency: 3});
    const good = await q.add('x', 'good', {attempts: 5, backoff: {type: 'exponential', delay: 20}});
    const bad = await q.add('x', 'bad', {attempts: 2, backoff: 20});
    const never = await q.add('x', 'never', {attempts: 5});
    await until(async () => (await q.getCompletedCount()) === 1 && (await q.getFailedCount()) === 2, 'one success, two failures');
    equal(attempts, {good: 3, bad: 2, never: 1});
    equal((await q.getJob(good.id)).returnvalue, 'at last');
    equal([(await q.getJob(bad.id)).failedReason, (await q.getJob(never.id)).failedReason], ['not yet', 'gone']);
    await (await q.getJob(bad.id)).retry();
    await until(async () => (await bad.getState()) === 'completed', 'the job that was tried again by hand');
  },
  async a_worker_that_died() {
    const q = queue('stalled');
    const stuck = event();
    let runs = 0;
    // Does not renew its lock, and never ends.
    const dead = worker('stalled', () => { runs++; stuck.happen(); return new Promise(() => {}); }, {lockDuration: 300, skipLockRenewal: true, skipStalledCheck: true});
    const job = await q.add('x', 'y');
    await stuck.happened;
    await dead.close(true);
    worker('stalled', async () => { runs++; return 'saved'; }, {stalledInterval: 200, lockDuration: 2000, maxStalledCount: 2});
    await until(async () => (await job.getState()) === 'completed', 'the job of the worker that died');
    equal(runs, 2);
    equal((await q.getJob(job.id)).returnvalue, 'saved');
  },
  async pause_and_resume() {
    const q = queue('paused');
    const seen = [];
    worker('paused', async (job) => { seen.push(job.data); });
    await q.pause();
    await q.addBulk([1, 2, 3].map((n) => ({name: 'x', data: n})));
    await sleep(150);
    equal(seen, []);
    equal([await q.isPaused(), (await counts(q)).paused], [true, 3]);
    await q.resume();
    await until(async () => seen.length === 3, 'all after the pause');
    equal(seen, [1, 2, 3]);
  },
  async removal_and_unique_jobs() {
    const q = queue('removed');
    const ids = (await q.addBulk(Array.from({length: 20}, (_, i) => ({name: 'x', data: i, opts: {jobId: `id-${i}`}})))).map((j) => j.id);
    await q.add('x', 'twice', {jobId: ids[3]});
    equal((await q.getJob(ids[3])).data, 3);
    equal(await q.remove(ids[3]), 1);
    equal(await q.getJob(ids[3]), undefined);
    await q.add('x', 'unique', {deduplication: {id: 'one'}});
    await q.add('x', 'unique', {deduplication: {id: 'one'}});
    equal(await counts(q), all({waiting: 20}));
    const job = await q.getJob(ids[5]);
    await job.updateData('new');
    await job.updateProgress(50);
    await job.log('a line');
    equal([(await q.getJob(ids[5])).data, (await q.getJob(ids[5])).progress, (await q.getJobLogs(ids[5])).logs], ['new', 50, ['a line']]);
    await q.drain();
    equal(await counts(q), all({}));
    worker('removed', async (j) => { if (j.data % 2) throw new Error('odd'); });
    await q.addBulk(Array.from({length: 10}, (_, i) => ({name: 'x', data: i})));
    await q.add('x', 100, {removeOnComplete: true});
    await until(async () => (await q.getCompletedCount()) === 5 && (await q.getFailedCount()) === 5 && (await counts(q)).waiting === 0, 'five of each');
    await until(async () => (await q.getActiveCount()) === 0, 'the last job');
    equal((await q.clean(0, 100, 'failed')).length, 5);
    equal(await counts(q), all({completed: 5}));
    await close();
    const again = queue('removed');
    await again.obliterate({force: true});
    equal(await r.keys('bull:removed:*'), []);
  },
};

for (const [name, test] of Object.entries(tests)) tests[name] = async () => {
  await test();
  await close();
};
run(tests, () => r.flushall(), () => r.quit());
