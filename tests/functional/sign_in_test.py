"""Members in browsers, through real processes: a mailed code or link, sessions, signing out, who has no business there;
TLS that changes its certificate under way, and the listener that faces the internet."""

import http.client
import pathlib
import re
import shutil
import ssl
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from office import Office, Refused, free_port, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402
from trouble_test import Certificates  # noqa: E402

ANNA, ADMIN = "Anna Schmidt", "Dana Brandt"


def member(office, name):
    return next(m for m in office.cli("team", "show")["team"]["members"] if m["name"].startswith(name))


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()


class Browser:
    """Keeps one site's cookies and says where its forms come from. No redirect is followed by itself."""

    def __init__(self, port, tls=None):
        self.port, self.tls = port, tls
        self.cookies = {}
        self.origin = f"{'https' if tls else 'http'}://localhost:{port}"

    def send(self, method, path, body=None, **headers):
        connection = (http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.tls) if self.tls
                      else http.client.HTTPConnection("localhost", self.port, timeout=60))
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, {"Accept-Language": "en", **headers})
        answer = Answer(connection.getresponse())
        connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        return answer

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, _origin=None, **fields):
        return self.send("POST", path, urllib.parse.urlencode(fields), Origin=_origin or self.origin,
                         Content_Type="application/x-www-form-urlencoded")

    def form_token(self):
        return re.search(r'name="form" value="([0-9a-f]+)"', self.get("/").body)[1]

    def signed_in(self):
        answer = self.get("/")
        return answer.status == 200 and "Signed in as" in answer.body or "Angemeldet als" in answer.body


def code_in(text):
    return re.search(r"^\s+(\d{3} \d{3})$", text, re.MULTILINE)[1]


class SignIn(unittest.TestCase):
    def office(self, *flags):
        return Office(flags=flags, http_port=free_port())

    def by_mail(self, office, browser, count=1):
        """Signs Anna in with her count-th mail."""
        address = member(office, ANNA)["email"]
        self.assertEqual(browser.post("/sign-in", address=address).status, 200)
        mail = office.mail(address, "Anmeldung|sign-in", count)
        self.assertEqual(browser.post("/sign-in/code", address=address, code=code_in(mail.text)).status, 303)
        return mail

    def test_a_mailed_code_signs_in_and_signing_out_everywhere_ends_every_browser(self):
        with self.office() as office:
            office.cli("promise", office.request()["id"], "13:00", "--spoken")
            first, second = Browser(office.http_port), Browser(office.http_port)
            self.assertEqual(first.get("/").headers["Location"], "/sign-in")
            mail = self.by_mail(office, first)
            self.assertEqual(str(mail.message["Auto-Submitted"]), "auto-generated")
            page = first.get("/").body
            self.assertIn("Anna Schmidt", page)
            self.assertIn("Herr Müller", page)
            self.assertIn("heute um 13:00 Uhr", page)
            office.advance(minutes=2)
            self.by_mail(office, second, 2)
            self.assertTrue(first.signed_in() and second.signed_in())

            stolen = dict(second.cookies)
            self.assertEqual(second.post("/sign-out", form=second.form_token()).status, 303)
            self.assertEqual(second.cookies, {})
            second.cookies = stolen
            self.assertFalse(second.signed_in())
            self.assertTrue(first.signed_in())

            office.advance(minutes=2)
            second.cookies = {}
            self.by_mail(office, second, 3)
            self.assertEqual(second.post("/sign-out-everywhere", form=second.form_token()).status, 303)
            self.assertFalse(first.signed_in())

    def test_a_mailed_link_needs_a_press_and_neither_it_nor_the_code_stay_anywhere(self):
        with SmtpSink() as sink, self.office(*sink.flags) as office:
            address = member(office, ANNA)["email"]
            browser = Browser(office.http_port)
            self.assertEqual(browser.post("/sign-in", address=address).status, 200)
            mail = wait_for(lambda: next((m for m in sink.messages() if address in str(m["To"])), None), "the mail")
            text = mail.get_body(("plain",)).get_content()
            path = re.search(rf"^http://127.0.0.1:{office.http_port}(/sign-in/\S+)$", text, re.MULTILINE)[1]
            for _ in range(3):
                self.assertIn("Sign in as Anna Schmidt?", browser.get(path).body)
            self.assertEqual(browser.cookies, {})
            self.assertEqual(browser.post(path).status, 303)
            self.assertTrue(browser.signed_in())
            self.assertEqual(Browser(office.http_port).post(path).status, 404)
            self.assertEqual(Browser(office.http_port).post("/sign-in/code", address=address, code=code_in(text)).status, 403)
            log = office.log.read_text()
            for secret in (path.rsplit(".", 1)[1], code_in(text), code_in(text).replace(" ", ""), browser.cookies["ringback"],
                           address):
                self.assertNotIn(secret, log)

    def test_a_mail_server_that_says_later_gets_it_later(self):
        with SmtpSink(("-r", "rcpt")) as sink:
            port = sink.port
            with self.office(*sink.flags) as office:
                address = member(office, ANNA)["email"]
                browser = Browser(office.http_port)
                browser.post("/sign-in", address=address)
                wait_for(lambda: "not accepted yet" in office.log.read_text(), "the first refusal")
                sink.stop()
                with SmtpSink(port=port) as later:
                    mail = wait_for(lambda: next(iter(later.messages()), None), "the mail")
                    code = code_in(mail.get_body(("plain",)).get_content())
                    self.assertEqual(browser.post("/sign-in/code", address=address, code=code).status, 303)

    def test_who_left_is_out_at_once_and_strangers_change_nothing(self):
        with self.office() as office:
            browser = Browser(office.http_port)
            self.by_mail(office, browser)
            token = browser.form_token()
            for path in ("/sign-out", "/sign-out-everywhere"):
                self.assertEqual(browser.post(path, "https://evil.example", form=token).status, 403)
                self.assertEqual(browser.post(path, "null", form=token).status, 403)
                self.assertEqual(browser.send("POST", path, f"form={token}", Sec_Fetch_Site="cross-site",
                                              Content_Type="application/x-www-form-urlencoded").status, 403)
                self.assertEqual(browser.post(path).status, 403)
                self.assertEqual(browser.get(path).status, 405)
            self.assertTrue(browser.signed_in())
            office.cli("member", "remove", ANNA, "--yes")
            self.assertFalse(browser.signed_in())

    def test_wrong_codes_end_the_code_and_unknown_addresses_look_alike(self):
        with self.office() as office:
            address = member(office, ANNA)["email"]
            browser = Browser(office.http_port)
            known = browser.post("/sign-in", address=address)
            unknown = browser.post("/sign-in", address="nobody@example.com")
            self.assertEqual((known.status, known.body.replace(address, "nobody@example.com")), (unknown.status, unknown.body))
            code = code_in(office.mail(address, "Anmeldung|sign-in").text)
            wrong = f"{(int(code.replace(' ', '')) + 1) % 1000000:06}"
            for _ in range(5):
                self.assertEqual(browser.post("/sign-in/code", address=address, code=wrong).status, 403)
            self.assertEqual(browser.post("/sign-in/code", address=address, code=code).status, 403)
            self.assertEqual(office.count("nobody@example.com"), 0)

    def test_an_admin_hands_over_a_link_and_signs_others_out(self):
        with self.office() as office:
            made = office.cli("sign-in", ANNA)
            self.assertRegex(made["link"], rf"^http://127.0.0.1:{office.http_port}/sign-in/mb\S+\.si\S+$")
            browser = Browser(office.http_port)
            path = urllib.parse.urlsplit(made["link"]).path
            self.assertEqual(browser.post(path).status, 303)
            self.assertTrue(browser.signed_in())
            other = Browser(office.http_port)
            said = office.run("sign-in", ANNA)
            self.assertEqual(said.returncode, 0, said.stderr)
            code = re.search(r"^code  (\d{3} \d{3})$", said.stdout, re.MULTILINE)[1]
            self.assertEqual(other.post("/sign-in/code", address=member(office, ANNA)["email"], code=code).status, 303)
            self.assertEqual(office.cli("sign-out", ANNA)["revoked"], 2)
            self.assertFalse(browser.signed_in() or other.signed_in())
            office.cli("member", "remove", ANNA, "--yes")
            with self.assertRaises(Refused) as refused:
                office.cli("sign-in", member(office, ANNA)["id"])
            self.assertIn("no longer", refused.exception.stderr)


class PublicSide(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringback-web-tls-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_https_serves_a_new_certificate_without_a_restart(self):
        ours = Certificates(self.folder, "ours")
        certificate, key = self.folder / "web.pem", self.folder / "web.key"

        def show(name):
            made, made_key = ours.issue(name)
            for source, target in ((made_key, key), (made, certificate)):
                part = target.with_suffix(".part")
                shutil.copy2(source, part)
                part.rename(target)

        def shown():
            context = ssl.create_default_context(cafile=ours.ca)
            connection = http.client.HTTPSConnection("localhost", office.http_port, timeout=60, context=context)
            connection.connect()
            subject = dict(pair[0] for pair in connection.sock.getpeercert()["subject"])
            version = connection.sock.version()
            connection.close()
            self.assertIn(version, ("TLSv1.2", "TLSv1.3"))
            return subject["commonName"]

        show("first")
        flags = ["--set", f"web.tls_certificate_file={certificate}", "--set", f"web.tls_key_file={key}"]
        with Office(flags=flags, http_port=free_port()) as office:
            self.assertEqual(shown(), "first")
            browser = Browser(office.http_port, ssl.create_default_context(cafile=ours.ca))
            link = office.cli("sign-in", ANNA)["link"]
            self.assertTrue(link.startswith("https://"), link)
            answer = browser.post(urllib.parse.urlsplit(link).path)
            self.assertEqual(answer.status, 303)
            self.assertEqual(list(browser.cookies), ["__Host-ringback"])
            self.assertIn("Strict-Transport-Security", answer.headers)
            self.assertTrue(browser.signed_in())
            show("second")
            self.assertEqual(shown(), "second")
            certificate.write_text("no certificate\n")
            self.assertEqual(shown(), "second")
            self.assertEqual(shown(), "second")
            self.assertEqual(office.log.read_text().count("the one before goes on serving"), 1)
            show("third")
            self.assertEqual(shown(), "third")
            self.assertTrue(browser.signed_in())

    def test_the_public_listener_carries_the_customers_pages_and_nothing_else(self):
        public = free_port()
        flags = ["--set", f"web.public_listen=127.0.0.1:{public}", "--set", f"ringback.public_url=http://localhost:{public}"]
        with Office(flags=flags, http_port=free_port()) as office:
            outside, inside = Browser(public), Browser(office.http_port)
            for path in ("/", "/sign-in", "/metrics", "/healthz", "/readyz", "/mx", "//m/"):
                answer = outside.get(path)
                self.assertEqual(answer.status, 404, path)
                self.assertEqual(answer.body, "there is nothing here\n", path)
            self.assertEqual(inside.get("/healthz").status, 200)
            self.assertEqual(inside.get("/sign-in").status, 200)
            for browser in (outside, inside):
                answer = browser.get("/m/pg07nobody")
                self.assertEqual(answer.status, 404)
                self.assertIn("<html", answer.body)
            made = office.cli("sign-in", ANNA)
            self.assertTrue(made["link"].startswith(f"http://127.0.0.1:{office.http_port}/"), made["link"])


if __name__ == "__main__":
    unittest.main()
