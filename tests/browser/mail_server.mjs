// An SMTP server on a free port that takes every mail but those to addresses that it does not know.
import { createServer } from "node:net";

export class MailServer {
  unknown = new Set();
  // Whole messages, as they came.
  mails = [];

  static async open() {
    const server = new MailServer();
    server.listener = createServer((socket) => server.talk(socket));
    await new Promise((resolve) => server.listener.listen(0, "127.0.0.1", resolve));
    server.port = server.listener.address().port;
    return server;
  }

  close() {
    this.listener.close();
  }

  talk(socket) {
    const say = (line) => socket.write(line + "\r\n");
    let rest = "", mail = null;
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    say("220 here");
    socket.on("data", (bytes) => {
      const lines = (rest + bytes).split("\r\n");
      rest = lines.pop();
      for (const line of lines) {
        if (mail && line !== ".") {
          mail.push(line.replace(/^\./, ""));
        } else if (mail) {
          this.mails.push(mail.join("\r\n"));
          mail = null;
          say("250 taken");
        } else if (/^DATA/i.test(line)) {
          mail = [];
          say("354 go on");
        } else if (/^QUIT/i.test(line)) {
          socket.end("221 bye\r\n");
        } else {
          say(this.unknown.has(/^RCPT TO:<(.*?)>/i.exec(line)?.[1]) ? "550 5.1.1 no such user" : "250 fine");
        }
      }
    });
  }
}
