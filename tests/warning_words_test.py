"""Everything that the server warns of is said in both languages on the team's pages: walks the sources for what they warn
with, and the words (warnings.ts). And a reason of a delivery that the pages say in their own words is one that there is."""

import pathlib
import re
import sys

from refusal_words_test import ROOMS, ROOT, arguments

WORDS = ROOT / "services/web/ui/src/staff/shell/warnings.ts"
REASON = re.compile(r"deliveryReason = .*\(/(.+?)/\.test\(")
REASON_SAID = ROOT / "services/web/ui/src/staff/desk/callback_actions.tsx"
REASON_GIVEN = ROOT / "services/delivery/wires.cc"
CALL = re.compile(r"\bWarn\(")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


def warnings():
    """What stands in quotes in each warning, and where: its words without what it fills in."""
    found = {}
    for room in ROOMS:
        for path in sorted(p for p in (ROOT / room).rglob("*.cc") if not p.name.endswith("_test.cc")):
            text = path.read_text()
            for call in CALL.finditer(text):
                for argument in arguments(text, call.end()):
                    for words in TEXT.findall(argument):
                        if re.search(r"[a-z]{3}", words):
                            found[words.strip("; ")] = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, call.start()) + 1}"
    return found


def main():
    # As the pages match it, but for what stands for a part that is filled in.
    known = [re.sub(r"\\([()])", r"\1", pattern) for pattern in re.findall(r"^  \[/\^(.+)\$/, \{$", WORDS.read_text(), re.MULTILINE)]
    found = warnings()
    assert len(found) > 10, f"only {len(found)}: the sources are written in another way by now"
    wrong = [f"{where}: warnings.ts has no words for “{words}”" for words, where in sorted(found.items())
             if not any(words in pattern for pattern in known)]
    wrong += [f"warnings.ts: nobody warns of “{pattern}” any more" for pattern in known if not any(words in pattern for words in found)]
    reason = REASON.search(REASON_SAID.read_text())[1]
    if f'Refused("{reason}' not in REASON_GIVEN.read_text():
        wrong.append(f"{REASON_GIVEN.relative_to(ROOT)}: no delivery ends with “{reason}” any more")
    print("\n".join(wrong) or f"{len(found)} warnings, words for each")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
