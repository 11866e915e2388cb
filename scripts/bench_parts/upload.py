#!/usr/bin/env python3
"""Uploads of ten-second takes from 32 clients at once, each OK durable (blob and record), into ringback-ingest on a Redis
that syncs always; nobody transcodes meanwhile; beside them, in turns, what the disk can: fdatasync of a small append, and a file of the take's size
written, synced and renamed as any durable store must. Prints a table; --json FILE."""
import argparse
import os
import pathlib
import tempfile
import time

import measure as m


def fdatasyncs_per_s(folder, seconds=1.0):
    fd = os.open(pathlib.Path(folder) / "append", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    count, begin = 0, time.monotonic()
    while time.monotonic() - begin < seconds:
        os.write(fd, b"r" * 4096)
        os.fdatasync(fd)
        count += 1
    rate = count / (time.monotonic() - begin)
    os.close(fd)
    return rate


def files_per_s(folder, size, seconds=1.0):
    """One after the other: write, fsync, rename, fsync of the folder."""
    data = os.urandom(size)
    directory = os.open(folder, os.O_RDONLY)
    count, begin = 0, time.monotonic()
    while time.monotonic() - begin < seconds:
        path = pathlib.Path(folder) / "file"
        with open(path, "wb", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())
        path.rename(pathlib.Path(folder) / f"file{count}")
        os.fsync(directory)
        count += 1
    rate = count / (time.monotonic() - begin)
    os.close(directory)
    return rate


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--uploads", type=int, default=640, help="of one round")
    parser.add_argument("--clients", type=int, default=32)
    options = parser.parse_args()
    take = m.speech("bench_10.wav")
    size = take.stat().st_size
    report = {"versions": m.versions(), "load_at_start": os.getloadavg()[0], "rounds": options.rounds,
              "uploads": options.uploads, "clients": options.clients, "bytes": size}
    rates, ms, cpu, syncs, files = [], [], [], [], []
    with m.Pipeline(replicas={"transcode": 0, "web": 0}) as pipeline:
        pipeline.flood(take, clients=options.clients, count=options.clients, promise=0)
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory(dir=m.TOOLS) as folder:
                syncs.append(fdatasyncs_per_s(folder))
                files.append(files_per_s(folder, size))
            before = pipeline.cpu_s()
            sent = pipeline.flood(take, clients=options.clients, count=options.uploads, promise=0, ahead=1)
            after = pipeline.cpu_s()
            rates.append(len(sent) / ((max(s["ok"] for s in sent) - min(s["begin"] for s in sent)) / 1e6))
            ms += [(s["ok"] - s["begin"]) / 1000 for s in sent]
            cpu.append({name: 1000 * (after[name] - before[name]) / len(sent) for name in ("ingest", "redis")})
    report |= {"uploads_per_s": m.median(rates), "p50_ms": m.percentile(ms, 0.5), "p99_ms": m.percentile(ms, 0.99),
               "cpu_ms": {name: m.median(run[name] for run in cpu) for name in cpu[0]},
               "fdatasyncs_per_s": m.median(syncs), "durable_files_per_s": m.median(files)}
    print(f"{options.clients} clients, takes of {size // 1000} KB, {options.uploads} a round, median of {options.rounds}")
    print(f"  uploads, each OK durable   {report['uploads_per_s']:8.0f}/s   {report['uploads_per_s'] * size / 1e6:.0f} MB/s")
    print(f"  from first byte to OK, ms  p50 {report['p50_ms']:.1f}, p99 {report['p99_ms']:.1f}   ({len(ms)} samples)")
    print("  CPU ms each                " + ", ".join(f"{name} {value:.2f}" for name, value in report["cpu_ms"].items()))
    print(f"  the disk, one after the other: {report['fdatasyncs_per_s']:.0f} fdatasync/s of 4 KB appends; "
          f"{report['durable_files_per_s']:.0f}/s files of {size // 1000} KB written, synced, renamed "
          f"({report['durable_files_per_s'] * size / 1e6:.0f} MB/s)")
    print(f"  uploads over such files: {report['uploads_per_s'] / report['durable_files_per_s']:.2f}")
    m.print_versions(report["versions"])
    m.write_json(options.json, report)


if __name__ == "__main__":
    main()
