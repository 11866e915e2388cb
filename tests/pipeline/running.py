"""What the tests of the pipeline share: the five programs as scripts/start-pipeline starts them, load on them, and what
their logs and /proc tell of them."""

import json
import pathlib
import re
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "functional"))
import office as o  # noqa: E402
from pipeline.programs import start_pipeline  # noqa: E402, F401

SEED = int(time.time())
SKIPPED = 77  # as CTest's SKIP_RETURN_CODE knows it


class Load:
    """ringback-load as an SDK would behave: round robin, gRPC's retries, and nothing beyond. With `strict` off it repeats
    a call without an answer under the same request id, as a careful client does."""

    def __init__(self, running, seconds, threads, strict=True, target=None, token=None, wav=None, pause_ms=10):
        self.journal = running.data / f"journal-{time.monotonic_ns()}"
        self.token = token or token_of(running)
        self.target = target or "ipv4:" + ",".join(part.address("grpc") for part in running.of("ingest"))
        self.process = subprocess.Popen(
            [o.BUILD / "test" / "ringback-load", "--target", self.target, "--token", self.token, "--journal", self.journal,
             "--threads", str(threads), "--seconds", str(seconds), "--wav", wav or o.speech(), "--promise-ms", "600000",
             "--seed", str(SEED % 10000), "--strict", "1" if strict else "0", "--pause-ms", str(pause_ms)])

    def lines(self, kind=""):
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [line for line in lines if line.startswith(kind)]

    def until_more(self, count, kind=""):
        wanted = len(self.lines(kind)) + count
        o.wait_for(lambda: len(self.lines(kind)) >= wanted, f"{count} more calls; there are {self.lines()[-5:]}")

    def end(self):
        self.process.terminate()
        self.process.wait()

    def known(self, running):
        """What the server knows of each callback in the journal: id to [promises, attempts, overdue]."""
        target = running.of("ingest")[0].address("grpc")
        delivery = running.of("delivery")[0].address("grpc")
        done = subprocess.run([o.BUILD / "test" / "ringback-load", "--target", target, "--delivery-target", delivery,
                               "--token", self.token, "--report", self.journal], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-1000:]
        return {line.split()[1]: [int(word) for word in line.split()[2:]] for line in done.stdout.splitlines()
                if line.startswith("callback ")}


def token_of(running):
    return json.loads(running.token_file.read_text())["token"]


def begun(running, service):
    """(trace, entry, how it was found) of every job that the service's workers began; needs log-level debug."""
    return [found for part in running.of(service) for found in begun_by(part)]


def begun_by(part):
    return re.findall(rf"debug (\w+) {part.service}: (\S+) begins, (.+)", part.log.read_text(errors="replace"))


def says(part, words, since=0):
    """How often the part's log says it, from this place of the log on."""
    return len(re.findall(words, part.log.read_text(errors="replace")[since:]))


def page(part, path="/metrics"):
    """(status, text) of one of the pages that watch a program."""
    where = part.address("metrics" if "metrics" in part.ports else "http")
    try:
        with urllib.request.urlopen(f"http://{where}{path}", timeout=5) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def metric(part, name, **labels):
    """The sum of all that have these labels; 0 without any."""
    found = 0.0
    for line in page(part)[1].splitlines():
        match = re.fullmatch(rf"{name}(?:{{(.*)}})? (\S+)", line)
        if match and set(labels.items()) <= set(re.findall(r'(\w+)="([^"]*)"', match[1] or "")):
            found += float(match[2])
    return found


def peak_mib(part):
    """The most memory the program ever had (VmHWM)."""
    status = pathlib.Path(f"/proc/{part.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def answer(done):
    """The command's JSON; what it said when it failed."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Clock:
    """The clock of a whole pipeline, moved by a file: pass `settings` on."""

    def __init__(self, folder):
        self.file = pathlib.Path(folder) / "clock"
        self.offset = 0.0
        self.advance(0)

    @property
    def settings(self):
        return {"clock-offset-file": self.file}

    def advance(self, seconds):
        self.offset += seconds
        part = self.file.with_suffix(".part")
        part.write_text(f"{self.offset:.3f}\n")
        part.replace(self.file)


def main():
    """unittest.main, but for a run in which everything was skipped: that exits with SKIPPED."""
    program = unittest.main(module="__main__", exit=False)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.skipped and len(result.skipped) >= result.testsRun else 0)
