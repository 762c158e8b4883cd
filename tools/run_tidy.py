#!/usr/bin/env python3
"""Runs clang-tidy 19 over files in parallel and counts what it finds by room and by check.

    tools/run_tidy.py --build build/dev [--jobs N] [--fast] FILE...

With --fast the checks that take most of the time are left out (the analyzer, bugprone, const
correctness): about three seconds a file instead of twelve. Without files: every source of src/.
Headers are checked through the sources that include them, so a header on the list brings its own
source along, if there is one. A file that was clean with the same content, the same .clang-tidy and
the same compile command is not checked again, as long as no header of the project changed.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARNING = re.compile(r"^(?P<file>/[^:]+):(?P<line>\d+):\d+: (?:warning|error): .*\[(?P<check>[^\]]+)\]")


def load_commands(build):
    entries = json.loads((build / "compile_commands.json").read_text())
    return {str(pathlib.Path(entry["directory"], entry["file"]).resolve()): entry["command"]
            for entry in entries}


def sources_of(files, commands):
    """The files that have a compile command, in the order given; headers give way to sources."""
    chosen = []
    for file in files:
        path = pathlib.Path(file).resolve()
        if path.suffix == ".hpp":
            candidates = [path.with_suffix(".cpp"), *stands_for(path)]
            path = next((one for one in candidates if str(one) in commands), path)
        if str(path) in commands and str(path) not in chosen:
            chosen.append(str(path))
    return chosen


def stands_for(header):
    """Where the source of a public header stands."""
    try:
        relative = header.relative_to(ROOT / "include" / "flowspan")
    except ValueError:
        return []
    return [(ROOT / "src" / relative).with_suffix(".cpp")]


def room_of(file):
    parts = pathlib.Path(file).resolve().relative_to(ROOT).parts
    if parts[0] == "include":
        return parts[2] if len(parts) > 3 else "include"
    if parts[0] == "src":
        return "/".join(parts[1:3]) if parts[1] == "infra" else parts[1]
    return parts[0]


def header_state():
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for top in ("src", "include", "tests", "bench"):
        for path in sorted((ROOT / top).rglob("*.hpp")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def find_warnings(output):
    """The distinct (file, line, check) of clang-tidy's output, with the line as printed."""
    found = {}
    for line in output.splitlines():
        match = WARNING.match(line)
        # The analyzer also reports paths that end inside of libraries.
        if match and pathlib.Path(match["file"]).is_relative_to(ROOT):
            checks = match["check"].removesuffix(",-warnings-as-errors")
            found[(match["file"], int(match["line"]), checks)] = line
    return found


SLOW_CHECKS = "-clang-analyzer-*,-bugprone-*,-misc-const-correctness"


def run_one(build, file, is_fast):
    command = ["clang-tidy-19", "-p", str(build), "--quiet", file]
    if is_fast:
        command.append(f"--checks={SLOW_CHECKS}")
    done = subprocess.run(command,
                          capture_output=True, text=True, check=False)
    found = find_warnings(done.stdout)
    # A file that does not even parse has no warnings, but is not clean either.
    if "[clang-diagnostic-error]" in done.stdout and not found:
        found[(file, 0, "clang-tidy")] = done.stdout + done.stderr
    return found


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("files", nargs="*")
    return parser.parse_args()


def report(found):
    rooms = collections.Counter(room_of(file) for file, _, _ in found)
    checks = collections.Counter(check for _, _, check in found)
    for title, counter in (("room", rooms), ("check", checks)):
        for name, count in counter.most_common():
            print(f"{title:>6}  {count:5}  {name}")


def main():
    arguments = parse_arguments()
    commands = load_commands(arguments.build)
    state = header_state()
    clean_folder = arguments.build / "tidy_clean"
    clean_folder.mkdir(exist_ok=True)

    def mark_of(file):
        key = f"{state} {arguments.fast} {commands[file]}"
        digest = hashlib.sha256(key.encode() + pathlib.Path(file).read_bytes())
        return clean_folder / digest.hexdigest()

    files = sources_of(arguments.files or sorted((ROOT / "src").rglob("*.cpp")), commands)
    todo = [file for file in files if not mark_of(file).exists()]
    print(f"lint: {len(todo)} files to check, {len(files) - len(todo)} unchanged and clean",
          flush=True)
    found = {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = {pool.submit(run_one, arguments.build, file, arguments.fast): file for file in todo}
        for count, run in enumerate(concurrent.futures.as_completed(runs), 1):
            for key, text in run.result().items():
                if key not in found:
                    print(text, flush=True)
                found[key] = text
            if not run.result():
                mark_of(runs[run]).touch()
            if count % 10 == 0:
                print(f"lint: {count} of {len(todo)}", flush=True)
    report(found)
    print(f"lint: {len(found)} warnings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
