#!/usr/bin/env python3
"""ringback-codec on a processor a hundred times slower: a second process holds it still, but for two milliseconds of every
fifth of a second. It is transcode.codec_path of one replica; SLOW_CODEC names the real program,
SLOW_CODEC_UNTIL a file with whose coming it is let go."""

import os
import signal
import sys
import time

SPAN, SHARE = 0.2, 0.01
START = 0.1  # seconds of its own that it gets to start in, within its time limit for that


def cpu_seconds(pid):
    with open(f"/proc/{pid}/schedstat") as stat:
        return int(stat.read().split()[0]) / 1e9


def hold(pid):
    while not os.path.exists(os.environ["SLOW_CODEC_UNTIL"]):
        until, end = cpu_seconds(pid) + SPAN * SHARE, time.monotonic() + SPAN
        while cpu_seconds(pid) < until and time.monotonic() < end:
            time.sleep(0.001)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(max(0, end - time.monotonic()))
        os.kill(pid, signal.SIGCONT)


codec = os.environ["SLOW_CODEC"]
held = os.getpid()
if os.fork() == 0:
    os.closerange(0, 256)  # the socket is the codec's alone: its end must be seen
    os.setsid()
    try:
        while cpu_seconds(held) < START:
            time.sleep(0.001)
        hold(held)
    except (ProcessLookupError, FileNotFoundError):
        pass  # it has ended
    os._exit(0)
os.execv(codec, [codec, *sys.argv[1:]])
