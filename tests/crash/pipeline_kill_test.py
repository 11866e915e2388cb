"""kill -9 of one program of the pipeline after the other, Redis included, at random moments under load; now and then a
worker is stopped (SIGSTOP) until its leases have run out, and goes on then. Nothing acknowledged is lost (law 3), no step
of the escalation fires twice (law 5) outside the crash window of sending, which is counted.

    pipeline_kill_test.py [--kills 20] [--stops 2] [--messages 40] [--seed N]
"""

import argparse
import collections
import itertools
import pathlib
import random
import signal
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "functional")]
from load.promises import Load, Report, set_policy, verify  # noqa: E402
from pipeline.programs import start_pipeline  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

REPLICAS = {"ingest": 2, "transcode": 2, "delivery": 2, "reminder": 2}
LEASES = {"transcode": 10, "delivery": 20}  # seconds; what a dead worker held waits so long
SLOTS = 4         # of delivery: so many messages one death can catch between leaving and being on record


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--stops", type=int, default=2)
    parser.add_argument("--messages", type=int, default=40, help="voice messages to be acknowledged before it ends")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.kills} kills, {options.stops} stops", flush=True)

    with SmtpSink() as smtp, start_pipeline.Pipeline(
            replicas=REPLICAS, shuffle=options.seed,
            settings={"mail.transport": f"smtp://127.0.0.1:{smtp.port}", "mail.timeout": "10s",
                      "transcode.lease": f"{LEASES['transcode']}s", "delivery.lease": f"{LEASES['delivery']}s",
                      "delivery.bundle-window": "1s"}) as running:
        set_policy(running)
        load = Load(running, options.seed)
        blows = Blows(running, random.Random(options.seed))
        try:
            blows.strike(options.kills, options.stops)
            load.until(options.messages)
        finally:
            blows.wake_all()
            load.end()
        figures = verify(Report(running, load), smtp, blows.repeats_max())
    print(f"{dict(blows.count)}; {figures}")


class Blows:
    """What happens to the programs, and how often."""

    def __init__(self, running, dice):
        self.running = running
        self.dice = dice
        self.asleep = {}  # part: when it goes on
        self.count = collections.Counter()

    def strike(self, kills, stops):
        """One kill a second; the stops begin at random ones of these seconds."""
        stop_at = sorted(self.dice.sample(range(kills), min(stops, kills)))
        services = itertools.cycle(("transcode", "delivery"))
        for number in range(kills):
            time.sleep(1)  # the load itself: not a wait for a result
            for part in self.running.parts:
                assert part.running(), f"{part.name} ended by itself: {part.last_words()}"
            self.wake(time.monotonic())
            if number in stop_at:
                self.put_to_sleep(next(services))
            part = self.dice.choice([part for part in self.running.parts if part.name not in self.asleep])
            part.process.kill()
            part.process.wait()
            self.running.start_part(part)
            self.count[part.service] += 1

    def put_to_sleep(self, service):
        awake = [part for part in self.running.of(service) if part.name not in self.asleep]
        if len(awake) == 1:
            return  # somebody has to take over
        part = self.dice.choice(awake)
        part.process.send_signal(signal.SIGSTOP)
        self.asleep[part.name] = time.monotonic() + LEASES[service] + 2
        self.count[f"stopped {service}"] += 1

    def wake(self, now):
        for name in [name for name, until in self.asleep.items() if until <= now]:
            del self.asleep[name]
            self.running.part(name).process.send_signal(signal.SIGCONT)

    def wake_all(self):
        while self.asleep:
            time.sleep(max(0, min(self.asleep.values()) - time.monotonic()))  # until its leases are over, not less
            self.wake(time.monotonic())

    def repeats_max(self):
        """Messages that can have been between leaving and being on record. (For a Redis that comes back in seconds the
        record waits.)"""
        return SLOTS * (self.count["delivery"] + self.count["stopped delivery"])


if __name__ == "__main__":
    main()
