"""Apache as the README configures it, in front of a ringback, and an OpenID provider that signs its visitors in."""

import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile

from office import BUILD, ROOT, free_port, wait_for
from trouble_test import Certificates

OPENID = BUILD / "openid"
MODULES = ["mpm_event", "authn_core", "authz_core", "authz_user", "headers", "proxy", "proxy_http", "socache_shmcb", "ssl", "auth_openidc"]
# What Debian's own configuration has around a site.
AROUND = """
ServerRoot {dir}
PidFile {dir}/apache.pid
ErrorLog {dir}/error.log
DefaultRuntimeDir {dir}
Listen 127.0.0.1:{port}
ServerName localhost
User {user}
Group {group}
"""


def site(names):
    """The README's configuration with other names; none of the README's own may be left."""
    [written] = re.findall(r"```apache\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for name, other in names.items():
        assert name in written, f"the README's configuration no longer has {name}"
        written = written.replace(name, str(other))
    left = re.findall(r"\S*(?:firma\.example|/etc/|:7421)\S*", written)
    assert not left, left
    return written


class OpenIdProvider:
    def __init__(self, url, secret):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(["node", pathlib.Path(__file__).parent / "provider.mjs", str(self.port), url, secret],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env=os.environ | {"RINGBACK_OPENID": str(OPENID)})
        if self.process.stdout.readline() != "listening\n":
            raise AssertionError("the OpenID provider did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Apache:
    """Context manager. `port` is taken from outside: ringback and the provider want to know it too."""

    def __init__(self, port, ringback_port):
        self.port = port
        self.url = f"https://localhost:{port}"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ringback-apache-"))
        self.certificates = Certificates(self.dir, "ours")
        certificate, key = self.certificates.issue("apache")
        secret = secrets.token_urlsafe(24)
        (self.dir / "secrets.conf").write_text(f"OIDCClientSecret {secret}\nOIDCCryptoPassphrase {secrets.token_urlsafe(24)}\n")
        self.provider = OpenIdProvider(self.url, secret)
        root = os.geteuid() == 0
        around = AROUND.format(dir=self.dir, port=port, user="www-data" if root else f"#{os.getuid()}",
                               group="www-data" if root else f"#{os.getgid()}")
        modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in MODULES)
        (self.dir / "apache.conf").write_text(modules + around + site({
            "*:443": f"127.0.0.1:{port}", "ServerName call.firma.example": f"ServerName localhost:{port}",
            "/etc/ssl/call.firma.example.pem": certificate, "/etc/ssl/private/call.firma.example.key": key,
            "https://login.firma.example": self.provider.url, "https://call.firma.example": self.url,
            "/etc/apache2/ringback-": f"{self.dir}/", "127.0.0.1:7421": f"127.0.0.1:{ringback_port}",
        }))
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(["apache2", "-f", self.dir / "apache.conf", "-DFOREGROUND"])
        wait_for(self._listens, "Apache")
        return self

    def _listens(self):
        assert self.process.poll() is None, self.log()
        return (self.dir / "apache.pid").exists()

    def log(self):
        log = self.dir / "error.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""

    def __exit__(self, kind, value, trace):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.provider.stop()
        if kind is not None:
            print(f"--- Apache, the end:\n{self.log()}")
        shutil.rmtree(self.dir, ignore_errors=True)
