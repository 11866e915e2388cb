"""The office with its recordings on a real S3 server: the story of a take, and what the doctor says of a bucket, a key or
an address that is wrong. scripts/install-s3-server has put the server into the build folder."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from office import BUILD, RINGBACK, Office, Refused, free_port, speech, wait_for  # noqa: E402

ACCESS, SECRET = "ringbackstory", "Ge/heim+1="


class S3Server:
    """versitygw on a folder; every folder below `disk` is a bucket."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.process = None
        for name in ("disk/takes", "side"):
            (folder / name).mkdir(parents=True)

    def start(self):
        self.process = subprocess.Popen(
            [BUILD / "s3" / "versitygw", "--access", ACCESS, "--secret", SECRET, "--port", f"127.0.0.1:{self.port}",
             "--quiet", "posix", "--sidecar", self.folder / "side", self.folder / "disk"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def objects(self):
        disk = self.folder / "disk" / "takes"
        return sorted(str(f.relative_to(disk)) for f in disk.rglob("*") if f.is_file() and ".sgwtmp" not in f.parts)

    def flags(self, **other):
        return [word for key, value in self.settings(**other).items() for word in ("--set", f"{key}={value}")]

    def settings(self, **other):
        keys = {}
        for name, text in (("access", other.pop("access", ACCESS)), ("secret", other.pop("secret", SECRET))):
            path = self.folder / f"{name}-{abs(hash(text))}"
            path.write_text(text + "\n")
            path.chmod(0o600)
            keys[f"s3.{name}_key_file"] = path
        return {"ringback.blobs": "s3://takes/office", "s3.endpoint": f"http://127.0.0.1:{self.port}",
                "s3.path_style": "true", **keys, **other}


class OnS3(unittest.TestCase):
    def setUp(self):
        self.office = Office()
        self.s3 = S3Server(self.office.dir / "s3")
        self.s3.start()
        self.office.flags += self.s3.flags()
        self.addCleanup(self.s3.stop)

    def doctor(self, *flags, environment=None):
        done = subprocess.run([RINGBACK, "doctor", "--data", self.office.data, *flags], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], **(environment or {})}, cwd=self.office.dir, check=False)
        return next(line for line in done.stdout.splitlines() if line.split()[1] in ("blobs", "config") and
                    (line.split()[1] == "blobs" or line.startswith("fail")))

    def test_a_take_is_kept_on_s3_and_reaches_the_customer_and_outlives_a_pause_of_the_server(self):
        with self.office as office:
            callback = office.request()
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00")
            self.assertGreater(len(office.mail("mueller@example.com").attachment("audio/mpeg")), 10_000)
            names = [name.rsplit("/", 1)[1] for name in self.s3.objects() if not name.endswith(".check")]
            self.assertEqual(names, ["original", "voice.mp3", "voice.opus"])
            self.assertTrue(all(name.startswith("office/") for name in self.s3.objects()))
            self.assertFalse((office.data / "blobs").exists())

            self.s3.stop()
            take = bytearray(speech().read_bytes())
            take[-1000] ^= 1  # another take: the same one would need no upload
            other = office.dir / "other.wav"
            other.write_bytes(take)
            second = office.request(name="Frau Meier", email_address="meier@example.com", phone="+4930999999")
            with self.assertRaises(Refused):
                office.cli("send", other, "--callback", second["id"], "--promise", "13:00")
            self.s3.start()
            wait_for(lambda: self.doctor(*office.flags).startswith("ok"), "the server's return")
            office.cli("send", other, "--callback", second["id"], "--promise", "13:00")
            self.assertGreater(len(office.mail("meier@example.com").attachment("audio/mpeg")), 10_000)

    def test_the_doctor_names_what_is_wrong(self):
        wait_for(lambda: self.doctor(*self.s3.flags()).startswith("ok"), "a healthy bucket")
        for flags, advice in (
            (self.s3.flags(access="nobody"), "look at s3.access_key_file"),
            (self.s3.flags(secret="guess"), "look at s3.secret_key_file"),
            (self.s3.flags(**{"ringback.blobs": "s3://elsewhere"}), "there is no bucket elsewhere"),
            (self.s3.flags(**{"s3.region": "us-west-2"}), "s3.region"),
            (self.s3.flags(**{"s3.endpoint": f"http://127.0.0.1:{free_port()}"}), "does the server at s3.endpoint run?"),
            (self.s3.flags(**{"s3.endpoint": "http://s3.example.com"}), "s3.allow_plain"),
            (self.s3.flags(**{"s3.path_style": "false"}), "s3.path_style"),
            (self.s3.flags(**{"s3.access_key_file": "", "s3.secret_key_file": ""}), "AWS_ACCESS_KEY_ID"),
            (self.s3.flags(**{"s3.secret_key_file": ""}), "set both or none"),
        ):
            line = self.doctor(*flags)
            self.assertTrue(line.startswith("fail"), line)
            self.assertIn(advice, line)

    def test_keys_may_come_from_the_variables_of_every_s3_client(self):
        keyless = self.s3.flags(**{"s3.access_key_file": "", "s3.secret_key_file": ""})
        keys = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
        wait_for(lambda: self.doctor(*keyless, environment=keys).startswith("ok"), "a healthy bucket")
        line = self.doctor(*keyless, environment={**keys, "AWS_SECRET_ACCESS_KEY": "guess"})
        self.assertIn("look at AWS_SECRET_ACCESS_KEY", line)


if __name__ == "__main__":
    unittest.main()
