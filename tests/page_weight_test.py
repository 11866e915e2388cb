"""Script and style of the customer's page together stay small: they travel to a phone before anything can be pressed. The
team's pages stay small enough for a first paint within a second."""

import gzip
import os
import pathlib
import sys

COMPRESSED_MAX = {"page": 30_000, "staff": 150_000, "sw": 5_000}
BUILT = pathlib.Path(os.environ["RINGBACK_BUILD"]) / "services" / "web" / "ui" / "dist"


def main():
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in sorted(BUILT.iterdir())}
    assert set(sizes) == {"page.css", "page.js", "staff.css", "staff.js", "sw.js"}, f"built: {sorted(sizes)}"
    too_heavy = False
    for bundle, most in COMPRESSED_MAX.items():
        together = sum(size for name, size in sizes.items() if name.startswith(bundle + "."))
        print(f"{bundle}: {together} of {most} bytes")
        too_heavy |= together > most
    return too_heavy


if __name__ == "__main__":
    sys.exit(main())
