"""A reminder that was stopped (SIGSTOP) with a timer's commit on its way to Redis, while its lease ran out and the other
reminder fired the timer, and that then goes on: its alarms have left once, and what it still says changes nothing. A gate
between the two and Redis holds the commit, the clock that leases run on is moved by its file: nothing depends on time."""

import pathlib
import signal
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "functional")]
import office as o  # noqa: E402
from load.promises import set_policy  # noqa: E402
from pipeline.gate import Gate  # noqa: E402
from pipeline.running import Clock, answer, says, start_pipeline  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

LEASE = 15  # seconds, reminder/app.cc


class Reminders(start_pipeline.Pipeline):
    """Two of them. The first reaches Redis through the gate."""

    def __init__(self, smtp, folder):
        self.clock = Clock(folder)
        super().__init__(replicas={"reminder": 2}, settings=self.clock.settings | {
            "mail.transport": f"smtp://127.0.0.1:{smtp.port}", "log-level": "debug", "delivery.bundle-window": "0s"})
        self.late, self.other = self.of("reminder")
        self.gate = Gate("127.0.0.1", self.of("redis")[0].ports["redis"], http2=False)

    def __enter__(self):
        self.gate.__enter__()
        self.late.settings = {"store": f"redis://{self.gate.address}"}
        return super().__enter__()

    def __exit__(self, *reason):
        self.gate.let_go()
        for part in (self.late, self.other):
            if part.running():
                part.process.send_signal(signal.SIGCONT)
        super().__exit__(*reason)
        self.gate.__exit__()

    def say(self, *words):
        return answer(self.cli("--json", *words, environment={"RINGBACK_CLOCK_OFFSET_FILE": str(self.clock.file)}))

    def promised(self, number, span):
        """A callback's id; nobody will keep the promise."""
        callback = self.say("request", "--name", f"Customer {number}", "--phone", f"+49301234{number}")["callback"]["id"]
        self.say("promise", callback, span, "--spoken")
        return callback

    def alarms(self, callback):
        """(id, kind, state, how many tries were accepted) of every message to the team."""
        return [(d["id"], d["kind"], d["state"], sum(made.get("accepted", False) for made in d.get("tries", [])))
                for d in self.say("show", callback)["deliveries"]]

    def alarmed(self, callback):
        """Its alarms once the promised time has passed and all have left."""
        alarms = self.alarms(callback)
        escalated = any(kind == "KIND_ESCALATION" for _, kind, _, _ in alarms)
        return alarms if escalated and all(state == "STATE_ACCEPTED" for _, _, state, _ in alarms) else None


class LateReminderTest(unittest.TestCase):
    def test_a_reminder_that_goes_on_after_its_lease_has_run_out_fires_nothing_again(self):
        with SmtpSink() as smtp, tempfile.TemporaryDirectory() as folder, Reminders(smtp, folder) as running:
            set_policy(running)
            callback = running.promised(1, "+20m")
            running.other.process.send_signal(signal.SIGSTOP)
            running.gate.hold(("dl" + callback[2:]).encode())  # the name of the first message that the timer makes
            running.clock.advance(21 * 60)
            self.assertTrue(running.gate.held.wait(o.PATIENCE), "no commit of the timer came by")
            running.late.process.send_signal(signal.SIGSTOP)
            self.assertEqual(running.alarms(callback), [])

            running.clock.advance(LEASE + 1)
            running.other.process.send_signal(signal.SIGCONT)
            fired = o.wait_for(lambda: running.alarmed(callback), "the other's alarms")
            known = running.say("show", callback)

            running.gate.let_go()
            running.late.process.send_signal(signal.SIGCONT)
            o.wait_for(lambda: says(running.late, f"the lease of {callback} was lost"), "the late one hears that it is late")
            # It works on as ever; and whatever the late one had left behind would have fired with this.
            self.assertEqual(running.stop_part(running.other), 0, running.other.last_words())
            second = running.promised(2, "+20m")
            running.clock.advance(21 * 60)
            o.wait_for(lambda: running.alarmed(second), "the alarms of a callback that only the late one can see to")

            self.assertEqual(running.alarms(callback), fired)
            self.assertEqual(running.say("show", callback)["callback"], known["callback"])
            self.assertEqual([accepted for *_, accepted in fired], [1] * len(fired))
            mails = [str(mail["Message-ID"]) for mail in smtp.messages()]
            self.assertEqual(len(mails), len(set(mails)))
            self.assertEqual(len(mails), len(fired) + len(running.alarms(second)))
            print(f"{len(fired)} alarms, each once: {[kind for _, kind, _, _ in fired]}")


if __name__ == "__main__":
    unittest.main()
