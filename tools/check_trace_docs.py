#!/usr/bin/env python3
"""docs/tracing.md and docs/guide/metrics.md tell of every name in include/flowspan/trace/names.hpp, and
docs/tracing.md of no attribute that the code does not have.

    tools/check_trace_docs.py [ROOT]
"""

import pathlib
import re
import sys

NAME = re.compile(r'inline constexpr char (\w+)\[\]\s*=\s*"([^"]+)"')
ROW = re.compile(r"^\| `([^`]+)`")


def names_of(header):
    return {match[2] for match in NAME.finditer(header)}


def check(root):
    names = names_of((root / "include/flowspan/trace/names.hpp").read_text(encoding="utf-8"))
    page = (root / "docs/tracing.md").read_text(encoding="utf-8")
    metrics = (root / "docs/guide/metrics.md").read_text(encoding="utf-8")
    rows = {match[1] for line in page.splitlines() if (match := ROW.match(line))}
    findings = []
    for name in sorted(names - rows):
        # Metrics of one family stand in one row: `flowspan.sink.offered`, `.exported`, ...
        short = "." + name.rsplit(".", 1)[-1]
        if f"`{name}`" not in metrics and f"`{short}`" not in metrics:
            findings.append(f"docs/tracing.md: `{name}` is missing; add a row that says what it is")
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
