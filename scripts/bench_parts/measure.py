"""What parts of scripts/bench share: the tools from npm, processes and what they cost, the mail sink, the pipeline."""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import start_pipeline  # noqa: E402  (a link to scripts/start-pipeline)

BUILD = pathlib.Path(os.environ.get("RINGBACK_BUILD", ROOT / "build"))
TOOLS = BUILD / "bench"
PATIENCE = 120  # seconds for anything that should come by itself

median = statistics.median


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def output(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout.strip()


def versions(*npm):
    """Of what takes part on either side."""
    found = {"redis": re.search(r"v=(\S+)", output("redis-server", "--version"))[1], "node": output("node", "--version"),
             "ffmpeg": output("ffmpeg", "-version").split()[2], "kernel": os.uname().release, "cores": os.cpu_count()}
    for package in npm:
        found[package] = json.loads((TOOLS / "node_modules" / package / "package.json").read_text())["version"]
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "libopus0", "libmp3lame0", "libgrpc++1.51",
                             "libzmq5", "libgmime-3.0-0", "libcurl4"], capture_output=True, text=True).stdout
    return found | dict(line.split() for line in listed.splitlines())


def speech(name):
    folder = BUILD / "speech"
    subprocess.run([ROOT / "scripts" / "make-speech", folder], check=True)
    return folder / name


def node_script(name, *packages):
    """The script of this folder beside the npm packages it needs ("bullmq@6"), which are installed once."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    missing = [p for p in packages if not (TOOLS / "node_modules" / p.split("@")[0]).exists()]
    if missing:
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", *missing], cwd=TOOLS, check=True)
    shutil.copy(ROOT / "scripts" / "bench_parts" / name, TOOLS / name)
    return TOOLS / name


class Side:
    """A program that obeys a line and answers with a line of JSON."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, cwd=TOOLS if TOOLS.exists() else None)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: {self.process.args[0]} ended at: {' '.join(map(str, words))}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def descendants(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def cpu_s(pid, with_children=True):
    """CPU seconds of a process, and of its children whether they live or have ended."""
    total = 0
    for each in [pid, *(descendants(pid) if with_children else [])]:
        try:
            fields = pathlib.Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15 if with_children else 13])
    return total / os.sysconf("SC_CLK_TCK")


class MailSink:
    """ringback-mail-sink: takes every mail at once and says when. Its CPU is not part of anybody's figures."""

    def __enter__(self):
        self.process = subprocess.Popen([BUILD / "test" / "ringback-mail-sink"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.accepted = {}  # recipient to microseconds
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            micros, recipient = line.split()
            with self.news:
                self.accepted.setdefault(recipient, int(micros))
                self.news.notify_all()

    def when(self, recipients):
        """Microseconds since 1970 of each recipient's mail; waits for all of them."""
        with self.news:
            if not self.news.wait_for(lambda: all(r in self.accepted for r in recipients), PATIENCE):
                missing = [r for r in recipients if r not in self.accepted]
                sys.exit(f"bench: {len(missing)} of {len(recipients)} mails never came, {missing[0]} among them")
            return [self.accepted[r] for r in recipients]

    def limit(self, size, connections=4, count=2000):
        """Mails per second that it takes from Postfix's smtp-source, and its own CPU ms each."""
        source = shutil.which("smtp-source") or "/usr/sbin/smtp-source"
        before = cpu_s(self.process.pid)
        begin = time.monotonic()
        subprocess.run([source, "-s", str(connections), "-l", str(size), "-m", str(count), "-t", "limit@example.com",
                        f"127.0.0.1:{self.port}"], check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - begin
        return {"per_s": count / took, "cpu_ms": 1000 * (cpu_s(self.process.pid) - before) / count}


class Pipeline(start_pipeline.Pipeline):
    """The programs of scripts/start-pipeline, with eyes on what they cost. `data` lies beside the build: on a disk, where
    a file system in memory would make every fsync free."""

    def __init__(self, settings=None, replicas=None):
        TOOLS.mkdir(parents=True, exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix="pipeline-", dir=TOOLS)
        super().__init__(data=self.folder, settings=settings, replicas=replicas)

    def __exit__(self, kind, value, trace):
        try:
            super().__exit__(kind, value, trace)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def token(self):
        return json.loads(self.token_file.read_text())["token"]

    def cpu_s(self):
        """By program."""
        return {part.name: cpu_s(part.process.pid) for part in self.parts}

    def flood(self, wav, **flags):
        """Runs ringback-flood against ingest; its lines, as numbers and words."""
        done = subprocess.run(
            [str(w) for w in [BUILD / "test" / "ringback-flood", "--target", self.of("ingest")[0].address("grpc"), "--token",
                              self.token, "--wav", wav, *(w for key, value in flags.items() for w in (f"--{key}", value))]],
            capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: ringback-flood: {done.stderr}")
        keys = ("begin", "end_of_upload", "ok", "promised", "recording", "recipient")
        return [dict(zip(keys, [int(w) if w.isdigit() else w for w in line.split()])) for line in done.stdout.splitlines()]


def write_json(path, report):
    if path:
        pathlib.Path(path).write_text(json.dumps(report, indent=1))


def print_versions(found):
    print("\n" + ", ".join(f"{name} {version}" for name, version in found.items()))
