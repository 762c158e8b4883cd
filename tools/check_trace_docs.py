#!/usr/bin/env python3
"""docs/tracing.md and docs/guide/metrics.md tell of every name in include/flowspan/trace/names.hpp, and
docs/tracing.md of no attribute that the code does not have. Every name is used by some source.

    tools/check_trace_docs.py [ROOT]
"""

import pathlib
import re
import sys

NAME = re.compile(r'inline constexpr char (\w+)\[\]\s*=\s*"([^"]+)"')
CONSTANT = re.compile(r"\bk[A-Z]\w+")
ROW = re.compile(r"^\| `([^`]+)`")


def constants_of(header):
    return {match[1]: match[2] for match in NAME.finditer(header)}


def used_words(root):
    """All constants that the sources name, but for tests."""
    words = set()
    for folder in ("src", "include"):
        for path in (root / folder).rglob("*.[ch]pp"):
            if path.name != "names.hpp" and not path.name.endswith("_test.cpp"):
                words.update(CONSTANT.findall(path.read_text(encoding="utf-8")))
    return words


def check(root):
    header = (root / "include/flowspan/trace/names.hpp").read_text(encoding="utf-8")
    constants = constants_of(header)
    names = set(constants.values())
    page = (root / "docs/tracing.md").read_text(encoding="utf-8")
    metrics = (root / "docs/guide/metrics.md").read_text(encoding="utf-8")
    rows = {match[1] for line in page.splitlines() if (match := ROW.match(line))}
    findings = []
    for name in sorted(names - rows):
        # Metrics of one family stand in one row: `flowspan.sink.offered`, `.exported`, ...
        short = "." + name.rsplit(".", 1)[-1]
        if f"`{name}`" not in metrics and f"`{short}`" not in metrics:
            findings.append(f"docs/tracing.md: `{name}` is missing; add a row that says what it is")
    used = used_words(root)
    for constant, name in sorted(constants.items()):
        if constant not in used:
            findings.append(f"names.hpp: nobody writes `{name}`; remove {constant} and its row")
    for name in sorted(rows - names):
        findings.append(f"docs/tracing.md: `{name}` is no name of names.hpp; remove the row")
    return findings


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                        else pathlib.Path(__file__).resolve().parent.parent)
    findings = check(root)
    for line in findings:
        print(line)
    print(f"trace docs: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
