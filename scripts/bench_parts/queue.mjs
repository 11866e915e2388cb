// BullMQ's side of queue.py: obeys the same lines as ringback-queue-bench (see services/core/store/queue_bench.cc), as
// far as they make sense for it, and answers each with one line of JSON. Arguments: port of redis-server.
import { randomBytes } from "node:crypto";
import readline from "node:readline";
import { Queue, Worker } from "bullmq";

const connection = { host: "127.0.0.1", port: Number(process.argv[2]), maxRetriesPerRequest: null };
// Values differ, as those of queue_bench.cc do.
const VALUES = randomBytes(786_432).toString("base64");
const bare = () => {
  const at = Math.floor(Math.random() * (VALUES.length - 150));
  return VALUES.slice(at, at + 150);
};
const GROUP = 100;
const IN_FLIGHT = 50;
const REMOVE = { removeOnComplete: true, removeOnFail: true };
let made = 0;

const fresh = () => new Queue(`bench${++made}`, { connection, skipVersionCheck: true });
const seconds = (begin) => (performance.now() - begin) / 1000;

// Runs `work(i)` for 0 … count-1, `width` at a time.
async function inFlight(count, width, work) {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < count) await work(next++);
  }));
}

async function addBulk(queue, count, options) {
  await inFlight(Math.ceil(count / GROUP), 4, async (group) => {
    const size = Math.min(GROUP, count - group * GROUP);
    await queue.addBulk(Array.from({ length: size }, (_, i) =>
      ({ name: "job", data: bare(), opts: { ...REMOVE, ...options(group * GROUP + i) } })));
  });
}

// A worker that calls `handle` for every job; resolves when `count` are completed.
async function processed(queue, count, concurrency, handle = async () => {}) {
  const worker = new Worker(queue.name, handle, { connection, concurrency, autorun: false, skipVersionCheck: true });
  await worker.waitUntilReady();
  let done = 0;
  const all = new Promise((resolve) => worker.on("completed", () => { if (++done === count) resolve(); }));
  const begin = performance.now();
  const running = worker.run();
  await all;
  const took = seconds(begin);
  await worker.close();
  await running;
  return took;
}

let handoffQueue, handoffWorker, onJob;
async function handoff(count) {
  if (!handoffQueue) {
    handoffQueue = fresh();
    handoffWorker = new Worker(handoffQueue.name, async () => onJob(performance.now()), { connection, concurrency: 1, skipVersionCheck: true });
    await handoffWorker.waitUntilReady();
  }
  const ms = [];
  for (let i = 0; i < count; ++i) {
    const taken = new Promise((resolve) => { onJob = resolve; });
    const completed = new Promise((resolve) => handoffWorker.once("completed", resolve));
    const begin = performance.now();
    await handoffQueue.add("job", bare(), REMOVE);
    ms.push((await taken) - begin);
    await completed;
  }
  return { ms };
}

let filled;
const commands = {
  handoff: ([count]) => handoff(Number(count)),
  async handoff_end() {
    await handoffWorker?.close();
    await handoffQueue?.close();
    handoffQueue = handoffWorker = undefined;
    return {};
  },
  async process([count]) {
    const queue = fresh();
    await addBulk(queue, Number(count), () => ({}));
    const took = await processed(queue, Number(count), IN_FLIGHT);
    await queue.close();
    return { per_s: count / took };
  },
  async together([count]) {
    const queue = fresh();
    const begin = performance.now();
    const adding = inFlight(Number(count), IN_FLIGHT, () => queue.add("job", bare(), REMOVE));
    await processed(queue, Number(count), IN_FLIGHT);
    await adding;
    const took = seconds(begin);
    await queue.close();
    return { per_s: count / took };
  },
  async insert([count, , dueMs]) {
    filled = fresh();
    const begin = performance.now();
    await addBulk(filled, Number(count), () => ({ delay: Math.max(1, Math.round(Number(dueMs) - Date.now())) }));
    return { per_s: count / seconds(begin) };
  },
  async fire([count]) {
    const took = await processed(filled, Number(count), IN_FLIGHT);
    await filled.close();
    return { per_s: count / took };
  },
  async timers([count, rate]) {
    const queue = fresh();
    const first = Date.now() + 1000 + Number(count) / 5;
    const late_ms = [];
    await addBulk(queue, Number(count), (i) => ({ delay: Math.max(1, Math.round(first + (i * 1000) / Number(rate) - Date.now())) }));
    await processed(queue, Number(count), IN_FLIGHT, async (job) => {
      late_ms.push(Date.now() - (job.timestamp + job.opts.delay));
    });
    await queue.close();
    return { late_ms };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...words] = line.split(" ");
  console.log(JSON.stringify(await commands[name](words)));
}
process.exit(0);
