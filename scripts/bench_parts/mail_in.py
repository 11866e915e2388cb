#!/usr/bin/env python3
"""Ordinary replies (4 KB, both forms, the original below) per second of one core: ringback reads them in the sandbox, matches
them, keeps the original and commits, all of it durable; beside it Python's email package, which only reads the same mails and
takes their text out. In the same run. Prints a table; --json FILE."""
import argparse
import email
import email.policy
import json
import os
import pathlib
import subprocess
import tempfile
import time

import measure as m

RATE_MIN = 2000  # of the whole way, per core


def python_reads(mails):
    begin = time.process_time()
    for raw in mails:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        for name in ("From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Date"):
            str(message[name])
        message.get_body(("plain", "html")).get_content()
    return len(mails) / (time.process_time() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mails", type=int, default=4000, help="of one round")
    options = parser.parse_args()
    ours, python = [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([m.BUILD / "bin" / "ringback-mail-in-bench", "--mails", str(options.mails), "--write", folder],
                                  capture_output=True, text=True, check=True)
            ours.append(json.loads(done.stdout))
            python.append(python_reads([path.read_bytes() for path in list(pathlib.Path(folder).glob("*.eml"))[:1000]]))
    report = {key: m.median(run[key] for run in ours) for key in ours[0]} | {"python_per_core_s": m.median(python)}
    report |= {"load_at_start": os.getloadavg()[0], "rounds": options.rounds,
               "read_ratio": report["read_per_core_s"] / report["python_per_core_s"],
               "whole_ratio": report["whole_per_core_s"] / report["python_per_core_s"]}
    print(f"replies of {report['bytes']:.0f} bytes, {options.mails} a round, median of {options.rounds}")
    print(f"{'per second of a core':34}{'ringback':>10}{'Python':>10}{'ratio':>8}")
    print(f"{'read':34}{report['read_per_core_s']:10.0f}{report['python_per_core_s']:10.0f}{report['read_ratio']:8.2f}")
    met = report["whole_per_core_s"] >= RATE_MIN
    print(f"{'read, matched, kept, committed':34}{report['whole_per_core_s']:10.0f}{'-':>10}{report['whole_ratio']:8.2f}"
          f"   at least {RATE_MIN} {'met' if met else 'MISSED'}")
    print(f"by the clock, on {os.cpu_count()} cores, disk included: {report['whole_per_s']:.0f}/s; CPU of one {report['whole_cpu_ms']:.2f} ms, "
          f"of its reading {report['read_cpu_ms']:.2f} ms")
    m.write_json(options.json, report)


if __name__ == "__main__":
    main()
