#!/usr/bin/env python3
"""Writes docs/reference from what the program says of itself.

    tools/make_docs.py DESCRIBE            write
    tools/make_docs.py DESCRIBE --check    exit 1 if a page is not as the code has it
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = "<!-- Written by ./dev docs from the code; edits are lost. -->\n\n"


def table(heads, rows):
    """Markdown; pipes in cells are escaped, empty cells stay empty."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def code(text):
    return f"`{text}`" if text else ""


def kinds_page(kinds):
    text = HEAD + "# Node kinds\n\nWhat runs, under the names that app files use.\n"
    for kind in kinds:
        text += f"\n## {kind['type']}\n\n{kind['description']}"
        if kind["is_retryable"]:
            text += " Honours `retry_config`."
        if kind["aliases"]:
            text += f" In old files: {', '.join(code(name) for name in kind['aliases'])}."
        text += "\n\n"
        text += table(["key", "type", "", "what"],
                      [[code(field["key"]), field["type"],
                        "required" if field["is_required"] else "", field["description"]]
                       for field in kind["fields"]]) if kind["fields"] else ""
        if kind["companions"]:
            text += "\nIts companions:\n\n"
        for companion in kind["companions"]:
            text += f"- {code(companion['type'])}: {companion['description']}\n"
        cases = ROOT / "src" / "nodes" / kind["type"].replace("-", "_") / "cases"
        if cases.is_dir():
            folder = cases.relative_to(ROOT)
            text += f"\nExamples: [`{folder}`](../../{folder})\n"
    return text


def settings_page(settings):
    return (HEAD + "# Settings\n\nEvery key of `flowspan.toml` with its default; `[]` stands for the "
            "items of a list, `*` for any key. [How they are read](../guide/configuration.md).\n\n"
            + table(["key", "type", "default"],
                    [[code(one["key"]), one["type"], code(one["default"])] for one in settings]))


def error_meanings():
    """The comment of each error code in the header that defines them."""
    header = (ROOT / "include" / "flowspan" / "base" / "error.hpp").read_text()
    return dict(re.findall(r"^    (\w+),\s*///< (.*)$", header, re.MULTILINE))


def errors_page(codes):
    meanings = error_meanings()
    return (HEAD + "# Error codes\n\nThe classes of failure, on spans as `error.type` where nothing "
            "more exact is known.\n\n"
            + table(["code", "meaning"],
                    [[code(one["code"]), meanings[one["code"]]] for one in codes]))


def pages(description):
    return {
        "kinds.md": kinds_page(description["kinds"]),
        "settings.md": settings_page(description["settings"]),
        "errors.md": errors_page(description["error_codes"]),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("describe")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    output = subprocess.run([arguments.describe], capture_output=True, text=True, check=True).stdout
    folder = ROOT / "docs" / "reference"
    folder.mkdir(exist_ok=True)
    stale = []
    for name, text in pages(json.loads(output)).items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            stale.append(f"docs/reference/{name}")
            if not arguments.check:
                path.write_text(text)
    for name in stale:
        print(f"{name} {'is not as the code has it; run ./dev docs' if arguments.check else 'written'}")
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
