"""Load on a pipeline whose programs come and go meanwhile, and what must be true at the end: everything that was
acknowledged is there (law 3), every message has arrived, every step has fired once (law 5)."""

import collections
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "functional"))
import office as o  # noqa: E402

# Steps that come quickly, and then no more for a day.
POLICY = """
ack_timeout = "30m"
response_target = "4h"
follow_up = "30m"
tolerance = "5m"
reminder_lead = "15m"
repeat_count = 0
repeat_interval = "1h"

[[steps]]
delay = "0s"
recipients = ["assignee", "managers"]
any_time = true

[[steps]]
delay = "1s"
recipients = ["managers"]
any_time = true

[[steps]]
delay = "3s"
recipients = ["managers", "admins"]
any_time = true
"""
STEPS = {1, 2, 3}
STANDSTILL = 150  # seconds without any progress after which nothing more is expected: beyond each lease and back-off


def set_policy(running):
    policy = running.data / "policy.toml"
    policy.write_text(POLICY)
    done = running.cli("policy", "set", policy)
    assert done.returncode == 0, done.stderr


class Load:
    """Two programs, so that both replicas of ingest are in use: each prefers another one. A promise with a voice message
    is an hour ahead; the others become overdue in a second and a half and escalate."""

    def __init__(self, running, seed):
        self.journal = running.data / "journal"
        token = json.loads(running.token_file.read_text())["token"]
        replicas = [part.address("grpc") for part in running.of("ingest")]
        self.processes = [subprocess.Popen(
            [o.BUILD / "test" / "ringback-load", "--target", "ipv4:" + ",".join(order), "--token", token, "--journal",
             self.journal, "--threads", "2", "--seconds", "36000", "--wav", o.speech(), "--promise-ms", "1500",
             "--voice-promise-ms", "3600000", "--voice-one-in", "4", "--pause-ms", "250", "--seed", str(number)])
            for number, order in ((seed % 10000, replicas), (seed % 10000 + 10000, replicas[::-1]))]

    def acknowledged(self):
        """{"uploaded": {recording: callback}, "promised": {callback: how many}, …}"""
        found = collections.defaultdict(dict)
        for line in self.journal.read_text().splitlines() if self.journal.exists() else []:
            kind, key, detail = (line.split(" ", 2) + ["", ""])[:3]
            found[kind][key] = detail
        return found

    def voice(self):
        """Callbacks whose voice message and promise were acknowledged."""
        found = self.acknowledged()
        return set(found["uploaded"].values()) & set(found["promised"])

    def until(self, messages):
        patiently(lambda: (len(self.voice()) >= messages, len(self.voice())), f"{messages} acknowledged voice messages")

    def end(self):
        for process in self.processes:
            process.terminate()
            process.wait()


class Report:
    """What the programs know of everything in the journal."""

    def __init__(self, running, load):
        self.load = load
        token = json.loads(running.token_file.read_text())["token"]
        self.command = [o.BUILD / "test" / "ringback-load", "--target", running.of("ingest")[0].address("grpc"),
                        "--delivery-target", running.of("delivery")[0].address("grpc"), "--token", token, "--report",
                        load.journal]

    def read(self):
        self.callbacks, self.alarms, self.deliveries, lost = {}, collections.Counter(), collections.defaultdict(list), []
        done = subprocess.run(self.command, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            kind, key, *rest = line.split(" ")
            if kind == "callback":
                self.callbacks[key] = tuple(map(int, rest))
            elif kind == "alarm":
                for span in rest[1].split(","):
                    first, _, last = span.partition("-")
                    self.alarms.update((key, rest[0], number) for number in range(int(first), int(last or first) + 1))
            elif kind == "delivery":
                self.deliveries[key].append(tuple(rest))
            else:
                lost.append(line)
        assert not lost, lost[:3]
        assert done.returncode == 0, "a program does not answer"

    def missing(self):
        """What is still owed: voice messages, steps, outcomes."""
        self.read()
        voice = self.load.voice()
        steps = collections.defaultdict(set)
        for callback, _, number in self.alarms:
            steps[callback].add(number)
        owed = []
        for callback, (_, attempts, overdue) in self.callbacks.items():
            kinds = {kind: state for kind, state, *_ in self.deliveries[callback]}
            owed += [f"{callback}: {kind} is {state}" for kind, state, *_ in self.deliveries[callback]
                     if state not in ("STATE_ACCEPTED", "STATE_WITHDRAWN")]
            if overdue:
                owed += [f"{callback}: step {number}" for number in STEPS - steps[callback]]
            if callback in voice and attempts == 0 and kinds.get("KIND_VOICE_MESSAGE") != "STATE_ACCEPTED":
                owed.append(f"{callback}: no voice message")
        return owed


def patiently(look, what):
    """Until `look()` says (True, …); gives up when its second word has been the same for too long."""
    last, since = None, time.monotonic()
    while True:
        there, progress = look()
        if there:
            return
        if progress != last:
            last, since = progress, time.monotonic()
        assert time.monotonic() - since < STANDSTILL, f"never came: {what}; {progress}"
        time.sleep(0.5)


def verify(report, smtp, repeats_max):
    """Waits until everything that is owed is there, checks it, and returns the figures in words. So many messages may have
    been sent again at most."""
    acknowledged, voice = report.load.acknowledged(), report.load.voice()
    assert not acknowledged["refused"], f"refused under load: {list(acknowledged['refused'].items())[:3]}"
    assert max(collections.Counter(acknowledged["created"].values()).values()) == 1, "one request made two callbacks"

    def owed():
        left = report.missing()
        return not left, (len(left), left[:3])
    patiently(owed, "everything that is owed")

    for key in acknowledged["created"]:
        assert key in report.callbacks, f"{key} was acknowledged and is lost"
    for key, promises in acknowledged["promised"].items():
        assert report.callbacks[key][0] >= int(promises), f"{key} lost a promise"
    for key in acknowledged["attempted"]:
        assert report.callbacks[key][1] >= 1, f"{key} lost an attempt"
    twice = {alarm: n for alarm, n in report.alarms.items() if n > 1}
    assert not twice, f"steps that fired twice: {twice}"

    sent = [delivery for all_of_it in report.deliveries.values() for delivery in all_of_it if delivery[2] != "0"]
    assert {accepted for _, _, accepted, _ in sent} == {"1"}, "one message was accepted twice on record"
    messages = smtp.messages()
    copies = collections.Counter(str(message["Message-ID"]).strip("<>") for message in messages)
    for kind, _, _, message_id in sent:
        assert copies[message_id.strip("<>")] >= 1, f"{kind} {message_id} is on record as accepted and never came"
    with_voice = {str(message["Message-ID"]).strip("<>") for message in messages
                  if any(part.get_content_type() == "audio/mpeg" for part in message.walk())}
    delivered = 0
    for callback in voice:
        ids = {message_id.strip("<>") for kind, state, _, message_id in report.deliveries[callback]
               if (kind, state) == ("KIND_VOICE_MESSAGE", "STATE_ACCEPTED")}
        delivered += bool(ids)
        assert ids <= with_voice, f"the mail of {callback} has no voice"

    again = sum(n - 1 for n in copies.values())
    assert again <= repeats_max, f"{again} messages were sent again, more than the {repeats_max} that can have been on their way"
    return (f"{len(report.callbacks)} callbacks; {len(voice)} voice messages acknowledged with their promise, {delivered} "
            f"delivered, the others settled first; {sum(report.alarms.values())} steps fired, none twice; {len(copies)} mails, "
            f"{again} of them sent again with the same Message-ID (crash window, at most {repeats_max})")
