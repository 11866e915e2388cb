"""The five programs on a real Redis, several of each, as scripts/start-pipeline starts them: a message goes through all of
them, also when every ZeroMQ message is lost, and taking replicas away under load fails no call."""

import os
import re
import subprocess
import tempfile
import time
import unittest

from pipeline.running import ROOT, SEED, Load, begun, o, start_pipeline
from smtp_sink import SmtpSink

REPLICAS = {"ingest": 2, "transcode": 3, "delivery": 2, "reminder": 2}


def pipeline(smtp, **settings):
    print(f"started in the order of seed {SEED}")
    return start_pipeline.Pipeline(replicas=REPLICAS, shuffle=SEED,
                                   settings={"mail.transport": f"smtp://127.0.0.1:{smtp.port}", "log-level": "debug",
                                             **{key.replace("_", "-", 1): value for key, value in settings.items()}})


class Message:
    """One voice message's way through a pipeline."""

    def __init__(self, running, smtp, number):
        self.address = f"customer{number}@example.com"
        began = time.monotonic()
        done = running.cli("--json", "send", o.speech(), "--to", self.address, "--name", f"Customer {number}", "--promise",
                           "+2h")
        assert done.returncode == 0, done.stderr
        self.mail = o.wait_for(lambda: next((m for m in smtp.messages() if self.address in str(m["To"])), None),
                               f"the mail to {self.address}")
        self.seconds = time.monotonic() - began


def times_of(running, smtp, count=3):
    return sorted(Message(running, smtp, number).seconds for number in range(count))


class PipelineTest(unittest.TestCase):
    def test_a_message_goes_through_all_programs_and_waits_at_most_a_second_per_stage_when_zeromq_loses_everything(self):
        with SmtpSink() as smtp, pipeline(smtp) as running:
            # Workers give their credits within a beat or two of their start.
            number = 100
            while not all(any(how == "handed off" for *_, how in begun(running, service))
                          for service in ("transcode", "delivery")):
                self.assertLess(number, 110, "not one job of ten was handed off")
                message = Message(running, smtp, number)
                self.assertIn("audio/mpeg", [part.get_content_type() for part in message.mail.walk()])
                number += 1
            usual = times_of(running, smtp)
            self.check_traces(running, smtp)
        for drop in ("jobs", "all"):
            with SmtpSink() as smtp:
                offset = smtp.dir.parent / f"{smtp.dir.name}.clock"
                offset.write_text("0\n")
                with pipeline(smtp, **{"clock-offset-file": offset, "handoff.drop-for-tests": drop}) as running:
                    lossy = times_of(running, smtp)
                    self.assertFalse([b for b in begun(running, "transcode") + begun(running, "delivery")
                                      if b[2] == "handed off"])
                offset.unlink()
            print(f"a message took {usual} s, with {drop} ZeroMQ messages dropped {lossy} s")
            # Three wait for each other: the transcode, the command line for its end, the delivery. Half a second is for
            # a machine that is busy otherwise.
            self.assertLess(max(lossy), max(usual) + 3 * 1.0 + 0.5)

    def check_traces(self, running, smtp):
        """One trace id from the upload's transcode to the delivery that waited for it."""
        running.load = Load(running, seconds=2, threads=1)
        running.load.process.wait()
        def joined():
            transcodes = {trace for trace, _, how in begun(running, "transcode") if how == "handed off"}
            return transcodes & {trace for trace, _, how in begun(running, "delivery") if how == "handed off"}
        o.wait_for(joined, "a trace that goes on from transcode to delivery")

    def test_taking_one_replica_of_each_away_under_load_fails_no_call_and_loses_nothing(self):
        with SmtpSink() as smtp, pipeline(smtp) as running:
            load = Load(running, seconds=60, threads=6)
            load.until_more(20)
            for name in ("ingest-1", "transcode-1", "delivery-1", "reminder-1"):
                self.assertEqual(running.stop_part(running.part(name)), 0, running.part(name).last_words())
                load.until_more(20)
            load.process.terminate()
            load.process.wait()
            self.assertEqual([line for line in load.lines() if line.startswith(("failed", "refused"))], [])
            uploads = sum(line.startswith("uploaded") for line in load.lines())
            self.assertGreater(uploads, 0)
            # What was begun before and after goes on to its end on the replicas that stayed.
            promised = {line.split()[1] for line in load.lines() if line.startswith("promised")}
            voice = {line.split()[2] for line in load.lines() if line.startswith("uploaded")} & promised
            # Who was reached meanwhile needs no message any more.
            voice -= {line.split()[1] for line in load.lines() if line.startswith("attempted")}
            o.wait_for(lambda: len([m for m in smtp.messages() if str(m["To"]).find("load") >= 0]) >= len(voice),
                       f"{len(voice)} voice messages at their customers")


    def test_the_script_leaves_it_running_when_told_and_ends_its_own_programs_only(self):
        with tempfile.TemporaryDirectory(prefix="ringback-kept-") as data:
            def script(*arguments):
                return subprocess.run([ROOT / "scripts" / "start-pipeline", "--data", data, *arguments], text=True,
                                      capture_output=True, timeout=120)
            started = script("--keep", "--delivery", "2")
            self.assertEqual(started.returncode, 0, started.stderr)
            self.assertRegex(started.stdout, r"delivery-2 +pid \d+ +grpc 127\.0\.0\.1:\d+")
            try:
                opened = subprocess.run([o.RINGBACK, "--data", data, "open"], text=True, capture_output=True, timeout=60)
                self.assertEqual(opened.returncode, 0, opened.stderr)
                self.assertIn("still running", script("--keep").stderr)
            finally:
                stopped = script("--stop")
            self.assertEqual(stopped.stdout, "7 programs have ended\n", stopped.stderr)
            self.assertEqual(script("--stop").stdout, "0 programs have ended\n")

    def test_the_script_says_what_it_cannot_start_before_it_starts_anything(self):
        with tempfile.TemporaryDirectory(prefix="ringback-kept-") as data:
            for wrong, said in ((("--set", "log-level"), "--set log-level: wants a value"),
                                (("--ingest", "0"), "--ingest 0: every program is needed"),
                                (("--build", "transcode-3=/tmp"), "--build transcode-3: is none of redis, ingest")):
                done = subprocess.run([ROOT / "scripts" / "start-pipeline", "--data", data, *wrong], text=True,
                                      capture_output=True, timeout=60)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(said, done.stderr)
                self.assertEqual(os.listdir(data), [])


if __name__ == "__main__":
    unittest.main()
