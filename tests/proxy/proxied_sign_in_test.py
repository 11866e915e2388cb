"""Members who come through a proxy that signs them in: a real Apache with mod_auth_openidc, as the README configures it, and a
real OpenID provider. scripts/install-openid-proxy has put both on this machine."""

import html
import http.client
import http.cookiejar
import json
import pathlib
import re
import ssl
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "functional")]
from office import Office, free_port  # noqa: E402
from proxy.apache import Apache  # noqa: E402
from sign_in_test import ADMIN, ANNA, member  # noqa: E402

HEADER = "X-Auth-Request-Email"


class Visitor:
    """A browser as far as signing in needs one: cookies, redirects, forms."""

    def __init__(self, apache):
        self.apache = apache
        self.cookies = http.cookiejar.CookieJar()
        tls = ssl.create_default_context(cafile=apache.certificates.ca)
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies), urllib.request.HTTPSHandler(context=tls))
        self.url = self.body = self.status = None

    def open(self, address, fields=None, **headers):
        """By way of every redirect; what then stands there."""
        address = urllib.parse.urljoin(self.apache.url, address)
        headers = {"Accept": "text/html", "Accept-Language": "en"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if fields is not None:
            headers["Origin"] = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(address))
        request = urllib.request.Request(address, None if fields is None else urllib.parse.urlencode(fields).encode(), headers)
        try:
            answer = self.opener.open(request, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            self.url, self.status, self.body = answer.url, answer.status, answer.read().decode()
        return self

    def fetch(self, address, **headers):
        """As the pages' script asks: it cannot follow to another site."""
        return self.open(address, Accept="*/*", Sec_Fetch_Mode="cors", Sec_Fetch_Site="same-origin", **headers)

    def submit(self, **fields):
        """The page's form, with what it holds already."""
        form = re.search(r"<form.*?</form>", self.body, re.DOTALL)[0]
        action = html.unescape(re.search(r'action="([^"]+)"', form)[1])
        hidden = {html.unescape(tag[1]): html.unescape(tag[2]) for tag in
                  re.finditer(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)}
        return self.open(urllib.parse.urljoin(self.url, action), hidden | fields)

    def at_provider(self):
        return self.url.startswith(self.apache.provider.url)

    def sign_in(self, address, to="/desk"):
        """Through the provider: who one is, then that ringback may know the address, then back."""
        assert self.open(to).at_provider(), self.url
        self.submit(login=address, password="any")
        if self.at_provider():
            self.submit()
        return self

    def me(self, **headers):
        return json.loads(self.fetch("/api/v1/me", **headers).body)["member"]["name"]


class ProxiedSignIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        port, ringback = free_port(), free_port()
        cls.apache = cls.enterClassContext(Apache(port, ringback))
        cls.office = cls.enterClassContext(Office(http_port=ringback, flags=[
            "--set", "web.proxies=127.0.0.1", "--set", f"web.member_header={HEADER}", "--set", f"ringback.public_url={cls.apache.url}"]))
        cls.anna, cls.admin = member(cls.office, ANNA), member(cls.office, ADMIN)

    def visitor(self):
        return Visitor(self.apache)

    def test_a_member_comes_in_by_the_providers_code_and_sees_the_desk_live(self):
        visitor = self.visitor()
        self.assertEqual(visitor.fetch("/api/v1/me").status, 401, "a page that is open is told, and not led astray")
        visitor.sign_in(self.anna["email"], "/desk?x=1")
        self.assertEqual((visitor.url, visitor.status), (f"{self.apache.url}/desk?x=1", 200))
        self.assertEqual(visitor.me(), self.anna["name"])
        [session] = [cookie for cookie in visitor.cookies if cookie.name == "__Host-ringback"]
        self.assertTrue(session.secure)
        self.assertEqual(self.visitor().sign_in(self.anna["email"], "/").url, f"{self.apache.url}/desk", "the first page leads there too")
        # What happens is told at once, through Apache.
        events = urllib.request.Request(f"{self.apache.url}/api/v1/events")
        with visitor.opener.open(events, timeout=60) as stream:
            self.assertTrue(stream.headers["Content-Type"].startswith("text/event-stream"))
            callback = self.office.request(name="Frau Quast", phone="+4940765432")
            while callback["id"] not in (line := stream.readline().decode()):
                self.assertTrue(line, "the stream ended")

    def test_what_a_client_writes_into_the_header_is_not_believed(self):
        forged = {HEADER.replace("-", "_"): self.admin["email"]}
        stranger = self.visitor()
        self.assertTrue(stranger.open("/desk", **forged).at_provider())
        self.assertEqual(stranger.fetch("/api/v1/me", **forged).status, 401)
        # Where nobody is asked who they are, it says nothing either.
        self.assertEqual(stranger.open("/m/pg07aaaaaaaaaaaaaaaaaaaaaaaaaa", **forged).status, 404)
        self.assertNotIn("__Host-ringback", [cookie.name for cookie in stranger.cookies])
        visitor = self.visitor().sign_in(self.anna["email"])
        self.assertEqual(visitor.open("/desk", **forged).status, 200)
        self.assertEqual(visitor.me(**forged), self.anna["name"])
        # Past the proxy, from another address than the proxy's.
        for source, believed in (("127.0.0.2", False), ("127.0.0.1", True)):
            past = http.client.HTTPConnection("127.0.0.1", self.office.http_port, source_address=(source, 0), timeout=60)
            past.request("GET", "/desk", headers={HEADER: self.admin["email"]})
            answer = past.getresponse()
            self.assertEqual((answer.status, "Set-Cookie" in answer.headers), (303, believed), source)
            past.close()

    def test_customers_and_telephone_systems_are_not_asked_who_they_are(self):
        customer = self.visitor()
        page = self.office.show(self.office.request(name="Herr Gast", phone="+4940123123"))["page_url"]
        self.assertTrue(page.startswith(f"{self.apache.url}/m/"))
        customer.open(page)
        self.assertEqual((customer.url, customer.status), (page, 200))
        self.assertEqual(customer.open("/hooks/v1/rb_tk07/missed-call").status, 405, "ringback's own answer to a GET")

    def test_an_address_that_nobody_has_is_told_so(self):
        visitor = self.visitor().sign_in("nobody@example.com")
        self.assertEqual(visitor.status, 403)
        self.assertIn("Nobody here has this mail address", visitor.body)
        self.assertIn("nobody@example.com", visitor.body)
        self.assertEqual(visitor.fetch("/api/v1/me").status, 401)
        self.assertIn("Your mail address", visitor.open("/sign-in").body)
        self.assertEqual(self.visitor().sign_in("unverified@example.com").status, 401, "of the provider itself it is not sure")

    def test_signing_out_ends_ringbacks_session_and_the_proxys_way_out_both(self):
        visitor = self.visitor().sign_in(self.anna["email"])
        token = json.loads(visitor.fetch("/api/v1/me").body)["formToken"]
        visitor.open("/sign-out", {"form": token})
        self.assertEqual(visitor.url, f"{self.apache.url}/sign-in?out")
        self.assertIn("You are signed out", visitor.body)
        self.assertEqual(visitor.fetch("/api/v1/me").status, 401)
        self.assertEqual(visitor.open("/sign-in?to=%2Freport").url, f"{self.apache.url}/report", "still signed in at the proxy")

        visitor.open("/oidc?logout=" + urllib.parse.quote(self.apache.url + "/", safe=""))
        self.assertTrue(visitor.at_provider())
        visitor.submit(logout="yes")
        self.assertTrue(visitor.at_provider(), visitor.url)
        self.assertIn('name="login"', visitor.body, "it asks again who one is")
        self.assertTrue(visitor.open("/desk").at_provider())


if __name__ == "__main__":
    unittest.main(verbosity=2)
