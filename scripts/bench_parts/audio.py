#!/usr/bin/env python3
"""From a spoken take to what a customer can hear: CPU, loudness, true peak and quality, ringback-codec beside what a
user would script with ffmpeg. The ways take turns in one run; the figures are medians. Prints a table; --json FILE."""
import argparse
import json
import os
import re
import resource
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TAKES = [("60 s WAV", "bench_60.wav", 60), ("10 s WAV", "bench_10.wav", 10),
         ("60 s 44.1k stereo", "bench_60_44s.wav", 60), ("60 s WebM/Opus", "bench_60.webm", 60),
         ("60 s WAV, real voices", "bench_real.wav", 60)]
RATIO_MIN = {"script A": 3, "script B": 2.4}  # What they cost over what ringback costs.
SPEECH = [("even speech", "bench_even.wav"), ("peaky speech", "bench_60.wav"), ("very peaky speech", "bench_peaky.wav"),
          ("real voices", "bench_real.wav"), ("real voices, very peaky", "bench_real_peaky.wav")]
OUTPUTS = ["-map", "[a]", "-ac", "1", "-ar", "48000", "-c:a", "libopus", "-b:a", "24k", "-application", "voip", "a.opus",
           "-map", "[b]", "-ac", "1", "-ar", "48000", "-c:a", "libmp3lame", "-b:a", "64k", "a.mp3",
           "-map", "[c]", "-ac", "1", "-ar", "8000", "-f", "s16le", "a.pcm"]
FFMPEG = ["ffmpeg", "-v", "error", "-nostdin", "-y"]


def cpu_of(command, cwd, capture=False):
    """CPU seconds (user and system) of a command with all its children, and its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)  # To the microsecond; os.times() counts in ticks of 10 ms.
    done = subprocess.run(command, cwd=cwd, check=True, stderr=subprocess.PIPE if capture else None,
                          stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, done.stderr.decode() if capture else ""


def script_a(take, cwd):
    graph = "[0:a]loudnorm=I=-16:TP=-1:LRA=11,asplit=3[a][b][c]"
    return cpu_of(FFMPEG + ["-i", take, "-filter_complex", graph] + OUTPUTS, cwd)[0]


def script_b(take, cwd):
    first, log = cpu_of(["ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-i", take, "-af", "ebur128=peak=true",
                         "-f", "null", "-"], cwd, capture=True)
    loudness = float(re.findall(r"\bI:\s+(-?[\d.]+) LUFS", log)[-1])
    peak = float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", log)[-1])
    gain = min(-16 - loudness, -1 - peak)
    graph = f"[0:a]volume={gain:.2f}dB,asplit=3[a][b][c]"
    return first + cpu_of(FFMPEG + ["-i", take, "-filter_complex", graph] + OUTPUTS, cwd)[0]


class WarmCodec:
    """ringback-codec as the service runs it: one child, started once, jobs over a socket (core/sandbox/frame.h)."""

    def __init__(self, program):
        self.end, child = socket.socketpair()
        self.process = subprocess.Popen([program], preexec_fn=lambda: os.dup2(child.fileno(), 3), close_fds=False)
        child.close()
        self._send(struct.pack("<IiQQq", 0x52425331, os.getpid(), 240 << 20, 64 << 20, 60))
        self._receive()

    def _send(self, frame):
        self.end.sendall(struct.pack("<Q", len(frame)) + frame)

    def _receive(self):
        def exactly(size):
            data = b""
            while len(data) < size:
                more = self.end.recv(min(size - len(data), 1 << 20))
                if not more:
                    sys.exit("bench audio: ringback-codec ended")
                data += more
            return data
        return exactly(struct.unpack("<Q", exactly(8))[0])

    def transcode(self, take):
        with open(take, "rb") as file:
            request = struct.pack("<I4d3i", 0x52515201, 600, 2, -16, -1, 8, 40000, 96) + file.read()
        clock = (~self.process.pid << 3) | 2  # CPU clock of another process: clock_getcpuclockid(3).
        before, start = time.clock_gettime(clock), time.monotonic()
        self._send(request)
        self._receive()
        return time.clock_gettime(clock) - before, time.monotonic() - start

    def close(self):
        self.end.close()
        self.process.wait()


def versions():
    def first_line(command):
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    packages = ["libopus0", "libmp3lame0", "libavcodec59", "libavformat59", "libavcodec61", "libavformat61", "libsoxr0",
                "libebur128-1", "libogg0"]
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${Status}\n"] + packages,
                            capture_output=True, text=True).stdout
    found = {line.split()[0]: line.split()[1] for line in listed.splitlines() if "installed" in line}
    return {"ffmpeg": first_line(["ffmpeg", "-version"]), "kernel": os.uname().release, "cores": os.cpu_count(), **found}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="build folder with bin/ringback-codec")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    codec = os.path.join(options.build, "bin", "ringback-codec")
    quality = os.path.join(options.build, "test", "ringback-audio-quality")
    for program in (codec, quality):
        if not os.access(program, os.X_OK):
            sys.exit(f"bench audio: {program} is missing: build the targets ringback-codec and ringback-audio-quality")
    speech = os.path.join(options.build, "speech")
    subprocess.run([os.path.join(ROOT, "scripts", "make-speech"), speech], check=True)

    report = {"versions": versions(), "load_at_start": os.getloadavg()[0], "cpu_ms_per_audio_second": {}, "latency_ms": {},
              "ratios": {}, "renditions": {}}
    with tempfile.TemporaryDirectory() as work:
        warm = WarmCodec(codec)
        warm.transcode(os.path.join(speech, "bench_10.wav"))
        for label, name, seconds in TAKES:
            take = os.path.join(speech, name)
            ways = {"script A": [], "script B": [], "ringback, program start included": [],
                    "ringback, as it runs (warm child)": []}
            latency = []
            for _ in range(options.rounds):
                ways["script A"].append(script_a(take, work))
                ways["ringback, program start included"].append(
                    cpu_of([codec, "--file", take, "--out", work], work)[0])
                ways["script B"].append(script_b(take, work))
                cpu, elapsed = warm.transcode(take)
                ways["ringback, as it runs (warm child)"].append(cpu)
                latency.append(elapsed)
            figures = {way: statistics.median(cpus) * 1000 / seconds for way, cpus in ways.items()}
            report["cpu_ms_per_audio_second"][label] = figures
            report["latency_ms"][label] = statistics.median(latency) * 1000
            report["ratios"][label] = {
                f"{script} / {way}": figures[script] / figures[way]
                for script in ("script A", "script B") for way in ways if way.startswith("ringback")}
        warm.close()

        for label, name in SPEECH:
            take = os.path.join(speech, name)

            def heard(path):
                out = subprocess.run([quality, os.path.join(work, path), take], check=True, capture_output=True, text=True)
                return {**json.loads(out.stdout), "bytes": os.path.getsize(os.path.join(work, path))}
            rows = {}
            script_a(take, work)
            cpu_of([codec, "--file", take, "--out", work], work)
            for kind, ours, theirs in (("Opus", "message.opus", "a.opus"), ("MP3", "message.mp3", "a.mp3")):
                rows[f"ringback {kind}"] = heard(ours)
                rows[f"script A {kind}"] = heard(theirs)
            # Script A misses the target on peaky takes and so limits less; the same question at the loudness it reaches.
            for kind, ours in (("Opus", "message.opus"), ("MP3", "message.mp3")):
                cpu_of([codec, "--file", take, "--out", work, "--target-lufs",
                        str(rows[f"script A {kind}"]["lufs"])], work)
                rows[f"ringback {kind}, as loud as A"] = heard(ours)
            report["renditions"][label] = rows

    print("\nCPU ms per second of audio (median of %d, in turns; load at start %.1f)" %
          (options.rounds, report["load_at_start"]))
    for label, figures in report["cpu_ms_per_audio_second"].items():
        print(f"  {label}")
        for way, value in figures.items():
            ratios = ""
            if way.startswith("ringback"):
                met = all(figures[script] / value >= least for script, least in RATIO_MIN.items())
                ratios = "   1/%.2f of A, 1/%.2f of B   target 1/3, 1/2.4   %s" % (
                    figures["script A"] / value, figures["script B"] / value, "met" if met else "MISSED")
            print(f"    {way:36} {value:6.1f}{ratios}")
        print(f"    {'latency of the warm child, ms':36} {report['latency_ms'][label]:6.0f}")
    print("\nRenditions as decoded (libebur128; mel log-spectral distance to the take in dB, lower is better)")
    for label, rows in report["renditions"].items():
        print(f"  {label}")
        for rendition, r in rows.items():
            print("    %-28s %6.2f LUFS  %6.2f dBTP  distance %5.2f  of shape %5.2f  %7d bytes" %
                  (rendition, r["lufs"], r["true_peak_dbtp"], r["mel_log_spectral_distance"], r["shape_distance"],
                   r["bytes"]))
        for kind in ("Opus", "MP3"):
            ours, theirs = rows[f"ringback {kind}"], rows[f"script A {kind}"]
            held = {"loudness within 0.5 LU of -16": abs(ours["lufs"] + 16) <= 0.5,
                    "true peak at most -1": ours["true_peak_dbtp"] <= -1,
                    "distance no worse than A's": ours["mel_log_spectral_distance"] <= theirs["mel_log_spectral_distance"]}
            print(f"    {kind}: " + ", ".join(f"{what} {'met' if good else 'MISSED'}" for what, good in held.items()))
    print("\n" + "\n".join(f"  {name}: {version}" for name, version in report["versions"].items()))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()
