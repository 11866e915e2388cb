"""SMTP servers for tests: Postfix's smtp-sink on a free loopback port, with its switches for refusing, and one of our own
that stores a message and then behaves as badly as a test wants."""

import contextlib
import dataclasses
import email
import email.policy
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from acceptor import Acceptor
from office import free_port, wait_for


class SmtpSink:
    """Context manager. `switches` are smtp-sink's, e.g. ("-f", "rcpt") refuses recipients with 5xx, ("-r", "rcpt")
    with 4xx."""

    def __init__(self, switches=(), port=None):
        self.port = port or free_port()
        self.switches = list(switches)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ringback-smtp-"))
        self.process = None

    @property
    def flags(self):
        return ["--set", f"mail.transport=smtp://127.0.0.1:{self.port}"]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
        as_user = []
        if os.geteuid() == 0:  # it insists on giving up root
            as_user = ["-u", "nobody"]
            os.chown(self.dir, pwd.getpwnam("nobody").pw_uid, -1)
        self.process = subprocess.Popen(
            [program, *as_user, "-d", f"{self.dir}/%M.", *self.switches, f"127.0.0.1:{self.port}", "100"],
            cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers, "smtp-sink's first answer")

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def messages(self):
        found = []
        for path in sorted(self.dir.iterdir(), key=lambda p: p.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if message["Message-ID"]:
                found.append(message)
        return found

    def message_ids(self):
        return [str(message["Message-ID"]) for message in self.messages()]


@dataclasses.dataclass
class Copy:
    """One message that went over the wire whole."""
    message: email.message.EmailMessage
    began: float         # when DATA was said
    over: float = None   # when it was answered, or the client had gone
    answered: bool = False

    @property
    def id(self):
        return str(self.message["Message-ID"])


class OddSmtp:
    """An SMTP server that keeps what it gets and is odd about its answers. Context manager.

    `before_data(number)` may wait before the 354. `after_dot(copy, times)` is asked once the message is stored, `times` is
    how often that Message-ID has come by now; it returns "250 …" or another reply, HANG_UP, or SILENCE: nothing is said
    until the client has gone."""

    HANG_UP, SILENCE = object(), object()

    def __init__(self, after_dot=lambda copy, times: "250 queued", before_data=lambda number: None, host="127.0.0.1",
                 port=0):
        self.after_dot, self.before_data = after_dot, before_data
        self.lock = threading.Lock()
        self.copies = []
        self.datas = 0  # how often DATA was said
        self.gone = 0   # clients that left in the middle of a message
        self.closing = threading.Event()
        self.acceptor = Acceptor(
            lambda client: threading.Thread(target=self._serve, args=(client,), daemon=True).start(), host, port)
        self.port = self.acceptor.port

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.closing.set()
        self.acceptor.close()

    def messages(self):
        with self.lock:
            return [copy.message for copy in self.copies]

    def message_ids(self):
        return [str(message["Message-ID"]) for message in self.messages()]

    def copies_by_id(self):
        found = {}
        with self.lock:
            for copy in self.copies:
                found.setdefault(copy.id, []).append(copy)
        return found

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            lines = client.makefile("rb")

            def say(reply):
                client.sendall(reply.encode() + b"\r\n")

            say("220 odd")
            while line := lines.readline():
                word = line.strip().upper()
                if word == b"DATA":
                    if not self._data(client, lines, say):
                        return
                elif word == b"QUIT":
                    return say("221 bye")
                else:
                    say("250 fine")

    def _data(self, client, lines, say):
        began = time.monotonic()
        with self.lock:
            self.datas += 1
            number = self.datas
        self.before_data(number)
        say("354 go on")
        body = bytearray()
        while (line := lines.readline()) != b".\r\n":
            if not line:
                self.gone += 1
                return False
            body += line.removeprefix(b".")
        copy = Copy(email.message_from_bytes(bytes(body), policy=email.policy.default), began)
        with self.lock:
            self.copies.append(copy)
            times = sum(other.id == copy.id for other in self.copies)
        reply = self.after_dot(copy, times)
        if reply is self.SILENCE:
            with contextlib.suppress(OSError):
                client.recv(1, socket.MSG_PEEK)  # QUIT or the end: it has given up
        elif reply is not self.HANG_UP:
            say(reply)
            copy.answered = True
        copy.over = time.monotonic()
        return copy.answered
