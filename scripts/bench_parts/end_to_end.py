#!/usr/bin/env python3
"""From the end of an upload to the mail accepted by an SMTP server: the all-in-one beside script A and nodemailer, in
turns in one run on the same smtp-sink; and the all-in-one's idle memory. Prints a table; --json FILE."""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "functional"))
import office as o  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

TAKES = [("10 s WAV", "bench_10.wav"), ("60 s WAV", "bench_60.wav"), ("60 s 44.1k stereo", "bench_60_44s.wav"),
         ("60 s WebM/Opus", "bench_60.webm")]
TARGET = 0.25
IDLE_MB = 70


def resident_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    speech = o.BUILD / "speech"
    subprocess.run([ROOT / "scripts" / "make-speech", speech], check=True)
    tools = o.BUILD / "bench"
    tools.mkdir(exist_ok=True)
    if not (tools / "node_modules" / "nodemailer").exists():
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", "nodemailer@6"], cwd=tools, check=True)
    (tools / "end_to_end.mjs").write_text((ROOT / "scripts" / "bench_parts" / "end_to_end.mjs").read_text())
    nodemailer = json.loads((tools / "node_modules" / "nodemailer" / "package.json").read_text())["version"]
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()

    rows = []
    with SmtpSink() as smtp, o.Office(flags=smtp.flags) as office:
        office._offset = 0
        office._write_offset()
        time.sleep(3)  # idle means idle: what start-up did has ended
        idle = resident_mb(office.server.pid)
        access = json.loads((office.data / "token").read_text())
        script = subprocess.Popen(["node", tools / "end_to_end.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name, take in TAKES:
            ours, theirs = [], []
            for _ in range(options.rounds):
                done = subprocess.run(
                    [o.BUILD / "test" / "ringback-latency", "--target", access["target"], "--token", access["token"],
                     "--wav", speech / take, "--count", "1"], capture_output=True, text=True, check=True)
                ours.append(float(done.stdout))
                script.stdin.write(f"{speech / take} {smtp.port}\n")
                script.stdin.flush()
                theirs.append(float(script.stdout.readline()))
            rows.append({"take": name, "ringback_ms": statistics.median(ours), "script_ms": statistics.median(theirs),
                         "ratio": statistics.median(ours) / statistics.median(theirs)})
        script.stdin.close()
        script.wait()
    print(f"end of upload to mail accepted; median of {options.rounds}, in turns; node {node}, nodemailer {nodemailer}")
    print(f"{'take':20}{'ringback ms':>14}{'script A + nodemailer ms':>28}{'ratio':>8}   target {TARGET}")
    for row in rows:
        print(f"{row['take']:20}{row['ringback_ms']:14.0f}{row['script_ms']:28.0f}{row['ratio']:8.2f}   "
              f"{'met' if row['ratio'] <= TARGET else 'MISSED'}")
    print(f"all-in-one, idle: {idle:.1f} MB resident   target {IDLE_MB}   {'met' if idle <= IDLE_MB else 'MISSED'}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(
            {"end_to_end": rows, "idle_mb": idle, "versions": {"node": node, "nodemailer": nodemailer}}, indent=1))


if __name__ == "__main__":
    main()
