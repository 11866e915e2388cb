"""A peer that vanishes without a word (no FIN, no RST: its cable is out), on every kind of connection between machines.
Who is left must find out by himself, within what the configured deadlines and heartbeats say, and everything must work
again when the cable is back. The machines are network namespaces on one switch: needs root, and is skipped without.
Those who are spoken to by HTTP are in half_open_http_test.py (webhook, SMS) and half_open_s3_test.py."""

import concurrent.futures
import contextlib
import os
import subprocess
import threading
import time
import unittest

from pipeline import machines
from pipeline.gate import Gate
from pipeline.machines import Machines, Since, address, at, cable_out, enter
from pipeline.running import Load, answer, begun_by, main, o, says, token_of
from smtp_sink import OddSmtp, SmtpSink

setUpModule, tearDownModule = machines.set_up, machines.take_down

BUSY = 5.0  # seconds of grace for a machine that does other things too

# What bounds follow from; the numbers are those of the C++ constants named beside them.
SERVER_KEEPALIVE = 60 + 20   # core/rpc/grpc_server.cc
CLIENT_KEEPALIVE = 30 + 10   # core/rpc/client.cc
CONNECT_AGAIN = 5 + 2        # core/rpc/client.cc: patience with one attempt to connect, and the back-off between two
CALL_DEADLINE = 15           # core/rpc/client.h
REDIS_COMMAND = 3 + 0.25     # core/store/redis_store.h
LOOK = 1                     # a worker looks at the store so often
RESERVED = 0.75              # core/runtime/notifying_store.h: a job is born leased to the worker that gave a credit
SILENT = 3 + 1               # three beats of the hand-off, and the one that counts them

def settings(smtp, host="127.0.0.1", **more):
    return {"mail.transport": f"smtp://{host}:{smtp.port}", "log-level": "debug", "mail.allow-plain": "true", **more}


def send(running, number, *more):
    began = time.monotonic()
    answer(running.cli("--json", "send", o.speech(), "--to", f"customer{number}@example.com", "--name",
                       f"Customer {number}", "--promise", "+2h", *more))
    return time.monotonic() - began


class Watcher:
    """`ringback watch` on some machine, its words in a file."""

    def __init__(self, running, machine=1, target=None):
        self.said = running.data / f"watch-{time.monotonic_ns()}"
        command = [o.RINGBACK, "--data", running.data, "watch"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RINGBACK_")}
        if target:
            environment |= {"RINGBACK_TARGET": target, "RINGBACK_TOKEN": token_of(running)}
        with open(self.said, "wb") as out:
            self.process = subprocess.Popen(at(machine, *command), stdout=out, stderr=out, env=environment, cwd=running.data)

    def says(self, words):
        return words in self.said.read_text(errors="replace")

    def end(self):
        self.process.kill()
        self.process.wait()


class HalfOpen(unittest.TestCase):
    def within(self, seconds, bounds):
        for name, bound in bounds.items():
            self.assertLess(seconds[name], bound + BUSY, name)
        print("; ".join(f"{name.replace('_', ' ')} after {seconds[name]:.1f} s (bound {bound:g} s)" for name, bound in bounds.items()))

    def test_grpc_both_sides_find_the_dead_peer_and_the_server_frees_watch_and_upload(self):
        with SmtpSink() as smtp, Machines(settings=settings(smtp)) as running, contextlib.ExitStack() as ends:
            ingest = running.of("ingest")[0]
            port = ingest.ports["grpc"]
            silent = ends.enter_context(Gate(ingest.host, port))
            stalled = ends.enter_context(Gate(ingest.host, port, inside=lambda: enter(2)))
            stalled.bytes_max = 700_000
            away = Watcher(running, machine=2)
            ends.callback(away.end)
            behind_gate = Watcher(running, target=silent.address)
            ends.callback(behind_gate.end)
            number = iter(range(1000))

            def both_watch():
                answer(running.cli("--json", "request", "--name", "Before", "--phone", f"+4930{next(number):07}"))
                return away.says("Before") and behind_gate.says("Before")
            o.wait_for(both_watch, "both watch")
            upload = subprocess.Popen(
                at(2, o.RINGBACK, "--data", running.data, "send", o.SPEECH / "bench_60.wav", "--to", "c@example.com", "--name", "C",
                   "--promise", "+2h"), env=os.environ | {"RINGBACK_TARGET": stalled.address, "RINGBACK_TOKEN": token_of(running)},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            ends.callback(upload.wait)
            ends.callback(upload.kill)
            o.wait_for(lambda: self.half_taken(running), "an upload is under way")
            gates_port = silent.pairs[-1][1].getsockname()[1]

            silent.go_silent()
            with cable_out(2) as began:
                answer(running.cli("--json", "request", "--name", "Meanwhile", "--phone", "+49309999999"))
                call = subprocess.run(at(2, o.RINGBACK, "--data", running.data, "open"), capture_output=True, text=True)
                called = time.monotonic() - began
                self.assertEqual(call.returncode, 3, call.stderr)
                seconds = Since(
                    began,
                    server_closed_the_dead_machines_connections=lambda: not connections(port, f"dst {address(2)}"),
                    server_closed_the_silent_connection=lambda: not connections(port, f"dport = :{gates_port}"),
                    upload_freed=lambda: not self.half_taken(running),
                    client_noticed_the_dead_server=lambda: away.says("the server is gone"),
                    client_noticed_the_silent_server=lambda: behind_gate.says("the server is gone"),
                ).wait(SERVER_KEEPALIVE + 2 * BUSY)
                seconds["new_call_gave_up"] = called
            back = Since(time.monotonic(), watch_went_on=lambda: away.says("connected again") and away.says("Meanwhile")).wait(60)
            self.within(seconds | back, {
                "server_closed_the_dead_machines_connections": SERVER_KEEPALIVE,
                "server_closed_the_silent_connection": SERVER_KEEPALIVE, "upload_freed": SERVER_KEEPALIVE,
                "client_noticed_the_dead_server": CLIENT_KEEPALIVE, "client_noticed_the_silent_server": CLIENT_KEEPALIVE,
                "new_call_gave_up": CALL_DEADLINE, "watch_went_on": CONNECT_AGAIN})

    @staticmethod
    def half_taken(running):
        return [path for path in (running.data / "blobs" / ".tmp").glob("*/[0-9]*") if path.stat().st_size > 0]

    def test_redis_every_call_ends_in_time_and_all_goes_on_when_it_is_back(self):
        with SmtpSink() as smtp, Machines(away={"redis": 3}, settings=settings(smtp)) as running:
            load = Load(running, seconds=120, threads=4, strict=False)
            load.until_more(40)
            workers = [part for service in ("transcode", "delivery", "reminder") for part in running.of(service)]
            marks = {part.name: part.log.stat().st_size for part in workers}
            with cable_out(3) as began:
                asked = running.cli("open", environment={})
                gave_up = time.monotonic() - began
                self.assertEqual(asked.returncode, 3, asked.stderr)
                seconds = Since(began, **{f"{part.service}_noticed": lambda part=part: says(part, "the store fails", marks[part.name])
                                          for part in workers}).wait(REDIS_COMMAND + LOOK + 2 * BUSY)
            lines = len(load.lines())
            back = Since(time.monotonic(), calls_went_on=lambda: len(load.lines()) > lines + 20,
                         **{f"{part.service}_went_on": lambda part=part: says(part, "the store answers again", marks[part.name])
                            for part in workers}).wait(60)
            load.end()
            message = send(running, 1)
            known = load.known(running)
            for line in load.lines("created"):
                self.assertIn(line.split()[1], known)
            for line in load.lines("promised"):
                self.assertGreaterEqual(known[line.split()[1]][0], 1)
            # The command line asks again for ten seconds, each time at most as long as a call may take.
            self.assertLess(gave_up, 10 + REDIS_COMMAND + BUSY)
            self.within(seconds | back, {f"{part.service}_noticed": REDIS_COMMAND + LOOK for part in workers} |
                        {f"{part.service}_went_on": REDIS_COMMAND + LOOK for part in workers} | {"calls_went_on": REDIS_COMMAND + LOOK})
            print(f"a call gave up after {gave_up:.1f} s; nothing of {len(load.lines('created'))} callbacks lost; a message then took "
                  f"{message:.1f} s")

    def test_zeromq_a_vanished_workers_credits_cost_seconds_and_it_comes_back(self):
        replicas = {"transcode": 2, "delivery": 2}
        with OddSmtp(host=address(1)) as smtp, Machines(away={"transcode-2": 2, "delivery-2": 2}, replicas=replicas,
                                          settings=settings(smtp, address(1))) as running:
            vanishing = [running.part("transcode-2"), running.part("delivery-2")]
            number = iter(range(1000))

            def send_four():
                # At a time: one by one all would go to those whose credits came first.
                with concurrent.futures.ThreadPoolExecutor(4) as senders:
                    list(senders.map(lambda _: send(running, next(number)), range(4)))

            def handed_off_to_all():
                send_four()
                return all(handed_off(part) for part in running.of("transcode") + running.of("delivery"))
            o.wait_for(handed_off_to_all, "every worker was handed something")
            usual = sorted(send(running, next(number)) for _ in range(5))[2]
            with cable_out(2) as began:
                first = [send(running, next(number)) for _ in range(2)]
                time_left = began + SILENT + LOOK - time.monotonic()
                # Not a wait for a result: from here on the vanished workers must have been given up.
                time.sleep(max(0, time_left))
                later = [send(running, next(number)) for _ in range(5)]
            marks = [handed_off(part) for part in vanishing]
            back = time.monotonic()

            def handed_off_again():
                send_four()
                return all(handed_off(part) > mark for part, mark in zip(vanishing, marks))
            o.wait_for(handed_off_again, "those that were away work again")
            back = time.monotonic() - back
            print(f"a message took {usual:.2f} s; right after two workers had vanished {[round(s, 2) for s in first]} s; "
                  f"from {SILENT + LOOK} s on {[round(s, 2) for s in later]} s; they were handed work again {back:.1f} s after their return")
            # Each of the two stages may have reserved the job for one who is gone.
            self.assertLess(max(first), usual + 2 * (RESERVED + LOOK) + BUSY)
            self.assertLess(sorted(later)[2], usual + LOOK, "it still waits for those who are gone")

    def test_smtp_a_vanished_server_costs_one_deadline_and_the_message_arrives(self):
        timeout = 3
        enter(3)
        smtp = OddSmtp(host=address(3))
        enter(1)
        with smtp, Machines(settings=settings(smtp, address(3), **{"mail.timeout": f"{timeout}s"})) as running:
            send(running, 0)  # leaves an idle connection
            delivery = running.of("delivery")[0]
            with cable_out(3) as began:
                callback = answer(running.cli("--json", "send", o.speech(), "--to", "customer@example.com", "--name", "C",
                                              "--promise", "+2h", "--no-wait"))["callback"]
                seconds = Since(began, deadline_passed=lambda: tries_of(running, callback)).wait(60)
            back = Since(time.monotonic(), accepted=lambda: len(smtp.copies) == 2).wait(60)
            self.assertTrue(delivery.running())
            # Behind the take's way through transcode; then the pause before the second or third try, and a try.
            self.within(seconds | back, {"deadline_passed": timeout + 2 + LOOK, "accepted": 4 * 1.2 + timeout})
            self.assertEqual(len(set(smtp.message_ids())), 2)

    def test_smtp_idle_connections_that_a_firewall_forgot_cost_one_deadline_and_not_one_each(self):
        timeout = 3
        with OddSmtp() as smtp, Gate("127.0.0.1", smtp.port, http2=False) as gate, \
                Machines(settings=settings(gate, **{"mail.timeout": f"{timeout}s"})) as running:
            together = threading.Barrier(4)
            smtp.before_data = lambda number: together.wait(o.PATIENCE)
            with concurrent.futures.ThreadPoolExecutor(4) as callers:
                list(callers.map(lambda number: send(running, number), range(4)))
            self.assertEqual(len(gate.pairs), 4)
            gate.go_silent()
            smtp.before_data = lambda number: None
            began = time.monotonic()
            callback = answer(running.cli("--json", "send", o.speech(), "--to", "customer@example.com", "--name", "C",
                                          "--promise", "+2h", "--wait-seconds", "120"))["callback"]
            seconds = time.monotonic() - began
            tries = tries_of(running, callback)
            print(f"four idle connections forgotten: accepted after {seconds:.1f} s in {len(tries)} tries (mail.timeout {timeout} s)")
            self.assertEqual(len(tries), 2, tries)
            self.assertLess(seconds, timeout + 2 + 2 * 1.2 + LOOK + BUSY)


def connections(port, peers):
    """Of the server on this port, with such peers, whatever the kernel still has of them but orphans."""
    return subprocess.run(["ss", "-Htnp", "state", "established", f"sport = :{port} and {peers}"], capture_output=True, text=True,
                          check=True).stdout.strip()


def handed_off(part):
    return sum(how == "handed off" for *_, how in begun_by(part))


def tries_of(running, callback):
    shown = answer(running.cli("--json", "show", callback["id"]))
    return [t for d in shown["deliveries"] if d["kind"] == "KIND_VOICE_MESSAGE" for t in d.get("tries", [])]


if __name__ == "__main__":
    main()
