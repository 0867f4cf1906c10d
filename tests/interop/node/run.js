// Runs named tests one after the other, each on an empty server; the first that fails ends the process with 1. WITHOUT=name,name leaves some out: those that a redis-server
// of 7.2 cannot pass (field_expiry), when these scripts are compared with one.
'use strict';
exports.run = async (tests, flush, close) => {
  const stuck = setTimeout(() => { console.error('the tests have taken 60 s'); process.exit(1); }, 60000);
  for (const [name, test] of Object.entries(tests)) {
    if (process.env.WITHOUT?.split(',').includes(name)) continue;
    try {
      await flush();
      await test();
    } catch (e) {
      console.error(`${name}: ${e.stack}`);
      process.exit(1);
    }
    console.log(`ok ${name}`);
  }
  await close();
  clearTimeout(stuck);
};

// A promise and the function that fulfils it: for events.
exports.event = () => {
  let happen;
  const happened = new Promise((resolve) => { happen = resolve; });
  return {happened, happen};
};

exports.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
