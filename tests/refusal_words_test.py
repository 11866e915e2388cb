"""Everything that the server refuses with a reason has a sentence in both languages on the team's pages: walks the sources
that name the reasons, and the words (refusals.ts). Where the pages say one reason differently by its field, every field
that the sources name for it has its own sentence."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORDS = ROOT / "services/web/ui/src/staff/shell/refusals.ts"
# What a page's call may run through. Telephone systems and the command line have words of their own.
ROOMS = ["services/core/domain", "services/core/rpc", "services/core/store", "services/delivery", "services/ingest", "services/reminder",
         "services/web"]
ELSEWHERE = ["services/web/hooks/"]
CALL = re.compile(r"\b(?:FieldError|InvalidField|Refused)\(")
REASON = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"')


def arguments(text, start):
    """What stands between a call's parentheses, one by one."""
    found, depth, quoted, begin, i = [], 0, False, start, start
    while depth >= 0:
        c = text[i]
        if quoted:
            i += c == "\\"
            quoted = c != '"'
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if not quoted and (depth < 0 or depth == 0 and c == ","):
            found.append(text[begin:i].strip())
            begin = i + 1
        i += 1
    return found


def last_name(field):
    """Of `absl::StrCat(at, ".recipients[", k, "]")` and `"caller.email"`: recipients, email. None of what only a run tells."""
    names = re.findall(r"[a-z][a-z0-9_]*", re.sub(r"\[[^\]]*\]?", " ", " ".join(re.findall(r'"([^"]*)"', field))))
    return names[-1] if names else None


def refusals():
    """Each reason with the fields that are named with it, and where."""
    found = {}
    for room in ROOMS:
        for path in sorted(p for p in (ROOT / room).rglob("*") if p.suffix in (".cc", ".h")):
            name = str(path.relative_to(ROOT))
            if path.name.endswith("_test.cc") or any(name.startswith(other) for other in ELSEWHERE):
                continue
            text = path.read_text()
            for call in CALL.finditer(text):
                given = arguments(text, call.end())
                for i, argument in enumerate(given):
                    reason = REASON.fullmatch(argument)
                    if not reason:
                        continue
                    field = last_name(given[i - 1]) if i > 0 else None
                    found.setdefault(reason[1], {})[field] = f"{name}:{text.count(chr(10), 0, call.start()) + 1}"
                    break
    return found


def sentences(text, language):
    """{reason: None, or the fields with sentences of their own}, as the file is laid out: a reason at four spaces, its fields
    at six or in the same line."""
    block = re.search(rf"^const {language}\b.*?^}}", text, re.MULTILINE | re.DOTALL)[0]
    said, reason = {}, None
    for line in block.splitlines():
        if key := re.match(r"  ([A-Z][A-Z0-9_]*): (\{)?", line):
            reason = key[1]
            said[reason] = set() if key[2] else None
        if reason and said[reason] is not None:
            said[reason] |= set(re.findall(r"[{,] ([a-z_]+): ", line)) | set(re.findall(r"^    ([a-z_]+): ", line))
    return said


def main():
    text = WORDS.read_text()
    wrong = []
    found = refusals()
    assert len(found) > 80, f"only {len(found)} reasons: the sources are written in another way by now"
    for language in ("de", "en"):
        said = sentences(text, language)
        for reason, fields in sorted(found.items()):
            if reason not in said:
                wrong.append(f"{next(iter(fields.values()))}: {reason} has no sentence ({language})")
            elif said[reason] is not None:
                wrong += [f"{where}: {reason} of {field} has no sentence ({language})" for field, where in sorted(fields.items(), key=str)
                          if field and field not in said[reason]]
        wrong += [f"refusals.ts: nobody refuses with {reason} any more ({language})" for reason in sorted(set(said) - set(found))]
    print("\n".join(wrong) or f"{len(found)} reasons, a sentence for each")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
