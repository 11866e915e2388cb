"""kill -9 of `ringback serve` at random moments under load: nothing acknowledged is lost (law 3), no step of the
escalation fires twice (law 5) outside the crash window of sending, which is counted.

    kill_test.py [--kills 20] [--seed N]
"""

import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "functional")]
import office as o  # noqa: E402
from load.promises import POLICY  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.kills} kills")
    dice = random.Random(options.seed)

    with SmtpSink() as smtp, o.Office(now="2026-11-24 09:00", flags=smtp.flags) as office:
        office._offset = 0.0  # the load client promises by the machine's own clock
        office._write_offset()
        policy = office.dir / "policy.toml"
        policy.write_text(POLICY)
        office.cli("policy", "set", policy)
        token = json.loads((office.data / "token").read_text())
        port = token["target"].rsplit(":", 1)[1]
        journal = office.dir / "journal"
        seconds = options.kills * 2 + 30
        office.stop()
        office.fixed_port = port
        office.start()
        load = subprocess.Popen([o.BUILD / "test" / "ringback-load", "--target", token["target"], "--token",
                                 token["token"], "--journal", journal, "--threads", "8", "--seconds", str(seconds),
                                 "--wav", o.speech(), "--promise-ms", "1500", "--seed", str(options.seed % 10000)])
        kills = 0
        try:
            while kills < options.kills:
                time.sleep(dice.uniform(0.1, 0.9))  # the load itself: not a wait for a result
                office.kill()
                kills += 1
                office.start()
        finally:
            load.terminate()
            load.wait()
        verify(office, smtp, token, journal, kills)


def verify(office, smtp, access, journal, kills):
    acknowledged = collections.defaultdict(dict)
    for line in journal.read_text().splitlines():
        kind, key, detail = (line.split(" ", 2) + ["", ""])[:3]
        acknowledged[kind][key] = detail
    print({kind: len(found) for kind, found in acknowledged.items()})
    assert acknowledged["uploaded"], "no upload went through"
    assert not acknowledged["refused"], f"refused under load: {list(acknowledged['refused'].items())[:3]}"
    assert len(acknowledged["created"]) > kills, "too little load to say anything"
    requests = collections.Counter(acknowledged["created"].values())
    assert max(requests.values()) == 1, "one request made two callbacks"

    callbacks, alarms = o.wait_for(lambda: rested(access, journal), "an alarm for everything overdue")
    for key in acknowledged["created"]:
        assert key in callbacks, f"{key} was acknowledged and is lost"
    for key, promises in acknowledged["promised"].items():
        assert callbacks[key][0] >= int(promises), f"{key} lost a promise"
    for key in acknowledged["attempted"]:
        assert callbacks[key][1] >= 1, f"{key} lost an attempt"
    twice = {alarm: n for alarm, n in alarms.items() if n > 1}
    assert not twice, f"steps that fired twice: {twice}"

    copies = collections.Counter(smtp.message_ids())
    again = sum(n - 1 for n in copies.values())
    print(f"{kills} kills, {len(callbacks)} callbacks, {sum(alarms.values())} steps, {len(copies)} messages, "
          f"{again} of them sent again with the same Message-ID (crash window)")
    assert again <= kills * 4, "more repeats than senders that can have died"


def rested(access, journal):
    """What the server knows, once everything overdue has been alarmed."""
    done = subprocess.run([o.BUILD / "test" / "ringback-load", "--target", access["target"], "--token", access["token"],
                           "--report", journal], capture_output=True, text=True)
    assert "lost" not in done.stdout, [line for line in done.stdout.splitlines() if line.startswith("lost")][:3]
    callbacks, alarms, alarmed = {}, collections.Counter(), set()
    for line in done.stdout.splitlines():
        kind, key, *rest = line.split(" ")
        if kind == "callback":
            callbacks[key] = tuple(map(int, rest))
        elif kind == "alarm":
            alarmed.add(key)
            for span in rest[1].split(","):
                first, _, last = span.partition("-")
                for number in range(int(first), int(last or first) + 1):
                    alarms[(key, rest[0], number)] += 1
    silent = [key for key, (_, _, overdue) in callbacks.items() if overdue and key not in alarmed]
    return (callbacks, alarms) if callbacks and not silent else None


if __name__ == "__main__":
    main()
