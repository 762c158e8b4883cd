#!/usr/bin/env python3
"""Checks who knows whom: includes between the rooms of src/, what a room's CMakeLists.txt says it
USES, and which room may include which library. The tables below are the rule; docs/architecture.md
gives the reasons.

    tools/check_layers.py [ROOT]
"""

import pathlib
import re
import sys

# Room -> rooms whose headers it may include. `base` is open to all.
MAY_USE = {
    "base": [],
    "value": [],
    "async": [],
    "trace": ["async"],
    "infra/http": ["async", "trace"],
    "infra/sql": ["async", "trace"],
    "infra/redis": ["async", "trace"],
    "infra/queue": ["async", "trace"],
    "infra/sandbox": ["async", "trace"],
    "dsl": ["value"],
    "engine": ["async", "value", "dsl"],
    "model": ["async", "value", "trace", "infra/http"],
    "knowledge": ["async", "value", "trace", "model", "infra/sql"],
    "tools": ["async", "value", "trace", "infra/http", "infra/sandbox"],
    "agent": ["async", "value", "trace", "model", "tools"],
    "nodes": ["async", "value", "dsl", "engine", "model", "knowledge", "tools", "agent",
              "infra/http", "infra/sandbox"],
    "store": ["async", "value", "infra/sql"],
    "draw": ["dsl"],
    "service": ["async", "value", "trace", "dsl", "engine", "model", "knowledge", "agent", "store"],
    "observe": ["async", "value", "trace", "dsl", "engine", "service", "model", "knowledge",
                "tools", "agent"],
    "export": ["async", "trace", "store"],
    "server": ["async", "value", "trace", "service", "store", "export"],
    "worker": ["async", "value", "trace", "service", "infra/queue"],
}
# Builds and plugs together every object.
MAY_USE["cli"] = [room for room in MAY_USE]

# Include prefix -> rooms that may include it. A library that is not named here is open to all.
LIBRARY_ROOMS = {
    "opentelemetry/sdk/": ["export"],
    "opentelemetry/exporters/": ["export"],
    "opentelemetry/": ["trace", "infra/http", "infra/sql", "infra/redis", "infra/queue",
                       "infra/sandbox", "model", "knowledge", "tools", "agent", "observe",
                       "export", "server", "worker", "cli"],
    "curl/": ["infra/http", "export"],
    "yaml.h": ["dsl", "nodes"],
    "yaml-cpp/": ["tools"],
    "sqlite3": ["infra/sql"],
    "poppler": ["nodes"],
    "pugixml": ["nodes"],
    "zip.h": ["nodes"],
    "seccomp": ["infra/sandbox"],
    "re2/": ["trace"],
    "openssl/": ["export"],
    "CLI/": ["cli"],
    "toml++/": ["cli"],
}

# Headers of rooms that a public header of the same room stands for; both are installed.
INSTALLED = ["infra/http/http_client.hpp", "infra/sql/database.hpp",
             "observe/observability_layer.hpp"]

# Seen by their tests only, though neither their name nor their folder says so.
TEST_FILES = ["src/trace/span_recording.hpp"]

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
LIBRARY_CALL = re.compile(r"flowspan_library\((\w+)(.*?)\n?\)\s*$", re.DOTALL | re.MULTILINE)
KEYWORDS = {"USES", "LINKS", "PRIVATE_LINKS", "SOURCES", "TESTS", "TEST_USES", "TEST_LINKS"}


def room_of(path):
    """The room that a path below src/ or include/flowspan/ stands in, or None."""
    parts = path.split("/")
    for length in (2, 1):
        name = "/".join(parts[:length])
        if len(parts) > length and name in MAY_USE:
            return name
    return None


def is_test(relative):
    name = relative.rsplit("/", 1)[-1]
    return (bool(re.search(r"_(test|fuzz|bench)(_\w+)?\.(cpp|hpp)$", name))
            or "/testing/" in relative or relative in TEST_FILES)


def target_name(room):
    return room.replace("/", "_")


class Findings:
    def __init__(self):
        self.lines = []

    def add(self, place, text):
        self.lines.append(f"{place}: {text}")


def check_library(findings, place, room, header):
    for prefix, rooms in LIBRARY_ROOMS.items():
        if header.startswith(prefix):
            if room not in rooms:
                findings.add(place, f"<{header}> belongs to {', '.join(rooms)}; {room} asks one of "
                                    "these rooms instead")
            return


def check_includes(root, findings):
    """Reads every include; returns room -> rooms that its program code includes."""
    used = {room: set() for room in MAY_USE}
    for top in ("src", "include/flowspan"):
        for path in sorted((root / top).rglob("*.[ch]pp")):
            relative = path.relative_to(root).as_posix()
            room = room_of(path.relative_to(root / top).as_posix())
            if room is None:
                findings.add(f"{relative}:1", "stands in no room that tools/check_layers.py knows; "
                                              "add the room to MAY_USE and to "
                                              "docs/architecture.md")
                continue
            if is_test(relative):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if match:
                    check_include(findings, used, relative, number, room, match[2])
    return used


def check_include(findings, used, relative, number, room, header):
    place = f"{relative}:{number}"
    is_public = header.startswith("flowspan/")
    other = room_of(header.removeprefix("flowspan/"))
    if other is None:
        check_library(findings, place, room, header)
        return
    if relative.startswith("include/") and not is_public and header not in INSTALLED:
        findings.add(place, f"a public header includes \"{header}\", which is not one; move what it "
                            "needs to include/flowspan/ or declare it")
    if other == room:
        return
    used[room].add(other)
    if other != "base" and other not in MAY_USE[room]:
        findings.add(place, f"{room} may not know {other}; let it come in as a value or through an "
                            "interface of a room it may use (" +
                            (", ".join(["base"] + MAY_USE[room])) + ")")
    elif "/detail/" in header:
        findings.add(place, f"\"{header}\" is private to {other}; use its other headers")


def parse_uses(text):
    """Target name -> (USES, TEST_USES) of each flowspan_library() in a CMakeLists.txt."""
    libraries = {}
    code = "\n".join(line.split("#", 1)[0] for line in text.splitlines())
    for match in LIBRARY_CALL.finditer(code):
        groups, current = {}, None
        for word in match[2].split():
            if word in KEYWORDS:
                current = word
            elif current:
                groups.setdefault(current, []).append(word)
        libraries[match[1]] = groups.get("USES", [])
    return libraries


def check_uses(root, findings, used):
    rooms = {target_name(room): room for room in MAY_USE}
    for room in MAY_USE:
        path = root / "src" / room / "CMakeLists.txt"
        if not path.exists():
            continue
        relative = path.relative_to(root).as_posix()
        libraries = parse_uses(path.read_text())
        if target_name(room) not in libraries:
            findings.add(f"{relative}:1", f"declares no flowspan_library({target_name(room)} ...)")
            continue
        uses = {rooms.get(name, name) for name in libraries[target_name(room)]}
        # More than is included is fine: types of a used room's own interface need no include.
        for other in sorted(uses - {"base", *MAY_USE[room]}):
            findings.add(f"{relative}:1", f"USES {target_name(other)}, which {room} may not know; "
                                          "remove it")
        for other in sorted(used[room] - uses):
            findings.add(f"{relative}:1", f"sources include {other}; add {target_name(other)} to "
                                          "USES")


def check(root):
    findings = Findings()
    check_uses(root, findings, check_includes(root, findings))
    return findings.lines


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                        else pathlib.Path(__file__).resolve().parent.parent)
    lines = check(root)
    for line in lines:
        print(line)
    print(f"layers: {len(lines)} findings")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
