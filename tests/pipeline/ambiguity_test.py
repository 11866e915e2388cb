"""Nobody knows whether it happened: a mail server that stored the mail and said nothing, a server whose answer was lost on
the way. Every message arrives, a repeat is recognisable, nothing is done twice, and nobody waits for ever."""

import concurrent.futures
import signal
import statistics
import tempfile
import threading
import time
import unittest

from pipeline.gate import Gate
from pipeline.running import Clock, Load, answer, begun_by, main, o, says, start_pipeline, token_of
from smtp_sink import OddSmtp, SmtpSink

REPLICAS = {"ingest": 2, "transcode": 2, "delivery": 2}


def pipeline(smtp, replicas=REPLICAS, **settings):
    return start_pipeline.Pipeline(replicas=replicas, settings={
        "mail.transport": f"smtp://127.0.0.1:{smtp.port}", "log-level": "debug", **settings})


def send(running, number, *more):
    """A voice message to a customer of this number; the callback."""
    return answer(running.cli("--json", "send", o.speech(), "--to", f"customer{number}@example.com", "--name",
                              f"Customer {number}", "--promise", "+2h", *more))["callback"]


def send_all(running, numbers):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda number: send(running, number), numbers))


def show(running, callback, **environment):
    return answer(running.cli("--json", "show", callback["id"], **environment))


def promise_state(shown):
    return shown["callback"]["promises"][-1]["state"]


class Smtp(unittest.TestCase):
    def wait_armed(self, running, callbacks):
        for callback in callbacks:
            o.wait_for(lambda: promise_state(show(running, callback)) == "STATE_ARMED", f"{callback['id']} is armed")

    def check_copies(self, smtp, messages, copies_each):
        """Each message came so often, the same one each time, and never twice at a time."""
        by_id = smtp.copies_by_id()
        self.assertEqual(len(by_id), messages)
        gaps = []
        for message_id, copies in by_id.items():
            self.assertEqual(len(copies), copies_each, message_id)
            self.assertEqual(len({str(copy.message["To"]) for copy in copies}), 1)
            self.assertEqual([copy.answered for copy in copies], [False] * (copies_each - 1) + [True])
            for earlier, later in zip(copies, copies[1:]):
                self.assertIsNotNone(earlier.over, "it was sent again while the first was under way")
                self.assertGreaterEqual(later.began, earlier.over)
                gaps.append(later.began - earlier.over)
        return gaps

    def test_a_server_that_stores_and_hangs_up_gets_it_again_with_the_same_message_id(self):
        with OddSmtp(lambda copy, times: OddSmtp.HANG_UP if times < 3 else "250 queued") as smtp, pipeline(smtp) as running:
            began = time.monotonic()
            callbacks = send_all(running, range(4))
            self.wait_armed(running, callbacks)
            seconds = time.monotonic() - began
            gaps = self.check_copies(smtp, messages=4, copies_each=3)
            tries = [d for d in show(running, callbacks[0])["deliveries"] if d["kind"] == "KIND_VOICE_MESSAGE"][0]["tries"]
            self.assertEqual(len(tries), 3)
            self.assertIn("no reply after the end of the mail", tries[0]["reason"])
            print(f"stored and hung up twice each: 4 messages accepted after {seconds:.1f} s, sent again "
                  f"{min(gaps):.1f} to {max(gaps):.1f} s after the hang-up")

    def test_while_a_slow_server_may_still_take_it_nobody_sends_it_again(self):
        timeout = 3
        with OddSmtp(lambda copy, times: OddSmtp.SILENCE if times == 1 else "250 queued") as smtp, \
                pipeline(smtp, **{"mail.timeout": f"{timeout}s"}) as running:
            callbacks = send_all(running, range(6))
            self.wait_armed(running, callbacks)
            gaps = self.check_copies(smtp, messages=6, copies_each=2)
            held = [copies[0].over - copies[0].began for copies in smtp.copies_by_id().values()]
            print(f"a server that does not answer was left after {min(held):.1f} to {max(held):.1f} s (mail.timeout "
                  f"{timeout} s), the message sent again {min(gaps):.1f} to {max(gaps):.1f} s later")
            # Two seconds for the farewell, as the transport promises; one for a busy machine.
            self.assertLess(max(held), timeout + 2 + 1)
            self.assertGreaterEqual(min(held), timeout - 0.5)

    def test_a_worker_that_lost_its_lease_before_the_content_sends_nothing(self):
        """Stopped between claim and content for longer than its lease; meanwhile the other one has sent it."""
        may_go_on = threading.Event()
        with OddSmtp(before_data=lambda number: number == 1 and may_go_on.wait(60)) as smtp, \
                tempfile.TemporaryDirectory() as folder:
            clock = Clock(folder)
            with pipeline(smtp, **clock.settings) as running:
                environment = {"environment": {"RINGBACK_CLOCK_OFFSET_FILE": str(clock.file)}}
                callback = answer(running.cli("--json", "send", o.speech(), "--to", "customer@example.com", "--name", "C",
                                              "--promise", "+2h", "--no-wait", **environment))["callback"]
                o.wait_for(lambda: smtp.datas == 1, "the first worker says DATA")
                first = o.wait_for(lambda: next((part for part in running.of("delivery") if begun_by(part)), None),
                                   "one of the workers has begun it")
                first.process.send_signal(signal.SIGSTOP)
                try:
                    clock.advance(61)  # the lease of a delivery is 60 s
                    o.wait_for(lambda: smtp.copies, "the other worker sends it")
                    # Not by the command line: its call could go to the one that is stopped, and wait there until that one's
                    # own time is up.
                    other = next(part for part in running.of("delivery") if part is not first)
                    o.wait_for(lambda: says(other, "is accepted after 1 tries"), "the other worker has it on record")
                    may_go_on.set()
                finally:
                    first.process.send_signal(signal.SIGCONT)
                o.wait_for(lambda: self.outcomes(running, callback, environment) == ["STATE_ACCEPTED"], "its end is on record")
                # The stopped one hears its 354 now, and must leave without a word: its connection ends.
                o.wait_for(lambda: smtp.gone == 1, "the worker that was late has left")
                self.assertEqual(len(smtp.copies), 1)
                print("stopped with its claim for 61 s: sent once, by the other worker")

    @staticmethod
    def outcomes(running, callback, environment):
        return [d["state"] for d in show(running, callback, **environment)["deliveries"] if d["kind"] == "KIND_VOICE_MESSAGE"]

    def test_a_server_that_refuses_for_a_while_alarms_the_rep_when_the_promise_is_at_stake(self):
        with tempfile.TemporaryDirectory() as folder:
            clock = Clock(folder)
            smtp = SmtpSink(("-r", "rcpt"))  # not started: connections are refused first
            environment = {"environment": {"RINGBACK_CLOCK_OFFSET_FILE": str(clock.file)}}

            def reasons():
                return [t["reason"] for d in show(running, callback, **environment)["deliveries"]
                        if d["kind"] == "KIND_VOICE_MESSAGE" for t in d.get("tries", [])]

            with pipeline(smtp, **clock.settings) as running:
                callback = answer(running.cli("--json", "send", o.speech(), "--to", "customer@example.com", "--name", "C",
                                              "--promise", "+1h", "--no-wait", **environment))["callback"]
                o.wait_for(lambda: any("connect" in reason for reason in reasons()), "a try without a server")
                with smtp:
                    o.wait_for(lambda: any(reason.startswith("450") for reason in reasons()), "a try that was refused")
                    self.assertFalse(show(running, callback, **environment)["callback"].get("delivery_alarm"))
                    clock.advance(50 * 60)  # the reminder is 15 minutes before the promise: from then on it is at stake
                    alarmed = time.monotonic()
                    o.wait_for(lambda: show(running, callback, **environment)["callback"].get("delivery_alarm"), "the alarm")
                    alarmed = time.monotonic() - alarmed
                    smtp.stop()
                    smtp.switches = []
                    smtp.start()
                    back = time.monotonic()
                    clock.advance(60)
                    o.wait_for(lambda: promise_state(show(running, callback, **environment)) == "STATE_ARMED", "it is armed")
                    back = time.monotonic() - back
                    self.assertFalse(show(running, callback, **environment)["callback"].get("delivery_alarm"))
                    customers = [m for m in smtp.messages() if "customer@" in str(m["To"])]
                    self.assertEqual(len(customers), 1)
                    print(f"no server, then 450 until the promise was at stake: alarmed after {alarmed:.1f} s, accepted "
                          f"{back:.1f} s after the server took mail again, in {len(reasons())} tries")


class LostAnswers(unittest.TestCase):
    def cli_through(self, running, gate):
        target = f"ingest={gate.address}," + ",".join(
            f"{part.service}={part.address('grpc')}" for part in running.parts if part.service in ("delivery", "reminder"))
        return {"RINGBACK_TARGET": target, "RINGBACK_TOKEN": token_of(running)}

    def test_whichever_answer_of_a_message_is_lost_it_is_sent_once(self):
        with SmtpSink() as smtp, pipeline(smtp, {"ingest": 1}) as running:
            ingest = running.of("ingest")[0]
            with Gate("127.0.0.1", ingest.ports["grpc"]) as gate:
                send_through = self.cli_through(running, gate)
                self.one_message(running, send_through, 0)
                answers = gate.answers
            self.assertGreaterEqual(answers, 5)  # team, callback, checks, upload, promise
            seconds = []
            for number in range(1, answers + 1):
                with Gate("127.0.0.1", ingest.ports["grpc"]) as gate:
                    gate.lose = {number}
                    began = time.monotonic()
                    done = self.one_message(running, self.cli_through(running, gate), number)
                    seconds.append(time.monotonic() - began)
                    # One message may need fewer answers than another: it asks whether it was accepted until it was.
                    self.assertTrue(gate.lost == 1 or number > 5, f"answer {number} was not lost")
                    self.assertEqual(len(done["callback"]["promises"]), 1)
            open_callbacks = answer(running.cli("--json", "open"))["callbacks"]
            self.assertEqual(sorted(c["caller"]["email"] for c in open_callbacks),
                             sorted(f"lost{number}@example.com" for number in range(answers + 1)))
            mails = [str(m["To"]) for m in smtp.messages()]
            for number in range(answers + 1):
                self.assertEqual(sum(f"lost{number}@" in to for to in mails), 1, number)
            self.assertEqual(len(list(running.data.glob("blobs/*/*/original"))), answers + 1)
            print(f"each of {answers} answers lost in turn: one callback, one recording, one promise, one mail each; "
                  f"{statistics.median(seconds):.1f} s a message in the middle, {max(seconds):.1f} s at most")

    def one_message(self, running, environment, number):
        return answer(running.cli("--json", "send", o.speech(), "--to", f"lost{number}@example.com", "--name", f"Lost {number}",
                                  "--promise", "+2h", environment=environment))

    def test_under_load_with_every_seventh_answer_lost_nothing_is_done_twice(self):
        with SmtpSink() as smtp, pipeline(smtp) as running, \
                Gate("127.0.0.1", running.of("ingest")[0].ports["grpc"]) as gate:
            gate.lose = set(range(7, 100_000, 7))
            load = Load(running, seconds=120, threads=6, strict=False, target=gate.address)
            load.until_more(30, "uploaded")
            load.end()
            known = load.known(running)
            created = [line.split() for line in load.lines("created")]
            self.assertEqual(len({request for *_, request in created}), len(created))
            self.assertEqual(len({callback for _, callback, _ in created}), len(created), "one request, two callbacks")
            self.assertFalse(load.lines("refused"))
            promised = {line.split()[1]: line.split()[2] for line in load.lines("promised")}
            self.assertEqual(set(promised.values()), {"1"})
            for callback in promised:
                self.assertEqual(known[callback][0], 1, f"{callback} was promised twice")
            for line in load.lines("attempted"):
                self.assertEqual(known[line.split()[1]][1], 1, f"{line} was logged twice")
            # Those cut off in their last call may or may not have been carried out, one for each thread.
            everything = answer(running.cli("--json", "open", "--limit", "500"))["callbacks"] if len(created) < 400 else None
            if everything is not None:
                self.assertLessEqual(len(everything), len(created) + 6)
            self.assertGreater(gate.lost, 20)
            print(f"{gate.lost} of {gate.answers} answers lost: {len(created)} callbacks, {len(promised)} promises, "
                  f"{len(load.lines('uploaded'))} recordings, none twice")


if __name__ == "__main__":
    main()
