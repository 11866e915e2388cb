#!/usr/bin/env python3
"""The Redis store as a durable queue with timers, beside BullMQ: in turns on one redis-server that this starts itself, on
loopback and a free port. Prints a table with ratios and versions; --json FILE; --quick for 100,000 timers instead of a
million and fewer samples (development).

The CPU beside a rate is Redis's and the client's per operation, ringback's before BullMQ's; where process counts jobs that
were put before, it includes the putting. "At most" is what Redis could do: the same changes to the same structures as plain
commands, pipelined, nothing checked, remembered or fenced."""
import argparse
import json
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import measure as m
from measure import BUILD, TOOLS


class Redis:
    """redis-server in a folder of its own, with an append-only file synced as asked for."""

    def __init__(self, fsync):
        self.dir = tempfile.mkdtemp(prefix="ringback-queue-", dir=BUILD)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.dir, "--save", "",
             "--appendonly", "yes", "--appendfsync", fsync, "--maxmemory-policy", "noeviction", "--logfile", "log",
             "--auto-aof-rewrite-percentage", "0"])  # no rewrite in the midst of one side's turn
        while self.say("PING") != "PONG":
            time.sleep(0.02)

    def say(self, *words):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True)
        return done.stdout.strip()

    def cpu_s(self):
        info = self.say("INFO", "cpu")
        return sum(float(re.search(rf"used_cpu_{kind}:([\d.]+)", info)[1]) for kind in ("user", "sys"))

    def used(self):
        return int(re.search(r"used_memory:(\d+)", self.say("INFO", "memory"))[1])

    def empty(self):
        """Flushed, and its file rewritten, so that no measurement pays for the one before."""
        self.say("FLUSHALL")
        self.say("BGREWRITEAOF")
        while "aof_rewrite_in_progress:1" in self.say("INFO", "persistence"):
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)


class Side(m.Side):
    """One of the two programs, and what it and Redis cost."""

    def __init__(self, name, command, redis):
        super().__init__(*command, redis.port)
        self.name, self.redis = name, redis

    def ask(self, *words):
        """Answers with what the program said and, as cpu_us, what one operation cost Redis and the program."""
        redis, own = self.redis.cpu_s(), self.cpu_s()
        answer = super().ask(*words)
        count = int(words[1]) if len(words) > 1 else 1
        answer["cpu_us"] = [1e6 * (self.redis.cpu_s() - redis) / count, 1e6 * (self.cpu_s() - own) / count]
        return answer

    def cpu_s(self):
        return m.cpu_s(self.process.pid, with_children=False)


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, unit, ours, theirs, ratio=None, target=None, at_most=False, cpu=None):
        met = None if target is None else (ratio <= target if at_most else ratio >= target)
        self.rows.append({"what": what, "unit": unit, "ringback": ours, "bullmq": theirs, "ratio": ratio,
                          "target": target, "met": met, "cpu_us": cpu})
        number = "" if ratio is None else f"{ratio:.2f}"
        goal = "" if target is None else f"{'<=' if at_most else '>='} {target:g} {'met' if met else 'MISSED'}"
        theirs = "-" if theirs is None else f"{theirs:,.3f}" if theirs < 100 else f"{theirs:,.0f}"
        ours = f"{ours:,.3f}" if ours < 100 else f"{ours:,.0f}"
        costs = "" if cpu is None else "  ".join("{:5.1f} +{:5.1f}".format(*each) for each in cpu)
        print(f"{what:58}{unit:>6}{ours:>12}{theirs:>12}{number:>8}   {goal:16}{costs}", flush=True)


def handoff(table, ringback, bullmq, fsync, samples):
    """Blocks of 250 in turns, so that both see the same noise of the machine."""
    block = 250
    ms = {"leased": [], "key": [], "poll": [], "bullmq": []}
    for _ in range(max(1, samples // block)):
        ms["bullmq"] += bullmq.ask("handoff", block)["ms"]
        for way in ("leased", "key", "poll"):
            ms[way] += ringback.ask("handoff", block, way)["ms"]
    bullmq.ask("handoff_end")
    target = 1 / 2.5 if fsync == "everysec" else 1
    for way, words in (("leased", "leased at its commit, told in memory"), ("key", "told in memory, claim by key"),
                       ("poll", "ClaimDue polled, no nudge")):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            ours, theirs = m.percentile(ms[way], share), m.percentile(ms["bullmq"], share)
            table.add(f"hand-off, {fsync}, {words}, {name}", "ms", ours, theirs, ours / theirs,
                      target if name == "p50" and way == "leased" else None, at_most=True)


def rates(table, redis, ringback, bullmq, fsync, count, rounds):
    found, costs = {}, {}
    for _ in range(rounds):
        for side, line in ((bullmq, ("process", count)), (ringback, ("process", count * 2, "real")),
                           (ringback, ("process", count * 2, "bare")), (ringback, ("plain", count * 2, "real")),
                           (bullmq, ("together", count)),
                           (ringback, ("together", count * 2))):
            redis.empty()
            answer = side.ask(*line)
            found.setdefault((side.name, line[0], line[2:]), []).append(answer["per_s"])
            costs[side.name, line[0], line[2:]] = answer["cpu_us"]
    rate = {key: statistics.median(values) for key, values in found.items()}
    for kind, words, target in (("real", "claim + complete of a callback", 2), ("bare", "claim + complete, bare", 4)):
        ours, theirs = rate["ringback", "process", (kind,)], rate["bullmq", "process", ()]
        table.add(f"{words}, 50 in flight, {fsync}", "/s", ours, theirs, ours / theirs,
                  target if fsync == "everysec" else None,
                  cpu=[costs["ringback", "process", (kind,)], costs["bullmq", "process", ()]])
    ours, theirs = rate["ringback", "plain", ("real",)], rate["bullmq", "process", ()]
    table.add(f"  at most, of a callback, {fsync}", "/s", ours, theirs, ours / theirs)
    ours, theirs = rate["ringback", "together", ()], rate["bullmq", "together", ()]
    table.add(f"put and process together, bare, {fsync}", "/s", ours, theirs, ours / theirs,
              3 if fsync == "everysec" else None,
              cpu=[costs["ringback", "together", ()], costs["bullmq", "together", ()]])


def million(table, redis, ringback, bullmq, count):
    def filled(side, kind, due_ms):
        redis.empty()
        before = redis.used()
        answer = side.ask("insert", count, kind, due_ms)
        return answer["per_s"], (redis.used() - before) / count, answer["cpu_us"]

    later = int((time.time() + 86400) * 1000)
    full, full_bytes, full_cpu = filled(ringback, "full", later)
    _, timer_bytes, _ = filled(ringback, "timer", later)
    most = {}
    for kind in ("bare", "full"):
        redis.empty()
        most[kind] = ringback.ask("plain", count, kind)["per_s"]
    # Both wait until all is due, then fire; a slow insert must have ended by then.
    def due(per_s):
        return int((time.time() + 2 + 1.3 * count / per_s) * 1000)

    when = due(10_000)
    theirs, their_bytes, their_cpu = filled(bullmq, "bare", when)
    time.sleep(max(0, when / 1000 - time.time() + 0.5))
    their_fire = bullmq.ask("fire", count)
    when = due(40_000)
    ours, our_bytes, our_cpu = filled(ringback, "bare", when)
    time.sleep(max(0, when / 1000 - time.time() + count / 1e6 + 0.5))
    our_fire = ringback.ask("fire", count)
    name = f"{count:,} timers"
    table.add(f"{name}: insert, bare (150 B record)", "/s", ours, theirs, ours / theirs, 5, cpu=[our_cpu, their_cpu])
    table.add(f"{name}: insert, full commit of a callback", "/s", full, theirs, full / theirs, 2.5,
              cpu=[full_cpu, their_cpu])
    for kind in ("bare", "full"):
        table.add(f"  at most, {kind}", "/s", most[kind], theirs, most[kind] / theirs)
    table.add(f"{name}: timer alone, memory each", "B", timer_bytes, their_bytes, timer_bytes / their_bytes, 0.25, True)
    table.add(f"{name}: with the 150 B record, memory each", "B", our_bytes, their_bytes, our_bytes / their_bytes)
    table.add(f"{name}: full commit, memory each", "B", full_bytes, their_bytes, full_bytes / their_bytes)
    table.add(f"{name}: firing when all are due at once", "/s", our_fire["per_s"], their_fire["per_s"],
              our_fire["per_s"] / their_fire["per_s"], 5, cpu=[our_fire["cpu_us"], their_fire["cpu_us"]])


def timers(table, redis, ringback, bullmq, count):
    redis.empty()
    theirs = bullmq.ask("timers", count, 2000)["late_ms"]
    redis.empty()
    ours = ringback.ask("timers", count, 2000)["late_ms"]
    table.add("timers at 2,000/s, due to claimed, p50", "ms", m.percentile(ours, 0.5), m.percentile(theirs, 0.5))
    p99 = m.percentile(ours, 0.99)
    table.add("timers at 2,000/s, due to claimed, p99", "ms", p99, m.percentile(theirs, 0.99), p99, 5, at_most=True)
    early = sum(late < 0 for late in ours)
    table.add("timers at 2,000/s, fired early", "", early, sum(late < 0 for late in theirs), early, 0, at_most=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fsync", choices=["everysec", "always"], action="append")
    parser.add_argument("--only", choices=["handoff", "rates", "million", "timers"], action="append")
    parser.add_argument("--bullmq", default="6", help="version to install from npm")
    options = parser.parse_args()
    script = m.node_script("queue.mjs", f"bullmq@{options.bullmq}", "ioredis@5")
    versions = m.versions("bullmq", "ioredis") | {
        "hiredis": m.output("dpkg-query", "-W", "-f=${Version}", "libhiredis-dev")}
    print("redis {redis}, bullmq {bullmq}, ioredis {ioredis}, node {node}, hiredis {hiredis}".format(**versions))
    print(f"{'':58}{'':>6}{'ringback':>12}{'bullmq':>12}{'ratio':>8}   {'target':16}CPU us of redis + client, each")
    table = Table()
    parts = options.only or ["handoff", "rates", "timers", "million"]
    for fsync in options.fsync or ["everysec", "always"]:
        with Redis(fsync) as redis:
            ringback = Side("ringback", [BUILD / "bin" / "ringback-queue-bench"], redis)
            bullmq = Side("bullmq", ["node", script], redis)
            if "handoff" in parts:
                handoff(table, ringback, bullmq, fsync, 1000 if options.quick else 10_000)
            if "rates" in parts:
                rates(table, redis, ringback, bullmq, fsync, 10_000 if options.quick else 50_000, 1 if options.quick else 3)
            if fsync == "everysec" and "timers" in parts:
                timers(table, redis, ringback, bullmq, 10_000 if options.quick else 40_000)
            if fsync == "everysec" and "million" in parts:
                million(table, redis, ringback, bullmq, 100_000 if options.quick else 1_000_000)
            ringback.close()
            bullmq.close()
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"queue": table.rows, "versions": versions}, indent=1))


if __name__ == "__main__":
    main()
