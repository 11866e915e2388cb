"""A Postfix of its own: configuration, queue and data in a folder of its own, a free loopback port. Mail to firma.example goes
through a pipe into `ringback mail-in`; kunde.example is a domain whose every mailbox is unknown, which Postfix finds out only
after it has accepted the mail, so that a real delivery status notification comes back. Needs root, as Postfix does."""

import grp
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from office import RINGBACK, free_port, wait_for

MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/log/mail.log
maillog_file_prefixes = {dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.firma.example
mydestination = kunde.example
local_recipient_maps =
alias_maps =
alias_database =
relay_domains = firma.example
transport_maps = inline:{{ firma.example=ringback: }}
mynetworks = 127.0.0.0/8
recipient_delimiter = +
smtputf8_enable = no
minimal_backoff_time = 300s
maximal_backoff_time = 300s
ringback_destination_recipient_limit = 1
mailbox_size_limit = 0
message_size_limit = 104857600
biff = no
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
ringback unix - n n - 4 pipe
  flags=R user=nobody argv={ringback} mail-in --data {account} --recipient ${{original_recipient}} --sender ${{sender}}
"""


def may_run():
    """Why it cannot run here; None when it can."""
    if os.geteuid() != 0:
        return "Postfix starts as root only"
    return None if shutil.which("postfix") else "Postfix is not installed"


class Postfix:
    """Context manager. `target` and `token`: where `ringback mail-in` finds its server."""

    def __init__(self, target, token):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ringback-postfix-"))
        self.port = free_port()
        self.config = self.dir / "etc"
        account = self.dir / "account"
        for folder in (self.config, account, self.dir / "queue", self.dir / "data", self.dir / "log"):
            folder.mkdir()
        self.dir.chmod(0o755)
        # What a mail server holds of ringback: an address and an intake token, for the pipe's user alone.
        (account / "token").write_text(json.dumps({"target": target, "token": token}))
        nobody, group = pwd.getpwnam("nobody"), grp.getgrnam("nogroup")
        for path, mode in ((account / "token", 0o400), (account, 0o500)):
            os.chown(path, nobody.pw_uid, group.gr_gid)
            path.chmod(mode)
        postfix = pwd.getpwnam("postfix")
        os.chown(self.dir / "data", postfix.pw_uid, postfix.pw_gid)
        (self.config / "main.cf").write_text(MAIN.format(dir=self.dir))
        (self.config / "master.cf").write_text(MASTER.format(port=self.port, ringback=RINGBACK, account=account))

    def __enter__(self):
        self._postfix("start")
        wait_for(self._listens, "Postfix listens")
        return self

    def __exit__(self, kind, value, trace):
        subprocess.run(["postfix", "-c", self.config, "stop"], capture_output=True)
        if kind is not None:
            print("--- Postfix' log:\n" + self.log())
        shutil.rmtree(self.dir, ignore_errors=True)

    def _postfix(self, command):
        done = subprocess.run(["postfix", "-c", self.config, command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + self.log()

    def _listens(self):
        import socket
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        path = self.dir / "log" / "mail.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def queued(self, state):
        """Messages in a part of the queue: "deferred", "active", …"""
        return sum(1 for path in (self.dir / "queue" / state).rglob("*") if path.is_file())

    def flush(self):
        subprocess.run(["postqueue", "-c", self.config, "-f"], check=True, timeout=60)
