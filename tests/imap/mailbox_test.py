"""Answers fetched from a real Dovecot by the code that ringback-delivery runs, in a process of its own that counts them
(mailbox_reader.cc): every message once, whatever happens to the server, the wire and the reader."""

import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from functional.office import BUILD, RINGBACK, free_port, replace_text, wait_for  # noqa: E402
from imap.dovecot import TOKEN, Dovecot  # noqa: E402
from pipeline.gate import Gate  # noqa: E402

TEAM = "tm070000000000000"


def mail(name, size=0):
    text = f"From: mueller@example.com\r\nSubject: {name}\r\nMessage-ID: <{name}@example.com>\r\n\r\nGerne um 13 Uhr.\r\n".encode()
    return text + b"x" * 78 + b"\r\n" + (b"y" * 78 + b"\r\n") * (size // 80)


class Reader:
    """Context manager: one process that reads `mailboxes`, each a dict of the file's keys."""

    def __init__(self, *mailboxes, variables=None):
        self.variables = variables or {}
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ringback-reader-"))
        self.taken_file = self.dir / "taken"
        self.log = self.dir / "log"
        self.clock = self.dir / "clock"
        self.offset = 0
        self.advance(0)
        self.metrics_port = free_port()
        self.process = None
        self.password = self.secret("password", "geheim")
        self.configure(*mailboxes)

    def secret(self, name, text):
        path = self.dir / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def advance(self, seconds):
        self.offset += seconds
        replace_text(self.clock, f"{self.offset}\n")

    def configure(self, *mailboxes):
        text = ""
        for keys in mailboxes:
            keys = {"team": TEAM} | keys
            if "token_command" not in keys:
                keys = {"password_file": str(self.password)} | keys
            text += "[[mailbox]]\n" + "".join(f'{key} = "{value}"\n' for key, value in keys.items())
        (self.dir / "mailboxes.toml").write_text(text)

    def __enter__(self):
        self.start(**self.variables)
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.stop()
        if kind is not None:
            print(f"--- {self.log}, the end:\n{self.log.read_text(errors='replace')[-6000:]}\n--- taken: {self.taken()}")
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, **variables):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RINGBACK_")}
        environment |= {"TEST_TAKEN": str(self.taken_file)} | variables
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BUILD / "test" / "ringback-mailbox-reader", "--data-dir", self.dir / "data", "--grpc-listen", "127.0.0.1:0",
                 "--metrics-listen", f"127.0.0.1:{self.metrics_port}", "--answers.mailboxes-file", self.dir / "mailboxes.toml",
                 "--answers.poll", "1s", "--clock-offset-file", self.clock], stdout=log, stderr=log, env=environment)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, self.log.read_text()[-3000:]

    def taken(self):
        """How often each mail was taken, by its name."""
        if not self.taken_file.exists():
            return collections.Counter()
        lines = self.taken_file.read_text().splitlines()
        return collections.Counter(line.split("@")[0].lstrip("<") for line in lines)

    def sizes(self):
        return {line.split("@")[0].lstrip("<"): int(line.split()[-1]) for line in self.taken_file.read_text().splitlines()}

    def until_taken(self, *names):
        wait_for(lambda: all(name in self.taken() for name in names), f"{names}, of which {self.taken()} came")

    def metric(self, labelled):
        """None before it is known."""
        try:
            text = urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10).read().decode()
        except OSError:
            return None
        found = re.search(rf"^{re.escape(labelled)} (\d+)", text, re.M)
        return int(found[1]) if found else None

    def trouble(self, name):
        return self.metric(f'ringback_mailbox_trouble{{mailbox="{name}"}}')

    def turns(self):
        """That have ended, all mailboxes together."""
        return self.metric('ringback_jobs_total{outcome="done",stage="mailbox"}') or 0

    def until_turn_after(self, turns):
        wait_for(lambda: self.turns() > turns, f"the end of a turn after {turns} of them")

    def until_trouble(self, name, words):
        wait_for(lambda: words in self.log.read_text() and self.trouble(name) == 1, f"trouble with {name}: {words}")

    def until_well(self, name):
        wait_for(lambda: self.trouble(name) == 0, f"{name} well again")


class MailboxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dovecot = cls.enterClassContext(Dovecot())

    def imaps(self, name, **more):
        return {"name": name, "url": f"imaps://127.0.0.1:{self.dovecot.tls_port}", "user": name,
                "ca_file": str(self.dovecot.certificate)} | more

    def test_messages_of_several_mailboxes_are_taken_once_and_left_unread_in_place(self):
        self.dovecot.append("eins", mail("a"), mail("b"))
        self.dovecot.append("zwei", mail("c"))
        with Reader(self.imaps("eins"), self.imaps("zwei")) as reader:
            reader.until_taken("a", "b", "c")
            self.dovecot.append("eins", mail("d"))
            reader.until_taken("d")
            self.dovecot.append("zwei", mail("e"))
            reader.until_taken("e")
            reader.stop()
            reader.start()
            self.dovecot.append("eins", mail("f"))
            reader.until_taken("f")
            self.assertEqual(reader.taken(), collections.Counter("abcdef"))
        self.assertEqual(self.dovecot.flags("eins"), [set()] * 4)
        self.assertEqual(self.dovecot.flags("zwei"), [set()] * 2)

    def test_starttls_and_a_token_that_runs_out(self):
        self.dovecot.append("token", mail("a"))
        reader = Reader()
        token = reader.secret("token", "tok-1")
        # Not "localhost", which is spared STARTTLS; libcurl looks every name below it up as loopback.
        reader.configure({"name": "token", "url": f"imap://mail.localhost:{self.dovecot.port}", "user": "token",
                          "ca_file": str(self.dovecot.certificate), "token_command": f"cat {token}"})
        with reader:
            reader.until_trouble("token", "login refused")
            reader.secret("token", TOKEN)
            reader.advance(60)
            reader.until_taken("a")
            reader.until_well("token")
            self.assertNotIn(TOKEN, reader.log.read_text())

    def test_a_server_that_is_not_who_it_should_be_hears_no_password(self):
        foreign = self.imaps("fremd")
        del foreign["ca_file"]
        other_name = self.imaps("name", url=f"imaps://other.localhost:{self.dovecot.tls_port}")
        with Reader(foreign, other_name) as reader:
            reader.until_trouble("fremd", "the mailbox fremd: the certificate of 127.0.0.1 is not to be trusted")
            reader.until_trouble("name", "the mailbox name: the certificate of other.localhost is not to be trusted")
        self.assertNotIn("user=<fremd>", self.dovecot.log.read_text())

    def test_trouble_is_logged_once_and_goes_when_it_is_mended(self):
        box = self.imaps("noch", folder="Antworten")
        with Reader(box) as reader:
            reader.until_trouble("noch", "the folder Antworten cannot be opened")
            turns = reader.turns()
            reader.advance(60)
            reader.until_turn_after(turns)
            self.dovecot.create("noch", "Antworten")
            self.dovecot.append("noch", mail("a"), folder="Antworten")
            reader.advance(60)
            reader.until_taken("a")
            reader.until_well("noch")
            self.assertEqual(reader.log.read_text().count("cannot be opened"), 1)
            self.assertEqual(reader.log.read_text().count("can be read again"), 1)

    def test_what_is_taken_moves_where_it_is_told_and_waits_where_it_cannot(self):
        box = self.imaps("umzug", done_folder="Gelöscht")
        self.dovecot.append("umzug", mail("a"))
        with Reader(box) as reader:
            reader.until_trouble("umzug", "cannot be moved to Gelöscht")
            self.dovecot.append("umzug", mail("b"))
            reader.until_taken("a", "b")
            self.dovecot.create("umzug", "Gel&APY-scht")
            wait_for(lambda: len(self.dovecot.flags("umzug", '"Gel&APY-scht"')) == 2, "both moved")
            reader.until_well("umzug")
            self.assertEqual(reader.taken(), collections.Counter("ab"))
        self.assertEqual(self.dovecot.flags("umzug"), [])
        self.assertEqual(self.dovecot.flags("umzug", '"Gel&APY-scht"'), [set(), set()], "still unread")

    def test_a_server_that_cannot_move_copies_and_deletes(self):
        with Dovecot(capability="IMAP4rev1 SASL-IR UIDPLUS") as dovecot:
            dovecot.create("alt", "Done")
            dovecot.append("alt", mail("a"), mail("b"))
            box = {"name": "alt", "url": f"imap://127.0.0.1:{dovecot.port}", "user": "alt", "done_folder": "Done"}
            with Reader(box) as reader:
                wait_for(lambda: len(dovecot.flags("alt", "Done")) == 2, "both moved")
                wait_for(lambda: dovecot.flags("alt") == [], "both gone from INBOX")
                self.assertEqual(reader.taken(), collections.Counter("ab"))

    def test_a_cut_connection_and_a_killed_server_cost_no_message_and_double_none(self):
        names = [f"n{i}" for i in range(10)]
        self.dovecot.append("faden", *[mail(name, size=2_000_000) for name in names])
        with Gate("127.0.0.1", self.dovecot.tls_port, http2=False) as gate:
            gate.bytes_max = 5_000_000
            box = self.imaps("faden", url=f"imaps://{gate.address}")
            with Reader(box) as reader:
                gate.wait_full(1)
                self.assertTrue(0 < len(reader.taken()) < 10)
                gate.cut()
                reader.until_trouble("faden", "the mailbox faden: ")
                reader.advance(60)
                gate.wait_full(2)
                turns = reader.turns()
                self.dovecot.kill()
                gate.lift_bytes_max()
                reader.until_turn_after(turns)
                self.dovecot.start()
                reader.advance(60)
                reader.until_taken(*names)
                reader.until_well("faden")
                self.assertEqual(reader.taken(), collections.Counter(names))

    def test_new_numbers_on_the_server_lose_nothing(self):
        self.dovecot.append("neu", mail("a"), mail("b"))
        with Reader(self.imaps("neu")) as reader:
            reader.until_taken("a", "b")
            self.dovecot.number_anew("neu")
            self.dovecot.append("neu", mail("c"))
            reader.until_taken("c")
            # Whoever takes them in knows the first two.
            wait_for(lambda: reader.taken() == collections.Counter("aabbc"), f"each of them again: {reader.taken()}")

    def test_a_reader_that_is_killed_begins_where_the_last_commit_was(self):
        names = [f"k{i}" for i in range(200)]
        self.dovecot.append("toter", *[mail(name) for name in names])
        with Reader(self.imaps("toter"), variables={"TEST_KILLED_AFTER": "50"}) as reader:
            self.assertEqual(reader.process.wait(timeout=60), -signal.SIGKILL)
            self.assertEqual(sum(reader.taken().values()), 50)
            reader.start()
            reader.advance(60)  # its lease has to run out first
            reader.until_taken(*names)
            self.assertLessEqual(sum(reader.taken().values()), 220, "at most one commit's worth comes again")

    def test_what_cannot_be_taken_in_waits(self):
        self.dovecot.append("warte", mail("a"))
        reader = Reader(self.imaps("warte"))
        refuse = reader.taken_file.with_name("taken.refuse")
        refuse.touch()
        with reader:
            reader.until_trouble("warte", "an answer cannot be taken in")
            self.assertEqual(reader.taken(), {})
            refuse.unlink()
            reader.advance(60)
            reader.until_taken("a")
            reader.until_well("warte")

    def test_of_a_message_that_is_too_large_the_beginning_is_taken(self):
        self.dovecot.append("riese", mail("gross", size=51 << 20), mail("klein"))
        with Reader(self.imaps("riese")) as reader:
            reader.until_taken("gross", "klein")
            self.assertEqual(reader.sizes()["gross"], 1 << 20)

    def test_the_doctor_tries_each_mailbox(self):
        self.dovecot.append("arzt", mail("a"))
        reader = Reader(self.imaps("arzt"), self.imaps("krank", done_folder="Nirgends"), self.imaps("fort", url=f"imaps://127.0.0.1:{free_port()}"))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RINGBACK_")}
        done = subprocess.run([RINGBACK, "doctor", "--data", reader.dir / "data", "--set",
                               f"answers.mailboxes_file={reader.dir / 'mailboxes.toml'}"],
                              capture_output=True, text=True, env=environment, timeout=60)
        shutil.rmtree(reader.dir)
        self.assertRegex(done.stdout, r"ok +mailbox +arzt: imaps://127.0.0.1:\d+, INBOX")
        self.assertRegex(done.stdout, r"fail +mailbox +krank: the folder Nirgends cannot be opened")
        self.assertRegex(done.stdout, r"fail +mailbox +fort: no connection to 127.0.0.1:\d+: Connection refused")
        self.assertEqual(self.dovecot.flags("arzt"), [set()])


if __name__ == "__main__":
    unittest.main()
