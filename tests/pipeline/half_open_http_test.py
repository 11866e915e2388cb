"""Peers of delivery that are spoken to by HTTP and fall silent without a word: the SMS gateway and the receiver of a
webhook. Every call has a deadline, the worker does its other work meanwhile, and the outcome is on record: the try, and
then the next try or the next channel."""

import http.server
import threading
import time
import unittest

from pipeline.gate import Gate
from pipeline.running import Clock, answer, main, o, start_pipeline
from smtp_sink import SmtpSink

BUSY = 5.0     # seconds of grace for a machine that does other things too
TIMEOUT = 3    # mail.timeout, which holds for every channel
LOOK = 1       # a worker looks at the store so often
PAUSE = 2 * 1.2  # before the second try, delivery/retry.cc
PATIENCE = 60  # after so long a member's channel is given up for the next, delivery/retry.cc
KEY = "a key of the webhook's signature"


class Receiver:
    """An HTTP server that takes POSTs and answers as a test wants. Context manager."""

    def __init__(self):
        self.posts = []
        self.silent = False                 # gives the first half of an answer, and then nothing
        self.before_answer = lambda: None
        self.closing = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept

            def do_POST(self):
                outer.posts.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                outer.before_answer()
                answer_text = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nthanks"
                if outer.silent:
                    self.wfile.write(answer_text[:-3])
                    outer.closing.wait()
                else:
                    self.wfile.write(answer_text)

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


class Office:
    """A pipeline whose members are reached by whatever channels, with a clock that can be moved."""

    def __init__(self, smtp, folder, **settings):
        self.callers = 0
        self.clock = Clock(folder)
        self.shifted = {"RINGBACK_CLOCK_OFFSET_FILE": str(self.clock.file)}
        self.running = start_pipeline.Pipeline(settings=self.clock.settings | {
            "mail.transport": f"smtp://127.0.0.1:{smtp.port}", "log-level": "debug", "mail.timeout": f"{TIMEOUT}s",
            "delivery.lease": "600s",  # the clock is moved while a try may be under way
            "delivery.bundle-window": "0s", "webhook.allow-private": "true"} | settings)

    def __enter__(self):
        self.running.__enter__()
        return self

    def __exit__(self, *reason):
        self.running.__exit__(*reason)

    def cli(self, *words):
        return answer(self.running.cli("--json", *words, environment=self.shifted))

    def member(self, name, *channels):
        return self.cli("member", "add", "--name", name, "--email", f"{name.lower()}@example.com", "--webhook-secret", KEY,
                        *(word for channel in channels for word in ("--channel", channel)))["member"]

    def reminded(self, *assignees):
        """A callback of each, whose reminder has just fallen due."""
        callbacks = []
        for assignee in assignees:
            self.callers += 1  # each another one: who asks again has asked already
            callbacks.append(self.cli("request", "--name", "Waits", "--phone", f"+49301111{self.callers:03}", "--assignee",
                                      assignee)["callback"])
            self.cli("promise", callbacks[-1]["id"], "+20m", "--spoken")
        self.clock.advance(6 * 60)
        return callbacks

    def reminder(self, callback):
        (found,) = [d for d in self.cli("show", callback["id"])["deliveries"] if d["kind"] == "KIND_REMINDER"] or [{}]
        return found

    def tries(self, callback, channel=None):
        return [made for made in self.reminder(callback).get("tries", []) if channel in (None, made["channel"])]

    def send(self, number):
        began = time.monotonic()
        self.cli("send", o.speech(), "--to", f"customer{number}@example.com", "--name", f"Customer {number}", "--promise", "+2h")
        return time.monotonic() - began


class HalfOpenHttp(unittest.TestCase):
    def setUp(self):
        folder = o.tempfile.TemporaryDirectory(prefix="ringback-half-open-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_a_gateway_and_a_hook_silent_in_mid_answer_cost_their_deadlines_and_the_next_channel_fires(self):
        with SmtpSink() as smtp, Receiver() as gateway, Receiver() as hook, \
                Office(smtp, self.folder, **{"sms.url": f"http://127.0.0.1:{gateway.port}/messages",
                                             "sms.body": '{"to":"{{to}}","text":"{{text}}","reference":"{{id}}"}'}) as office:
            gateway.silent = hook.silent = True
            office.member("Anna", "sms:+4915112345678", f"webhook:http://127.0.0.1:{hook.port}/hook", "mail")
            usual = sorted(office.send(n) for n in range(3))[1]
            (callback,) = office.reminded("Anna")
            seconds = {}
            for channel, receiver in (("sms", gateway), ("webhook", hook)):
                o.wait_for(lambda: receiver.posts, f"a post to the {channel}")
                began = time.monotonic()
                meanwhile = office.send(len(channel))  # the worker has other slots for other work
                o.wait_for(lambda: office.tries(callback, channel), f"the first try of {channel} on record")
                seconds[channel] = time.monotonic() - began
                self.assertLess(seconds[channel], TIMEOUT + LOOK + BUSY)
                self.assertLess(meanwhile, usual + BUSY / 2)
                o.wait_for(lambda: len(receiver.posts) >= 2, "the next try of the same")
                o.wait_for(lambda: len(office.tries(callback, channel)) >= 2, "it is on record too")
                office.clock.advance(PATIENCE + 1)  # from now on a try that fails is the channel's last
            o.wait_for(lambda: [m for m in smtp.messages() if "anna@" in str(m["To"])], "the mail of the third channel")
            o.wait_for(lambda: office.reminder(callback)["state"] == "STATE_ACCEPTED", "its outcome on record")
            tries = office.tries(callback)
            for made in tries[:-1]:
                self.assertFalse(made.get("accepted"), made)
                self.assertIn("Timeout", made["reason"])
            self.assertTrue(tries[-1]["accepted"])
            self.assertEqual([made["channel"] for made in tries], sorted((made["channel"] for made in tries), key=[
                "sms", "webhook", "mail"].index), "one channel after the other")
            for receiver in (gateway, hook):  # whoever did hear it can tell a repeat
                self.assertTrue(all(office.reminder(callback)["id"] in post for post in receiver.posts), receiver.posts)
            print(f"gateway and hook silent in mid-answer: first tries on record after {seconds} s (mail.timeout {TIMEOUT} s), "
                  f"{len(tries)} tries in all; other messages took {meanwhile:.2f} s meanwhile, {usual:.2f} s before")

    def test_idle_connections_to_a_hook_that_a_firewall_forgot_cost_one_deadline_and_not_one_each(self):
        with SmtpSink() as smtp, Receiver() as hook, Gate("127.0.0.1", hook.port, http2=False) as gate, \
                Office(smtp, self.folder) as office:
            names = ["Anna", "Berta", "Carla", "Dora"]
            for name in names:
                office.member(name, f"webhook:http://{gate.address}/hook", "mail")
            together = threading.Barrier(len(names))
            hook.before_answer = lambda: together.wait(o.PATIENCE)
            for callback in office.reminded(*names):
                o.wait_for(lambda: office.reminder(callback).get("state") == "STATE_ACCEPTED", "a reminder at the hook")
            self.assertEqual(len(gate.pairs), len(names))
            gate.go_silent()
            hook.before_answer = lambda: None
            began = time.monotonic()
            (callback,) = office.reminded("Anna")
            o.wait_for(lambda: office.reminder(callback).get("state") == "STATE_ACCEPTED", "the reminder after the silence")
            seconds = time.monotonic() - began
            tries = office.tries(callback)
            print(f"four idle connections forgotten: accepted after {seconds:.1f} s in {len(tries)} tries (mail.timeout {TIMEOUT} s)")
            self.assertEqual(len(tries), 2, tries)
            self.assertLess(seconds, TIMEOUT + PAUSE + 2 * LOOK + BUSY)


if __name__ == "__main__":
    main()
