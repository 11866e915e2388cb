"""Script and style of the customer's page together stay small: they travel to a phone before anything can be pressed."""

import gzip
import os
import pathlib
import sys

COMPRESSED_MAX = 30_000
BUILT = pathlib.Path(os.environ["RINGBACK_BUILD"]) / "services" / "web" / "ui" / "dist"


def main():
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in sorted(BUILT.iterdir())}
    assert set(sizes) == {"page.css", "page.js"}, f"built: {sorted(sizes)}"
    print(f"{sizes}, together {sum(sizes.values())} of {COMPRESSED_MAX} bytes")
    return sum(sizes.values()) > COMPRESSED_MAX


if __name__ == "__main__":
    sys.exit(main())
