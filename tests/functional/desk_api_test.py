"""What the team's pages ask of the server, through real processes: the shell, calls as JSON, live changes, takes, and who
may do none of it. In the all-in-one, and with the pages' program apart from the services."""

import concurrent.futures
import gzip
import hashlib
import http.client
import http.server
import json
import pathlib
import re
import sys
import threading
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from office import Office, free_port, speech, wait_for  # noqa: E402
from sign_in_test import ADMIN, ANNA, Browser, member  # noqa: E402


class Desk(Browser):
    """A member's browser with the pages' own script in it."""

    def __init__(self, port, link):
        super().__init__(port)
        self.entered = self.post("/sign-in/" + link.rsplit("/", 1)[1])
        self.me = json.loads(self.get("/api/v1/me").body)

    def ask(self, service, method, _token=None, **request):
        answer = self.send("POST", f"/api/v1/{service}/{method}", json.dumps(request), Content_Type="application/json",
                           Origin=self.origin, X_Ringback_Form=self.me["formToken"] if _token is None else _token)
        return answer.status, json.loads(answer.body)

    def call(self, service, method, **request):
        status, answer = self.ask(service, method, **request)
        assert status == 200, f"{service}/{method}: {status} {answer}"
        return answer

    def bytes_of(self, path, **headers):
        connection = http.client.HTTPConnection("localhost", self.port, timeout=60)
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()} | {"Cookie": f"ringback={self.cookies['ringback']}"})
        return connection.getresponse()

    def send_take(self, callback_id, path, request_id=None):
        data = path.read_bytes()
        query = f"callback_id={callback_id}&request_id={request_id or uuid.uuid4().hex}&sha256={hashlib.sha256(data).hexdigest()}"
        answer = self.send("POST", f"/api/v1/recordings?{query}", data, Origin=self.origin, Content_Type="audio/wav",
                           X_Ringback_Form=self.me["formToken"])
        return answer.status, json.loads(answer.body)


class Events:
    """A live stream, heard on a thread of its own."""

    def __init__(self, browser, since=""):
        self.connection = http.client.HTTPConnection("localhost", browser.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        self.connection.request("GET", f"/api/v1/events?since={since}", headers={"Cookie": cookies})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.heard = []
        self.ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        event = {}
        try:
            for line in self.response:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name in ("event", "id", "data"):
                    event[name] = value
                elif not name and event:
                    self.heard.append((event["event"], json.loads(event["data"])))
                    event = {}
        except (OSError, ValueError, AttributeError):
            pass
        self.ended.set()

    def until(self, sign, what):
        found = wait_for(lambda: [data for name, data in list(self.heard) if sign(name, data)], f"{what}; heard {self.heard}")
        return found[0]

    def change(self, callback_id, sign=lambda callback: True, what="a change"):
        return self.until(lambda name, data: name == "change" and data.get("callback", {}).get("id") == callback_id
                          and sign(data["callback"]), what)

    def close(self):
        self.connection.sock.close() if self.connection.sock else None


class DeskApi(unittest.TestCase):
    def office(self, *flags):
        return Office(flags=flags, http_port=free_port())

    def desk(self, office, name=ANNA):
        return Desk(office.http_port, office.cli("sign-in", name)["link"])

    def test_a_caller_is_checked_before_anything_is_taken_in(self):
        with self.office() as office:
            admin = self.desk(office, ADMIN)
            ask = {"caller": {"name": "Frau Ünlü", "phone": "0711 445566"}, "validateOnly": True}
            shown = admin.call("CallbackService", "CreateCallback", **ask)["callback"]
            self.assertEqual((shown["caller"]["phone"], shown["caller"]["phoneNational"]), ("+49711445566", "0711 445566"))
            self.assertNotIn("id", shown)
            status, wrong = admin.ask("CallbackService", "CreateCallback", caller={"phone": "keine Nummer"}, validateOnly=True)
            self.assertEqual((status, wrong["field"]), (400, "caller.phone"))
            self.assertEqual(office.cli("open")["callbacks"], [])
            made = admin.call("CallbackService", "CreateCallback", requestId="line1", caller=ask["caller"])["callback"]
            again = admin.call("CallbackService", "CreateCallback", **ask)
            self.assertEqual((again["rangAgain"], again["callback"]["id"]), (True, made["id"]))
            self.assertEqual(office.show(made)["rings"], 1)

    def test_what_goes_back_to_nobody_is_everybodys_to_take(self):
        with self.office() as office:
            callback = office.request(assignee="")
            anna, admin = self.desk(office), self.desk(office, ADMIN)
            give = {"callbackId": callback["id"]}
            admin.call("CallbackService", "AssignCallback", requestId="take", memberId=admin.me["member"]["id"], **give)
            self.assertEqual(anna.call("CallbackService", "ListCallbacks").get("callbacks", []), [])
            live = Events(anna)
            live.until(lambda name, data: name == "ready", "ready")
            admin.call("CallbackService", "AssignCallback", requestId="undo", nobody=True, **give)
            live.change(callback["id"], lambda c: "assigneeId" not in c, "it is nobody's again")
            anna.call("CallbackService", "MakePromise", requestId="promise", channel="PROMISE_CHANNEL_SPOKEN",
                      promisedTime="2026-11-24T12:00:00Z", **give)
            status, refused = anna.ask("CallbackService", "AssignCallback", requestId="back", nobody=True, **give)
            self.assertEqual((status, refused["reason"]), (409, "PROMISE_RUNNING"))
            live.close()

    def test_a_promise_is_made_from_the_desk_and_everybody_sees_it_at_once(self):
        with self.office() as office:
            callback = office.request()
            anna, admin = self.desk(office), self.desk(office, ADMIN)
            self.assertEqual(anna.entered.headers["Location"], "/desk")
            self.assertEqual(anna.me["member"]["name"], ANNA)
            listed = anna.call("CallbackService", "ListCallbacks", pageSize=50)
            self.assertEqual([c["id"] for c in listed["callbacks"]], [callback["id"]])
            live = Events(admin, listed["revision"])
            live.until(lambda name, data: name == "ready", "ready")

            status, taken = anna.send_take(callback["id"], speech(), "take1")
            self.assertEqual(status, 200, taken)
            recording = taken["recording"]["id"]
            self.assertTrue(anna.send_take(callback["id"], speech(), "take1")[1]["repeated"])
            done = anna.call("RecordingService", "GetRecording", id=recording, waitSeconds=30)["recording"]
            self.assertEqual(done["state"], "STATE_READY")
            slot = anna.call("CallbackService", "ListSlots", callbackId=callback["id"], count=3)["slots"][0]
            request = dict(requestId="promise1", callbackId=callback["id"], promisedTime=slot, channel="PROMISE_CHANNEL_VOICE_MAIL",
                           recordingId=recording, spokenText="Ich rufe Sie an.")
            first = anna.call("CallbackService", "MakePromise", **request)
            self.assertEqual(anna.call("CallbackService", "MakePromise", **request)["callback"]["promises"][0]["recordingId"], recording)
            armed = live.change(callback["id"], lambda c: c.get("promises", [{}])[-1].get("state") == "STATE_ARMED", "armed")
            self.assertEqual(armed["callback"]["promises"][0]["promisedTime"], slot)
            self.assertEqual(len(first["callback"]["promises"]), 1)
            self.assertEqual(office.mail("mueller@example.com").attachment("audio/mpeg")[:2].hex()[:3], "fff")

            for rendition, kind in (("mp3", "audio/mpeg"), ("opus", "audio/ogg")):
                with anna.bytes_of(f"/api/v1/recordings/{recording}/{rendition}", Range="bytes=0-99") as response:
                    self.assertEqual((response.status, response.headers["Content-Type"], len(response.read())), (206, kind, 100))
            live.close()

    def test_who_was_away_hears_what_was_missed_and_a_session_that_ends_is_told_so(self):
        with self.office() as office:
            anna = self.desk(office)
            revision = anna.call("CallbackService", "ListCallbacks").get("revision", "0")
            callback = office.request()
            live = Events(anna, revision)
            live.change(callback["id"], what="what happened before")
            anna.post("/sign-out-everywhere", form=anna.me["formToken"])
            live.until(lambda name, data: name == "bye", "bye")
            self.assertTrue(live.ended.wait(30))
            self.assertEqual(anna.ask("CallbackService", "ListCallbacks")[0], 401)

    def test_strangers_other_sites_and_wrong_words_change_nothing(self):
        with self.office() as office:
            callback = office.request()
            anna = self.desk(office)
            cancel = dict(requestId="c1", callbackId=callback["id"], reason="x")
            self.assertEqual(anna.ask("CallbackService", "CancelCallback", _token="wrong", **cancel)[0], 403)
            answer = anna.send("POST", "/api/v1/CallbackService/CancelCallback", json.dumps(cancel), Content_Type="application/json",
                               Origin="https://evil.example", X_Ringback_Form=anna.me["formToken"])
            self.assertEqual(answer.status, 403)
            stranger = Browser(office.http_port)
            self.assertEqual(stranger.send("POST", "/api/v1/CallbackService/CancelCallback", json.dumps(cancel),
                                           Content_Type="application/json", Origin=stranger.origin).status, 401)
            for path in ("/api/v1/me", "/api/v1/events"):
                self.assertEqual(stranger.get(path).status, 401)
            self.assertEqual(stranger.get("/team?rep=x").headers["Location"], "/sign-in?to=%2Fteam%3Frep%3Dx")
            self.assertNotEqual(office.show(callback)["phase"], "PHASE_CLOSED")
            status, refused = anna.ask("CallbackService", "GetCallback", id="cb00nothing")
            self.assertEqual((status // 100, refused["field"]), (4, "id"))

    def test_the_pages_come_with_their_files_and_a_strict_policy(self):
        with self.office() as office:
            anna = self.desk(office)
            page = anna.get("/desk/anything")
            self.assertEqual(page.status, 200)
            self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", page.headers["Content-Security-Policy"])
            for path in re.findall(r'(?:src|href)="(/app/[^"]+)"', page.body):
                file = anna.get(path)
                self.assertEqual(file.status, 200, path)
                self.assertIn("immutable", file.headers["Cache-Control"])
                with anna.bytes_of(path, Accept_Encoding="gzip, br") as small:
                    self.assertEqual((small.status, small.headers["Content-Encoding"], small.headers["Vary"]), (200, "gzip", "Accept-Encoding"))
                    self.assertNotEqual(small.headers["ETag"], file.headers["ETag"])
                    packed = small.read()
                self.assertEqual(gzip.decompress(packed).decode(), file.body)
                head = anna.send("HEAD", path, Accept_Encoding="gzip")
                self.assertEqual((head.headers["Content-Length"], head.headers["Content-Encoding"], head.body), (str(len(packed)), "gzip", ""))
                self.assertEqual(anna.send("GET", path, Accept_Encoding="gzip", If_None_Match=small.headers["ETag"]).status, 304)
            # What holds anything of anybody is never compressed.
            for path in ("/api/v1/me", "/desk"):
                self.assertNotIn("Content-Encoding", anna.send("GET", path, Accept_Encoding="gzip").headers)
            self.assertEqual(anna.get("/sw.js").headers["Cache-Control"], "no-cache")
            self.assertEqual(anna.get("/app/staff.js").status, 404)

    def test_more_calls_at_once_than_threads_all_get_their_answer(self):
        with self.office("--set", "ringback.pool_threads=2") as office:
            callback = office.request()
            anna = self.desk(office)
            with concurrent.futures.ThreadPoolExecutor(24) as crowd:
                answers = list(crowd.map(lambda _: anna.ask("CallbackService", "GetCallback", id=callback["id"])[0], range(240)))
            self.assertEqual(set(answers), {200})

    def test_an_admin_tries_a_webhook_and_hears_what_came_of_it(self):
        received = []

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                received.append((dict(self.headers), json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(204 if self.path == "/good" else 410)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        ask = dict(memberId="", secret="0123456789abcdef")
        try:
            with self.office("--set", "webhook.allow_private=true") as office:
                admin, anna = self.desk(office, ADMIN), self.desk(office)
                ask["memberId"] = anna.me["member"]["id"]
                said = admin.call("DeliveryService", "TestWebhook", url=url + "/good", **ask)
                self.assertTrue(said["accepted"], said)
                headers, body = received[0]
                self.assertEqual((body["type"], body["team"]), ("test", anna.me["team"]["id"]))
                self.assertTrue(headers["Ringback-Signature"].startswith("t="))
                said = admin.call("DeliveryService", "TestWebhook", url=url + "/gone", **ask)
                self.assertFalse(said.get("accepted", False))
                self.assertIn("410", said["answer"])
                self.assertEqual(anna.ask("DeliveryService", "TestWebhook", url=url + "/good", **ask)[0], 403)
            with self.office() as office:
                admin = self.desk(office, ADMIN)
                ask["memberId"] = admin.me["member"]["id"]
                said = admin.call("DeliveryService", "TestWebhook", url=url + "/good", **ask)
                self.assertFalse(said.get("accepted", False), "private addresses are closed unless they are opened")
                self.assertEqual(len(received), 2)
        finally:
            server.shutdown()
            server.server_close()

    def test_the_pages_program_serves_the_desk_beside_the_services(self):
        from start_pipeline import Pipeline
        with Pipeline() as pipeline:
            environment = {"RINGBACK_TARGET": pipeline.target(), "RINGBACK_DATA": str(pipeline.data)}
            office = Office()
            office.data = pipeline.data
            office.http_port = pipeline.part("web").ports["http"]
            office.environment = environment | {"RINGBACK_CLOCK_OFFSET_FILE": ""}
            anna = self.desk(office)
            live = Events(anna)
            live.until(lambda name, data: name == "ready", "ready")
            callback = office.request()
            live.change(callback["id"], what="the request")
            self.assertEqual(anna.call("CallbackService", "GetCallback", id=callback["id"])["callback"]["id"], callback["id"])
            self.assertEqual(anna.call("ReminderService", "ListTimers").get("timers", [{}])[0]["callbackId"], callback["id"])
            self.assertEqual(anna.call("DeliveryService", "ListDeliveries", callbackId=callback["id"]).get("deliveries", []), [])
            live.close()


if __name__ == "__main__":
    unittest.main()
