"""A real SMTP server for stories: Postfix's smtp-sink on a free loopback port, with its switches for refusing."""

import email
import email.policy
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

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
