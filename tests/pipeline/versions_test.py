"""The previous release's services beside this one's on one Redis, under load: every program is replaced by this release's
while the others are of either version, some go back to the previous one and forward again, and nothing is lost or done
twice. The newest tag v* that is not this commit is the fixture, built in a folder of its own; without one (before the
second release) there is nothing to hold it against, and the test says so and is skipped (exit code 77).

    versions_test.py [--previous REF] [--previous-build DIR] [--seed N]
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
sys.path[:0] = [str(TESTS), str(TESTS / "functional")]
import office as o  # noqa: E402
from load.promises import Load, Report, set_policy, verify  # noqa: E402
from pipeline.programs import start_pipeline  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

REPLICAS = {"ingest": 2, "transcode": 2, "delivery": 2, "reminder": 2}
PROGRAMS = [f"ringback-{service}" for service in start_pipeline.SERVICES] + ["ringback-codec"]
MESSAGES = 3  # that are acknowledged between one replacement and the next
SKIPPED = 77


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--previous", metavar="REF", help="instead of the newest tag")
    parser.add_argument("--previous-build", type=pathlib.Path, metavar="DIR", help="where it has been built already")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    previous = options.previous_build
    if previous is None:
        release = options.previous or previous_release()
        if release is None:
            print("skipped: there is no earlier release (a tag v*) to run beside this one")
            return SKIPPED
        previous = build(release)
    print(f"seed {options.seed}, the previous release is in {previous}", flush=True)
    dice = random.Random(options.seed)

    with SmtpSink() as smtp, start_pipeline.Pipeline(
            replicas=REPLICAS, shuffle=options.seed,
            # No key of the configuration that the previous release might not know yet.
            settings={"mail.transport": f"smtp://127.0.0.1:{smtp.port}", "delivery.bundle-window": "1s"},
            builds={name: previous for name in part_names()}) as running:
        set_policy(running)
        load = Load(running, options.seed)
        try:
            replacements = moves(dice, previous)
            for name, build_folder in replacements:
                load.until(len(load.voice()) + MESSAGES)
                replace(running, running.part(name), build_folder)
            load.until(len(load.voice()) + MESSAGES)
        finally:
            load.end()
        # Every program ended in good order: nothing was caught between leaving and being on record.
        figures = verify(Report(running, load), smtp, repeats_max=0)
    print(f"{len(replacements)} replacements; {figures}")
    return 0


def part_names():
    return [f"{service}-{number}" if REPLICAS.get(service, 1) > 1 else service for service in start_pipeline.SERVICES
            for number in range(1, REPLICAS.get(service, 1) + 1)]


def moves(dice, previous):
    """(part, build): all to this release in any order; half-way a few go back, as after a doubtful upgrade."""
    order = part_names()
    dice.shuffle(order)
    half = len(order) // 2
    back = dice.sample(order[:half], 2)
    return ([(name, o.BUILD) for name in order[:half]] + [(name, previous) for name in back] +
            [(name, o.BUILD) for name in back + order[half:]])


def replace(running, part, build_folder):
    code = running.stop_part(part)
    assert code == 0, f"{part.name} ended with {code}: {part.last_words()}"
    part.build = build_folder
    running.start_part(part)
    o.wait_for(lambda: running.answers(part), f"the first answer of {part.name}")


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True).stdout


def previous_release():
    if not (ROOT / ".git").exists():  # a source archive knows no other release
        return None
    here = git("rev-parse", "HEAD")
    tags = git("tag", "--list", "v*", "--sort=-version:refname", "--merged", "HEAD").split()
    return next((tag for tag in tags if git("rev-parse", f"{tag}^{{commit}}") != here), None)


def build(release):
    """Its programs, in a folder beside this build's; kept for the next run."""
    commit = git("rev-parse", f"{release}^{{commit}}").strip()
    folder = o.BUILD / "previous" / commit
    if all((folder / "build" / "bin" / program).exists() for program in PROGRAMS):
        return folder / "build"
    print(f"building {release} in {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source = subprocess.Popen(["git", "-C", ROOT, "archive", commit], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", folder], stdin=source.stdout, check=True)
    assert source.wait() == 0
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RINGBACK_")}
    subprocess.run(["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja"], check=True, env=environment,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder / "build", *(f"bin/{program}" for program in PROGRAMS)], check=True,
                   env=environment, stdout=subprocess.DEVNULL)
    return folder / "build"


if __name__ == "__main__":
    sys.exit(main())
