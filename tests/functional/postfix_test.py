"""The way back through a real mail server: an answer is delivered through its pipe, waits in its queue while ringback is
down, and a message to an unknown user comes back as a delivery status notification and becomes the delivery's outcome."""

import json
import os
import pathlib
import smtplib
import sys
import unittest
from email.message import EmailMessage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from office import Office, free_port, speech, wait_for  # noqa: E402
from postfix import Postfix, may_run  # noqa: E402
from stories_test import ANNA, address_of  # noqa: E402


class WithPostfix(unittest.TestCase):
    def setUp(self):
        office = Office(flags=["--set", "ringback.public_url=https://anrufe.firma.example"])
        office.fixed_port = str(free_port())
        self.office = self.enterContext(office)
        self.office.cli("team", "set", "--mail-address", "vertrieb@firma.example")
        token = self.office.cli("token", "create", "--intake", "--label", "Postfix")["secret"]
        self.postfix = self.enterContext(Postfix(f"127.0.0.1:{self.office.fixed_port}", token))

    def send(self, to, text, message_id="<answer-1@kunde.example>"):
        mail = EmailMessage()
        mail["From"] = "Max Müller <mueller@kunde.example>"
        mail["To"] = to
        mail["Subject"] = "AW: Ihr Anruf"
        mail["Message-ID"] = message_id
        mail["Date"] = "Tue, 24 Nov 2026 10:00:00 +0100"
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.postfix.port) as smtp:
            smtp.send_message(mail, from_addr="mueller@kunde.example", to_addrs=[to])

    def reply_address(self, callback):
        token = self.office.show(callback)["page_url"].rsplit("/", 1)[-1]
        return f"vertrieb+{token}@firma.example"

    def answers(self, callback):
        return self.office.cli("answers", callback["id"])["answers"]


class Answers(WithPostfix):
    def test_an_answer_comes_in_through_the_pipe_as_the_brief(self):
        callback = self.office.request()
        self.send(self.reply_address(callback), "Es geht um den Kran.\n\nMit freundlichen Grüßen\nMax Müller\n")
        answer = wait_for(lambda: self.answers(callback), "the answer came in")[0]
        self.assertEqual(answer["match"], "MATCH_TOKEN")
        self.assertEqual(answer["text"], "Es geht um den Kran.")
        self.assertEqual(self.office.show(callback)["brief"]["text"], "Es geht um den Kran.")
        wait_for(lambda: self.postfix.queued("active") + self.postfix.queued("deferred") == 0, "the queue is empty")

    def test_while_ringback_is_down_the_mail_server_keeps_the_answer_and_it_arrives_once(self):
        callback = self.office.request()
        address = self.reply_address(callback)
        self.office.stop()
        self.send(address, "Es geht um den Kran.")
        wait_for(lambda: self.postfix.queued("deferred") > 0, "the mail waits in the queue")
        self.assertIn("temporary failure", self.postfix.log())
        self.office.start()
        self.postfix.flush()
        wait_for(lambda: self.answers(callback), "the answer came in")
        wait_for(lambda: self.postfix.queued("active") + self.postfix.queued("deferred") == 0, "the queue is empty")
        # The same mail once more, as after a crash between the taking and the server's "sent".
        self.send(address, "Es geht um den Kran.")
        self.send(address, "Noch etwas.", "<answer-2@kunde.example>")
        wait_for(lambda: len(self.answers(callback)) == 2, "the second answer came in")
        self.assertEqual(self.office.show(callback)["brief"]["text"], "Es geht um den Kran.\n\nNoch etwas.")

    def test_what_finds_no_callback_waits_to_be_tied(self):
        callback = self.office.request()
        self.send("vertrieb@firma.example", "Wer ruft mich an?")
        unmatched = wait_for(lambda: self.office.cli("unmatched")["answers"], "the mail is listed")[0]
        self.office.cli("tie", unmatched["id"], callback["id"])
        self.assertEqual(self.office.cli("unmatched")["answers"], [])
        self.assertEqual(self.office.show(callback)["brief"]["text"], "Wer ruft mich an?")


class Bounces(WithPostfix):
    def test_a_message_to_an_unknown_user_comes_back_and_alarms(self):
        self.office.stop()
        self.office.flags += ["--set", f"mail.transport=smtp://127.0.0.1:{self.postfix.port}"]
        self.office.start()
        callback = self.office.request(email_address="niemand-dieses-namens@kunde.example")
        sent = self.office.run("send", speech(), "--callback", callback["id"], "--promise", "13:00", "--json")
        self.assertEqual(sent.returncode, 0, sent.stderr)  # Postfix took it
        now = self.office.until(callback, lambda c: c["delivery_alarm"], "the bounce is the delivery's outcome")
        self.assertIn("unknown user", now["delivery_alarm"])
        answer = wait_for(lambda: self.answers(callback), "the report is kept")[0]
        self.assertEqual((answer["kind"], answer["bounce_permanent"]), ("KIND_BOUNCE", True))
        self.assertIn("bounced", [event["what"] for event in self.office.cli("history", callback["id"])["events"]])


if __name__ == "__main__":
    if (why := may_run()) is not None:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main(verbosity=2)
