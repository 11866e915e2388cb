"""Slow and full: a worker that crawls, a disk and a Redis without room, a team that floods. Nothing acknowledged is lost,
what cannot be taken is refused with a reason, everybody else is served, and all goes on by itself."""

import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from load.promises import patiently
from pipeline.running import Clock, Load, answer, begun_by, main, metric, o, peak_mib, start_pipeline
from smtp_sink import SmtpSink

HERE = pathlib.Path(__file__).resolve().parent
BUSY = 5.0
RESERVED, LOOK = 0.75, 1  # seconds: a job is leased from birth to a worker that gave a credit; between two looks of a worker
FULL_WORDS = r"(?i)no space|no room|disk|full"
# Of one program under flood: some 30 MiB of code, libraries and threads, and what is in work: a chunk of each upload that
# runs, the recordings that are handed off (at most 4 MiB, one a free slot). Nothing grows with what waits: that is the store's.
MEMORY_MAX_MIB = 30 + 12 * 1 + 2 * 2 * 4 + 40


def pipeline(smtp, **more):
    more["settings"] = {"mail.transport": f"smtp://127.0.0.1:{smtp.port}", "log-level": "debug"} | more.get("settings", {})
    return start_pipeline.Pipeline(**more)


def send(running, number, *more, take=None, **environment):
    began = time.monotonic()
    done = running.cli("--json", "send", take or o.speech(), "--to", f"customer{number}@example.com", "--name",
                       f"Customer {number}", "--promise", "+2h", *more, environment=environment)
    return done, time.monotonic() - began


def short_take(folder):
    """Three seconds of speech: a flood must not take the machine for long."""
    o.speech()
    take = pathlib.Path(folder) / "short.wav"
    subprocess.run(["sox", o.SPEECH / "bench_10.wav", "-r", "16000", take, "trim", "0", "3"], check=True)
    return take


def long_take(folder):
    """Twenty seconds of speech in few bytes: work for the codec, and not for disk and network."""
    o.speech()
    take = pathlib.Path(folder) / "long.ogg"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", o.SPEECH / "bench_60.wav", "-t", "20", "-c:a", "libopus", "-b:a", "16k", take],
                   check=True)
    return take


def mails_to(smtp, word):
    return [m for m in smtp.messages() if word in str(m["To"])]


class Slow(unittest.TestCase):
    def test_a_worker_a_hundred_times_slower_holds_nobody_up_and_keeps_its_lease(self):
        with SmtpSink() as smtp, tempfile.TemporaryDirectory() as folder:
            clock = Clock(folder)
            shifted = {"RINGBACK_CLOCK_OFFSET_FILE": str(clock.file)}
            running = pipeline(smtp, replicas={"transcode": 2}, settings=clock.settings | {"transcode.slots": 1})
            slow, fast = running.part("transcode-2"), running.part("transcode-1")
            slow.settings = {"transcode.codec-path": HERE / "slow_codec.py"}
            let_go = pathlib.Path(folder) / "let-go"
            os.environ |= {"SLOW_CODEC": str(o.BUILD / "bin" / "ringback-codec"), "SLOW_CODEC_UNTIL": str(let_go)}
            with running:
                take = pathlib.Path(folder) / "take.wav"
                o.speech()
                subprocess.run(["sox", *[o.SPEECH / "bench_60.wav"] * 2, "-r", "16000", take, "trim", "0", "100"], check=True)
                self.until_begun_by(running, smtp, slow, take, shifted)
                held = time.monotonic()
                entry = begun_by(slow)[0][1]
                seconds = []
                while len(seconds) < 14:  # each moves the clock on by ten seconds: past the lease of 120 s
                    done, took = send(running, 100 + len(seconds), **shifted)
                    self.assertEqual(answer(done)["outcome"], "accepted")
                    seconds.append(took)
                    clock.advance(10)
                    if len(seconds) == 10:  # no clock outruns the second between two looks: it renews within 30 s of the end
                        o.wait_for(lambda: metric(slow, "ringback_store_calls_total", call="extend", code="OK") > 0, "it renews")
                self.assertEqual([e for _, e, _ in begun_by(slow)], [entry], "it was given more while it crawled")
                self.assertFalse(self.finished(smtp), "the slow one was not slow enough to say anything")
                let_go.touch()
                o.wait_for(lambda: self.finished(smtp), "the slow one's message arrives")
                held = time.monotonic() - held
                everything = [e for part in (slow, fast) for _, e, _ in begun_by(part)]
                self.assertEqual(everything.count(entry), 1, "somebody else began it too")
                self.assertEqual(len(set(everything)), len(everything))
                seconds.sort()
                usual = sorted(send(running, 200 + n, **shifted)[1] for n in range(5))[2]
                print(f"usually {usual:.2f} s a message; while one of two crawled (for {held:.0f} s, by the clock 140 s more) "
                      f"{seconds[7]:.2f} s in the middle, {seconds[-1]:.2f} s at most")
                self.assertLess(seconds[7], usual + LOOK + 0.5)
                self.assertLess(seconds[-1], usual + RESERVED + LOOK + BUSY)

    slow_customer = None

    def until_begun_by(self, running, smtp, slow, take, shifted):
        """Sends messages, two at a time, until the slow worker has one."""
        for number in range(0, 20, 2):
            pair = (number, number + 1)
            with concurrent.futures.ThreadPoolExecutor(2) as senders:
                list(senders.map(lambda n: answer(send(running, n, "--no-wait", take=take, **shifted)[0]), pair))

            def missing():
                return [n for n in pair if not mails_to(smtp, f"customer{n}@")]
            o.wait_for(lambda: not missing() or (len(missing()) == 1 and begun_by(slow)), "one of them arrives")
            if begun_by(slow):
                self.slow_customer = f"customer{missing()[0]}@"
                return
        self.fail("the slow worker got none of twenty")

    def finished(self, smtp):
        return bool(mails_to(smtp, self.slow_customer))


@contextlib.contextmanager
def small_disk(folder, size):
    """A tmpfs in a mount namespace of this process and its children."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if ctypes.CDLL(None, use_errno=True).unshare(0x00020000) != 0:  # CLONE_NEWNS
        raise unittest.SkipTest("no mount namespaces here; run as root")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


class Disk:
    def __init__(self, folder):
        self.ballast = folder / "ballast"

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def make_room(self):
        self.ballast.unlink()


class Full(unittest.TestCase):
    def setUp(self):
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="ringback-full-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", self.data])

    def check(self, running, load):
        """Every answer that was OK is still true."""
        known = load.known(running)
        for line in load.lines("created"):
            self.assertIn(line.split()[1], known)
        for line in load.lines("promised"):
            self.assertGreaterEqual(known[line.split()[1]][0], int(line.split()[2]))
        for line in load.lines("attempted"):
            self.assertGreaterEqual(known[line.split()[1]][1], 1)
        for line in load.lines("uploaded"):
            self.assertTrue(list(running.data.glob(f"blobs/*/{line.split()[1]}/original")), line)
        self.assertFalse(load.lines("refused"))

    def test_a_full_disk_of_recordings_refuses_uploads_and_recovers_by_itself(self):
        with SmtpSink() as smtp, small_disk(self.data / "blobs", "48m") as disk, \
                pipeline(smtp, data=self.data, settings={"transcode.slots": "2"}) as running:
            take = short_take(self.data)
            load = Load(running, seconds=300, threads=4, strict=False, wav=take, pause_ms=50)
            load.until_more(5, "uploaded")
            transcode = running.of("transcode")[0]
            transcode.process.send_signal(o.signal.SIGSTOP)  # what is taken in now must be put on the full disk
            done, _ = send(running, 1, "--no-wait", take=take)
            answer(done)
            disk.fill()
            refused, seconds = send(running, 2, take=take)
            self.assertEqual(refused.returncode, 1, refused.stderr)
            self.assertRegex(refused.stderr, FULL_WORDS)
            transcode.process.send_signal(o.signal.SIGCONT)
            o.wait_for(lambda: re.search(r"transcode: \S+ failed in attempt", transcode.log.read_text()), "a rendition finds no room")
            answer(running.cli("--json", "request", "--name", "Still", "--phone", "+493012345"))  # what needs no room goes on
            before = len(load.lines("uploaded"))
            disk.make_room()
            began = time.monotonic()
            o.wait_for(lambda: len(load.lines("uploaded")) > before, "uploads go on")
            uploads = time.monotonic() - began
            o.wait_for(lambda: mails_to(smtp, "customer1@"), "the message that waited arrives")
            waited = time.monotonic() - began
            load.end()
            self.check(running, load)
            o.wait_for(lambda: not list((self.data / "blobs" / ".tmp").glob("*/[0-9]*")), "nothing is half-written")
            print(f"refused after {seconds:.1f} s: {refused.stderr.strip()}; uploads went on {uploads:.1f} s after there was room, "
                  f"what had waited for its renditions arrived after {waited:.1f} s")

    def test_a_full_disk_of_redis_loses_nothing_and_all_goes_on_once_redis_runs_again(self):
        with SmtpSink() as smtp, small_disk(self.data / "redis", "16m") as disk, pipeline(smtp, data=self.data) as running:
            redis = running.of("redis")[0]
            load = Load(running, seconds=300, threads=4, strict=False, wav=short_take(self.data))
            load.until_more(40)
            disk.fill()
            redis.process.wait(timeout=o.PATIENCE)  # it syncs always, and ends when it cannot
            refused = running.cli("request", "--name", "Nobody", "--phone", "+493012345")
            self.assertEqual(refused.returncode, 3, refused.stderr)
            disk.make_room()
            running.start_part(redis)  # as its supervisor does
            began = time.monotonic()
            before = len(load.lines())
            o.wait_for(lambda: len(load.lines()) > before + 20, "calls go on")
            again = time.monotonic() - began
            load.end()
            self.check(running, load)
            answer(send(running, 1)[0])
            print(f"Redis had no disk: {refused.stderr.strip()}; calls went on {again:.1f} s after it was started again; nothing "
                  f"of {len(load.lines('created'))} callbacks lost")

    def test_a_full_memory_of_redis_refuses_what_is_new_and_lets_timers_and_messages_go_on(self):
        with SmtpSink() as smtp:
            clock = Clock(self.data)
            shifted = {"RINGBACK_CLOCK_OFFSET_FILE": str(clock.file)}
            with pipeline(smtp, data=self.data, settings=clock.settings) as running:
                waiting = answer(running.cli("--json", "request", "--name", "Waits", "--phone", "+4930111111"))["callback"]
                answer(running.cli("--json", "promise", waiting["id"], "+30m", "--spoken", environment=shifted))
                delivery = running.of("delivery")[0]
                delivery.process.send_signal(o.signal.SIGSTOP)
                answer(send(running, 1, "--no-wait", **shifted)[0])
                o.wait_for(lambda: list(self.data.glob("blobs/*/*/voice.mp3")), "it is transcoded")
                self.redis(running, "CONFIG", "SET", "maxmemory", "1")
                delivery.process.send_signal(o.signal.SIGCONT)
                o.wait_for(lambda: mails_to(smtp, "customer1@"), "a message that waited leaves all the same")
                refusals = {}
                for name, done in {
                        "a caller": running.cli("request", "--name", "New", "--phone", "+4930222222"),
                        "a message": send(running, 2, **shifted)[0],
                        "a promise": running.cli("promise", waiting["id"], "+40m", "--spoken", environment=shifted)}.items():
                    self.assertEqual(done.returncode, 1, f"{name}: {done.stderr}{done.stdout}")
                    self.assertRegex(done.stderr, r"(?i)memory|room")
                    refusals[name] = done.stderr.strip()
                clock.advance(31 * 60)
                # Its kind depends on the hour: escalations to others wait for the team's.
                o.wait_for(lambda: self.notices(running, waiting, shifted), "a timer fires with a full memory, and its notice leaves")
                self.assertTrue(answer(running.cli("--json", "show", waiting["id"], environment=shifted))["callback"]["overdue"])
                began = time.monotonic()
                self.redis(running, "CONFIG", "SET", "maxmemory", "0")
                o.wait_for(lambda: running.cli("request", "--name", "New", "--phone", "+4930222222").returncode == 0, "it takes new work")
                back = time.monotonic() - began
                self.assertEqual(answer(send(running, 3, **shifted)[0])["outcome"], "accepted")
                print(f"refused: {refusals}; a waiting message and a timer went on; new work taken {back:.1f} s after there was memory")

    @staticmethod
    def redis(running, *words):
        port = str(running.of("redis")[0].ports["redis"])
        said = subprocess.run(["redis-cli", "-p", port, *words], capture_output=True, text=True, check=True).stdout.strip()
        assert said == "OK", said

    @staticmethod
    def notices(running, callback, environment):
        shown = answer(running.cli("--json", "show", callback["id"], environment=environment))
        return [d for d in shown["deliveries"] if d["kind"] in ("KIND_REMINDER", "KIND_ESCALATION") and d["state"] == "STATE_ACCEPTED"]


class Flood(unittest.TestCase):
    UPLOADS, CALLBACKS = 300, 2500

    def test_another_teams_message_goes_through_a_flood_and_memory_stays_bounded(self):
        with SmtpSink() as smtp, tempfile.TemporaryDirectory() as folder:
            clock = Clock(folder)
            shifted = {"RINGBACK_CLOCK_OFFSET_FILE": str(clock.file)}
            with pipeline(smtp, replicas={"transcode": 2}, settings=clock.settings | {"log-level": "info"}) as running:
                take = long_take(folder)
                created = answer(running.cli("--json", "team", "create", "Small", "--admin-name", "Berta", "--admin-email",
                                             "berta@example.com"))
                small = {"RINGBACK_TOKEN": created["admin_token"], "RINGBACK_TARGET": running.target()}
                alone = [self.message(running, small, n) for n in range(3)][-1]
                flood = Load(running, seconds=600, threads=12, wav=take, pause_ms=0, strict=False)
                o.wait_for(lambda: len(flood.lines("uploaded")) >= 20, "the flood is under way")
                meanwhile, backlog = [], []
                # How fast it rises differs from machine to machine; that it does may be asked of ten times the flood.
                while (len(flood.lines("uploaded")) < self.UPLOADS or len(flood.lines("created")) < self.CALLBACKS or
                       (max(backlog, default=0) <= self.UPLOADS // 3 and len(flood.lines("uploaded")) < 10 * self.UPLOADS)):
                    meanwhile.append(self.message(running, small, 100 + len(meanwhile)))
                    backlog.append(min(self.backlog(running)))
                flood.end()
                waiting = self.untranscoded(running)
                promises = len(flood.lines("promised")) - len(flood.lines("attempted"))
                clock.advance(11 * 60)  # the flood's promises are overdue, all at once
                overdue = [self.message(running, small | shifted, 500 + n) for n in range(5)]
                memory = {part.name: peak_mib(part) for part in running.parts if part.service != "redis"}
                print(f"alone {alone:.2f} s; while another team made {len(flood.lines('created'))} callbacks and "
                      f"{len(flood.lines('uploaded'))} recordings {max(meanwhile):.2f} s at most of {len(meanwhile)}; right after "
                      f"{promises} of its promises fell due {max(overdue):.2f} s; {waiting} of its recordings were waiting")
                print("peak memory in MiB: " + ", ".join(f"{name} {mib:.0f}" for name, mib in memory.items()))
                self.assertGreater(waiting, self.UPLOADS // 3, "there was no flood")
                # One job of the flood before it in each of the two stages, on a machine that the flood keeps busy.
                self.assertLess(max(meanwhile + overdue), alone + 2 * (RESERVED + LOOK) + BUSY)
                for name, mib in memory.items():
                    self.assertLess(mib, MEMORY_MAX_MIB, name)
                self.assertGreater(max(backlog), self.UPLOADS // 3, "an operator would not have seen it")
                self.assertGreater(max(backlog), 2 * min(backlog), "it did not rise")
                began = time.monotonic()
                patiently(lambda: (lambda left: (left == 0, left))(max(self.backlog(running))), "the end of the backlog")
                print(f"the backlog on /metrics rose from {min(backlog):.0f} to {max(backlog):.0f} and was 0 again "
                      f"{time.monotonic() - began:.0f} s after the flood")

    @staticmethod
    def backlog(running):
        """What waits for a transcode worker, as each of the programs says that are watched."""
        return [metric(running.of(service)[0], "ringback_backlog", stage="transcode", state="waiting")
                for service in ("ingest", "transcode")]

    @staticmethod
    def message(running, environment, number):
        done, seconds = send(running, number, "--wait-seconds", "60", take=o.SPEECH / "bench_10.wav", **environment)
        assert answer(done)["outcome"] == "accepted", done.stdout
        return seconds

    @staticmethod
    def untranscoded(running):
        return len(list(running.data.glob("blobs/*/*/original"))) - len(list(running.data.glob("blobs/*/*/voice.mp3")))


if __name__ == "__main__":
    main()
