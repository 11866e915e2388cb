#!/usr/bin/env python3
"""GETs of customers' pages from the all-in-one (token, callback, team and recording are read and the page is filled for each),
kept alive, in turns with the same bytes from nginx (a file) and from Node's http (out of memory). Per core: answers a second
over the cores that the server itself used, whatever the client took. Prints a table; --json FILE."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import urllib.error
import urllib.request

import measure as m

sys.path.insert(0, str(m.ROOT / "tests" / "functional"))
from office import Office, free_port, wait_for  # noqa: E402

NODE = """
const http = require("http"), body = require("fs").readFileSync(process.argv[2]);
const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Length": body.length };
http.createServer((request, response) => { response.writeHead(200, headers); response.end(body); }).listen(+process.argv[3], "127.0.0.1");
"""
NGINX = """
daemon off; worker_processes 1; pid {dir}/pid; error_log stderr crit;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 100000000; types {{ text/html html; }}
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port}; root {dir}; location / {{ try_files /page.html =404; }} }} }}
"""
WRK = """
local paths, next = {{ {paths} }}, 0
request = function() next = next % #paths + 1; return wrk.format("GET", paths[next]) end
"""


def in_ms(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def load(pid, port, script, connections, seconds):
    """What one round of wrk gets, and what it cost the server."""
    before = m.cpu_s(pid)
    said = m.output("wrk", "--threads", 1, "--connections", connections, "--duration", f"{seconds}s", "--latency",
                    "--script", script, f"http://127.0.0.1:{port}")
    cpu = m.cpu_s(pid) - before
    if re.search(r"Non-2xx|Socket errors", said):
        sys.exit(f"bench: not every answer was 200:\n{said}")
    done, took = re.search(r"(\d+) requests in ([\d.]+)s", said).groups()
    return {"per_s": int(done) / float(took), "per_core": int(done) / cpu, "cores": cpu / float(took),
            "p50_ms": in_ms(re.search(r"(?m)^ +50% +(\S+)", said)[1]), "p99_ms": in_ms(re.search(r"(?m)^ +99% +(\S+)", said)[1])}


def pages(office, count):
    """The paths of pages with a promise and a voice message."""
    take = m.speech("bench_10.wav")
    urls = []
    for i in range(count):
        callback = office.request(name=f"Herr Müller {i}", email_address=f"customer{i}@example.com", phone="")
        office.cli("send", take, "--callback", callback["id"], "--promise", "15:00")
        urls.append(wait_for(lambda: office.show(callback).get("page_url"), "the page's address"))
    return ["/m/" + url.rsplit("/m/", 1)[1] for url in urls]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of one round")
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    m.TOOLS.mkdir(parents=True, exist_ok=True)
    port, nginx_port, node_port = free_port(), free_port(), free_port()
    report = {"versions": m.versions(), "load_at_start": os.getloadavg()[0], "rounds": options.rounds}
    flags = ["--set", f"ringback.public_url=http://127.0.0.1:{port}"]
    with Office(http_port=port, flags=flags) as office, tempfile.TemporaryDirectory(dir=m.TOOLS) as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        paths = pages(office, options.pages)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}{paths[0]}").read()
        (folder / "page.html").write_bytes(page)
        (folder / "node.js").write_text(textwrap.dedent(NODE))
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder, port=nginx_port))
        (folder / "pages.lua").write_text(WRK.format(paths=", ".join(f'"{path}"' for path in paths)))
        nginx = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-p", folder])
        node = subprocess.Popen(["node", folder / "node.js", folder / "page.html", str(node_port)])
        try:
            sides = {"ringback": (office.server.pid, port), "nginx": (nginx.pid, nginx_port), "node": (node.pid, node_port)}
            runs = {name: [] for name in sides}
            for name, (pid, at) in sides.items():
                wait_for(lambda: answers(at), f"{name} answers")
                load(pid, at, folder / "pages.lua", options.connections, 1)
            for _ in range(options.rounds):
                for name, (pid, at) in sides.items():
                    runs[name].append(load(pid, at, folder / "pages.lua", options.connections, options.seconds))
        finally:
            for process in (nginx, node):
                process.terminate()
                process.wait()
    report["bytes"] = len(page)
    for name, found in runs.items():
        report[name] = {key: m.median(run[key] for run in found) for key in found[0]}
    print(f"{options.connections} connections, {options.pages} pages of {len(page) / 1000:.1f} KB, median of {options.rounds}")
    for name, note in (("ringback", "read and filled for each"), ("nginx", "a file"), ("node", "out of memory")):
        got = report[name]
        print(f"  {name:9} {got['per_s']:7.0f}/s on {got['cores']:.2f} cores, {got['per_core']:7.0f}/s per core, "
              f"p50 {got['p50_ms']:.2f} ms, p99 {got['p99_ms']:.2f} ms   {note}")
    print(f"  ringback per core over nginx {report['ringback']['per_core'] / report['nginx']['per_core']:.2f}, "
          f"over Node {report['ringback']['per_core'] / report['node']['per_core']:.2f}")
    m.print_versions(report["versions"])
    m.write_json(options.json, report)


def answers(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz")
    except urllib.error.HTTPError:
        return True
    except OSError:
        return None


if __name__ == "__main__":
    main()
