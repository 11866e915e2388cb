"""A worker that was stopped (SIGSTOP) with work in its hands, while its lease ran out and another took the work over, and
that then goes on: nothing it does has an effect any more. The clock that leases run on is moved by its file; where the
worker stands when it is stopped is held by the other side (SMTP, the codec), so nothing depends on time."""

import json
import pathlib
import re
import signal
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "functional"), str(TESTS / "crash")]
import office as o  # noqa: E402
from pipeline.programs import start_pipeline  # noqa: E402
from smtp_gate import SmtpGate  # noqa: E402

LEASE = 700  # seconds, of the file's clock: no real one runs out while a test looks


class Shop:
    """A pipeline with two replicas of each worker, its mail at `gate`, and a clock that can be moved."""

    def __init__(self, gate, **settings):
        self.gate = gate
        self.pipeline = start_pipeline.Pipeline(
            replicas={"transcode": 2, "delivery": 2},
            settings={"mail.transport": f"smtp://127.0.0.1:{gate.port}", "mail.timeout": "600s", "log-level": "debug",
                      "transcode.lease": f"{LEASE}s", "delivery.lease": f"{LEASE}s", "delivery.slots": 1} | settings)
        self.clock = self.pipeline.data / "clock"
        self.pipeline.settings["clock-offset-file"] = self.clock

    def __enter__(self):
        self.pipeline.__enter__()
        return self

    def __exit__(self, *reason):
        for part in self.pipeline.parts:
            if part.running():
                part.process.send_signal(signal.SIGCONT)
        return self.pipeline.__exit__(*reason)

    def send(self, address):
        """(the callback's id, the recording's)"""
        done = self.pipeline.cli("--json", "send", o.speech(), "--to", address, "--name", "Customer", "--promise", "+2h",
                                 "--no-wait", environment={"RINGBACK_CLOCK_OFFSET_FILE": str(self.clock)})
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        return answer["callback"]["id"], answer["recording"]["id"]

    def shown(self, callback):
        done = self.pipeline.cli("--json", "show", callback)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def who_began(self, service, beginning):
        """The one replica that has begun an entry whose id begins so."""
        (found,) = [part for part in self.pipeline.of(service)
                    if re.search(rf"{service}: {beginning}\w* begins", part.log.read_text(errors="replace"))]
        return found

    def stop_beyond_its_lease(self, part):
        part.process.send_signal(signal.SIGSTOP)
        o.replace_text(self.clock, f"{LEASE + 1}\n")

    def mails_to(self, address):
        return [mail for mail in self.gate.messages() if address in str(mail["To"])]

    def voice_messages(self, callback):
        """(state, how many tries were accepted) of each message to the customer."""
        return [(delivery["state"], sum(made.get("accepted", False) for made in delivery.get("tries", [])))
                for delivery in self.shown(callback)["deliveries"] if delivery["kind"] == "KIND_VOICE_MESSAGE"]

    def until_accepted(self, callback):
        o.wait_for(lambda: self.voice_messages(callback) == [("STATE_ACCEPTED", 1)], "the other worker's outcome on record")


class LateWorkerTest(unittest.TestCase):
    def late_sender(self, shop, held_at):
        """Stops a delivery whose conversation stands at `held_at` until another has sent its message. Returns the late
        worker, the callback and the late conversation's commands."""
        shop.gate.hold(held_at)
        callback, _ = shop.send("mueller@example.com")
        assert shop.gate.held.wait(o.PATIENCE), "no message came to the mail server"
        late = shop.who_began("delivery", "dl" + callback[2:])
        shop.stop_beyond_its_lease(late)
        shop.until_accepted(callback)
        late.process.send_signal(signal.SIGCONT)
        shop.gate.go.set()
        return late, callback, shop.gate.held_conversation

    def test_a_late_sender_sends_nothing(self):
        with SmtpGate() as gate, Shop(gate) as shop:
            _, callback, late = self.late_sender(shop, "RCPT")
            # It asks once more before the content leaves, and hears that the message is another's.
            o.wait_for(lambda: "end" in late, f"the end of the late conversation; {late}")
            self.assertIn("DATA", late)
            self.assertNotIn(".", late)
            self.assertEqual(len(shop.mails_to("mueller@example.com")), 1)
            self.assertEqual(shop.voice_messages(callback), [("STATE_ACCEPTED", 1)])

    def test_what_a_late_sender_had_sent_already_changes_no_record(self):
        with SmtpGate() as gate, Shop(gate) as shop:
            worker, callback, _ = self.late_sender(shop, ".")
            # The one window there is: it had left, and nobody knew. The customer's mail program sees one message.
            self.assertEqual(len(shop.mails_to("mueller@example.com")), 2)
            self.assertEqual(len({str(mail["Message-ID"]) for mail in shop.mails_to("mueller@example.com")}), 1)
            self.work_alone(shop, "delivery", worker)
            self.assertEqual(shop.voice_messages(callback), [("STATE_ACCEPTED", 1)])
            self.assertEqual(len(shop.mails_to("mueller@example.com")), 2)

    def work_alone(self, shop, service, late):
        """The late worker has one slot: a further message that only it can work on comes after whatever it was late with."""
        for part in shop.pipeline.of(service):
            if part is not late:
                self.assertEqual(shop.pipeline.stop_part(part), 0, part.last_words())
        shop.send("schmidt@example.com")
        o.wait_for(lambda: shop.mails_to("schmidt@example.com"), f"a message that {late.name} has worked on")

    def test_a_late_transcode_changes_no_record_and_sends_nothing(self):
        with SmtpGate() as gate:
            shop = Shop(gate)
            codec = self.held_codec(shop.pipeline.data)
            shop.pipeline.settings["transcode.codec-path"] = codec
            with shop:
                callback, recording = shop.send("mueller@example.com")
                o.wait_for(lambda: codec.with_suffix(".held").exists(), "a codec at work")
                late = shop.who_began("transcode", recording)
                shop.stop_beyond_its_lease(late)
                shop.until_accepted(callback)
                (first,) = shop.mails_to("mueller@example.com")
                codec.with_suffix(".go").touch()
                late.process.send_signal(signal.SIGCONT)
                self.work_alone(shop, "transcode", late)
                self.assertEqual(len(shop.mails_to("mueller@example.com")), 1)
                self.assertEqual(shop.voice_messages(callback), [("STATE_ACCEPTED", 1)])
                # What it transcoded so late is the same take, under the same name.
                self.assertEqual(self.rendition(shop, recording), voice_of(first))

    def held_codec(self, folder):
        """ringback-codec, but the first one to start waits for a file."""
        codec = folder / "codec"
        codec.write_text("#!/bin/sh\n"
                         f"if mkdir {codec}.held 2>/dev/null; then while [ ! -e {codec}.go ]; do sleep 0.05; done; fi\n"
                         f'exec {o.BUILD}/bin/ringback-codec "$@"\n')
        codec.chmod(0o700)
        return codec

    def rendition(self, shop, recording):
        (path,) = shop.pipeline.data.glob(f"blobs/**/{recording}/voice.mp3")
        return path.read_bytes()


def voice_of(mail):
    return next(part.get_payload(decode=True) for part in mail.walk() if part.get_content_type() == "audio/mpeg")


if __name__ == "__main__":
    unittest.main()
