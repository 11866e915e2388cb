"""An S3 server that falls silent without a word, between the pipeline and its recordings: every call has a deadline, other
work goes on, what cannot be kept is refused with a reason, and what was taken in goes on when the server is back.
scripts/install-s3-server has put the server into the build folder."""

import concurrent.futures
import pathlib
import re
import tempfile
import time
import unittest

from functional.s3_story_test import S3Server
from pipeline.gate import Gate
from pipeline.running import Clock, answer, main, o, start_pipeline
from smtp_sink import SmtpSink

BUSY = 5.0      # seconds of grace for a machine that does other things too
CALL = 60       # one call of the store with all its tries, core/blob/s3_options.h
LOOK = 1        # a worker looks at the store so often


class HalfOpenS3(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ringback-half-open-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.clock = Clock(self.folder)
        self.s3 = S3Server(self.folder)
        self.s3.start()
        self.addCleanup(self.s3.stop)
        o.wait_for(lambda: start_pipeline.listens("127.0.0.1", self.s3.port), "the S3 server")

    def pipeline(self, smtp, gate):
        settings = self.s3.settings(**{"s3.endpoint": f"http://{gate.address}"})
        settings = {key.removeprefix("ringback.").replace("_", "-"): value for key, value in settings.items()}
        return start_pipeline.Pipeline(settings=settings | self.clock.settings | {
            "mail.transport": f"smtp://127.0.0.1:{smtp.port}", "log-level": "debug",
            "transcode.lease": "3600s"})  # the clock is moved while one is in work

    def take(self, number):
        """Each another one: the same take would need no upload."""
        take = self.folder / f"take-{number}.wav"
        sound = bytearray(o.speech().read_bytes())
        sound[-1000:-996] = number.to_bytes(4, "little")
        take.write_bytes(sound)
        return take

    def send(self, running, number, *more):
        began = time.monotonic()
        done = running.cli("--json", "send", self.take(number), "--to", f"customer{number}@example.com", "--name",
                           f"Customer {number}", "--promise", "+2h", "--wait-seconds", "100", *more)
        return done, time.monotonic() - began

    def test_a_server_that_says_nothing_refuses_uploads_in_time_and_holds_up_no_other_work(self):
        with SmtpSink() as smtp, Gate("127.0.0.1", self.s3.port, http2=False) as gate, self.pipeline(smtp, gate) as running:
            transcode = running.of("transcode")[0]
            answer(self.send(running, 1)[0])
            transcode.process.send_signal(o.signal.SIGSTOP)  # this one is to meet the silence in the middle of its work
            answer(self.send(running, 2, "--no-wait")[0])
            gate.go_silent(for_ever=True)
            transcode.process.send_signal(o.signal.SIGCONT)
            with concurrent.futures.ThreadPoolExecutor(1) as sender:
                refused = sender.submit(self.send, running, 3)
                callback = answer(running.cli("--json", "request", "--name", "Meanwhile", "--phone", "+4930111111"))["callback"]
                answer(running.cli("--json", "promise", callback["id"], "+20m", "--spoken"))
                began = time.monotonic()
                self.clock.advance(6 * 60)
                o.wait_for(lambda: self.reminded(running, callback), "a reminder goes out meanwhile")
                meanwhile = time.monotonic() - began
                self.assertFalse(refused.done())
                done, seconds = refused.result()
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertRegex(done.stderr, "S3")
            o.wait_for(lambda: re.search(r"transcode: \S+ failed in attempt", transcode.log.read_text()),
                       "the silence is on record at the take that was being transcoded")
            gate.speak()
            began = time.monotonic()
            o.wait_for(lambda: [m for m in smtp.messages() if "customer2@" in str(m["To"])], "it goes on by itself")
            back = time.monotonic() - began
            self.assertEqual(answer(self.send(running, 4)[0])["outcome"], "accepted")
            print(f"an upload was refused after {seconds:.1f} s: {done.stderr.strip()}; meanwhile a reminder took {meanwhile:.1f} s; "
                  f"what had been taken in arrived {back:.1f} s after the server's return")
            self.assertLess(seconds, CALL + BUSY)
            self.assertLess(meanwhile, 2 * LOOK + BUSY)

    @staticmethod
    def reminded(running, callback):
        shown = answer(running.cli("--json", "show", callback["id"]))
        return [d for d in shown["deliveries"] if d["kind"] == "KIND_REMINDER" and d["state"] == "STATE_ACCEPTED"]


if __name__ == "__main__":
    main()
