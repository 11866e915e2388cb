"""Strangers at the doors of a running pipeline: gRPC with no, wrong, expired, revoked and foreign tokens, ZeroMQ with no
keys, a key that is on no list and another installation's keys, HTTP with no, wrong, foreign and expired links. Each gets
nothing, learns nothing and changes nothing, and the pipeline goes on. (Every single method: strangers_test.cc; what each
handshake does: handoff_test.cc; every request of the page: routes_test.cc.)"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "functional")]
import office as o  # noqa: E402
from pipeline.programs import start_pipeline  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

# What belongs to the customer or to the team and must not be told to a stranger.
SECRET = ("mueller", "030123456", "4930123456", "Anna", "Schmidt")


class Guarded(start_pipeline.Pipeline):
    """A pipeline whose programs also look for jobs and nudges at addresses where strangers sit."""

    def __init__(self, strangers_at, **more):
        self.strangers_at = strangers_at
        super().__init__(**more)

    def handoff_settings(self, part):
        settings = super().handoff_settings(part)
        settings["handoff.jobs-peers"] = ",".join([settings["handoff.jobs-peers"], *self.strangers_at])
        return settings


class Stranger:
    """ringback-stranger with its own idea of keys. `heard` are the lines it has told so far."""

    def __init__(self, pipeline, keys=(), listens=""):
        flags = {"--jobs": [part.address("jobs") for part in pipeline.parts if "jobs" in part.ports],
                 "--events": [part.address("events") for part in pipeline.parts if "events" in part.ports],
                 "--jobs-listen": [listens]}
        command = [o.BUILD / "test" / "ringback-stranger"]
        for flag, addresses in flags.items():
            command += [flag, ",".join(addresses)]
        if keys:
            server, client = keys
            command += ["--server-secret", server, "--client-secret", client, "--allowed", pipeline.data / "keys" / "allowed"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.heard = []
        self.reader = threading.Thread(target=lambda: self.heard.extend(line.strip() for line in self.process.stdout))
        self.reader.start()

    def kinds(self):
        return {line.split()[0] for line in list(self.heard)}

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class CredentialsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="ringback-strangers-")))
        cls.clock = cls.folder / "clock"
        cls.clock.write_text("0\n")
        cls.smtp = cls.enterClassContext(SmtpSink())
        cls.addresses = [f"127.0.0.1:{port}" for port in start_pipeline.free_ports(3)]
        cls.pipeline = cls.enterClassContext(Guarded(cls.addresses, settings={
            "mail.transport": f"smtp://127.0.0.1:{cls.smtp.port}", "clock-offset-file": cls.clock,
            "public-url": "https://call.example.com"}))
        cls.own = json.loads(cls.pipeline.token_file.read_text())
        cls.callers = 55
        cls.callback, cls.link = cls.send("mueller@example.com")

    # --- the team's own moves ---------------------------------------------------------------------------------------

    @classmethod
    def cli(cls, *arguments, token=None):
        environment = {"RINGBACK_CLOCK_OFFSET_FILE": str(cls.clock)} | ({"RINGBACK_TOKEN": token} if token else {})
        done = cls.pipeline.cli("--json", *arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    @classmethod
    def send(cls, address, token=None):
        """(callback's id, the customer's link)"""
        cls.callers += 1
        sent = cls.cli("send", o.speech(), "--to", address, "--name", "Herr Müller", "--phone", f"+49301234{cls.callers:02d}",
                       "--promise", "+2h", token=token)
        mail = o.wait_for(lambda: next((m for m in cls.smtp.messages() if address in str(m["To"])), None),
                          f"the mail to {address}")
        link = re.search(r"https://call\.example\.com(/m/\S+)", mail.get_body(("plain",)).get_content()).group(1)
        return sent["callback"]["id"], link

    @classmethod
    def history(cls, callback):
        return len(cls.cli("history", callback)["events"])

    @classmethod
    def new_token(cls, *arguments, token=None):
        made = cls.cli("token", "create", *arguments, token=token)
        return made["secret"], made["token"]["id"]

    @classmethod
    def other_team(cls):
        """Its admin's token, as the file of a team's own command line has it."""
        team = cls.cli("team", "create", "Other", "--admin-name", "Olga Other", "--admin-email", "olga@other.example",
                       token=cls.own["operator_token"])
        return team["admin_token"] if "admin_token" in team else team["token"]["secret"]

    # --- gRPC -------------------------------------------------------------------------------------------------------

    def as_stranger(self, token, target, *arguments):
        """What the command line says that knows an address, perhaps a token, and has no file of this installation."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RINGBACK_")}
        environment |= {"RINGBACK_TARGET": target, "RINGBACK_TOKEN": token, "HOME": str(self.folder)}
        return subprocess.run([o.RINGBACK, "--data", self.folder, *arguments], capture_output=True, text=True,
                              cwd=self.folder, env=environment, timeout=60)

    def refused(self, token, target, *arguments):
        done = self.as_stranger(token, target, *arguments)
        self.assertNotEqual(done.returncode, 0, f"{arguments} with {token!r}: {done.stdout}")
        for word in SECRET:
            self.assertNotIn(word, done.stdout + done.stderr)
        if token:
            self.assertNotIn(token, done.stdout + done.stderr)
        return done.stderr

    def test_no_token_but_a_good_one_of_the_team_opens_a_method_of_any_program(self):
        good, _ = self.new_token("--member", "me")
        revoked, revoked_id = self.new_token("--member", "me")
        self.cli("token", "revoke", revoked_id)
        expired, _ = self.new_token("--member", "me", "--expires", "+10m")
        o.replace_text(self.clock, "601\n")
        other = self.other_team()
        before = self.history(self.callback)
        strangers = {"none": "", "garbage": "x" * 40, "one letter off": good[:-1] + ("a" if good[-1] != "a" else "b"),
                     "revoked": revoked, "expired": expired, "the customer's link": self.link.rsplit("/", 1)[1],
                     "another team's": other}
        # The programs themselves, and each as if it were all of them: a door may stand open where nobody looks for it.
        targets = [self.pipeline.target()] + [
            ",".join(f"{name}={part.address('grpc')}" for name in ("ingest", "delivery", "reminder"))
            for part in self.pipeline.parts if "grpc" in part.ports]
        commands = [("show", self.callback), ("history", self.callback), ("ack", self.callback),
                    ("snooze", self.callback, "10m"), ("resend", self.callback),
                    ("attempt", self.callback, "--outcome", "reached"), ("dead-letters", "show", "dl" + self.callback[2:] + "0001")]
        said = {}
        for name, token in strangers.items():
            for target in targets[:1]:
                said[name] = [self.refused(token, target, *command) for command in commands]
            for target in targets[1:]:
                self.refused(token, target, "show", self.callback)
        for name in ("none", "garbage", "one letter off", "revoked", "expired", "the customer's link"):
            self.assertEqual(said[name], said["garbage"], f"{name} is told apart from garbage")
        self.assertEqual(self.history(self.callback), before, "a stranger has changed something")
        self.assertEqual(self.as_stranger(good, targets[0], "show", self.callback).returncode, 0,
                         "the others fail for their tokens only")

    # --- ZeroMQ -----------------------------------------------------------------------------------------------------

    def test_a_program_without_a_listed_key_gets_no_job_no_nudge_and_no_worker(self):
        keys = self.pipeline.data / "keys"
        for name in ("foreign", "unlisted"):
            subprocess.run([o.RINGBACK, "keygen", self.folder / name], check=True, capture_output=True)
        strangers = {
            "no keys": Stranger(self.pipeline, listens=self.addresses[0]),
            "another installation's keys": Stranger(self.pipeline, (self.folder / "foreign", self.folder / "foreign"),
                                                    self.addresses[1]),
            # It knows whom it talks to. (The house's secret, by which workers know a producer, is not among what it has:
            # it listens nowhere.)
            "a key that is on no list": Stranger(self.pipeline, (keys / "installation", self.folder / "unlisted")),
        }
        friend = None
        try:
            o.wait_for(lambda: all("here" in stranger.heard for stranger in strangers.values()), "the strangers")
            ingest = self.pipeline.part("ingest").log
            o.wait_for(lambda: "a stranger from 127.0.0.1 was turned away" in ingest.read_text(errors="replace"),
                       "a stranger at ingest's door")
            for number in range(3):
                self.send(f"while-strangers-{number}@example.com")
            # A program of the house in the same place gets all three; whatever a stranger could get would have come too.
            friend = Stranger(self.pipeline, (keys / "installation", keys / "transcode"), self.addresses[2])
            number = 0
            while not friend.kinds() >= {"job", "nudge", "credit"}:
                self.assertLess(number, 60, f"a friend got only {friend.kinds()}")
                # It takes jobs and does nothing with them: a poll finds them, and the message comes all the same.
                self.send(f"while-a-friend-{number}@example.com")
                number += 1
            for name, stranger in strangers.items():
                self.assertEqual(stranger.heard, ["here"], name)
        finally:
            for one in [*strangers.values(), *([friend] if friend else [])]:
                one.end()

    # --- HTTP -------------------------------------------------------------------------------------------------------

    def get(self, path, method="GET"):
        """(status, text)"""
        web = self.pipeline.part("web")
        request = urllib.request.Request(f"http://{web.address('http')}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def test_a_link_opens_its_own_page_and_every_other_door_looks_the_same(self):
        status, page = self.get(self.link)
        self.assertEqual(status, 200)
        self.assertIn("Müller", page)
        other_callback, other_link = self.send("olga-customer@example.com", token=self.other_team())
        self.assertEqual(self.get(other_link)[0], 200)
        gone_callback, gone_link = self.send("gone@example.com")
        self.assertEqual(self.get(gone_link)[0], 200)
        self.cli("subject", "erase", "gone@example.com", "--yes")
        token = self.link.rsplit("/", 1)[1]
        wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
        foreign_shard = token[:2] + f"{(int(token[2:4]) + 1) % 64:02d}" + token[4:]
        closed = self.get("/m/garbage")
        self.assertEqual(closed[0], 404)
        for path in ("/m/", f"/m/{wrong}", f"/m/{foreign_shard}", f"/m/{self.callback}", f"/m/{self.own['token']}", gone_link,
                     f"{gone_link}/voice.mp3", f"/m/{wrong}/voice.mp3", f"{self.link}/../{other_callback}", f"{self.link}/",
                     f"{self.link}/original.wav", "/m", "/v1/callbacks"):
            self.assertEqual(self.get(path), closed, path)
        self.assertIn('action="/sign-in"', self.get("/")[1])
        for method in ("POST", "PUT", "DELETE"):
            self.assertEqual(self.get(self.link, method)[0], 405, method)

    def test_health_and_metrics_tell_a_stranger_nothing_about_anybody(self):
        self.get(self.link)
        self.get(f"{self.link}/voice.mp3")
        for path in ("/healthz", "/readyz", "/metrics"):
            status, text = self.get(path)
            self.assertEqual(status, 200)
            self.assertNotRegex(text, r"\b(cb|rc|dl|tm|tk|mb|co|pg)\d\d[0-9a-z]{8}", f"{path} names a record")
            for word in (*SECRET, self.link.rsplit("/", 1)[1], self.own["token"], "@", str(self.pipeline.data)):
                self.assertNotIn(word, text, path)

    def test_health_says_that_the_store_is_away_and_not_where_it_should_be(self):
        redis = self.pipeline.part("redis")
        redis.process.kill()
        redis.process.wait()
        try:
            status, text = o.wait_for(lambda: (lambda answer: answer if answer[0] == 503 else None)(self.get("/readyz")),
                                      "a health that has noticed")
        finally:
            self.pipeline.start_part(redis)
        self.assertNotIn(str(redis.ports["redis"]), text)
        self.assertNotIn("127.0.0.1", text)
        o.wait_for(lambda: self.get("/readyz") == (200, "ok\n"), "good health again")
        self.assertEqual(self.get(self.link)[0], 200)


if __name__ == "__main__":
    unittest.main()
