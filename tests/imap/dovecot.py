"""A real Dovecot on free ports of loopback, with a folder and a certificate of its own."""

import contextlib
import imaplib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from functional.office import free_port, wait_for

PASSWORD = "geheim"
TOKEN = "tok-2"


class Dovecot:
    """Context manager. Any user may log in, with PASSWORD, or by XOAUTH2 with TOKEN. `capability` is all that it admits to."""

    def __init__(self, capability=""):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ringback-imap-"))
        self.port, self.tls_port = free_port(), free_port()
        self.capability = capability
        self.certificate = self.dir / "cert.pem"
        self.log = self.dir / "log"
        self.process = None

    def __enter__(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.dir / "key.pem",
                        "-out", self.certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:mail.localhost,IP:127.0.0.1"], check=True, capture_output=True)
        self._configure()
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        self.kill()
        if kind is not None:
            print(f"--- {self.log}, the end:\n{self.log.read_text(errors='replace')[-4000:] if self.log.exists() else ''}")
        shutil.rmtree(self.dir, ignore_errors=True)

    def _configure(self):
        """As root it insists on giving root up, and each of its processes on a user of its own; else all are the caller's."""
        root = os.geteuid() == 0
        me = pwd.getpwuid(os.geteuid()).pw_name
        login, internal, mail = ("dovenull", "dovecot", "nobody") if root else (me, me, me)
        for name in ("mail", "home"):
            (self.dir / name).mkdir()
            if root:
                os.chown(self.dir / name, pwd.getpwnam(mail).pw_uid, -1)
        self.dir.chmod(0o755)
        capability = f"imap_capability = {self.capability}" if self.capability else ""
        services = "\n".join(f"service {name} {{\n  chroot =\n}}" for name in ("anvil", "imap", "stats"))
        (self.dir / "dovecot.conf").write_text(f"""
base_dir = {self.dir}/run
state_dir = {self.dir}/state
log_path = {self.log}
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {"dovecot" if root else "$primary"}
first_valid_uid = 1
mail_location = maildir:{self.dir}/mail/%u
mail_max_userip_connections = 50
ssl = yes
ssl_cert = <{self.certificate}
ssl_key = <{self.dir}/key.pem
auth_mechanisms = plain login xoauth2
passdb {{
  driver = static
  args = password={PASSWORD}
}}
passdb {{
  driver = static
  mechanisms = xoauth2
  args = password={TOKEN}
}}
userdb {{
  driver = static
  args = uid={mail} gid={pwd.getpwnam(mail).pw_gid} home={self.dir}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
{services}
{capability}
""".replace("default_internal_group = $primary\n", ""))

    def start(self):
        program = shutil.which("dovecot") or "/usr/sbin/dovecot"
        # A group of its own, so that killing it takes all its processes.
        self.process = subprocess.Popen([program, "-F", "-c", self.dir / "dovecot.conf"], start_new_session=True,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers, "Dovecot's greeting")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"Dovecot ended: {self.log.read_text() if self.log.exists() else ''}")
        try:
            imaplib.IMAP4("127.0.0.1", self.port, timeout=5).logout()
            return True
        except (OSError, imaplib.IMAP4.error):
            return False

    def kill(self):
        """At once, with all its processes: no farewell to anybody."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            with contextlib.suppress(ProcessLookupError):
                while True:  # its children are init's now: until the last one is gone
                    os.killpg(self.process.pid, signal.SIGKILL)
                    time.sleep(0.01)

    @contextlib.contextmanager
    def folder(self, user, folder="INBOX"):
        connection = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        try:
            connection.login(user, PASSWORD)
            status, _ = connection.select(folder)
            assert status == "OK", f"{folder} of {user}: {status}"
            yield connection
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                connection.logout()

    def append(self, user, *messages, folder="INBOX"):
        with self.folder(user) as connection:
            for message in messages:
                status, answer = connection.append(folder, None, None, message)
                assert status == "OK", answer

    def flags(self, user, folder="INBOX"):
        """Of each message there, without \\Recent."""
        with self.folder(user, folder) as connection:
            _, answers = connection.uid("FETCH", "1:*", "(FLAGS)")
            return [{flag for flag in imaplib.ParseFlags(answer)} - {b"\\Recent"} for answer in answers if answer]

    def create(self, user, folder):
        with self.folder(user) as connection:
            assert connection.create(folder)[0] == "OK"

    def number_anew(self, user):
        """As a server does that lost its index: other UIDs, and another UIDVALIDITY that says so."""
        before = self.uid_validity(user)
        for pattern in ("dovecot-uidlist*", "dovecot.index*"):
            for path in (self.dir / "mail" / user).glob(pattern):
                path.unlink()
        assert self.uid_validity(user) != before

    def uid_validity(self, user):
        with self.folder(user) as connection:
            return connection.response("UIDVALIDITY")[1][0]
