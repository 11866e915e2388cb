// nodemailer's side of mail.py: a pool of four connections, mails with an attachment. Arguments: port, bytes. Obeys lines
// "COUNT", each with a line of JSON.
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import nodemailer from 'nodemailer';

const CONNECTIONS = 4;
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port: Number(process.argv[2]), secure: false, ignoreTLS: true, pool: true, maxConnections: CONNECTIONS,
  maxMessages: Infinity,
});
const mp3 = randomBytes(Number(process.argv[3]));

async function sendMany(count) {
  let next = 0;
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (next++ < count) {
      await transport.sendMail({
        from: 'Anna Schmidt <anna@example.com>', to: 'Herr Müller <mueller@example.com>', subject: 'Ihr Anruf',
        text: 'Guten Morgen Herr Müller, eine kurze Nachricht für Sie.', html: '<p>Guten Morgen Herr Müller.</p>',
        attachments: [{ filename: 'Nachricht.mp3', contentType: 'audio/mpeg', content: mp3 }],
      });
    }
  }));
}

for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line);
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await sendMany(count);
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  console.log(JSON.stringify({ per_s: count / seconds, cpu_ms: (used.user + used.system) / 1000 / count }));
}
transport.close();
