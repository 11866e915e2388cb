"""What an operator sees: one recording followed by its trace id through the five programs' logs, and in the metrics of each
a backlog that rises, an age that grows, lost leases, dead letters, deliveries by outcome; and nowhere anything personal."""

import json
import pathlib
import re
import signal
import socketserver
import stat
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "functional"))
sys.path.insert(0, str(ROOT / "tests"))
import office as o  # noqa: E402
from pipeline.running import metric, page, start_pipeline  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

NAME, NOTE, SPOKEN = "Gisela Geheim", "will die Pumpe abbestellen", "wegen Ihrer Pumpe"


class Refusing(socketserver.StreamRequestHandler):
    """A mail server that knows nobody, and says so with the address."""

    def handle(self):
        self.wfile.write(b"220 mx\r\n")
        for line in self.rfile:
            word = line.upper()
            if word.startswith(b"RCPT"):
                self.wfile.write(b"550 5.1.1 " + line.split(b":", 1)[1].strip() + b" is unknown here\r\n")
            else:
                self.wfile.write({b"EHLO": b"250 mx\r\n", b"QUIT": b"221 bye\r\n"}.get(word[:4], b"250 ok\r\n"))


class RefusingServer:
    def __enter__(self):
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()


class Watched:
    """A pipeline with a clock of its own, JSON logs, and whoever looks at it."""

    def __init__(self, mail_port, replicas=None, **settings):
        self.dir = tempfile.TemporaryDirectory(prefix="ringback-watched-")
        self.offset_file = pathlib.Path(self.dir.name) / "clock"
        self.offset = 0.0
        self.sent = 0
        self.advance(0)
        self.running = start_pipeline.Pipeline(replicas=replicas, settings={
            "mail.transport": f"smtp://127.0.0.1:{mail_port}", "log-level": "debug", "log-format": "json",
            "clock-offset-file": self.offset_file, **settings})
        web = self.running.part("web")
        self.running.settings["public-url"] = f"http://{web.address('http')}"

    def __enter__(self):
        self.running.__enter__()
        return self

    def __exit__(self, *what):
        for part in self.running.parts:  # one that a failed test left stopped would not hear SIGTERM
            if part.running():
                part.process.send_signal(signal.SIGCONT)
        self.running.__exit__(*what)
        self.dir.cleanup()

    def advance(self, seconds):
        self.offset += seconds
        part = self.offset_file.with_suffix(".part")
        part.write_text(f"{self.offset}\n")
        part.replace(self.offset_file)

    def send(self, *arguments):
        """Each to another customer. Returns address and recording."""
        self.sent += 1
        address = f"gisela.geheim{self.sent}@example.com"
        words = pathlib.Path(self.dir.name) / "spoken"
        words.write_text(SPOKEN)
        done = self.running.cli("--json", "send", o.speech(), "--to", address, "--name", NAME, "--note", NOTE,
                                "--text", words, "--promise", "+2h", *arguments)
        assert done.returncode == 0, done.stderr
        return address, json.loads(done.stdout)["recording"]["id"]

    # --- logs -----------------------------------------------------------------------------------------------------

    def lines(self, service):
        """Every line of the log is one JSON document."""
        text = "".join(part.log.read_text() for part in self.running.of(service))
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def logged(self, service, pattern, trace=None):
        """The trace ids of the lines that match."""
        return [line["trace_id"] for line in self.lines(service)
                if re.search(pattern, line["message"]) and trace in (None, line["trace_id"])]

    def until_logged(self, service, pattern, trace=None):
        return o.wait_for(lambda: self.logged(service, pattern, trace),
                          f"{service}: {pattern} in trace {trace or 'any'}; there is "
                          f"{[(l['trace_id'][:6], l['message']) for l in self.lines(service)][-15:]}")[0]

    # --- metrics --------------------------------------------------------------------------------------------------

    def get(self, name, path="/metrics"):
        return page(self.running.part(name), path)

    def metric(self, name, metric_name, **labels):
        return metric(self.running.part(name), metric_name, **labels)

    def until(self, name, metric_name, sign, **labels):
        return o.wait_for(lambda: (lambda v: [v] if sign(v) else None)(self.metric(name, metric_name, **labels)),
                          f"{name}: {metric_name} {labels}; it is {self.metric(name, metric_name, **labels)}")[0]

    def everything(self):
        """All that anybody who watches can read."""
        texts = {part.log: part.log.read_text() for part in self.running.parts}
        return texts | {f"metrics of {part.name}": self.get(part.name)[1]
                        for part in self.running.parts if part.service != "redis" and part.running()}


class ObserveTest(unittest.TestCase):
    def check_nothing_personal(self, watched, *more):
        token = json.loads(watched.running.token_file.read_text())["token"]
        for where, text in watched.everything().items():
            for secret in ("gisela", "Geheim", NOTE, "Pumpe", "@example.com", "Anna", "Schmidt", token, *more):
                self.assertNotIn(secret, text, f"{secret} in {where}")

    def test_one_recording_is_followed_by_its_trace_id_with_the_hand_off_and_without(self):
        for how, drop in (("handoff", ""), ("poll", "all")):
            with self.subTest(how), SmtpSink() as smtp, Watched(smtp.port, **{"handoff.drop-for-tests": drop}) as watched:
                address, trace = self.follow(watched)
                while not drop and not (watched.logged("transcode", "begins, handed off", trace) and
                                        watched.logged("delivery", "begins, handed off", trace)):
                    self.assertLess(watched.sent, 10, "workers give their credits within a beat or two of their start")
                    address, trace = self.follow(watched)
                mail = o.wait_for(lambda: next((m for m in smtp.messages() if address in str(m["To"])), None), "the mail")
                link = re.search(r"/m/(\w+)", mail.get_body(("plain",)).get_content())
                self.assertEqual(watched.get("web", link[0])[0], 200)
                watched.until_logged("web", r"^web: page of cb\w+ opened", trace)
                self.check_timer(watched, trace)
                self.check_metrics(watched, how)
                self.check_nothing_personal(watched, link[1])

    def follow(self, watched):
        """A message through three programs; its customer's address and its trace id."""
        address, recording = watched.send()
        trace = watched.until_logged("ingest", rf"^recording {recording} of \d+ bytes was taken in")
        self.assertRegex(trace, "^[0-9a-f]{32}$")
        watched.until_logged("transcode", rf"^transcode: {recording} begins, (handed off|found by looking)", trace)
        watched.until_logged("transcode", rf"^recording {recording} is ready", trace)
        watched.until_logged("delivery", r"^delivery: dl\w+ begins, (handed off|found by looking)", trace)
        watched.until_logged("delivery", r"^delivery dl\w+, a voice_message by mail, is accepted", trace)
        return address, trace

    def check_timer(self, watched, recordings_trace):
        """The promise goes unkept: its timers fire, each a trace of its own that its messages go on in."""
        watched.advance(3 * 3600)
        trace = watched.until_logged("reminder", r"^timer of cb\w+ fired: delivery dl\w+")
        self.assertNotEqual(trace, recordings_trace)
        watched.until_logged("delivery", r"^delivery dl\w+, a \w+ by mail, is accepted", trace)

    def check_metrics(self, watched, how):
        for service in ("transcode", "delivery"):
            self.assertGreaterEqual(watched.metric(service, "ringback_claims_total", stage=service, found_by=how), 1, service)
        if how == "poll":
            for service in ("transcode", "delivery"):
                self.assertEqual(watched.metric(service, "ringback_claims_total", found_by="handoff"), 0)
        self.assertEqual(watched.metric("delivery", "ringback_deliveries_total", kind="voice_message", channel="mail",
                                        outcome="accepted"), watched.sent)
        self.assertEqual(watched.metric("delivery", "ringback_delivery_seconds_count", kind="voice_message"), watched.sent)
        self.assertEqual(watched.metric("transcode", "ringback_codec_seconds_count"), watched.sent)
        self.assertGreaterEqual(watched.metric("reminder", "ringback_timer_lateness_seconds_count", stage="promise"), 1)
        self.assertGreater(watched.metric("ingest", "ringback_store_calls_total", call="commit", code="OK"), 0)
        self.assertEqual(watched.metric("ingest", "ringback_rpc_total", code="OK",
                                        method="/ringback.v1.RecordingService/UploadRecording"), watched.sent)
        for part in watched.running.parts:
            if part.service == "redis":
                continue
            status, text = watched.get(part.name)
            self.assertEqual((status, watched.get(part.name, "/healthz")[0]), (200, 200), part.name)
            o.wait_for(lambda: watched.get(part.name, "/readyz") == (200, "ok\n"), f"{part.name} is ready")
            self.assertIn(f'ringback_build_info{{program="ringback-{part.service}"', text)
            self.assertIn('ringback_backlog{stage="promise",state="future"}', text)
            # Every metric says what it is.
            self.assertEqual(re.findall(r"# HELP (\S+) *\n", text), [], part.name)
            # Few labels, and never an id among them.
            self.assertEqual(re.findall(r'"(?:cb|rc|dl|tm|mb|ct|tk)\d\d\w{8,}"', text), [], part.name)
            self.assertLess(len(text.splitlines()), 1500)

    def test_trouble_shows_in_the_metrics(self):
        codec = pathlib.Path(tempfile.mkdtemp(prefix="ringback-gate-"))
        gate, program = codec / "go", codec / "codec"
        program.write_text(f"#!/bin/sh\nwhile [ ! -e {gate} ]; do sleep 0.02; done\nexec {o.BUILD}/bin/ringback-codec \"$@\"\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        with RefusingServer() as mail, Watched(mail.port, {"transcode": 2}, **{
                "handoff.drop-for-tests": "jobs", "transcode.codec-path": program}) as watched:
            first, second = watched.running.of("transcode")
            self.backlog_rises_while_nobody_transcodes(watched, first, second)
            self.a_lease_is_lost(watched, first, second, gate)
            self.refused_deliveries_are_counted(watched)
            self.a_poison_recording_comes_to_the_dead_letters(watched)
            self.check_nothing_personal(watched)

    def backlog_rises_while_nobody_transcodes(self, watched, first, second):
        for part in (first, second):
            part.process.send_signal(signal.SIGSTOP)
        watched.until("ingest", "ringback_backlog", lambda n: n == 0, stage="transcode", state="waiting")
        watched.send("--no-wait")
        watched.until("ingest", "ringback_backlog", lambda n: n == 1, stage="transcode", state="waiting")
        watched.advance(60)
        watched.until("web", "ringback_oldest_age_seconds", lambda age: 60 <= age < 120, stage="transcode")
        watched.advance(600)
        watched.until("reminder", "ringback_oldest_age_seconds", lambda age: 660 <= age < 720, stage="transcode")

    def a_lease_is_lost(self, watched, first, second, gate):
        first.process.send_signal(signal.SIGCONT)
        watched.until("ingest", "ringback_backlog", lambda n: n == 1, stage="transcode", state="leased")
        self.assertEqual(watched.metric("transcode-1", "ringback_slots", state="busy"), 1)
        self.assertEqual(watched.metric("ingest", "ringback_backlog", stage="transcode", state="waiting"), 0)
        first.process.send_signal(signal.SIGSTOP)
        watched.advance(150)  # its lease is two minutes
        second.process.send_signal(signal.SIGCONT)
        watched.until("transcode-2", "ringback_claims_total", lambda n: n == 1, stage="transcode", found_by="poll")
        gate.touch()
        watched.until("transcode-2", "ringback_transcodes_total", lambda n: n == 1, outcome="ready")
        first.process.send_signal(signal.SIGCONT)
        watched.until("transcode-1", "ringback_lost_leases_total", lambda n: n == 1, stage="transcode")
        self.assertEqual(watched.metric("transcode-2", "ringback_lost_leases_total"), 0)
        traces = watched.logged("transcode", r"^transcode: rc\w+ begins")
        self.assertEqual((len(traces), len(set(traces))), (2, 1), "both tries are one trace")

    def refused_deliveries_are_counted(self, watched):
        watched.until("delivery", "ringback_deliveries_total", lambda n: n == 1, kind="voice_message", channel="mail",
                      outcome="failed")
        self.assertEqual(watched.metric("delivery", "ringback_sends_total", channel="mail", outcome="PERMANENT") >= 1, True)
        self.assertGreaterEqual(watched.metric("delivery", "ringback_dead_letters_total", stage="delivery"), 1)
        # The rep hears of it at the desk, since no mail leaves this house.
        watched.until("delivery", "ringback_deliveries_total", lambda n: n >= 1, kind="delivery_alarm", channel="desk",
                      outcome="accepted")

    def a_poison_recording_comes_to_the_dead_letters(self, watched):
        """Its bytes are gone, so that no try of twenty succeeds."""
        transcoders = watched.running.of("transcode")
        for part in transcoders:
            part.process.send_signal(signal.SIGSTOP)
        before = {path for path in (watched.running.data / "blobs").rglob("*") if path.is_file()}
        sent = lambda: watched.metric("ingest", "ringback_handoff_total", event="sent")
        sent_before = sent()
        watched.send("--no-wait")
        new = [path for path in (watched.running.data / "blobs").rglob("*") if path.is_file() and path not in before]
        self.assertEqual(len(new), 1, new)
        new[0].unlink()
        for part in transcoders:
            part.process.send_signal(signal.SIGCONT)
        dead = lambda: sum(watched.metric(part.name, "ringback_dead_letters_total", stage="transcode") for part in transcoders)
        tries = lambda: sum(watched.metric(part.name, "ringback_jobs_total", outcome="retry") for part in transcoders)
        deadline, seen = time.monotonic() + 2 * o.PATIENCE, -1
        while not dead():
            self.assertLess(time.monotonic(), deadline, f"{tries()} tries")
            if tries() > seen:  # the next one is a minute away, at most
                seen = tries()
                watched.advance(61)
            time.sleep(0.02)
        self.assertEqual(dead(), 1)
        # A lease that it was born with counts as a try, also if the worker it was for never heard of it.
        lost = sent() - sent_before
        self.assertEqual((tries() + lost, lost in (0, 1)), (19, True), f"{tries()} tries, {lost} jobs lost")
        traces = set(watched.logged("transcode", r"^transcode: rc\w+ (failed in attempt|went to the dead letters)"))
        self.assertEqual(len(traces), 1, "every try is in the recording's trace")
        self.assertEqual(traces, set(watched.logged("ingest", r"^recording rc\w+ of .* taken in")[-1:]))


if __name__ == "__main__":
    unittest.main()
