"""What nobody should ever send, through the real command line: every time an answer that says what would be right, the
callback untouched, every process alive and small."""

import pathlib
import re
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from office import Office, Refused, speech  # noqa: E402

MEMORY_MAX_KB = 256 * 1024


def wav(samples, channels=1, rate=16000, claimed=None):
    data = b"\x00\x10" * samples * channels
    size = len(data) if claimed is None else claimed
    return (b"RIFF" + struct.pack("<I", (36 + size) & 0xffffffff) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, 1, channels, rate, (rate * 2 * channels) & 0xffffffff, 2 * channels, 16) +
            b"data" + struct.pack("<I", size & 0xffffffff) + data)


def encoded(folder, name, *arguments):
    """A file that ffmpeg makes."""
    subprocess.run(["ffmpeg", "-y", "-v", "error", *arguments, folder / name], check=True)
    return (folder / name).read_bytes()


def spoiled(content):
    """The same with a byte turned over in every fifty, behind the head."""
    spoiled = bytearray(content)
    for at in range(400, len(spoiled), 50):
        spoiled[at] ^= 0xff
    return bytes(spoiled)


def flac_that_claims_gigabytes():
    info = (48000 << 44) | (15 << 36) | ((1 << 36) - 1)  # 48 kHz, mono, 16 bit, 2^36 - 1 samples
    return (b"fLaC" + bytes([0x80, 0, 0, 34]) + struct.pack(">HH", 4096, 4096) + bytes(6) + info.to_bytes(8, "big") +
            bytes(16) + b"\xa5" * 5000)


def peak_kb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [int(each) for each in found]


class Audio(unittest.TestCase):
    def test_no_take_of_any_kind_hurts_anybody(self):
        with Office() as office:
            speech()
            folder = office.dir
            opus = encoded(folder, "good.opus", "-i", speech(), "-c:a", "libopus")
            takes = {  # what: (content, what it says)
                "text": (b"hello, this is no audio\n" * 400, "not a recording"),
                "an archive": (b"PK\x03\x04" + b"\x5a" * 100_000, "not a recording"),
                "nothing": (b"", "empty"),
                "cut off in the middle": (speech().read_bytes()[:400_000], "breaks off after"),
                "a cut header": (speech().read_bytes()[:30], "damaged|not a recording"),
                "one sample": (wav(1), "too short"),
                "200 channels": (wav(4000, channels=200), "too many channels"),
                "gigabytes in the header": (wav(8000, claimed=0xfffffff0), "too short"),
                "a rate of billions": (wav(8000, rate=0xffffffff), "damaged"),
                "a rate of nothing": (wav(8000, rate=0), "damaged"),
                "a FLAC of 2^36 samples": (flac_that_claims_gigabytes(), "too short|damaged"),
                "ten minutes in a small file": (encoded(folder, "long.opus", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t",
                                                        "600", "-c:a", "libopus", "-b:a", "6k", "-frame_duration", "60"), "too long"),
                "spoiled Opus": (spoiled(opus), "damaged|not a recording|too short"),
            }
            callback = office.request()
            before = office.show(callback)
            for what, (content, says) in takes.items():
                with self.subTest(what):
                    take = folder / "take"
                    take.write_bytes(content)
                    done = office.run("send", take, "--callback", callback["id"], "--promise", "13:00")
                    self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                    self.assertRegex(done.stdout + done.stderr, says)
                    now = office.show(callback)
                    self.assertFalse(now["promises"])
                    self.assertEqual((now["phase"], now["due_time"]), (before["phase"], before["due_time"]))
                    self.assertIsNone(office.server.poll())
                    for process in [office.server.pid, *children(office.server.pid)]:
                        self.assertLess(peak_kb(process), MEMORY_MAX_KB)
            self.assertEqual(office.count("mueller@example.com"), 0)
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00")  # and a good one goes out
            office.armed(callback)

    def test_a_decoder_that_dies_costs_one_take(self):
        with Office() as office:
            codec = office.dir / "codec"
            codec.write_text("#!/bin/sh\nkill -SEGV $$\n")
            codec.chmod(0o755)
            callback = office.request()
            office.stop()
            office.flags += ["--set", f"transcode.codec_path={codec}"]
            office.start()
            done = office.run("send", speech(), "--callback", callback["id"], "--promise", "13:00", "--no-wait")
            self.assertIsNone(office.server.poll(), done.stderr)
            self.assertFalse(office.mails())
            self.assertIn("fail", office.run("doctor", "--set", f"transcode.codec_path={codec}").stdout)
            office.stop()
            office.flags = []
            office.start()  # the take is still there
            office.mail("mueller@example.com")


class Times(unittest.TestCase):
    def test_a_promise_at_a_bad_time_names_the_field_and_what_would_be_right(self):
        with Office() as office:
            callback = office.request()
            for when, says in [("2026-11-23 10:00", r"promised_time: .*not ahead.*2026-11-24 09:00"),
                               ("2027-02-23 10:00", r"promised_time: .*90 days.*2027-02-22"),
                               ("yesterday noon", r"promise.*13:00"), ("25:61", r"promise.*13:00")]:
                with self.subTest(when):
                    done = office.run("promise", callback["id"], when, "--spoken")
                    self.assertIn(done.returncode, (1, 2))
                    self.assertRegex(done.stderr, says)
            office.set_clock("2027-03-20 09:00")
            done = office.run("promise", callback["id"], "2027-03-28 02:30", "--spoken")
            self.assertRegex(done.stderr, r"promise.*2027-03-28.*02:30 does not exist.*03:00")
            self.assertFalse(office.show(callback).get("promises"))

    def test_a_promise_in_the_assignees_leave_warns(self):
        with Office() as office:
            callback = office.request()
            office.cli("member", "absent", "Anna Schmidt", "--from", "2026-11-26 00:00", "--to", "2026-11-28 00:00")
            done = office.run("promise", callback["id"], "2026-11-26 10:00", "--spoken")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stderr, r"warning: Anna Schmidt is away")

    def test_no_way_to_the_customer_names_what_is_missing(self):
        with Office() as office:
            callback = office.request(email_address=None)
            done = office.run("send", speech(), "--callback", callback["id"], "--promise", "13:00")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"caller\.email: .*(SPOKEN|LINK_SHARED)")
            self.assertFalse(office.show(callback).get("promises"))


class Words(unittest.TestCase):
    def test_line_breaks_and_address_tricks_are_refused(self):
        with Office() as office:
            for arguments, field in [
                    (["--name", "Herr\r\nBcc: evil@example.net", "--email", "a@example.com"], "caller.name"),
                    (["--name", "Herr\nX", "--email", "a@example.com"], "caller.name"),
                    (["--name", "x" * 300, "--email", "a@example.com"], "caller.name"),
                    (["--name", "right \u202e left", "--email", "a@example.com"], "caller.name"),
                    (["--name", "X", "--email", "a@example.com\r\nRCPT TO:<evil@example.net>"], "caller.email"),
                    (["--name", "X", "--email", "a@example.com,evil@example.net"], "caller.email"),
                    (["--name", "X", "--email", "<a@example.com> NOTIFY=NEVER"], "caller.email"),
                    (["--name", "X", "--email", '"a b"@example.com'], "caller.email"),
                    (["--name", "X", "--phone", "+49 30 1;ext=\r\n"], "caller.phone")]:
                with self.subTest(arguments[1]):
                    with self.assertRaises(Refused) as refused:
                        office.cli("request", *arguments)
                    self.assertIn(field, refused.exception.stderr)
            self.assertFalse(office.cli("open").get("callbacks"))

    def test_what_is_no_utf_8_is_named(self):
        with Office() as office:
            done = office.run("request", "--name", b"M\xfcller".decode("utf-8", "surrogateescape"), "--email", "a@example.com")
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"UTF-8")
            self.assertNotIn("libprotobuf", done.stderr)

    def test_quotes_and_brackets_reach_no_header_as_such(self):
        with Office() as office:
            name = 'Herr "Q" <evil@example.net>, B: C; (D) =?utf-8?q?x?='
            callback = office.request(name=name, email_address="q@example.com")
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00")
            message = office.mail("q@example.com").message
            self.assertEqual([a.addr_spec for a in message["To"].addresses], ["q@example.com"])
            for header, value in message.items():
                self.assertNotIn("\n", str(value).replace("\n ", ""), header)
                if header not in ("To", "Subject"):
                    self.assertNotIn("evil@example.net", str(value), header)
            self.assertIsNone(message["Bcc"])


if __name__ == "__main__":
    unittest.main()
