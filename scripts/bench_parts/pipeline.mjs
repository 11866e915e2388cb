// The pipeline a user would put together: two durable queues of BullMQ, script A by ffmpeg, nodemailer with a pool. The
// upload is a file on the disk already, and nothing is synced but by Redis. Arguments: port of redis-server, port of the SMTP
// server. Obeys lines "TAKE RECIPIENT…": one message per recipient; answers at once with when they were put.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Queue, Worker } from 'bullmq';
import nodemailer from 'nodemailer';

const run = promisify(execFile);
const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };
const queue = (name) => new Queue(name, { connection, skipVersionCheck: true, defaultJobOptions: { removeOnComplete: true } });
const takes = queue('takes');
const mails = queue('mails');
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port: Number(process.argv[3]), secure: false, ignoreTLS: true, pool: true, maxConnections: 4,
  maxMessages: Infinity,
});
const SCRIPT_A = ['-filter_complex', '[0:a]loudnorm=I=-16:TP=-1:LRA=11,asplit=3[a][b][c]',
  '-map', '[a]', '-ac', '1', '-ar', '48000', '-c:a', 'libopus', '-b:a', '24k', '-application', 'voip', 'a.opus',
  '-map', '[b]', '-ac', '1', '-ar', '48000', '-c:a', 'libmp3lame', '-b:a', '64k', 'a.mp3',
  '-map', '[c]', '-ac', '1', '-ar', '8000', '-f', 's16le', 'a.pcm'];

async function transcode({ data: { take, recipient } }) {
  const directory = await mkdtemp(join(tmpdir(), 'ringback-bench-'));
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-i', take, ...SCRIPT_A], { cwd: directory });
  await mails.add('mail', { directory, recipient });
}

async function deliver({ data: { directory, recipient } }) {
  await transport.sendMail({
    from: 'Anna Schmidt <anna@example.com>', to: recipient, subject: 'Ihr Anruf', text: 'Guten Morgen',
    attachments: [{ filename: 'a.mp3', content: await readFile(join(directory, 'a.mp3')) }],
  });
  await rm(directory, { recursive: true });
}

// As many as there are cores: ffmpeg works on one of them.
const workers = [new Worker('takes', transcode, { connection, concurrency: 2, skipVersionCheck: true }),
  new Worker('mails', deliver, { connection, concurrency: 4, skipVersionCheck: true })];
for (const worker of workers) worker.on('failed', (job, error) => { console.error(error); process.exit(1); });
await Promise.all(workers.map((worker) => worker.waitUntilReady()));

for await (const line of createInterface({ input: process.stdin })) {
  const [take, ...recipients] = line.trim().split(' ');
  const begin_us = Math.round((performance.timeOrigin + performance.now()) * 1000);
  await takes.addBulk(recipients.map((recipient) => ({ name: 'take', data: { take, recipient } })));
  console.log(JSON.stringify({ begin_us }));
}
process.exit(0);
