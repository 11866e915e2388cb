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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "functional"))
import office as o  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

POLICY = """
ack_timeout = "30m"
response_target = "4h"
follow_up = "30m"
tolerance = "5m"
reminder_lead = "15m"
repeat_count = 0
repeat_interval = "1h"

[[steps]]
delay = "0s"
recipients = ["assignee", "managers"]
any_time = true

[[steps]]
delay = "1s"
recipients = ["managers"]
any_time = true

[[steps]]
delay = "3s"
recipients = ["managers", "admins"]
any_time = true
"""


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
        verify(office, smtp, journal, kills)


def verify(office, smtp, journal, kills):
    lines = [line.split(" ", 2) for line in journal.read_text().splitlines() if line.count(" ") >= 2]
    by_kind = collections.defaultdict(dict)
    for kind, key, detail in lines:
        by_kind[kind][key] = detail
    print({kind: len(found) for kind, found in by_kind.items()})
    assert not by_kind["refused"], f"refused under load: {list(by_kind['refused'].items())[:3]}"
    assert len(by_kind["created"]) > kills, "too little load to say anything"

    # What is due comes to rest: no delivery is left on its way.
    settled = o.wait_for(lambda: settle(office, by_kind), "every callback at rest")

    requests = collections.Counter(by_kind["created"].values())
    assert max(requests.values()) == 1, "one request made two callbacks"
    steps = collections.Counter()
    for key, callback in settled.items():
        if key in by_kind["promised"]:
            assert len(callback["promises"]) >= int(by_kind["promised"][key]), f"{key} lost a promise"
        if key in by_kind["attempted"]:
            assert callback.get("attempts"), f"{key} lost an attempt"
    for key in settled:
        for event in office.cli("history", key)["events"]:
            if event["what"] == "alarm":
                details = event.get("details", {})
                steps[(key, details.get("anchor"), details.get("alarm") or details.get("step"), details.get("repeat"))] += 1
    twice = {step: n for step, n in steps.items() if n > 1}
    assert not twice, f"steps that fired twice: {twice}"

    copies = collections.Counter(smtp.message_ids())
    again = sum(n - 1 for n in copies.values())
    print(f"{kills} kills, {len(by_kind['created'])} callbacks, {sum(steps.values())} alarms, {len(copies)} messages, "
          f"{again} sent again with the same Message-ID (crash window)")
    assert again <= kills * 4, "more repeats than workers that can have died while sending"


def settle(office, by_kind):
    found = {}
    for key in by_kind["created"]:
        try:
            found[key] = office.cli("show", key)["callback"]
        except o.Refused as refused:
            raise AssertionError(f"{key} was acknowledged and is lost: {refused}")
    return found


if __name__ == "__main__":
    main()
