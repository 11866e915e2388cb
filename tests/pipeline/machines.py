"""Machines for the pipeline: network namespaces on one switch, whose cables can be pulled. Machine 1 is where the test
itself lives. Needs root; open() skips the module without."""

import contextlib
import ctypes
import os
import subprocess
import sys
import time
import unittest

from pipeline.running import ROOT, start_pipeline

sys.path.insert(0, str(ROOT / "tests" / "failover"))
from failover_test import Network, address  # noqa: E402

network = None
home = None


def enter(machine):
    """This thread, and what it starts from now on, is there."""
    with open(f"/var/run/netns/{network.spaces[machine]}") as space:
        enter_namespace(space.fileno())


def enter_namespace(descriptor):
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


def at(machine, *command):
    """The command line that runs a command there."""
    return [str(word) for word in (command if machine == 1 else network.inside(machine, *command))]


def set_up():
    global network, home
    try:
        network = Network()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        raise unittest.SkipTest(f"no network namespaces here ({getattr(error, 'stderr', None) or error}); run as root")
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter(1)


def take_down():
    if network is not None and home is not None:
        enter_namespace(home)
        network.remove()


class Machines(start_pipeline.Pipeline):
    """The pipeline on machine 1, but for the parts that are `away`: {"redis": 3}."""

    def __init__(self, away=None, **more):
        super().__init__(**more)
        self.away = away or {}
        for part in self.parts:
            part.host = address(self.away.get(part.name, 1))

    def command(self, part):
        return at(self.away.get(part.name, 1), *super().command(part))


@contextlib.contextmanager
def cable_out(machine):
    network.cut(machine, True)
    try:
        yield time.monotonic()
    finally:
        network.cut(machine, False)


class Since:
    """Seconds until several signs came, looked for at the same time."""

    def __init__(self, began, **signs):
        self.began, self.signs, self.seconds = began, signs, {}

    def wait(self, patience):
        while self.signs and time.monotonic() < self.began + patience:
            for name in [name for name, sign in self.signs.items() if sign()]:
                self.seconds[name] = time.monotonic() - self.began
                del self.signs[name]
            time.sleep(0.1)
        assert not self.signs, f"never came in {patience} s: {list(self.signs)}; {self.seconds}"
        return self.seconds
