#!/usr/bin/env python3
"""The team's pages behind the browser: changes to 1,000 viewers of one process (server-sent events), beside a Node server that
passes the same bytes on; the list of 10,000 open callbacks through the JSON API, beside the same bytes from Node's memory;
and, in Chromium, the time from the command to the change on screen and the first paint of that list, beside the same pages
on a server that keeps everything in memory. Prints a table; --json FILE."""
import argparse
import http.client
import json
import os
import pathlib
import resource
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import urllib.request

import measure as m

sys.path[:0] = [str(m.ROOT / "tests" / "browser"), str(m.ROOT / "tests" / "functional")]
from desk_api_test import ADMIN, Desk  # noqa: E402
from office import Office, free_port, wait_for  # noqa: E402
import run as browser_run  # noqa: E402

# What a careful person would write by hand: keeps the responses, writes each change to all.
NODE = """
const http = require("http"), fs = require("fs"), viewers = new Set();
const pages = process.argv[3] ? JSON.parse(fs.readFileSync(process.argv[3])).map((page) => Buffer.from(page)) : [];
http.createServer((request, response) => {
  if (request.url === "/events") {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("event: ready\\ndata: {}\\n\\n");
    viewers.add(response);
    request.on("close", () => viewers.delete(response));
  } else if (request.method === "POST") {
    const parts = [];
    request.on("data", (part) => parts.push(part)).on("end", () => {
      const change = Buffer.concat(parts);
      for (const viewer of viewers) viewer.write(change);
      response.end();
    });
  } else {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(pages[+request.url.slice(1)] ?? "");
  }
}).listen(+process.argv[2], "127.0.0.1");
"""


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")))


class Viewers:
    """Many open streams, heard on one thread: when each has heard what."""

    def __init__(self, port, path, cookie, count):
        self.selector = selectors.DefaultSelector()
        self.sockets = []
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", port), 30)
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
            self.sockets.append(one)
        for one in self.sockets:
            one.settimeout(30)
            heard = b""
            while b"}\n\n" not in heard:  # of the ready event; Node puts its chunk's end behind
                heard += one.recv(65536)
            one.setblocking(False)
            self.selector.register(one, selectors.EVENT_READ)

    def hear(self, word, begun):
        """Milliseconds from `begun` until each has heard `word`."""
        took, rest = [], {}
        deadline = time.monotonic() + m.PATIENCE
        while len(took) < len(self.sockets):
            if time.monotonic() > deadline:
                sys.exit(f"bench: {len(self.sockets) - len(took)} of {len(self.sockets)} viewers never heard {word!r}")
            for key, _ in self.selector.select(1):
                bytes_ = key.fileobj.recv(1 << 20)
                if not bytes_:
                    sys.exit("bench: a viewer was shown out")
                rest[key.fd] = rest.get(key.fd, b"")[-len(word):] + bytes_
                if word in rest[key.fd]:
                    took.append((time.monotonic() - begun) * 1000)
                    rest[key.fd] = b""
        return took

    def close(self):
        for one in self.sockets:
            one.close()


def live(pid, viewers, change, rounds):
    """`change(word)` makes one that holds the word. What it cost the server, and how long it took to everybody."""
    all_took, last_took = [], []
    cpu = m.cpu_s(pid)
    for number in range(rounds):
        word = f"Live-{number:04}-{os.getpid()}"
        begun = time.monotonic()
        change(word)
        took = viewers.hear(word.encode(), begun)
        all_took += took
        last_took.append(max(took))
    return {"cpu_ms_per_change": (m.cpu_s(pid) - cpu) * 1000 / rounds, "p50_ms": m.median(all_took),
            "p99_ms": m.percentile(all_took, 0.99), "last_ms": m.median(last_took)}


def create(desk, name):
    desk.call("CallbackService", "CreateCallback", requestId=name, caller={"name": name, "phone": "+4930" + str(hash(name) % 10**7).zfill(7),
                                                                          "email": f"{name.lower()}@example.com"})


def fill(office, desk, count):
    """So many open callbacks, by 8 clients at once."""
    port, cookies, me = desk.port, desk.cookies, desk.me

    def some(first):
        one = Desk.__new__(Desk)
        one.port, one.tls, one.cookies, one.origin, one.me = port, None, cookies, f"http://localhost:{port}", me
        for number in range(first, count, 8):
            create(one, f"Caller-{number:05}")

    crowd = [threading.Thread(target=some, args=(first,)) for first in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()


def read_list(desk):
    """All pages as bytes, and how long they took."""
    pages, token = [], ""
    begun = time.monotonic()
    while True:
        answer = desk.send("POST", "/api/v1/CallbackService/ListCallbacks", json.dumps({"pageSize": 500, "pageToken": token}),
                           Content_Type="application/json", Origin=desk.origin, X_Ringback_Form=desk.me["formToken"])
        pages.append(answer.body)
        token = json.loads(answer.body).get("nextPageToken", "")
        if not token:
            return pages, (time.monotonic() - begun) * 1000


def read_plain(port, count):
    begun = time.monotonic()
    for number in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", f"/{number}")
        json.loads(connection.getresponse().read())
        connection.close()
    return (time.monotonic() - begun) * 1000


def screen(office, desk, callbacks, rounds):
    """In Chromium: ringback's own server, and the same pages on one in memory."""
    browser_run.install()
    environment = os.environ | {"RINGBACK_BUILD": str(m.BUILD), "RINGBACK_CHROMIUM": shutil.which("chromium"),
                                "RINGBACK_BROWSER_PACKAGES": str(browser_run.PACKAGES)}
    said = subprocess.run(["node", m.ROOT / "scripts" / "bench_parts" / "web.mjs", f"http://localhost:{office.http_port}",
                           office.cli("sign-in", ADMIN)["link"], str(callbacks), str(rounds)],
                          capture_output=True, text=True, env=environment, timeout=570)
    if said.returncode != 0:
        sys.exit(f"bench: {said.stderr}")
    return json.loads(said.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--callbacks", type=int, default=10000)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    m.TOOLS.mkdir(parents=True, exist_ok=True)
    report = {"versions": m.versions(), "load_at_start": os.getloadavg()[0], "viewers": options.viewers, "callbacks": options.callbacks}
    port, node_port = free_port(), free_port()
    with Office(http_port=port) as office, tempfile.TemporaryDirectory(dir=m.TOOLS) as folder:
        folder = pathlib.Path(folder)
        (folder / "node.js").write_text(textwrap.dedent(NODE))
        desk = Desk(port, office.cli("sign-in", ADMIN)["link"])
        create(desk, "First")
        cookie = f"ringback={desk.cookies['ringback']}"
        pid = office.server.pid

        before = resident_kib(pid)
        viewers = Viewers(port, "/api/v1/events", cookie, options.viewers)
        report["ringback"] = {"kib_per_viewer": (resident_kib(pid) - before) / options.viewers}
        live(pid, viewers, lambda word: create(desk, "Warm-" + word), 2)
        report["ringback"] |= live(pid, viewers, lambda word: create(desk, word), options.rounds)
        idle = m.cpu_s(pid)
        time.sleep(10)
        report["ringback"]["idle_cores"] = (m.cpu_s(pid) - idle) / 10
        viewers.close()

        change = one_change(desk, port, cookie)
        node = subprocess.Popen(["node", folder / "node.js", str(node_port)])
        try:
            wait_for(lambda: listens(node_port), "node")
            before = resident_kib(node.pid)
            viewers = Viewers(node_port, "/events", cookie, options.viewers)
            report["node"] = {"kib_per_viewer": (resident_kib(node.pid) - before) / options.viewers}

            def post(word):
                urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{node_port}/change", change.replace(b"Sample", word.encode())))

            live(node.pid, viewers, lambda word: post("Warm-" + word), 2)
            report["node"] |= live(node.pid, viewers, post, options.rounds)
            viewers.close()
        finally:
            node.terminate()
            node.wait()

        fill(office, desk, options.callbacks)
        cpu = m.cpu_s(pid)
        runs = [read_list(desk) for _ in range(3)]
        pages = runs[0][0]
        report["ringback"]["list_ms"] = m.median(took for _, took in runs)
        report["ringback"]["list_cpu_ms"] = (m.cpu_s(pid) - cpu) * 1000 / len(runs)
        report["list_bytes"] = sum(len(page) for page in pages)
        (folder / "pages.json").write_text(json.dumps(pages))
        node = subprocess.Popen(["node", folder / "node.js", str(node_port), folder / "pages.json"])
        try:
            wait_for(lambda: listens(node_port), "node")
            report["node"]["list_ms"] = m.median(read_plain(node_port, len(pages)) for _ in range(3))
        finally:
            node.terminate()
            node.wait()
        report["screen"] = screen(office, desk, options.callbacks, options.rounds)

    print(f"{options.viewers} viewers of one team, {options.rounds} changes of {len(change)} bytes")
    for name, note in (("ringback", "commit, read, shown by what each may see"), ("node", "passed on as it is")):
        got = report[name]
        print(f"  {name:9} heard p50 {got['p50_ms']:6.1f} ms, p99 {got['p99_ms']:6.1f} ms, the last {got['last_ms']:6.1f} ms; "
              f"{got['cpu_ms_per_change']:6.1f} ms CPU a change, {got['kib_per_viewer']:5.1f} KiB a viewer   {note}")
    print(f"  ringback's idle streams: {report['ringback']['idle_cores']:.3f} cores")
    print(f"{options.callbacks} open callbacks, {report['list_bytes'] / 1e6:.1f} MB of JSON in {len(pages)} pages")
    print(f"  ringback  {report['ringback']['list_ms']:6.0f} ms, {report['ringback']['list_cpu_ms']:.0f} ms CPU   from the store")
    print(f"  node      {report['node']['list_ms']:6.0f} ms   out of memory")
    print("in Chromium, the team page with all of them")
    for name, got in report["screen"].items():
        print(f"  {name:9} first paint {got['first_paint_ms']:6.0f} ms, first rows {got['first_rows_ms']:6.0f} ms, all {got['all_ms']:6.0f} ms; "
              f"command to screen p50 {got['change_p50_ms']:6.1f} ms, p95 {got['change_p95_ms']:6.1f} ms")
    m.print_versions(report["versions"])
    m.write_json(options.json, report)


def one_change(desk, port, cookie):
    """One change as it goes over the wire, about a caller named Sample."""
    viewers = socket.create_connection(("127.0.0.1", port), 30)
    viewers.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    heard = b""
    while b"event: ready" not in heard:
        heard += viewers.recv(65536)
    create(desk, "Sample")
    while not (b"event: change" in heard and heard.endswith(b"\n\n")):
        heard += viewers.recv(65536)
    viewers.close()
    return heard[heard.index(b"event: change"):]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
