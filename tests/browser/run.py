"""Runs browser tests, run.py page|desk|team|settings|office|story [node's options]: installs what they drive from its lock file into the
build folder, finds Chromium, and leaves the rest to node. Exit code 77 (skipped) where there is no Chromium."""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("RINGBACK_BUILD", ROOT / "build"))
PACKAGES = BUILD / "browser"


def install():
    """Only when the lock file is another one than last time."""
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = PACKAGES / "installed.lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    PACKAGES.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, PACKAGES / name)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PACKAGES, check=True)
    stamp.write_bytes(lock)


def main():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        print("skipped: there is no Chromium here (apt-get install chromium)")
        return 77
    install()
    subprocess.run([ROOT / "scripts" / "make-speech", BUILD / "speech"], check=True, stdout=subprocess.DEVNULL)
    environment = os.environ | {"RINGBACK_BUILD": str(BUILD), "RINGBACK_CHROMIUM": chromium,
                                "RINGBACK_BROWSER_PACKAGES": str(PACKAGES)}
    which, *options = sys.argv[1:]
    return subprocess.run(["node", "--test", *options, HERE / f"{which}_test.mjs"], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
