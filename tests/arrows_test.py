"""Holds the includes against the design: arrows only go down, and a service never includes another."""

import pathlib
import re
import sys

SERVICES = pathlib.Path(__file__).resolve().parents[1] / "services"
CORE = {  # room: what it may include besides itself
    "base": set(),
    "domain": {"base"},
    "http": {"base"},
    "sandbox": {"base"},
    "calendars": {"base", "sandbox"},
    "words": {"base"},
    "handoff": {"base"},
    "blob": {"base"},
    "store": {"base", "domain"},
    "rpc": {"base", "domain", "store"},
    "runtime": {"base", "domain", "store", "rpc", "blob", "handoff", "http", "sandbox"},
}
SEVERAL = "ringback"  # the only service that sees others


def room(path):
    parts = path.relative_to(SERVICES).parts
    return ("core", parts[1]) if parts[0] == "core" else ("service", parts[0])


def allowed(source, target):
    kind, name = source
    target_kind, target_name = target
    if source == target:
        return True
    if kind == "core":
        return target_kind == "core" and target_name in CORE[name]
    return target_kind == "core" or name == SEVERAL


def main():
    wrong, seen = [], 0
    for path in sorted(SERVICES.rglob("*")):
        if path.suffix not in {".cc", ".h"}:
            continue
        # Tests may stand on real neighbours (a store below the rules of rpc); the product may not.
        if path.name.endswith("_test.cc") or "conformance" in path.name:
            continue
        for line, text in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'#include "((?:core/\w+|\w+)/[^"]+)"', text)
            if not found or not (SERVICES / found[1]).exists():
                continue
            seen += 1
            if not allowed(room(path), room(SERVICES / found[1])):
                wrong.append(f"{path.relative_to(SERVICES)}:{line}: may not include {found[1]}")
    assert seen > 100, f"only {seen} includes seen: the test looks in the wrong place"
    print("\n".join(wrong) or f"{seen} includes, every arrow goes down")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
