"""Telephone systems report calls to a real server: missed calls become callbacks, conversations settle them, one call that is
reported twice counts once, and who cannot prove who they are is refused. Bodies as the providers' documentation shows them."""

import base64
import hashlib
import hmac
import http.client
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from office import Office, Refused, free_port  # noqa: E402

ANNA, BEN = "Anna Schmidt", "Ben Weber"
CALLER = "+4915112345678"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()

    @property
    def json(self):
        return json.loads(self.body)


class Telephone:
    """A telephone system with an intake token."""

    def __init__(self, office, port=None):
        self.port = port or office.http_port
        self.token = office.cli("token", "create", "--intake", "--label", "telephone")["secret"]

    def path(self, hook, token=None):
        return f"/hooks/v1/{token or self.token}/{hook}"

    def send(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def post(self, hook, body=None, _token=None, **fields):
        return self.send("POST", self.path(hook, _token), body or json.dumps(fields), Content_Type="application/json")

    def form(self, path, fields, **headers):
        return self.send("POST", path, urllib.parse.urlencode(fields),
                         Content_Type="application/x-www-form-urlencoded", **headers)


class Hooks(unittest.TestCase):
    def office(self, *flags):
        return Office(flags=flags, http_port=free_port())

    def callbacks(self, office):
        return office.cli("open")["callbacks"]

    def test_a_missed_call_becomes_a_callback_and_a_repeated_event_is_one_ring(self):
        with self.office() as office:
            telephone = Telephone(office)
            event = dict(phone="0151 12345678", name="Herr Müller", company="Müller GmbH", email="mueller@example.com",
                         language="de", note="fragt nach dem Angebot", event_id="call-17", time="2026-11-24T08:59:00+01:00")
            first = telephone.post("missed-call", **event)
            self.assertEqual(first.status, 200, first.body)
            self.assertEqual(first.json["result"], "callback")
            self.assertEqual(telephone.post("missed-call", **event).json["callback_id"], first.json["callback_id"])
            callback = office.cli("show", first.json["callback_id"])["callback"]
            self.assertEqual(callback["rings"], 1)
            self.assertEqual(callback["caller"]["phone"], CALLER)
            self.assertEqual(callback["caller"]["name"], "Herr Müller")
            self.assertEqual(callback["note"], "fragt nach dem Angebot")
            self.assertEqual(callback["assignee_id"], "")
            again = telephone.post("missed-call", **(event | {"event_id": "call-18", "note": ""}))
            self.assertTrue(again.json["rang_again"])
            self.assertEqual(office.show(callback)["rings"], 2)

            other = telephone.post("missed-call", phone="030 123456", event_id="call-17")
            self.assertEqual((other.status, other.json["error"]["field"]), (400, "event_id"))
            self.assertEqual(len(self.callbacks(office)), 1)

    def test_without_an_events_name_rings_of_one_minute_are_one(self):
        with self.office() as office:
            telephone = Telephone(office)
            made = telephone.post("missed-call", phone=CALLER).json
            self.assertEqual(telephone.post("missed-call", phone=CALLER).json["result"], "same_ring")
            office.advance(minutes=2)
            self.assertEqual(telephone.post("missed-call", phone=CALLER).json["result"], "rang_again")
            self.assertEqual(office.cli("show", made["callback_id"])["callback"]["rings"], 2)

    def test_what_is_wrong_is_named_and_strangers_are_refused(self):
        with self.office() as office:
            telephone = Telephone(office)
            bad = telephone.post("missed-call", phone="12345678901234567890")
            self.assertEqual((bad.status, bad.json["error"]["field"]), (400, "phone"))
            self.assertEqual(bad.json["error"]["code"], "NOT_A_PHONE_NUMBER")
            self.assertEqual(telephone.post("missed-call", body="phone=1").json["error"]["code"], "NOT_JSON")
            get = telephone.send("GET", telephone.path("missed-call"))
            self.assertEqual((get.status, get.headers["Allow"]), (405, "POST"))
            stranger = telephone.post("missed-call", phone=CALLER, _token="rb_tk07zzzzzzzzzzzzzzzzzzzzzzzzzz")
            member = (office.data / "token").read_text()
            anna = telephone.post("missed-call", phone=CALLER, _token=json.loads(member)["token"])
            self.assertEqual((stranger.status, anna.status), (401, 401))
            self.assertEqual(stranger.body, anna.body)
            self.assertEqual(self.callbacks(office), [])

    def test_a_withheld_number_is_no_callback_but_is_counted(self):
        with self.office() as office:
            telephone = Telephone(office)
            answer = telephone.post("missed-call", phone="anonymous").json
            self.assertEqual(answer["result"], "withheld")
            self.assertIn("withheld", answer["warnings"][0])
            self.assertEqual(self.callbacks(office), [])
            metrics = telephone.send("GET", "/metrics").body
            self.assertIn('ringback_hook_reports_total{hook="missed-call",result="withheld"} 1', metrics)

    def test_the_extension_says_who_owes_the_call_and_who_made_it(self):
        with self.office() as office:
            office.cli("member", "set", ANNA, "--extension", "21", "--extension", "w0")
            members = {m["name"]: m["id"] for m in office.cli("team", "show")["team"]["members"]}
            telephone = Telephone(office)
            made = telephone.post("missed-call", phone=CALLER, extension="21").json
            callback = office.cli("show", made["callback_id"])["callback"]
            self.assertEqual(callback["assignee_id"], members[ANNA])
            office.cli("promise", callback["id"], "13:00", "--spoken")
            logged = telephone.post("call", phone=CALLER, outcome="no-answer", extension="21").json
            self.assertEqual(logged["result"], "logged")
            self.assertEqual(office.show(callback)["phase"], "PHASE_PROMISED", "before the promised time it settles nothing")
            office.advance(hours=4)
            telephone.post("call", phone=CALLER, outcome="reached", extension="21")
            after = office.show(callback)
            self.assertEqual(after["phase"], "PHASE_TALKED")
            self.assertEqual(after["promises"][0]["verdict"], "VERDICT_KEPT")
            self.assertEqual(after["attempts"][-1]["author"], members[ANNA])
            nothing = telephone.post("call", phone="+4930999999").json
            self.assertEqual(nothing["result"], "not_logged")

    def test_sipgate_is_asked_for_the_end_of_a_call_and_tells_it(self):
        with self.office("--set", "ringback.public_url=https://calls.example.com") as office:
            office.cli("member", "set", ANNA, "--extension", "w0")
            telephone = Telephone(office)
            hook = telephone.path("sipgate")
            call = {"callId": "123456", "from": "4915112345678", "to": "4930987654", "direction": "in"}
            begin = telephone.form(hook, call | {"event": "newCall", "user[]": "Anna", "userId[]": "w0"})
            self.assertEqual((begin.status, begin.headers["Content-Type"]), (200, "application/xml"))
            self.assertIn(f'onHangup="https://calls.example.com{hook}?user=w0"', begin.body)
            self.assertEqual(self.callbacks(office), [])
            end = call | {"event": "hangup", "cause": "cancel"}
            self.assertEqual(telephone.form(hook + "?user=w0", end).status, 200)
            self.assertEqual(telephone.form(hook + "?user=w0", end).status, 200)
            [callback] = self.callbacks(office)
            self.assertEqual((callback["caller"]["phone"], callback["rings"]), (CALLER, 1))
            self.assertEqual(callback["assignee_name"], ANNA)
            # Anna rings back, and is answered.
            out = {"callId": "123457", "from": "4930987654", "to": "4915112345678", "direction": "out", "userId": "w0"}
            telephone.form(hook, out | {"event": "answer", "answeringNumber": "4915112345678"})
            telephone.form(hook, out | {"event": "hangup", "cause": "normalClearing"})
            self.assertEqual(office.show(callback)["phase"], "PHASE_TALKED")
            # Colleagues among themselves are nobody's business.
            telephone.form(hook, {"event": "hangup", "cause": "busy", "callId": "9", "from": "12", "to": "13", "direction": "in"})
            self.assertEqual(len(self.callbacks(office)), 1)

    def test_sipgate_must_sign_where_the_server_has_its_key(self):
        with tempfile.TemporaryDirectory() as folder:
            private, public = f"{folder}/private.pem", f"{folder}/sipgate.pub"
            subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private],
                           check=True, capture_output=True)
            subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)

            def sign(fields):
                body = urllib.parse.urlencode(fields).encode()
                signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", private], input=body, check=True, capture_output=True)
                return base64.b64encode(signed.stdout).decode()

            with self.office("--set", f"web.sipgate_key_file={public}") as office:
                telephone = Telephone(office)
                hook = telephone.path("sipgate")
                end = {"event": "hangup", "cause": "busy", "callId": "123456", "from": "4915112345678", "to": "4930987654", "direction": "in"}
                self.assertEqual(telephone.form(hook, end).json["error"]["code"], "NOT_SIGNED")
                other = telephone.form(hook, end, X_Sipgate_Signature=sign(end | {"callId": "1"}))
                self.assertEqual((other.status, other.json["error"]["code"]), (403, "SIGNATURE_WRONG"))
                self.assertEqual(self.callbacks(office), [])
                self.assertEqual(telephone.form(hook, end, X_Sipgate_Signature=sign(end)).status, 200)
                self.assertEqual([c["caller"]["phone"] for c in self.callbacks(office)], [CALLER])

    def test_twilio_must_sign(self):
        with self.office() as office:
            telephone = Telephone(office)
            secret = "0123456789abcdef0123456789abcdef"
            fields = {"CallSid": "CA1234567890ABCDE", "Direction": "inbound", "From": CALLER, "To": "+4930987654",
                      "CallStatus": "in-progress", "DialCallStatus": "no-answer"}
            path = telephone.path("twilio") + "?extension=21"

            def sign(key):
                text = f"http://127.0.0.1:{office.http_port}{path}" + "".join(k + fields[k] for k in sorted(fields))
                return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()

            self.assertEqual(telephone.form(path, fields, X_Twilio_Signature=sign(secret)).json["error"]["code"], "NO_SECRET")
            (office.dir / "twilio").write_text(secret + "\n")
            shown = office.cli("team", "set", "--hook-secret", f"twilio={office.dir}/twilio")
            self.assertEqual(shown["team"]["hook_secrets"], {"twilio": ""})
            self.assertEqual(telephone.form(path, fields).json["error"]["code"], "NOT_SIGNED")
            self.assertEqual(telephone.form(path, fields, X_Twilio_Signature=sign("x" * 32)).status, 403)
            self.assertEqual(self.callbacks(office), [])
            good = telephone.form(path, fields, X_Twilio_Signature=sign(secret))
            self.assertEqual((good.status, good.headers["Content-Type"]), (200, "text/xml"))
            self.assertIn("<Response/>", good.body)
            self.assertEqual([c["caller"]["phone"] for c in self.callbacks(office)], [CALLER])

    def test_unsigned_twilio_requests_are_taken_only_where_the_server_says_so(self):
        with self.office("--set", "web.accept_unsigned_hooks=true") as office:
            telephone = Telephone(office)
            fields = {"CallSid": "CA1", "Direction": "inbound", "From": CALLER, "To": "+4930987654", "DialCallStatus": "busy"}
            self.assertEqual(telephone.form(telephone.path("twilio"), fields).status, 200)
            self.assertEqual(len(self.callbacks(office)), 1)

    def test_in_a_3cx_ring_group_a_call_that_one_took_is_not_missed_by_the_others(self):
        with self.office() as office:
            telephone = Telephone(office)
            call = {"number": CALLER, "name": "Herr Müller", "start": "2026-11-24T07:58:00Z", "end": "2026-11-24T07:59:00Z"}
            self.assertEqual(telephone.post("3cx", **call, call_type="Inbound", agent="22").json["result"], "not_logged")
            self.assertEqual(telephone.post("3cx", **call, call_type="Missed", agent="21").json["result"], "reported_before")
            self.assertEqual(self.callbacks(office), [])
            # The other way round: the callback that the first report made is settled by the conversation.
            office.advance(hours=1)
            call = {"number": CALLER, "start": "2026-11-24T08:59:00Z"}
            made = telephone.post("3cx", **call, end="2026-11-24T08:59:20Z", call_type="Missed", agent="21").json
            self.assertEqual(made["result"], "callback")
            office.advance(minutes=5)
            spoken = telephone.post("3cx", **call, end="2026-11-24T09:04:00Z", call_type="Inbound", agent="22").json
            self.assertEqual(spoken["result"], "logged")
            self.assertEqual(office.cli("show", made["callback_id"])["callback"]["phase"], "PHASE_TALKED")

    def test_the_listener_for_the_internet_lets_hooks_through(self):
        public = free_port()
        with self.office("--set", f"web.public_listen=127.0.0.1:{public}") as office:
            telephone = Telephone(office, public)
            self.assertEqual(telephone.post("missed-call", phone=CALLER).json["result"], "callback")
            self.assertEqual(telephone.send("GET", "/sign-in").status, 404)

    def test_many_reports_at_once_are_all_taken(self):
        """More than the server has threads: each waits for a call to the server itself."""
        import concurrent.futures
        with self.office("--set", "ringback.pool_threads=1") as office:
            telephone = Telephone(office)
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(lambda n: telephone.post("missed-call", phone=f"+4930{1000000 + n}").json["result"],
                                        range(48)))
            self.assertEqual(answers, ["callback"] * 48)

    def test_a_list_is_imported_once(self):
        with self.office() as office:
            office.cli("member", "set", BEN, "--extension", "22")
            file = office.dir / "missed.csv"
            file.write_text("Wann;Rückrufnummer;Name;Nebenstelle;Notiz\n"
                            "9:00;0151 12345678;Herr Müller;22;Angebot\n"
                            "9:10;030 123456;Frau Groß;;\n"
                            "9:20;nichts;;;\n", encoding="cp1252")
            column = ("--column", "phone=Rückrufnummer")
            preview = office.run("import", file, *column)
            self.assertIn("Herr Müller", preview.stdout)
            self.assertRegex(preview.stdout, r"Frau Groß +030 123456 +new")
            self.assertIn(f"{file}:4: caller.phone", preview.stderr)
            self.assertIn("2 to take in, 0 ring again, 1 refused; nothing was done", preview.stdout)
            self.assertEqual(self.callbacks(office), [])
            for _ in range(2):
                with self.assertRaises(Refused) as refused:
                    office.cli("import", file, "--yes", *column)
                self.assertIn(f"{file}:4: caller.phone", refused.exception.stderr)
            rings = {c["caller"]["name"]: c["rings"] for c in self.callbacks(office)}
            self.assertEqual(rings, {"Herr Müller": 1, "Frau Groß": 1})
            self.assertIn("rings again on cb", office.run("import", file, "--dry-run", *column).stdout)
            self.assertEqual({c["caller"]["name"]: c["rings"] for c in self.callbacks(office)}, rings)
            [mueller] = [c for c in self.callbacks(office) if c["caller"]["name"] == "Herr Müller"]
            self.assertEqual(mueller["assignee_name"], BEN)


if __name__ == "__main__":
    unittest.main()
