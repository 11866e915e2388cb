#!/usr/bin/env python3
"""Failover of Redis under load, on real networks: three machines (network namespaces on one bridge), each with a Redis and
a Sentinel, and clients that commit through the Redis store. The master is killed; then the master is cut off from the
others for 14 s with clients on its side. No acknowledged write may be lost, and everybody works again by himself.
Needs root and the right to make network namespaces; says so and is skipped where that is missing."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("RINGBACK_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
CLIENT = BUILD / "test" / "ringback-failover-client"
SKIP = 77
MASTER = "rb"
DOWN_AFTER_MS = 3000
PARTITION_S = 14
PATIENCE_S = 60


def run(*words, check=True):
    return subprocess.run([str(word) for word in words], check=check, capture_output=True, text=True).stdout.strip()


class Network:
    """Namespaces 1 to 3, each with a cable to a switch in a namespace of its own: nothing of it is seen outside."""

    def __init__(self):
        self.name = f"rb{os.getpid()}"
        self.spaces = [f"{self.name}-{i}" for i in range(4)]
        for space in self.spaces:
            run("ip", "netns", "add", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
        switch = self.spaces[0]
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", switch, "link", "set", "br0", "up")
        for i in (1, 2, 3):
            run("ip", "-n", switch, "link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0", "netns", self.spaces[i])
            run("ip", "-n", switch, "link", "set", f"port{i}", "master", "br0")
            run("ip", "-n", switch, "link", "set", f"port{i}", "up")
            run("ip", "-n", self.spaces[i], "address", "add", f"{address(i)}/24", "dev", "eth0")
            run("ip", "-n", self.spaces[i], "link", "set", "eth0", "up")

    def inside(self, machine, *words):
        return ["ip", "netns", "exec", self.spaces[machine], *[str(word) for word in words]]

    def cut(self, machine, off):
        run("ip", "-n", self.spaces[0], "link", "set", f"port{machine}", "down" if off else "up")

    def remove(self):
        for space in self.spaces:
            run("ip", "netns", "del", space, check=False)


def address(machine):
    return f"10.77.0.{machine}"


def until(question, what, patience=PATIENCE_S):
    give_up = time.monotonic() + patience
    while not question():
        if time.monotonic() > give_up:
            sys.exit(f"in vain: {what}")
        time.sleep(0.1)


class Cluster:
    def __init__(self, network, folder):
        self.network, self.folder, self.processes = network, folder, {}
        for machine in (1, 2, 3):
            (folder / str(machine)).mkdir()
            self.start_redis(machine)
        for machine in (1, 2, 3):
            until(lambda: self.say(machine, "PING") == "PONG", "Redis answers")
        for machine in (2, 3):
            self.say(machine, "REPLICAOF", address(1), 6379)
        until(lambda: self.say(1, "INFO", "replication").count("state=online") == 2, "both replicas follow")
        for machine in (1, 2, 3):
            config = folder / str(machine) / "sentinel.conf"
            config.write_text("\n".join([
                "port 26379", "bind 0.0.0.0", "protected-mode no", f"dir {folder / str(machine)}",
                f"sentinel monitor {MASTER} {address(1)} 6379 2", f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}",
                f"sentinel failover-timeout {MASTER} 6000", f"logfile {folder / str(machine) / 'sentinel.log'}"]) + "\n")
            self.processes["sentinel", machine] = subprocess.Popen(network.inside(machine, "redis-server", config, "--sentinel"))
        until(lambda: all(f"num-other-sentinels\n2" in self.sentinel(m, "SENTINEL", "MASTER", MASTER) and
                          f"num-slaves\n2" in self.sentinel(m, "SENTINEL", "MASTER", MASTER) for m in (1, 2, 3)),
              "the sentinels know each other")

    def start_redis(self, machine, *more):
        self.processes["redis", machine] = subprocess.Popen(self.network.inside(
            machine, "redis-server", "--port", 6379, "--bind", "0.0.0.0", "--protected-mode", "no", "--dir",
            self.folder / str(machine), "--appendonly", "yes", "--appendfsync", "always", "--save", "",
            "--min-replicas-to-write", 1, "--min-replicas-max-lag", 3, "--repl-diskless-sync-delay", 0,
            "--logfile", self.folder / str(machine) / "redis.log", *more))

    def kill_redis(self, machine):
        process = self.processes["redis", machine]
        process.kill()  # `ip netns exec` becomes the server, so this is the server
        process.wait()

    def say(self, machine, *words):
        return run(*self.network.inside(machine, "redis-cli", *words), check=False)

    def sentinel(self, machine, *words):
        return run(*self.network.inside(machine, "redis-cli", "-p", 26379, *words), check=False)

    def master(self, seen_from):
        lines = self.sentinel(seen_from, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER).split()
        return int(lines[0].rsplit(".", 1)[1]) if lines else 0

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


class Client:
    def __init__(self, network, machine, folder, replicas):
        self.network, self.machine, self.replicas = network, machine, replicas
        self.file = folder / f"acknowledged-{machine}-{time.monotonic_ns()}"
        self.file.touch()
        self.process = subprocess.Popen(self.command("write"), stdin=subprocess.PIPE)

    def command(self, verb, machine=None):
        return self.network.inside(machine or self.machine, CLIENT, verb, self.file, self.replicas, MASTER,
                                   *[f"{address(i)}:26379" for i in (1, 2, 3)])

    def acknowledged(self):
        return self.file.read_text().count("\n")

    def goes_on(self, what, more=200):
        before = self.acknowledged()
        until(lambda: self.acknowledged() >= before + more, f"the client on machine {self.machine} commits {what}")

    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit(f"the client on machine {self.machine} failed")


def story(network, name, replicas, trouble):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="failover-", dir=BUILD))
    cluster = Cluster(network, folder)
    clients = []
    try:
        clients = [Client(network, machine, folder, replicas) for machine in (1, 2)]
        for client in clients:
            client.goes_on("before")
        began = time.monotonic()
        trouble(cluster, clients)
        for client in clients:
            client.goes_on("again")
        print(f"{name}: everybody works again after {time.monotonic() - began:.1f} s", flush=True)
        until(lambda: cluster.say(cluster.master(3), "INFO", "replication").count("state=online") == 2,
              "the old master follows the new one")
        for client in clients:
            client.end()
        lost = 0
        for client in clients:
            done = subprocess.run(client.command("verify", machine=3), capture_output=True, text=True)
            print(f"{name}: client on machine {client.machine}: lost {done.stdout.strip()} acknowledged writes", flush=True)
            lost += done.returncode != 0
        return lost == 0
    finally:
        for client in clients:
            client.process.kill()
        cluster.end()
        shutil.rmtree(folder)


def kill_master(cluster, clients):
    cluster.kill_redis(1)
    until(lambda: cluster.master(3) in (2, 3), "another master is named")
    cluster.start_redis(1, "--replicaof", address(cluster.master(3)), 6379)


def cut_master_off(cluster, clients):
    cluster.network.cut(1, off=True)
    began = time.monotonic()
    until(lambda: cluster.master(3) in (2, 3), "another master is named")
    clients[1].goes_on("on the other side, while the old master is cut off")
    time.sleep(max(0, began + PARTITION_S - time.monotonic()))
    cluster.network.cut(1, off=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=1)
    options = parser.parse_args()
    try:
        network = Network()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        print(f"skipped: no network namespaces here ({reason.strip()}); run as root with iproute2 installed")
        return SKIP
    try:
        fine = story(network, "master killed", options.replicas, kill_master)
        fine = story(network, f"master cut off for {PARTITION_S} s", options.replicas, cut_master_off) and fine
    finally:
        network.remove()
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
