"""A whole office for one story: a real `ringback serve` on a data folder of its own, its command line, its mail, its
clock. Stories move the clock by hours and wait for signs (a mail, a state), never for time."""

import email
import email.policy
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("RINGBACK_BUILD", ROOT / "build"))
RINGBACK = BUILD / "bin" / "ringback"
SPEECH = BUILD / "speech"
PATIENCE = float(os.environ.get("RINGBACK_PATIENCE", "30"))  # seconds of real time that a sign may take


class Refused(Exception):
    """A command that ended with another exit code than 0."""

    def __init__(self, code, stderr):
        super().__init__(f"exit {code}: {stderr.strip()}")
        self.code = code
        self.stderr = stderr


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def speech():
    """Real speech in a real file: ten seconds of German."""
    subprocess.run([ROOT / "scripts" / "make-speech", SPEECH], check=True, stdout=subprocess.DEVNULL)
    return SPEECH / "bench_10.wav"


def wait_for(sign, what):
    """Looks until `sign()` is true and returns it; fails with `what` when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = sign()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"never came: {what}")
        time.sleep(0.02)


def replace_text(path, text):
    """At once: whoever reads it sees the old text or the new one."""
    part = path.with_suffix(".part")
    part.write_text(text)
    os.replace(part, path)


class Mail:
    """One message of the outbox."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.message = email.message_from_bytes(self.path.read_bytes(), policy=email.policy.default)
        self.to = str(self.message["To"])
        self.subject = str(self.message["Subject"])
        body = self.message.get_body(("plain",))
        self.text = body.get_content() if body else ""
        self.id = str(self.message["Message-ID"])

    def attachment(self, mime_type):
        for part in self.message.walk():
            if part.get_content_type() == mime_type:
                return part.get_payload(decode=True)
        return None

    def __repr__(self):
        return f"<{self.to}: {self.subject}>"


class Office:
    """Use as a context manager. `now` is where the clock starts: local time of the team, "2026-11-24 09:00"."""

    def __init__(self, now="2026-11-24 09:00", flags=(), http_port=0):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ringback-story-"))
        self.data = self.dir / "data"
        self.offset_file = self.dir / "clock"
        self.flags = list(flags)
        self.http_port = http_port
        self.environment = {}  # of the command line, besides what it needs to find the server
        self.server = None
        self.fixed_port = "0"  # a story whose clients must find the server again sets it
        self.log = self.dir / "serve.log"
        self._offset = 0.0
        self.set_clock(now)

    # --- life ---------------------------------------------------------------------------------------------------

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        if self.server and self.server.poll() is None:
            self.stop()
        if kind is None:
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            print(f"--- {self.log}, the end:\n{self.log.read_text(errors='replace')[-6000:] if self.log.exists() else ''}")
            print(f"--- mails: {self.mails()}")

    def start(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RINGBACK_")}
        with open(self.log, "ab") as log:
            self.server = subprocess.Popen(
                [RINGBACK, "serve", "--data", self.data, "--http", f"127.0.0.1:{self.http_port}", "--grpc", f"127.0.0.1:{self.fixed_port}",
                 "--set", f"ringback.clock_offset_file={self.offset_file}", *self.flags],
                stdout=log, stderr=log, env=environment, cwd=self.dir)
        wait_for(self._answers, "the server's first answer")

    def _answers(self):
        if self.server.poll() is not None:
            raise AssertionError(f"the server ended with {self.server.returncode}: {self.log.read_text()[-3000:]}")
        try:
            return self.cli("team", "show") is not None
        except Refused:
            return False

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        code = self.server.wait(timeout=60)
        assert code == 0, f"SIGTERM ended with exit code {code}: {self.log.read_text()[-2000:]}"

    def kill(self):
        self.server.kill()
        self.server.wait()

    # --- clock --------------------------------------------------------------------------------------------------

    def set_clock(self, local, zone="Europe/Berlin"):
        import datetime
        import zoneinfo
        at = datetime.datetime.fromisoformat(local).replace(tzinfo=zoneinfo.ZoneInfo(zone))
        self._offset = at.timestamp() - time.time()
        self._write_offset()

    def advance(self, **delta):
        import datetime
        self._offset += datetime.timedelta(**delta).total_seconds()
        self._write_offset()

    def now(self):
        return time.time() + self._offset

    def _write_offset(self):
        replace_text(self.offset_file, f"{self._offset:.3f}\n")

    # --- command line -------------------------------------------------------------------------------------------

    def run(self, *arguments, input=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RINGBACK_")}
        environment |= {"RINGBACK_CLOCK_OFFSET_FILE": str(self.offset_file), "RINGBACK_DATA": str(self.data)} | self.environment
        return subprocess.run([RINGBACK, *map(str, arguments)], capture_output=True, text=True, env=environment,
                              cwd=self.dir, input=input, timeout=120)

    def cli(self, *arguments):
        """The command's JSON answer; Refused when it was refused."""
        done = self.run(*arguments, "--json")
        if done.returncode != 0:
            raise Refused(done.returncode, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    # --- the usual moves ----------------------------------------------------------------------------------------

    def request(self, name="Herr Müller", email_address="mueller@example.com", phone="+4930123456", assignee="Anna Schmidt", **more):
        arguments = ["request", "--name", name]
        if email_address:
            arguments += ["--email", email_address]
        if phone:
            arguments += ["--phone", phone]
        if assignee:
            arguments += ["--assignee", assignee]
        for key, value in more.items():
            arguments += [f"--{key.replace('_', '-')}", value]
        return self.cli(*arguments)["callback"]

    def show(self, callback):
        return self.cli("show", callback["id"])["callback"]

    def until(self, callback, sign, what):
        """The callback once `sign(callback)` is true."""
        return wait_for(lambda: (lambda c: c if sign(c) else None)(self.show(callback)), what)

    def armed(self, callback):
        return self.until(callback, lambda c: c["promises"] and c["promises"][-1]["state"] == "STATE_ARMED",
                          "the promise is armed")

    def mails(self):
        outbox = self.data / "outbox"
        found = []
        for path in sorted((outbox / "new").glob("*"), key=lambda p: p.stat().st_mtime_ns):
            try:
                found.append(Mail(path))
            except FileNotFoundError:
                pass
        return found

    def mail(self, to, subject="", count=1):
        """The count-th mail to this address whose subject matches."""
        def look():
            found = [m for m in self.mails() if to in m.to and re.search(subject, m.subject)]
            return found[count - 1] if len(found) >= count else None
        return wait_for(look, f"mail {count} to {to} about {subject!r}; there are {self.mails()}")

    def count(self, to, subject=""):
        return len([m for m in self.mails() if to in m.to and re.search(subject, m.subject)])
