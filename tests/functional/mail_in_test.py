"""`ringback mail-in` as a mail server sees it: exit codes, what becomes of bad mail, and that nothing of a caller's mail stays
behind. Nothing sleeps; every sign is waited for."""

import base64
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from office import Office, RINGBACK, Refused, wait_for  # noqa: E402
from stories_test import Leaving  # noqa: E402

PUBLIC = ["--set", "ringback.public_url=https://anrufe.firma.example"]  # so that the page, and its token, has an address
EX_OK, EX_DATAERR, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 0, 65, 75, 77, 78
CORPUS = pathlib.Path(__file__).resolve().parents[2] / "services/delivery/mail_in/testdata/mails"


def mail_in(office, mail, *arguments, **environment):
    done = subprocess.run([RINGBACK, "mail-in", *map(str, arguments)], input=mail, capture_output=True, timeout=120, cwd=office.dir,
                          env={"RINGBACK_DATA": str(office.data), "RINGBACK_CLOCK_OFFSET_FILE": str(office.offset_file)} | environment)
    return done.returncode, done.stderr.decode()


def mail(body, sender="mueller@example.com", to="vertrieb@firma.example", name="m1", more=""):
    return (f"From: {sender}\nTo: {to}\nSubject: AW: Ihr Anruf\nMessage-ID: <{name}@example.com>\nDate: Tue, 24 Nov 2026 10:00:00 +0100\n"
            f"{more}\n{body}\n").encode()


def reply_address(office, callback):
    return f"vertrieb+{office.show(callback)['page_url'].rsplit('/', 1)[-1]}@firma.example"


class ExitCodes(unittest.TestCase):
    def test_mail_servers_learn_what_to_do_with_the_mail(self):
        with Office(flags=PUBLIC) as office:
            callback = office.request()
            self.assertEqual(mail_in(office, mail("Der Kran."), "--recipient", reply_address(office, callback), "--sender", "mueller@example.com")[0], EX_OK)
            self.assertEqual(office.show(callback)["brief"]["text"], "Der Kran.")
            self.assertEqual(mail_in(office, b"")[0], EX_DATAERR)
            self.assertEqual(mail_in(office, b"\n \n")[0], EX_DATAERR)
            code, words = mail_in(office, mail("x"), "--no-such-flag")
            self.assertEqual(code, EX_CONFIG, words)
            code, words = mail_in(office, mail("x"), RINGBACK_TOKEN="rb_tk07zzzzzzzzzzzzzzzzzzzzzzzzzz")
            self.assertEqual(code, EX_CONFIG, words)
            self.assertEqual(mail_in(office, mail("x"), "--data", office.dir / "nowhere", RINGBACK_DATA="", HOME=str(office.dir / "no-home"))[0], EX_TEMPFAIL)
            intake = office.cli("token", "create", "--intake")["secret"]
            self.assertEqual(mail_in(office, mail("Mit dem Zeichen des Mailservers.", name="m2"), RINGBACK_TOKEN=intake)[0], EX_OK)
            office.stop()
            code, words = mail_in(office, mail("x", name="m3"))
            self.assertEqual(code, EX_TEMPFAIL, words)
            office.start()
            self.assertEqual(len(office.cli("answers", callback["id"])["answers"]), 2)


class BadMail(unittest.TestCase):
    def test_none_is_lost_and_none_hurts(self):
        head = "From: a@example.org\nSubject: s\nDate: x\nMIME-Version: 1.0\n"
        nested = head + "Message-ID: <nested@x>\n" + "".join(f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n" for i in range(10000)) + "\ntief\n"
        bad = {
            "rubbish": bytes(range(256)) * 100,
            "one byte": b"x",
            "ten thousand nested parts": nested.encode(),
            "a million parts": (head + "Message-ID: <many@x>\nContent-Type: multipart/mixed; boundary=b\n\n" + "--b\n\n" * 1_000_000).encode(),
            "a flood of headers": (head + "Message-ID: <flood@x>\n" + "X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaa\n" * 200_000 + "\nHallo\n").encode(),
            "fifty megabytes": (head + "Message-ID: <big@x>\n\n" + "y" * 99 + "\n").encode() + (b"z" * 99 + b"\n") * 510_000,
            "a wrong charset": head.encode() + b"Message-ID: <cs@x>\nContent-Type: text/plain; charset=utf-8\n\nM\xfcll \xff\xfe\n",
            "no message-id": (head + "\nHallo\n").encode(),
            "a forged token": mail("x", "forger@example.org", "vertrieb+pg07aaaaaaaaaaaaaaaaaaaaaaaaaa@firma.example", "forged"),
        }
        with Office(flags=PUBLIC) as office:
            for name, bytes_ in bad.items():
                code, words = mail_in(office, bytes_)
                self.assertEqual(code, EX_OK, f"{name}: {words}")
            listed = office.cli("unmatched")["answers"]
            self.assertEqual(len(listed), len(bad))
            rubbish = [a for a in listed if a["kind"] == "KIND_UNREADABLE" and a["original_size_bytes"] == "25600"]
            self.assertEqual(len(rubbish), 1)
            out = office.dir / "original"
            office.run("answers", rubbish[0]["id"], "--original", "--to", out).check_returncode()
            self.assertEqual(out.read_bytes(), bad["rubbish"])
            # All of them again: nothing new.
            for bytes_ in bad.values():
                self.assertEqual(mail_in(office, bytes_)[0], EX_OK)
            self.assertEqual(len(office.cli("unmatched")["answers"]), len(bad))

    def test_the_whole_corpus_is_taken_in(self):
        with Office(flags=PUBLIC) as office:
            files = sorted(CORPUS.glob("*.eml"))
            for file in files:
                code, words = mail_in(office, file.read_bytes())
                self.assertEqual(code, EX_OK, f"{file}: {words}")
            self.assertEqual(len(office.cli("unmatched")["answers"]), len(files))
            office.cli("drop", office.cli("unmatched")["answers"][0]["id"])
            self.assertEqual(len(office.cli("unmatched")["answers"]), len(files) - 1)


class Erased(unittest.TestCase):
    def test_erasure_leaves_no_byte_of_a_callers_mail(self):
        marks = ["Quastenflosser", "quasti@example.com"]
        with Office(flags=PUBLIC) as office:
            callback = office.request(name=f"Herr {marks[0]}", email_address=marks[1])
            picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + marks[0].encode()).decode()
            parts = (f"--b\nContent-Type: text/plain\n\n{marks[0]} schreibt.\n--b\nContent-Type: image/png; name={marks[0]}.png\n"
                     f"Content-Transfer-Encoding: base64\n\n{picture}\n--b--")
            tied = mail(parts, marks[1], reply_address(office, callback), "q1", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n")
            self.assertEqual(mail_in(office, tied)[0], EX_OK)
            self.assertIn(marks[0], office.show(callback)["brief"]["text"])
            backup = office.dir / "backup"
            office.cli("backup", backup)
            self.assertTrue(any("original" in path.name for path in (backup / "blobs").rglob("*")))
            office.cli("cancel", callback["id"], "--reason", "x")
            self.assertEqual(mail_in(office, mail(f"{marks[0]} noch einmal", marks[1], name="q2"))[0], EX_OK)
            self.assertEqual(len(office.cli("unmatched")["answers"]), 1)
            self.assertTrue(Leaving.places(office, marks))
            office.cli("subject", "erase", marks[1], "--yes")
            self.assertEqual(office.cli("unmatched")["answers"], [])
            with self.assertRaises(Refused):
                office.cli("answers", callback["id"])
            office.advance(minutes=5)
            wait_for(lambda: not Leaving.places(office, marks), "no byte of the caller's mail left")
            # The same mail from a mailbox that still has it brings nobody back.
            self.assertEqual(mail_in(office, tied)[0], EX_OK)
            self.assertFalse(Leaving.places(office, marks))

    def test_a_mail_that_was_tied_wrongly_leaves_no_word_where_it_did_not_belong(self):
        marks = ["Quastenflosser", "quasti@example.net"]
        with Office(flags=PUBLIC) as office:
            wrong = office.request()
            right = office.request(name="Frau Quast", phone="+4940765432", email_address="")
            office.cli("promise", wrong["id"], "11:00", "--spoken")
            self.assertEqual(mail_in(office, mail("Es geht um den Bagger.", to=reply_address(office, wrong), name="b1"))[0], EX_OK)
            self.assertEqual(mail_in(office, mail(f"{marks[0]} schreibt.", marks[1], name="q1"))[0], EX_OK)
            [answer] = office.cli("unmatched")["answers"]
            office.cli("tie", answer["id"], wrong["id"])
            office.advance(hours=1, minutes=50)
            self.assertIn(marks[0], office.mail("anna", "In .* anrufen").text)

            office.cli("tie", answer["id"], "--unmatched")
            self.assertEqual(office.show(wrong)["brief"]["text"], "Es geht um den Bagger.")
            self.assertEqual(len(office.cli("unmatched")["answers"]), 1)
            office.cli("tie", answer["id"], right["id"])
            self.assertIn(marks[0], office.show(right)["brief"]["text"])
            [digger] = office.cli("answers", wrong["id"])["answers"]
            with self.assertRaises(Refused):
                office.cli("tie", digger["id"], right["id"])

            office.cli("subject", "erase", right["id"], "--yes")
            office.cli("subject", "erase", marks[1], "--yes")
            office.advance(minutes=5)
            wait_for(lambda: Leaving.places(office, marks) == [f"{digger['id']}.original"],
                     "no byte of it left but the other mail's, the reminder that quoted it included")
            self.assertEqual(office.show(wrong)["brief"]["text"], "Es geht um den Bagger.")


class TakenBack(unittest.TestCase):
    def test_the_assignee_hears_that_the_promise_stands(self):
        with Office(flags=PUBLIC) as office:
            callback = office.request()
            office.cli("promise", callback["id"], "13:00", "--spoken")
            self.assertEqual(mail_in(office, mail("13 Uhr passt leider nicht.", "assistenz@example.net"))[0], EX_OK)
            [answer] = office.cli("unmatched")["answers"]
            office.cli("tie", answer["id"], callback["id"])
            office.mail("anna", "kann zur versprochenen Zeit nicht: heute um 13:00 Uhr")
            office.cli("tie", answer["id"], "--unmatched")
            stands = office.mail("anna", "Es bleibt dabei, heute um 13:00 Uhr: Herr Müller")
            self.assertIn("gehörte nicht zu diesem Rückruf", stands.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
