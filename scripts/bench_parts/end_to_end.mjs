// What a clever user would put together: script A by ffmpeg, then nodemailer with a pooled connection. Reads lines
// "take port" and answers each with the milliseconds from having the file to the server's 250.
import { execFile } from 'node:child_process';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodemailer from 'nodemailer';

const run = promisify(execFile);
const transports = new Map();

async function once(take, port) {
  if (!transports.has(port)) {
    transports.set(port, nodemailer.createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true, pool: true }));
  }
  const directory = await mkdtemp(join(tmpdir(), 'ringback-bench-'));
  const start = process.hrtime.bigint();
  const graph = '[0:a]loudnorm=I=-16:TP=-1:LRA=11,asplit=3[a][b][c]';
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-i', take, '-filter_complex', graph,
    '-map', '[a]', '-ac', '1', '-ar', '48000', '-c:a', 'libopus', '-b:a', '24k', '-application', 'voip', 'a.opus',
    '-map', '[b]', '-ac', '1', '-ar', '48000', '-c:a', 'libmp3lame', '-b:a', '64k', 'a.mp3',
    '-map', '[c]', '-ac', '1', '-ar', '8000', '-f', 's16le', 'a.pcm'], { cwd: directory });
  await transports.get(port).sendMail({
    from: 'Anna Schmidt <anna@example.com>', to: 'mueller@example.com', subject: 'Ihr Anruf',
    text: 'Guten Morgen', attachments: [{ filename: 'a.mp3', content: await readFile(join(directory, 'a.mp3')) }],
  });
  const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
  await rm(directory, { recursive: true });
  return milliseconds;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [take, port] = line.trim().split(' ');
  console.log((await once(take, Number(port))).toFixed(1));
}
for (const transport of transports.values()) transport.close();
