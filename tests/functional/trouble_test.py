"""What goes wrong on an operator's machine, through real processes: damaged files, a full disk, certificates, clocks,
backups that know too much. Nothing sleeps; every sign is waited for."""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from office import BUILD, Office, Refused, free_port, speech, wait_for  # noqa: E402
import stories_test  # noqa: E402


def refused_start(office, data, *flags):
    """Standard error of a `ringback serve` that must not start."""
    done = office.run("serve", "--data", data, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", *flags)
    if done.returncode == 0:
        raise AssertionError("it started and ended in peace")
    return done.stderr


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class DamagedDatabase(unittest.TestCase):
    def test_it_refuses_to_start_says_what_to_do_and_a_restore_helps(self):
        with Office() as office:
            callbacks = [office.request(name=f"Kunde {n}", email_address=f"k{n}@example.com", phone=f"+4930000{n:04}")
                         for n in range(8)]
            backup = office.dir / "backup"
            office.cli("backup", backup)
            office.stop()
            whole = (office.data / "ringback.db").read_bytes()
            page = int.from_bytes(whole[16:18], "big")
            middle = len(whole) // page // 2 * page
            used = whole.index(callbacks[0]["id"].encode()) // page * page
            damages = {
                "the header": b"\xff" * 100 + whole[100:],
                "zeros over the header": bytes(page) + whole[page:],
                "a page in the middle": whole[:middle] + b"\xa5" * page + whole[middle + page:],
                "a page with records": whole[:used] + bytes(page) + whole[used + page:],
                "cut in half": whole[:middle],
                "cut within a page": whole[:len(whole) - 100],
                "cut to nothing": b"",
                "another file": b"PK\x03\x04" * 5000,
            }
            for what, content in damages.items():
                with self.subTest(what):
                    data = office.dir / f"damaged-{what.replace(' ', '-')}"
                    shutil.copytree(office.data, data)
                    for log in ("ringback.db-wal", "ringback.db-shm"):
                        (data / log).unlink(missing_ok=True)
                    (data / "ringback.db").write_bytes(content)
                    said = refused_start(office, data)
                    self.assertIn(str(data / "ringback.db"), said)
                    self.assertRegex(said, r"damaged|empty")
                    self.assertIn("ringback restore", said)
                    self.assertEqual((data / "ringback.db").read_bytes(), content)  # whoever saves it finds it as it was
                    self.assertNotEqual(office.run("doctor", "--data", data).returncode, 0)
            self.assertEqual(office.run("restore", backup, "--data", data).returncode, 1)  # nothing is written over
            restored = office.run("restore", backup, "--data", data, "--force")
            self.assertEqual(restored.returncode, 0, restored.stderr)
            office.data = data
            office.start()
            self.assertEqual({c["id"] for c in office.cli("open")["callbacks"]}, {c["id"] for c in callbacks})

    def test_rubbish_in_the_log_costs_nothing_that_was_checkpointed(self):
        with Office() as office:
            callback = office.request()
            office.stop()
            (office.data / "ringback.db-wal").write_bytes(os.urandom(100_000))
            (office.data / "ringback.db-shm").unlink(missing_ok=True)
            office.start()
            self.assertEqual(office.show(callback)["id"], callback["id"])

    def test_a_log_that_a_kill_left_is_read(self):
        with Office() as office:
            callback = office.request()
            office.kill()
            self.assertTrue((office.data / "ringback.db-wal").stat().st_size > 0)
            office.start()
            self.assertEqual(office.show(callback)["id"], callback["id"])


class Room:
    """A disk that can be full: a small tmpfs in a mount namespace of this process where that may be had, else a limit on
    the size of the server's files."""

    def __init__(self, office):
        self.office = office
        self.mounted = False

    def __enter__(self):
        self.office.data.mkdir(mode=0o700)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x00020000) == 0:  # CLONE_NEWNS
            subprocess.run(["mount", "--make-rprivate", "/"], check=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", self.office.data], check=True)
            self.mounted = True
        return self

    def __exit__(self, *unused):
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.office.data], check=True)

    def take(self):
        if not self.mounted:
            resource.prlimit(self.office.server.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
            return
        with open(self.office.data / "ballast", "wb", buffering=0) as ballast:
            with contextlib.suppress(OSError):
                while True:
                    ballast.write(bytes(4096))

    def give(self):
        if not self.mounted:
            resource.prlimit(self.office.server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            return
        (self.office.data / "ballast").unlink()


class FullDisk(unittest.TestCase):
    def test_a_disk_full_under_load_refuses_loses_nothing_and_recovers_by_itself(self):
        office = Office(http_port=free_port())
        office._offset = 0.0  # the load client promises by the machine's own clock
        office._write_offset()
        with Room(office) as room, office:
            address = f"http://127.0.0.1:{office.http_port}"
            callback = office.request()
            token = json.loads((office.data / "token").read_text())
            journal = office.dir / "journal"
            self.take = office.dir / "take.wav"  # three seconds: the load must not fill the disk by itself
            subprocess.run(["sox", speech(), "-r", "16000", self.take, "trim", "0", "3"], check=True)
            load = subprocess.Popen([BUILD / "test" / "ringback-load", "--target", token["target"], "--token", token["token"],
                                     "--journal", journal, "--threads", "4", "--seconds", "300", "--wav", self.take,
                                     "--promise-ms", "600000", "--pause-ms", "100"])
            try:
                wait_for(lambda: self.count(journal, "uploaded") >= 2, "the load is under way")
                room.take()
                self.wait_until_full(office)
                wait_for(lambda: get(f"{address}/readyz")[0] == 503, "it says that it is not ready")
                with self.assertRaises(Refused) as refused:
                    office.cli("promise", callback["id"], "+2h", "--spoken")
                self.assertRegex(refused.exception.stderr, r"(?i)room|full|no space|too large|cannot write")
                self.assertEqual(office.show(callback)["id"], callback["id"])  # reading goes on
                full = self.count(journal, "created")
                room.give()
                wait_for(lambda: self.count(journal, "created") >= full + 8 and
                         self.count(journal, "uploaded") >= 3, "the load goes on by itself")
                wait_for(lambda: get(f"{address}/readyz")[0] == 200, "it is ready again")
            finally:
                load.terminate()
                load.wait()
            self.assertFalse(re.findall(r"^refused .*$", journal.read_text(), re.M)[:3])
            wait_for(lambda: not list((office.data / "blobs" / ".tmp").glob("*/[0-9]*")), "nothing is half-written")
            office.kill()
            office.start()
            self.check(office, journal)

    def wait_until_full(self, office):
        """Until the server itself has found no room."""
        def said():
            try:
                office.cli("request", "--name", "Voll", "--phone", "+4930777777")
            except Refused as refused:
                return re.search(r"(?i)room|full|no space|too large|cannot write", refused.stderr)
        wait_for(said, "the disk is full")

    @staticmethod
    def count(journal, kind):
        return len(re.findall(rf"^{kind} ", journal.read_text(), re.M)) if journal.exists() else 0

    def check(self, office, journal):
        """Every answer that was OK is still true."""
        token = json.loads((office.data / "token").read_text())
        report = subprocess.run([BUILD / "test" / "ringback-load", "--target", token["target"], "--token", token["token"],
                                 "--report", journal], capture_output=True, text=True)
        self.assertEqual(report.returncode, 0, report.stdout[-1000:])
        known = {line.split()[1]: list(map(int, line.split()[2:])) for line in report.stdout.splitlines()
                 if line.startswith("callback ")}
        for line in journal.read_text().splitlines():
            kind, key, detail = (line.split(" ", 2) + ["", ""])[:3]
            if kind == "promised":
                self.assertGreaterEqual(known[key][0], int(detail))
            if kind == "attempted":
                self.assertGreaterEqual(known[key][1], 1)
            if kind == "uploaded":
                original = next(office.data.glob(f"blobs/*/{key}/original"))
                self.assertEqual(original.stat().st_size, self.take.stat().st_size)


class Certificates:
    """A CA of this test's own, made by openssl."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.ca = self.folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", f"/CN={name}", "-keyout", "ca.key", "-out", "ca.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name):
        """Paths of certificate and key, for 127.0.0.1 and localhost."""
        (self.folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", "2", "-extfile", "san", "-out", f"{name}.pem")
        key = self.folder / f"{name}.key"
        key.chmod(0o600)
        return self.folder / f"{name}.pem", key


class Tls(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringback-tls-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.ours = Certificates(self.folder, "ours")
        self.theirs = Certificates(self.folder, "theirs")
        self.certificate, self.key = self.ours.issue("server")
        self.tls = ["--set", f"ringback.tls_certificate_file={self.certificate}", "--set", f"ringback.tls_key_file={self.key}"]

    def office(self, *flags):
        office = Office(flags=[*self.tls, *flags])
        office.environment = {"RINGBACK_CA_FILE": str(self.ours.ca)}
        return office

    def unreachable(self, office, environment, *words):
        before, office.environment = office.environment, environment
        try:
            done = office.run("open")
        finally:
            office.environment = before
        self.assertEqual(done.returncode, 3, done.stderr)
        for word in words:
            self.assertRegex(done.stderr, word)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)

    def test_only_who_trusts_the_right_ca_gets_in(self):
        with self.office() as office:
            self.assertEqual(office.run("open").returncode, 0)
            token = json.loads((office.data / "token").read_text())
            self.assertTrue(token["target"].startswith("https://"), token["target"])
            self.unreachable(office, {}, r"certificate", "RINGBACK_CA_FILE")
            self.unreachable(office, {"RINGBACK_CA_FILE": str(self.theirs.ca)}, r"certificate", "RINGBACK_CA_FILE")
            plain = {"RINGBACK_TARGET": token["target"].removeprefix("https://"), "RINGBACK_TOKEN": token["token"]}
            self.unreachable(office, plain, r"https://")
            missing = office.environment | {"RINGBACK_CA_FILE": "/nowhere/ca.pem"}
            office.environment, before = missing, office.environment
            done = office.run("open")
            office.environment = before
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("/nowhere/ca.pem", done.stderr)

    def test_mutual_tls_wants_the_clients_certificate(self):
        certificate, key = self.ours.issue("client")
        other, other_key = self.theirs.issue("client")
        office = self.office("--set", f"ringback.tls_client_ca_file={self.ours.ca}")
        office.environment |= {"RINGBACK_CERTIFICATE_FILE": str(certificate), "RINGBACK_KEY_FILE": str(key)}
        with office:
            self.assertEqual(office.run("open").returncode, 0)
            ca = {"RINGBACK_CA_FILE": str(self.ours.ca)}
            self.unreachable(office, ca, r"(?i)certificate", "RINGBACK_CERTIFICATE_FILE")
            self.unreachable(office, ca | {"RINGBACK_CERTIFICATE_FILE": str(other), "RINGBACK_KEY_FILE": str(other_key)},
                             r"(?i)certificate", "RINGBACK_CERTIFICATE_FILE")

    def test_tls_against_a_server_without_says_so(self):
        with Office() as office:
            token = json.loads((office.data / "token").read_text())
            self.unreachable(office, {"RINGBACK_TARGET": "https://" + token["target"], "RINGBACK_TOKEN": token["token"],
                                      "RINGBACK_CA_FILE": str(self.ours.ca)}, r"TLS", r"http://")

    def test_bad_files_are_refused_at_the_start(self):
        with Office() as office:
            data = office.dir / "other"
            said = refused_start(office, data, "--set", f"ringback.tls_certificate_file={self.certificate}")
            self.assertIn("tls_key_file", said)
            said = refused_start(office, data, "--set", "ringback.tls_certificate_file=/nowhere.pem", "--set",
                                 f"ringback.tls_key_file={self.key}")
            self.assertIn("/nowhere.pem", said)
            junk = self.folder / "junk.pem"
            junk.write_text("no certificate\n")
            said = refused_start(office, data, "--set", f"ringback.tls_certificate_file={junk}", "--set",
                                 f"ringback.tls_key_file={self.key}")
            self.assertIn("junk.pem", said)
            theirs, _ = self.theirs.issue("server")
            said = refused_start(office, data, "--set", f"ringback.tls_certificate_file={theirs}", "--set",
                                 f"ringback.tls_key_file={self.key}")
            self.assertIn(str(self.key), said)
            self.key.chmod(0o644)
            self.assertIn("chmod 600", refused_start(office, data, *self.tls))


SHIM = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
/* The wall clock of one process, off by as many microseconds as the file says. */
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  long off = 0;
  FILE *file = fopen(CLOCK, "r");
  if (file != NULL) {
    if (fscanf(file, "%ld", &off) != 1) off = 0;
    fclose(file);
  }
  (void)zone;
  syscall(SYS_gettimeofday, now, NULL);
  off += now->tv_sec * 1000000L + now->tv_usec;
  now->tv_sec = off / 1000000;
  now->tv_usec = off % 1000000;
  return 0;
}
"""


class Redis:
    """A Redis of this test's own, whose wall clock (gettimeofday) can be off."""

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ringback-redis-"))
        self.port = free_port()
        self.set_clock(0)
        (self.dir / "shim.c").write_text(SHIM)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", f'-DCLOCK="{self.dir}/clock"', "-o", self.dir / "shim.so",
                        self.dir / "shim.c"], check=True)
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.dir, "--save", "",
             "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL,
            env=os.environ | {"LD_PRELOAD": str(self.dir / "shim.so")})
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)

    def set_clock(self, seconds):
        part = self.dir / "clock.part"
        part.write_text(f"{round(seconds * 1e6)}\n")
        os.replace(part, self.dir / "clock")

    @property
    def flags(self):
        return ["--set", f"ringback.store=redis://127.0.0.1:{self.port}"]


class Clocks(unittest.TestCase):
    def test_a_clock_more_than_a_quarter_second_off_is_not_ready_and_says_why(self):
        port = free_port()
        with Redis() as redis, Office(flags=redis.flags, http_port=port) as office:
            health = f"http://127.0.0.1:{port}/readyz"
            self.assertEqual(get(health), (200, "ok\n"))
            for offset in (0.4, -0.4):
                redis.set_clock(offset)
                status, why = wait_for(lambda: (lambda s: s if s[0] != 200 else None)(get(health)), "it is not ready")
                self.assertEqual(status, 503)
                self.assertRegex(why, r"clock.* differ by (3[89]|4\d)\d?\.?\d*ms.*time synchronisation")
                self.assertRegex(office.run("doctor", *redis.flags).stdout, r"fail +clock +.*time synchronisation")
                redis.set_clock(0)
                wait_for(lambda: get(health)[0] == 200, "it is ready again")


class Orphans(unittest.TestCase):
    def test_bytes_that_a_crash_left_without_a_record_leave_within_a_day_or_so(self):
        port = free_port()
        with Office(http_port=port) as office:
            callback = office.request()
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "2026-12-20 13:00")
            office.armed(callback)
            office.stop()
            # As a kill between the last byte and the commit leaves them, and one in the middle of the bytes.
            orphan = office.data / "blobs" / "07" / "rc07h3k9x2m4q8w1" / "original"
            orphan.parent.mkdir(parents=True)
            half = office.data / "blobs" / ".tmp" / "killed" / "1"
            half.parent.mkdir(parents=True)
            for left in (orphan, half):
                left.write_bytes(b"a voice that nobody will hear")
                os.utime(left, (office.now(), office.now()))
            office.start()
            self.assertFalse(half.exists())
            office.advance(hours=7)
            wait_for(lambda: 'ringback_orphans_total{outcome="found"} 1' in get(f"http://127.0.0.1:{port}/metrics")[1],
                     "it was found")
            self.assertTrue(orphan.exists())
            office.advance(hours=18)
            wait_for(lambda: not orphan.exists(), "it left")
            self.assertEqual(len(list(office.data.glob("blobs/*/*/original"))), 1)  # what has a record stays
            self.assertEqual(office.show(callback)["promises"][0]["state"], "STATE_ARMED")


class Doctor(unittest.TestCase):
    def test_it_says_what_to_do_line_by_line(self):
        with Office() as office:
            good = office.run("doctor")
            self.assertEqual(good.returncode, 0, good.stdout)
            self.assertNotIn("fail", good.stdout)
            self.assertRegex(good.stdout.splitlines()[-1], r"^Nothing stands in the way")
            secret = office.dir / "secret"
            secret.write_text("x\n")
            secret.chmod(0o644)
            self.assertNotIn("sipgate", good.stdout)
            private, public = office.dir / "private.pem", office.dir / "sipgate.pub"
            subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
            subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
            signed = office.run("doctor", "--set", f"web.sipgate_key_file={public}")
            self.assertEqual(signed.returncode, 0, signed.stdout)
            self.assertRegex(signed.stdout, r"ok +sipgate +.*/sipgate\.pub: unsigned requests are refused")
            busy = office.run("doctor", "--data", office.dir / "fresh", "--set", f"ringback.grpc_listen={self.address(office)}")
            self.assertRegex(busy.stdout, r"addresses.*in use.*another port")
            for flags, says in [
                    (["mail.password_file=" + str(secret), "mail.transport=smtp://127.0.0.1:1"], r"fail +secrets +mail\.password_file: .*chmod 600"),
                    (["transcode.codec_path=/nowhere/codec"], r"fail +codec +/nowhere/codec does not start.*transcode\.codec_path"),
                    (["ringback.store=redis://127.0.0.1:1"], r"fail +store +redis://127\.0\.0\.1:1: .*is Redis running there"),
                    (["ringback.tls_certificate_file=/nowhere.pem", f"ringback.tls_key_file={secret}"], r"fail +tls +.*/nowhere\.pem"),
                    (["ringback.grpc_listen=0.0.0.0:7420"], r"warn +tls +off, but .*tokens travel in clear"),
                    (["web.tls_certificate_file=/nowhere.pem", f"web.tls_key_file={secret}"], r"fail +web tls +.*/nowhere\.pem"),
                    (["ringback.http_listen=0.0.0.0:7421"], r"warn +web tls +off, but .*nobody can sign in"),
                    (["web.sipgate_key_file=/nowhere.pub"], r"fail +sipgate +web\.sipgate_key_file: cannot read /nowhere\.pub: No such file.*fastagi\.pub"),
                    ([f"web.sipgate_key_file={secret}"], r"fail +sipgate +.*/secret holds no public RSA key in PEM.*fastagi\.pub"),
                    ([f"web.sipgate_key_file={private}"], r"fail +sipgate +.*/private\.pem holds no public RSA key in PEM"),
                    (["mail.transport=smtp://127.0.0.1:1"], r"warn +mail\.domain +.*firm's own domain"),
                    (["mail.transprot=x"], r"fail +config +.*did you mean mail\.transport")]:
                with self.subTest(flags):
                    done = office.run("doctor", *[part for flag in flags for part in ("--set", flag)])
                    self.assertRegex(done.stdout, says)
                    self.assertEqual(done.returncode, 1 if says.startswith("fail") else 0, done.stdout)
                    last = done.stdout.splitlines()[-1]
                    self.assertRegex(last, r"^To mend: [12] lines? marked fail" if says.startswith("fail") else r"^Nothing stands")
            mail = office.run("doctor", "--set", "mail.transport=smtp://127.0.0.1:1", "--mail-test", "a@example.com")
            self.assertRegex(mail.stdout, r"fail +mail +.*mail\.transport.*firewall")
            self.assertRegex(office.run("doctor", "--data", secret / "below").stdout, r"fail +data +")

    @staticmethod
    def address(office):
        return json.loads((office.data / "token").read_text())["target"]


class Restored(unittest.TestCase):
    MARKS = ["Quastenflosser", "quasti@example.com", "+493055512345"]

    def erased_after_a_backup(self, office):
        """A caller with mail and recording who is in the backup and erased since; another who stays."""
        caller = office.request(name=f"Herr {self.MARKS[0]}", email_address=self.MARKS[1], phone=self.MARKS[2])
        office.cli("send", speech(), "--callback", caller["id"], "--promise", "13:00")
        office.mail(self.MARKS[1])
        stays = office.request(name="Frau Kunz", email_address="kunz@example.com", phone="+4930999999")
        backup = office.dir / "backup"
        office.cli("backup", backup)
        office.advance(minutes=10)
        office.cli("subject", "erase", self.MARKS[1], "--yes")
        office.stop()
        return caller, stays, backup

    def test_who_was_erased_after_the_backup_does_not_come_back(self):
        with Office() as office:
            caller, stays, backup = self.erased_after_a_backup(office)
            done = office.run("restore", backup, "--force")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("1 callbacks, 1 contacts", done.stdout)
            self.assertNotIn("NOT KNOWN", done.stdout)
            self.assertIn(f"remove {backup}", done.stdout)
            self.assertFalse(stories_test.Leaving.places(office, self.MARKS))  # before anything was served
            office.start()
            self.assertTrue(office.show(caller)["erased"])
            self.assertEqual(office.show(stays)["caller"]["name"], "Frau Kunz")
            office.advance(minutes=5)
            self.assertFalse(stories_test.Leaving.places(office, self.MARKS))

    def test_without_the_journal_it_says_that_it_does_not_know_and_with_it_it_does(self):
        with Office() as office:
            caller, _, backup = self.erased_after_a_backup(office)
            journal = office.data / "erasures"
            self.assertFalse([mark for mark in self.MARKS if mark in journal.read_text()])
            blind = office.run("restore", backup, "--data", office.dir / "blind")
            self.assertEqual(blind.returncode, 0, blind.stderr)
            self.assertIn("NOT KNOWN", blind.stdout)
            self.assertIn("--erasures", blind.stdout)
            rescued = office.dir / "rescued"
            shutil.copy(journal, rescued)
            knowing = office.run("restore", backup, "--data", office.dir / "knowing", "--erasures", rescued)
            self.assertEqual(knowing.returncode, 0, knowing.stderr)
            self.assertNotIn("NOT KNOWN", knowing.stdout)
            office.data = office.dir / "knowing"
            office.start()
            self.assertTrue(office.show(caller)["erased"])
            self.assertFalse(stories_test.Leaving.places(office, self.MARKS))


if __name__ == "__main__":
    unittest.main()
