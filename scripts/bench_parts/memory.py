#!/usr/bin/env python3
"""Memory of the five programs of scripts/start-pipeline: idle after their start, and idle again after messages have gone
through. Pss shares what several programs have mapped, Rss counts it for each; both from smaps_rollup. The codec's child, which
ends when idle, is shown apart. Prints a table; --json FILE."""
import argparse
import pathlib
import re
import time

import measure as m

TARGET_MB = {"ingest": 25, "transcode": 45, "delivery": 45, "reminder": 25, "web": 25}


def memory_mb(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(re.search(rf"^{name}:\s+(\d+)", rollup, re.M)[1]) / 1024 for name in ("Pss", "Rss")}


def of_all(pipeline):
    found = {part.name: memory_mb(part.process.pid) for part in pipeline.parts}
    for number, child in enumerate(m.descendants(pipeline.of("transcode")[0].process.pid), 1):
        found[f"codec {number}"] = memory_mb(child)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--messages", type=int, default=40)
    options = parser.parse_args()
    with m.MailSink() as sink, m.Pipeline(settings={"mail.transport": f"smtp://127.0.0.1:{sink.port}"}) as pipeline:
        time.sleep(5)
        idle = of_all(pipeline)
        sent = pipeline.flood(m.speech("bench_10.wav"), clients=4, count=options.messages)
        sink.when([each["recipient"] for each in sent])
        time.sleep(5)
        after = of_all(pipeline)
    print(f"{'MB':12}{'idle Pss':>10}{'Rss':>7}{'after ' + str(options.messages) + ' messages Pss':>25}{'Rss':>7}   target, idle")
    rows = {}
    for name in after:
        row = rows[name] = {"idle": idle.get(name), "after": after[name], "target": TARGET_MB.get(name)}
        before = "".join(f"{row['idle'][kind]:{width}.1f}" for kind, width in (("Pss", 10), ("Rss", 7))) if row["idle"] else " " * 17
        judged = ""
        if row["target"]:
            row["met"] = row["idle"]["Rss"] <= row["target"]
            row["met_pss"] = row["idle"]["Pss"] <= row["target"]
            judged = f"   {row['target']} {'met' if row['met'] else 'met by Pss alone' if row['met_pss'] else 'MISSED'}"
        print(f"{name:12}{before}{row['after']['Pss']:25.1f}{row['after']['Rss']:7.1f}{judged}")
    versions = m.versions()
    m.print_versions(versions)
    m.write_json(options.json, {"memory_mb": rows, "versions": versions})


if __name__ == "__main__":
    main()
