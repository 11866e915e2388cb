#!/usr/bin/env python3
"""Mails per second with an attachment, and the CPU of one: delivery's own way out (words, GMime, libcurl) beside
nodemailer's pool, four connections each, in turns on one SMTP sink. Prints a table; --json FILE."""
import argparse
import os

import measure as m

RATE_MIN, CPU_MAX = 2, 0.25


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mails", type=int, default=1000, help="of one round")
    parser.add_argument("--bytes", type=int, default=200_000)
    options = parser.parse_args()
    script = m.node_script("mail.mjs", "nodemailer@6")
    report = {"versions": m.versions("nodemailer"), "load_at_start": os.getloadavg()[0], "rounds": options.rounds,
              "mails": options.mails, "bytes": options.bytes}
    with m.MailSink() as sink:
        sides = {"ringback": m.Side(m.BUILD / "bin" / "ringback-mail-bench", sink.port, "--bytes", options.bytes),
                 "nodemailer": m.Side("node", script, sink.port, options.bytes)}
        found = {name: [] for name in sides}
        for side in sides.values():
            side.ask(50)  # connections, and what a compiler learns
        sink_cpu = m.cpu_s(sink.process.pid)
        for _ in range(options.rounds):
            for name, side in sides.items():
                found[name].append(side.ask(options.mails))
        sent = 2 * options.rounds * options.mails
        report["sink_cpu_ms"] = 1000 * (m.cpu_s(sink.process.pid) - sink_cpu) / sent
        for side in sides.values():
            side.close()
        report["sink_limit"] = sink.limit(options.bytes * 4 // 3)
    for name, runs in found.items():
        report[name] = {key: m.median(run[key] for run in runs) for key in ("per_s", "cpu_ms")}
    ours, theirs = report["ringback"], report["nodemailer"]
    report["rate_ratio"] = ours["per_s"] / theirs["per_s"]
    report["cpu_ratio"] = ours["cpu_ms"] / theirs["cpu_ms"]
    print(f"mails with {options.bytes // 1000} KB attached, four connections, {options.mails} a round, median of {options.rounds}")
    print(f"{'':22}{'ringback':>10}{'nodemailer':>12}{'ratio':>8}")
    for what, key, ratio, met, goal in (
            ("mails/s", "per_s", report["rate_ratio"], report["rate_ratio"] >= RATE_MIN, f"at least {RATE_MIN}"),
            ("CPU ms each", "cpu_ms", report["cpu_ratio"], report["cpu_ratio"] <= CPU_MAX, f"at most {CPU_MAX}")):
        print(f"{what:22}{ours[key]:10.2f}{theirs[key]:12.2f}{ratio:8.2f}   {goal} {'met' if met else 'MISSED'}")
    limit = report["sink_limit"]
    print(f"the SMTP sink itself: {limit['per_s']:.0f} mails/s from smtp-source; its CPU, {report['sink_cpu_ms']:.2f} ms each, "
          "is nobody's")
    m.print_versions(report["versions"])
    m.write_json(options.json, report)


if __name__ == "__main__":
    main()
