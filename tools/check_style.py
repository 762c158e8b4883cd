#!/usr/bin/env python3
"""Checks the house rules that a formatter and clang-tidy do not see. Each finding says what to do.

    tools/check_style.py [ROOT]
"""

import pathlib
import re
import sys

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
README_LINES_MAX = 40

# Stands in the lists below for all unit tests and everything under tests/ and bench/.
TESTS = "<tests>"

# What a file's code (not its comments and strings) may not hold: pattern, what to do, and where it
# is right all the same (path prefixes).
BANNED = [
    (r"\bdetached\b", "nothing is detached; use async::TaskGroup", ["src/async/"]),
    (r"\bco_spawn\b", "use async::TaskGroup or async::Runtime",
     ["src/async/", "include/flowspan/async/", "tests/stress/", "tests/support/", "bench/"]),
    (r"\bstd::j?thread\b", "use async::Runtime or the pools",
     ["src/async/", "include/flowspan/async/", "src/export/", TESTS]),
    (r"\bstd::async\b", "use the pools of async", [TESTS]),
    (r"\bthread_local\b", "state belongs to the task; use async::TaskContext",
     ["src/async/", "include/flowspan/async/", "src/trace/", "src/base/", "src/export/"]),
    (r"\bstd::regex\b|#include <regex>", "write a small parser; std::regex recurses and is slow",
     []),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "use a timer of async; tests wait for "
     "conditions", ["tests/support/", "bench/"]),
    (r"\bsystem_clock::now\b", "use base::Clock", ["src/base/clock.cpp", "bench/"]),
    (r"\bstd::(cout|cerr|clog|endl)\b", "log with spdlog, or print through cli::Terminal",
     ["src/cli/terminal.cpp", "tests/support/", "bench/"]),
    (r"(?<![\w:])(std::)?f?printf\s*\(", "log with spdlog, or print through cli::Terminal",
     ["src/base/error.cpp", "tests/support/", "bench/"]),
    (r"\bstd::format\b|#include <format>", "use fmt; the C++ library of GCC 12 has no <format>",
     []),
    (r"(?<![\w.])assert\s*\(", "use FLOWSPAN_ASSERT, which is always on", []),
    (r"\busing namespace std;", "write std::", []),
    (r"\b(class|struct)\s+\w*(Manager|Helper|Utils?)\b", "name what it is, not that it helps", []),
    (r"\brand\s*\(\s*\)|\bstd::random_device\b", "use base::RandomSource",
     ["src/base/", TESTS]),
]

# What no text of the project may hold, comments and docs included.
BANNED_TEXT = [
    (r"FIXME|TODO\(now\)", "finish it, or say TODO(perf|cleanup|test|security): why"),
    (r"\bTODO\b(?!\((perf|cleanup|test|security)\): )", "say TODO(perf|cleanup|test|security): "
     "why"),
    (r"(?<![\w.])/(work|farm)/\w", "a path of one machine; write it relative to the project"),
    (r"^(?!.*\w/\w[\w.-]* issue).*\b[Ii]ssue #?\d+", "give the reason instead of a number"),
    (r"\b(this|earlier|previous|next) session\b", "the project speaks of itself alone"),
    (r"\b(deb|security|ftp|snapshot|registry|proxy)\.\w+\.(org|com|io)\b",
     "no host of a package registry; take it from the machine's configuration"),
]

# Files that may catch, and how often. House rule: exceptions are for what nobody can fix. Each
# number may only fall; docs/architecture.md says why the boundary is there.
CATCH_MAX = {
    "include/flowspan/async/deadline.hpp": 2,   # carries a failure out of the inner task
    "include/flowspan/async/runtime.hpp": 1,    # carries a failure to the waiting thread
    "include/flowspan/trace/trace_span.hpp": 2,  # ends the span, then lets it pass
    "src/async/pools.cpp": 1,                   # carries a failure back from a pool thread
    "src/async/task.cpp": 2,                    # tells cancellation from failure
    "src/cli/config.cpp": 1,                    # toml++ reports by throwing
    "src/cli/main.cpp": 1,
    "src/cli/options.cpp": 1,                   # CLI11 reports by throwing
    "src/engine/engine.cpp": 1,
    "src/engine/layer_set.cpp": 2,              # a layer that fails is switched off
    "src/engine/run_node.cpp": 2,
    "src/nodes/json_schema.cpp": 2,             # valijson reports by throwing
    "src/observe/run_spans.cpp": 1,             # attribute parsers may be a program's own code
    "src/tools/yaml_text.cpp": 1,               # yaml-cpp reports by throwing
    "src/trace/tracer.cpp": 2,
}

# A literal like "gen_ai.request.model" outside of the one table of names.
NAMES_HEADER = "include/flowspan/trace/names.hpp"
ATTRIBUTE = re.compile(
    r'^((gen_ai|dify|http|url|network|server|client|error|exception|db|messaging|user|session'
    r'|otel|telemetry|service|code|process|host|deployment)(\.[a-z_]+)+'
    r'|flowspan(\.[a-z_]+){2,})$')
# Names of resources and of the pipeline itself are the export room's own.
ATTRIBUTE_FREE = ["src/export/"]

CODE_FOLDERS = ["src", "include", "tests", "bench"]
TEXT_SUFFIXES = {".cpp", ".hpp", ".md", ".txt", ".py", ".sh", ".js", ".cmake", ".yml", ".yaml",
                 ".json", ".toml", ".def", ".in", ""}
# Copies of other programs' output and of other people's words.
TEXT_FREE = ["LICENSE", "tools/check_style.py", "tools/tests/", "tests/fuzz/"]
IGNORED_FOLDERS = {"build", ".git", ".cache", "node_modules", "__pycache__"}


class Findings:
    def __init__(self):
        self.lines = []

    def add(self, path, number, text):
        self.lines.append(f"{path}:{number}: {text}")


TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![\w])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def split_code(text):
    """Returns the text without comments and literals (same lines), and the string literals as
    (line number, content)."""
    literals = []

    def blank(match):
        token = match[0]
        if token.startswith('"'):
            literals.append((text.count("\n", 0, match.start()) + 1, token[1:-1]))
            return '""'
        if token.startswith("/") or token.startswith("R"):
            return "\n" * token.count("\n")
        return "' '"

    return TOKEN.sub(blank, text), literals


def is_below(path, prefixes):
    return any(path == prefix or (prefix.endswith("/") and path.startswith(prefix))
               for prefix in prefixes)


def is_test(path):
    return ("/testing/" in path or path.startswith(("tests/", "bench/"))
            or bool(re.search(r"_(test|fuzz|bench)(_\w+)?\.(cpp|hpp)$", path)))


def check_banned(findings, path, code):
    for pattern, advice, allowed in BANNED:
        if is_below(path, allowed) or (TESTS in allowed and is_test(path)):
            continue
        for number, line in enumerate(code.splitlines(), 1):
            match = re.search(pattern, line)
            if match:
                findings.add(path, number, f"`{match[0].strip()}`: {advice}")


def check_catch(findings, path, code):
    if is_test(path):
        return
    places = [number for number, line in enumerate(code.splitlines(), 1)
              if re.search(r"\bcatch\s*\(", line)]
    allowed = CATCH_MAX.get(path, 0)
    if len(places) > allowed:
        findings.add(path, places[-1], f"{len(places)} `catch`, allowed are {allowed}: return a "
                                       "Result, or let it pass to the entry of the run")
    elif len(places) < allowed:
        findings.add(path, 1, f"has {len(places)} `catch`; lower its number in CATCH_MAX of "
                              "tools/check_style.py")


def check_attributes(findings, path, literals, names):
    if is_test(path) or path == NAMES_HEADER or is_below(path, ATTRIBUTE_FREE):
        return
    for number, literal in literals:
        if literal in names or ATTRIBUTE.match(literal):
            findings.add(path, number, f'"{literal}": span attributes are named in {NAMES_HEADER} '
                                       "only")


def check_header(findings, path, text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "#pragma once":
        findings.add(path, 1, "a header starts with #pragma once")
    elif len(lines) < 2 or not lines[1].startswith("//"):
        findings.add(path, 2, "say in one sentence what the header is for, below #pragma once")


SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")


def long_functions(code):
    """(first line, lines) of each function body, found by its braces."""
    stack, start, line = [], 0, 1
    for position, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == ";":
            start = position + 1
        elif char == "{":
            head = code[start:position]
            outside = all(kind == "scope" for kind, _ in stack)
            if SCOPE.search(head.split("(")[0]) or head.strip() == "":
                kind = "scope" if outside and head.strip() else "block"
            elif "(" in head and outside:
                kind = "function"
            else:
                kind = "block"
            stack.append((kind, line))
            start = position + 1
        elif char == "}":
            if stack:
                kind, first = stack.pop()
                if kind == "function":
                    yield first, line - first + 1
            start = position + 1


def check_length(findings, path, text, code):
    count = len(text.splitlines())
    if count > FILE_LINES_MAX:
        findings.add(path, count, f"{count} lines; split by concept ({FILE_LINES_MAX} at most)")
    if code is None or is_test(path):
        return
    for first, lines in long_functions(code):
        if lines > FUNCTION_LINES_MAX:
            findings.add(path, first, f"a function of {lines} lines; split it "
                                      f"({FUNCTION_LINES_MAX} at most)")


def check_text(findings, path, text):
    if is_below(path, TEXT_FREE):
        return
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, advice in BANNED_TEXT:
            match = re.search(pattern, line)
            if match:
                findings.add(path, number, f"`{match[0]}`: {advice}")
        if line != line.rstrip() and not path.endswith(".md"):
            findings.add(path, number, "spaces at the end of the line")
    if text and not text.endswith("\n"):
        findings.add(path, len(text.splitlines()), "no newline at the end of the file")


LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")


def check_links(findings, root, path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for match in LINK.finditer(line):
            target = match[1]
            if "://" not in target and not (root / path).parent.joinpath(target).exists():
                findings.add(path, number, f"links to {target}, which is not there")


def check_readmes(findings, root):
    for cmake in sorted((root / "src").rglob("CMakeLists.txt")):
        if "flowspan_library(" not in cmake.read_text():
            continue
        readme = cmake.parent / "README.md"
        path = readme.relative_to(root).as_posix()
        if not readme.exists():
            findings.add(path, 1, "a room has a README.md: what it is, what it is not, where to "
                                  "start reading, invariants")
        elif len(readme.read_text().splitlines()) > README_LINES_MAX:
            findings.add(path, README_LINES_MAX + 1, f"at most {README_LINES_MAX} lines")


def text_files(root):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if (IGNORED_FOLDERS.isdisjoint(relative.parts) and path.suffix in TEXT_SUFFIXES
                and path.is_file() and not path.is_symlink()):
            yield relative.as_posix(), path


def check(root):
    findings = Findings()
    names_file = root / NAMES_HEADER
    names = set()
    if names_file.exists():
        names = {text for _, text in split_code(names_file.read_text())[1] if "." in text}
    for path, file in text_files(root):
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        check_text(findings, path, text)
        is_cpp = path.endswith((".cpp", ".hpp")) and path.split("/")[0] in CODE_FOLDERS
        code = None
        if is_cpp:
            code, literals = split_code(text)
            check_banned(findings, path, code)
            check_catch(findings, path, code)
            check_attributes(findings, path, literals, names)
            if path.endswith(".hpp"):
                check_header(findings, path, text)
        elif path.endswith(".md"):
            check_links(findings, root, path, text)
        if is_cpp or path.endswith((".py", ".js", ".sh")):
            check_length(findings, path, text, code)
    for path in CATCH_MAX:
        if not (root / path).exists():
            findings.add(path, 1, "is gone; take it out of CATCH_MAX of tools/check_style.py")
    check_readmes(findings, root)
    return findings.lines


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                        else pathlib.Path(__file__).resolve().parent.parent)
    lines = check(root)
    for line in lines:
        print(line)
    print(f"style: {len(lines)} findings")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
