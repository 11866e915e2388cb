"""The stories of the product, through real processes: hours pass in seconds by the clock offset, every sign is waited
for, nothing sleeps. Tuesday, 24 November 2026, in Berlin, unless a story says otherwise."""

import base64
import http.server
import json
import pathlib
import re
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from office import Office, Refused, free_port, speech, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

ANNA, BEN, CLARA, ADMIN = "Anna Schmidt", "Ben Weber", "Clara Vogel", "Dana Brandt"


def address_of(office, name):
    return next(m["email"] for m in office.cli("team", "show")["team"]["members"] if m["name"].startswith(name))


def verdicts(callback):
    return [p.get("verdict", "VERDICT_UNSPECIFIED").removeprefix("VERDICT_") for p in callback["promises"]]


def decoded_seconds(mp3):
    """Length of what a decoder makes of it."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"],
                          input=mp3, capture_output=True, check=True)
    return len(done.stdout) / 2 / 8000


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *unused):
        pass


class HookServer:
    """A rep's webhook."""

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.server.received = []
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()

    @property
    def received(self):
        return self.server.received


class Kept(unittest.TestCase):
    def test_from_a_spoken_take_to_a_kept_promise(self):
        with Office() as office:
            anna = address_of(office, ANNA)
            callback = office.request(note="hat dreimal angerufen")
            text = office.dir / "text.txt"
            text.write_text("Guten Morgen Herr Müller, ich rufe Sie heute um 13 Uhr an. Versprochen!")
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00", "--text", text)
            mail = office.mail("mueller@example.com")
            self.assertEqual(mail.subject, "Ihr Anruf: Anna Schmidt ruft heute um 13:00 Uhr zurück")
            self.assertIn("Anna Schmidt", str(mail.message["From"]))
            self.assertIn("Versprochen!", mail.text)
            self.assertRegex(str(mail.message["Reply-To"]), r"\+pg[0-9]{2}[a-z0-9]+@")
            self.assertNotIn("http://", mail.text)  # no public address, no link
            self.assertGreater(decoded_seconds(mail.attachment("audio/mpeg")), 5)
            calendar = mail.attachment("text/calendar").decode()
            self.assertRegex(calendar, rf"UID:{callback['id']}@")
            self.assertIn("DTSTART:20261124T120000Z", calendar)
            office.armed(callback)

            office.set_clock("2026-11-24 12:45:01")
            self.assertRegex(office.mail(anna).text, r"(?i)ohne|kein|nichts")  # no brief, call anyway
            office.set_clock("2026-11-24 13:00:01")
            office.mail(anna, count=2)
            office.set_clock("2026-11-24 13:03")
            done = office.cli("attempt", callback["id"], "--outcome", "reached")["callback"]
            self.assertEqual(verdicts(done), ["KEPT"])
            closed = office.cli("complete", callback["id"], "--disposition", "Angebot geht heute raus")["callback"]
            self.assertEqual(closed["phase"], "PHASE_CLOSED")
            self.assertFalse(office.cli("open").get("callbacks"))
            office.advance(days=2)
            self.assertEqual(office.count(address_of(office, CLARA)), 0)  # nobody was alarmed

    def test_one_step_for_request_and_message(self):
        with Office() as office:
            office.cli("send", speech(), "--to", "mueller@example.com", "--name", "Herr Müller", "--promise", "+2h")
            self.assertIn("11:00 Uhr", office.mail("mueller@example.com").subject)

    def test_the_customers_zone_and_language(self):
        with Office() as office:
            callback = office.request(name="Ms. Smith", email_address="smith@example.com", phone="+12125550123",
                                      language="en", time_zone="America/New_York")
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "18:00")
            self.assertIn("12:00 pm", office.mail("smith@example.com").subject)


class Page(unittest.TestCase):
    def test_the_customers_page_plays_and_a_look_changes_nothing(self):
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        with Office(flags=["--set", f"ringback.public_url={address}"], http_port=port) as office:
            callback = office.request()
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00")
            link = re.search(rf"{address}/m/pg\w+", office.mail("mueller@example.com").text)[0]
            before = office.armed(callback)["version"]
            status, headers, page = self.get(link)
            self.assertEqual(status, 200)
            self.assertIn("Anna Schmidt", page.decode())
            self.assertIn("13:00 Uhr", page.decode())
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            for name, kind in [("voice.mp3", "audio/mpeg"), ("voice.opus", "audio/ogg")]:
                status, headers, part = self.get(f"{link}/{name}", {"Range": "bytes=100-199"})
                self.assertEqual((status, len(part), headers["Content-Type"]), (206, 100, kind))
            self.assertGreater(decoded_seconds(self.get(f"{link}/voice.mp3")[2]), 5)
            self.assertEqual(self.get(link[:-4] + "0000")[0], 404)
            self.assertEqual(self.get(f"{address}/healthz")[0], 200)
            self.assertIn(b"ringback_", self.get(f"{address}/metrics")[2])
            self.assertEqual(office.show(callback)["version"], before)

    @staticmethod
    def get(url, headers={}):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()


class NotKept(unittest.TestCase):
    def test_late_is_told_to_rep_and_manager_and_stays_on_the_record(self):
        with Office() as office:
            callback = office.request()
            office.cli("promise", callback["id"], "13:00", "--spoken")
            office.set_clock("2026-11-24 13:05:01")
            office.mail(address_of(office, CLARA))
            self.assertTrue(office.cli("open", "--overdue")["callbacks"])
            office.set_clock("2026-11-24 13:12")
            done = office.cli("attempt", callback["id"], "--outcome", "reached")["callback"]
            self.assertEqual(verdicts(done), ["LATE"])
            self.assertRegex(done["promises"][0]["late_by"], r"^7\d\d(\.\d+)?s$")

    def test_a_call_made_in_time_and_logged_late_keeps_the_promise(self):
        with Office() as office:
            callback = office.request()
            office.cli("promise", callback["id"], "13:00", "--spoken")
            office.set_clock("2026-11-24 13:20")
            done = office.cli("attempt", callback["id"], "--outcome", "reached", "--called-at", "13:01")["callback"]
            self.assertEqual(verdicts(done), ["KEPT"])

    def test_missed_and_promised_again(self):
        with Office() as office:
            callback = office.request()
            office.cli("promise", callback["id"], "13:00", "--spoken")
            office.set_clock("2026-11-24 13:16")
            office.mail(address_of(office, CLARA))
            office.cli("promise", callback["id"], "15:00", "--spoken")
            now = office.show(callback)
            self.assertEqual(verdicts(now)[0], "MISSED")
            self.assertEqual(now["promises"][1]["state"], "STATE_ARMED")
            office.set_clock("2026-11-24 15:01")
            done = office.cli("attempt", callback["id"], "--outcome", "reached")["callback"]
            self.assertEqual(verdicts(done), ["MISSED", "KEPT"])

    def test_every_step_then_hourly_then_daily(self):
        with Office() as office:
            callback = office.request()
            office.cli("promise", callback["id"], "09:30", "--spoken")
            clara, admin = address_of(office, CLARA), address_of(office, ADMIN)
            office.set_clock("2026-11-24 09:35:01")
            office.mail(clara)
            office.set_clock("2026-11-24 09:45:01")
            office.mail(clara, count=2)
            self.assertEqual(office.count(admin), 0)
            office.set_clock("2026-11-24 10:00:01")
            office.mail(clara, count=3)
            office.mail(admin)
            office.set_clock("2026-11-24 11:00:01")
            office.mail(admin, count=2)
            self.assertEqual(office.show(callback)["escalation"]["last_step"], 3)

    def test_a_spoken_promise_is_confirmed_in_the_customers_zone_when_asked(self):
        with Office() as office:
            quiet = office.request(email_address="quiet@example.com", phone="+4930222222")
            office.cli("promise", quiet["id"], "13:00", "--spoken")
            callback = office.request()
            office.cli("caller", callback["id"], "--time-zone", "America/New_York")
            promised = office.cli("promise", callback["id"], "17:00", "--spoken", "--confirm")["callback"]
            self.assertEqual(promised["phase"], "PHASE_PROMISED")
            mail = office.mail("mueller@example.com")
            self.assertIn("11:00 Uhr", mail.subject)
            calendar = mail.attachment("text/calendar").decode()
            self.assertRegex(calendar, rf"UID:{callback['id']}@")
            self.assertIn("DTSTART:20261124T160000Z", calendar)
            self.assertRegex(str(mail.message["Reply-To"]), r"\+pg[0-9]{2}[a-z0-9]+@")
            self.assertEqual(office.count("quiet@example.com"), 0)

    def test_a_spoken_no_answer_starts_the_follow_up(self):
        with Office() as office:
            callback = office.request()
            office.cli("promise", callback["id"], "13:00", "--spoken")
            office.set_clock("2026-11-24 13:02")
            tried = office.cli("attempt", callback["id"], "--outcome", "no-answer")["callback"]
            self.assertEqual(verdicts(tried), ["KEPT"])
            self.assertEqual(tried["phase"], "PHASE_FOLLOW_UP")
            office.set_clock("2026-11-24 13:32:01")
            office.mail(address_of(office, ANNA), "Jetzt erneut anrufen")
            self.assertEqual(office.count(address_of(office, CLARA)), 0)
            office.set_clock("2026-11-24 13:37:01")
            office.mail(address_of(office, CLARA))
            self.assertTrue(office.show(callback)["overdue"])

    def test_never_promised_escalates_by_the_response_target(self):
        with Office() as office:
            callback = office.request()
            office.set_clock("2026-11-24 12:59")
            self.assertFalse(office.show(callback).get("overdue"))
            office.set_clock("2026-11-24 13:00:01")
            office.mail(address_of(office, ANNA), "Noch ohne Versprechen")
            self.assertEqual(office.count(address_of(office, CLARA)), 0)
            office.set_clock("2026-11-24 13:05:01")
            office.mail(address_of(office, CLARA))
            self.assertTrue(office.show(callback)["overdue"])

    def test_acknowledge_holds_the_alarms_until_its_timeout(self):
        with Office() as office:
            callback = office.request()
            office.cli("promise", callback["id"], "13:00", "--spoken")
            clara = address_of(office, CLARA)
            office.set_clock("2026-11-24 13:05:01")
            office.mail(clara)
            acknowledged = office.cli("ack", callback["id"], "--timeout", "1h")["callback"]
            self.assertTrue(acknowledged["overdue"])  # the clock never pauses
            office.set_clock("2026-11-24 14:04")
            office.show(callback)
            self.assertEqual(office.count(clara), 1)
            office.set_clock("2026-11-24 14:05:10")
            office.mail(clara, count=2)

    def test_night_holds_what_follows_the_first_notice_until_the_morning(self):
        with Office() as office:
            for number in range(3):
                callback = office.request(name=f"Kunde {number}", email_address=f"k{number}@example.com", phone=f"+493000000{number}")
                office.cli("promise", callback["id"], "17:50", "--spoken")
            clara = address_of(office, CLARA)
            office.set_clock("2026-11-24 17:55:01")
            office.mail(clara)
            office.advance(minutes=2)  # those of that minute that missed the first mail go out as one
            texts = lambda: " ".join(m.text for m in office.mails() if clara in m.to)
            wait_for(lambda: all(f"Kunde {number}" in texts() for number in range(3)), "alarms for all three")
            evening = office.count(clara)
            self.assertLessEqual(evening, 2)
            office.set_clock("2026-11-24 23:30")
            office.until(callback, lambda c: c["overdue"], "it is overdue")
            self.assertEqual(office.count(clara), evening)
            office.set_clock("2026-11-25 08:00:01")
            office.advance(seconds=5)
            digest = office.mail(clara, count=evening + 1)
            for number in range(3):
                self.assertIn(f"Kunde {number}", digest.text)
            self.assertEqual(office.count(clara), evening + 1)


class NotDelivered(unittest.TestCase):
    def test_a_refused_mail_alarms_the_rep_by_the_next_channel(self):
        with SmtpSink(["-f", "rcpt"]) as smtp, HookServer() as hook, \
                Office(flags=smtp.flags + ["--set", "webhook.allow_private=yes"]) as office:
            office.cli("member", "set", ANNA, "--channel", "mail:anna@example.com",
                       "--channel", f"webhook:{hook.url}", "--webhook-secret", "a-secret-of-sixteen-bytes")
            callback = office.request()
            with self.assertRaises(Refused):
                office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00")
            headers, body = wait_for(lambda: hook.received and hook.received[0], "the hook was called")
            self.assertRegex(headers["Ringback-Signature"], r"^t=\d+,v1=[0-9a-f]{64}$")
            self.assertEqual(json.loads(body)["callback"], callback["id"])
            now = office.show(callback)
            self.assertTrue(now["delivery_alarm"])
            self.assertEqual(now["promises"][0]["state"], "STATE_NOT_DELIVERED")
            self.assertIn(callback["id"], json.dumps(office.cli("dead-letters", "list")) )

    def test_a_late_mail_alarms_before_the_promise_and_counts_once_accepted(self):
        with SmtpSink(["-r", "rcpt"]) as smtp, Office(flags=smtp.flags) as office:
            callback = office.request()
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "10:00", "--no-wait")
            office.until(callback, lambda c: c["promises"], "the promise is on its way")
            office.set_clock("2026-11-24 09:45:05")
            pending = office.until(callback, lambda c: c.get("delivery_alarm"), "the guard alarmed")
            self.assertEqual(pending["promises"][0]["state"], "STATE_PENDING")
            smtp.stop()
            smtp.switches = []
            smtp.start()
            office.advance(minutes=5)
            armed = office.armed(callback)
            self.assertFalse(armed.get("delivery_alarm"))
            self.assertIn("Anna Schmidt", str([m["From"] for m in smtp.messages() if "mueller" in m["To"]]))

    def test_no_way_to_reach_the_customer_is_said(self):
        with Office() as office:
            callback = office.request(email_address=None)
            with self.assertRaises(Refused) as refused:
                office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00")
            self.assertEqual(refused.exception.code, 1)
            self.assertIn("email", refused.exception.stderr)


class People(unittest.TestCase):
    def test_the_same_caller_three_times_is_one_callback(self):
        with Office() as office:
            first = office.request()
            for _ in range(2):
                again = office.cli("request", "--name", "Müller", "--phone", "030 123456")
                self.assertTrue(again["rang_again"])
                self.assertEqual(again["callback"]["id"], first["id"])
            self.assertEqual(office.show(first)["rings"], 3)

    def test_an_absent_member_and_an_absent_substitute(self):
        with Office() as office:
            anna, ben, clara = (address_of(office, name) for name in (ANNA, BEN, CLARA))
            first = office.request()
            office.cli("member", "absent", ANNA, "--from", "2026-11-24 00:00", "--to", "2026-11-28 00:00")
            office.cli("promise", first["id"], "10:00", "--spoken")
            office.set_clock("2026-11-24 09:45:01")
            office.mail(ben)
            self.assertEqual(office.count(anna), 0)
            office.cli("attempt", first["id"], "--outcome", "reached")
            office.cli("member", "absent", BEN, "--from", "2026-11-24 00:00", "--to", "2026-11-28 00:00")
            second = office.request(name="Frau Kunz", email_address="kunz@example.com", phone="+4930999999")
            office.cli("promise", second["id"], "11:00", "--spoken")
            office.set_clock("2026-11-24 10:45:01")
            office.mail(clara)

    def test_closing_without_an_attempt_needs_a_reason_and_tells_the_manager(self):
        with Office() as office:
            callback = office.request()
            office.cli("promise", callback["id"], "13:00", "--spoken")
            with self.assertRaises(Refused):
                office.cli("complete", callback["id"], "--disposition", "erledigt")
            closed = office.cli("cancel", callback["id"], "--reason", "doppelt")["callback"]
            self.assertEqual(verdicts(closed), ["MISSED"])
            office.mail(address_of(office, CLARA))
            cancelled = office.mail("mueller@example.com")
            self.assertIn("METHOD:CANCEL", cancelled.attachment("text/calendar").decode())


class Leaving(unittest.TestCase):
    def test_erasure_leaves_no_byte_of_the_caller(self):
        marks = ["Quastenflosser", "quasti@example.com", "+493055512345"]
        with Office() as office:
            callback = office.request(name=f"Herr {marks[0]}", email_address=marks[1], phone=marks[2],
                                      note=f"{marks[0]} hat angerufen")
            text = office.dir / "spoken.txt"
            text.write_text(f"Guten Tag Herr {marks[0]}!")
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00", "--text", text)
            office.mail(marks[1])
            office.set_clock("2026-11-24 13:05:01")
            office.mail(address_of(office, CLARA))
            self.assertTrue(self.places(office, marks))
            office.cli("subject", "erase", marks[1], "--yes")
            gone = office.show(callback)
            self.assertTrue(gone["erased"])
            self.assertEqual(verdicts(gone), ["MISSED"])  # the record of the promise stays
            office.advance(minutes=5)
            wait_for(lambda: not self.places(office, marks), "no byte of the caller left")

    @staticmethod
    def places(office, marks):
        forms = [mark.encode() for mark in marks] + [base64.b64encode(mark.encode())[:-3] for mark in marks]
        found = []
        for path in [*office.data.rglob("*"), office.log]:
            if path.is_file():
                content = path.read_bytes()
                found += [path.name for form in forms if form in content]
        found += [p.name for p in (office.data / "blobs").rglob("*") if p.is_file() and "original" in p.name]
        return found

    def test_retention_erases_after_thirty_days(self):
        with Office() as office:
            callback = office.request(name="Herr Quastenflosser")
            office.cli("promise", callback["id"], "13:00", "--spoken")
            office.set_clock("2026-11-24 13:00:30")
            office.cli("attempt", callback["id"], "--outcome", "reached")
            office.cli("complete", callback["id"], "--disposition", "gut")
            office.advance(days=29)
            self.assertFalse(office.show(callback).get("erased"))
            office.advance(days=1, minutes=1)
            gone = office.until(callback, lambda c: c.get("erased"), "retention erased it")
            self.assertEqual(verdicts(gone), ["KEPT"])

    def test_backup_and_restore_keep_everything_and_repeat_nothing(self):
        with Office() as office:
            callback = office.request()
            office.cli("send", speech(), "--callback", callback["id"], "--promise", "13:00")
            office.armed(callback)
            overdue = office.request(name="Frau Kunz", email_address="kunz@example.com", phone="+4930999999")
            office.cli("promise", overdue["id"], "09:30", "--spoken")
            office.set_clock("2026-11-24 09:35:01")
            office.mail(address_of(office, CLARA))
            office.until(overdue, lambda c: c["escalation"].get("last_step") == 1, "the alarm is recorded")
            backup = office.dir / "backup"
            office.cli("backup", backup)
            before = len(office.mails())
            office.stop()
            restored = office.dir / "restored"
            office.run("restore", backup, "--data", restored).check_returncode()
            office.data = restored
            office.start()
            self.assertEqual(office.show(callback)["promises"][0]["state"], "STATE_ARMED")
            self.assertEqual(office.show(overdue)["escalation"]["last_step"], 1)
            office.set_clock("2026-11-24 09:45:01")
            office.mail(address_of(office, CLARA), count=2 if self.outbox_restored(office, before) else 1)
            self.assertEqual(office.count("mueller@example.com"), 1 if self.outbox_restored(office, before) else 0)

    @staticmethod
    def outbox_restored(office, before):
        return len(office.mails()) >= before


class BadInput(unittest.TestCase):
    def test_bad_times_are_refused_with_what_would_be_right(self):
        with Office() as office:
            callback = office.request()
            for time, word in [("08:00", "passed"), ("2027-06-01 10:00", "90"), ("25:00", "13:00"), ("", "13:00")]:
                with self.assertRaises(Refused) as refused:
                    office.cli("promise", callback["id"], time, "--spoken")
                self.assertIn(refused.exception.code, (1, 2), time)
                self.assertIn(word, refused.exception.stderr, time)
            self.assertFalse(office.show(callback).get("promises"))

    def test_what_is_no_audio_fails_with_a_finding_and_alarms(self):
        with Office() as office:
            callback = office.request()
            junk = office.dir / "junk.wav"
            junk.write_bytes(b"RIFF" + b"\xff" * 5000)
            with self.assertRaises(Refused) as refused:
                office.cli("send", junk, "--callback", callback["id"], "--promise", "13:00")
            self.assertEqual(refused.exception.code, 1)
            now = office.show(callback)
            self.assertEqual(now["phase"], "PHASE_WAITING")
            self.assertEqual(office.count("mueller@example.com"), 0)
            empty = office.dir / "empty.wav"
            empty.write_bytes(b"")
            with self.assertRaises(Refused):
                office.cli("send", empty, "--callback", callback["id"], "--promise", "13:00")

    def test_exit_codes(self):
        with Office() as office:
            self.assertEqual(office.run("open").returncode, 0)
            self.assertEqual(office.run("show", "cb99nothing").returncode, 1)
            self.assertEqual(office.run("frobnicate").returncode, 2)
            office.stop()
            self.assertEqual(office.run("open").returncode, 3)
            office.start()

    def test_an_unknown_key_is_refused_with_its_line(self):
        with Office() as office:
            config = office.dir / "bad.toml"
            config.write_text("[mail]\ntransport = 'maildir:x'\ntransprot = 'y'\n")
            done = office.run("serve", "--data", office.dir / "other", "--config", config)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("bad.toml:3", done.stderr)


if __name__ == "__main__":
    unittest.main()
