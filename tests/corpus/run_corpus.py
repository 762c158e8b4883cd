#!/usr/bin/env python3
"""Runs every workflow and chatflow of a folder with made-up inputs, and says how it went.

Models are played by the scripted server (or the demo model); web services and tools by a proxy on
loopback, so that nothing leaves the machine. Answers are made to fit what the app's own code,
schemas and prompts say (`shapes.py`, `world.py`); a run that fails is tried again with answers in
another style. An app may fail for reasons of its own, which are named; it may not crash, hang, or leave a
trace that is not whole. Exits 1 if one does, or if too few succeed.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import yaml

import shapes
import world

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "release"

# A run that got what it needs is quicker by far, also with sanitizers.
LIMIT_S = 60

CONFIGURATION = """
[[tools.map]]
url = "{url}/tool"

[sandbox]
python = "{python}"
read_only_paths = ["{folder}"]
"""

GRAPH_MODES = ("workflow", "advanced-chat")

# Failures that no runtime can help, by what the error says.
OWN_FAULTS = {
    r"is missing; add it|must be (text|a list|a mapping|one of)": "a node's data breaks a rule",
    r"unknown comparison operator": "a node's data breaks a rule",
    r"should have exactly one item": "a request's body is wrong",
    r"No module named": "code imports what the sandbox lacks",
    r"agent of version 2": "the agent lives in a workspace",
    r"Failed to get agent strategy": "names no strategy",
    r"required positional arg|unexpected keyword arg": "code and its variables do not fit",
    r"Variable #.*# not found": "a node reads what its branch never makes",
    r"NameError|SyntaxError|IndentationError|is not defined": "the code is wrong",
    r"holds no nodes|form a cycle|nested too deep": "a container is wrong",
}


def make_environment(stub, model):
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "FLOWSPAN_")) and not name.lower().endswith("_proxy")
    }
    proxies = {name: stub.url for name in ("http_proxy", "https_proxy", "all_proxy")}
    kept["FLOWSPAN_TRACE_STORE"] = "off"
    return {**kept, **proxies, "no_proxy": "127.0.0.1,localhost", **model.environment}


def made_up_text(field, style):
    name = str(field.get("variable")) + str(field.get("label"))
    made_up = shapes.leaf(name)
    text = style.text if made_up == "tea" else str(made_up)
    return text[: int(field.get("max_length") or 0) or None]


def made_up_value(field, folder, style):
    """What `-i key=` gets for a field of the start form; none leaves it out."""
    kind = field.get("type")
    if kind == "select":
        return (field.get("options") or [None])[0]
    if kind == "number":
        return "3"
    if kind == "checkbox":
        return "true"
    if kind in ("json", "json_object", "json-object"):
        return "{}"
    if kind in ("file", "file-list"):
        is_picture = "image" in (field.get("allowed_file_types") or ["image"])
        return f"@{folder / ('picture.png' if is_picture else 'document.txt')}"
    return made_up_text(field, style)


def made_up_inputs(described, folder, style):
    arguments = []
    for field in described["form"]:
        value = made_up_value(field, folder, style)
        if value is not None:
            arguments += ["-i", f"{field['variable']}={value}"]
    return arguments


class Verdict:
    def __init__(self, file, outcome, reason="", seconds=0.0):
        self.file = file
        self.outcome = outcome
        self.reason = " ".join(reason.split())
        self.seconds = seconds


# A run may end in these ways; the others are our fault.
ACCEPTED = ("succeeded", "partial", "paused", "failed", "refused", "not run")

DONE = ("succeeded", "partial", "paused")


def find_trace_fault(path):
    """What is wrong with the trace, or nothing: one root, every parent there."""
    spans = []
    for line in path.read_text(encoding="utf-8").splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                spans += scope["spans"]
    known = {span["spanId"] for span in spans}
    roots = [span for span in spans if not span.get("parentSpanId")]
    orphans = [span for span in spans if span.get("parentSpanId") and span["parentSpanId"] not in known]
    if len(roots) != 1 or orphans:
        return f"{len(spans)} spans, {len(roots)} roots, {len(orphans)} without their parent"
    return ""


def judge(file, done, trace, seconds):
    error = done.stderr.strip().splitlines()
    last = error[-1].removeprefix("flowspan: ") if error else ""
    if done.returncode not in (0, 1, 2, 3):
        return Verdict(file, "crashed", f"exit code {done.returncode}: {last}", seconds)
    if done.returncode == 2:
        return Verdict(file, "refused", last, seconds)
    result = json.loads(done.stdout)
    if done.returncode == 3:
        return Verdict(file, "paused", "asks a person", seconds)
    if fault := find_trace_fault(trace):
        return Verdict(file, "broken trace", fault, seconds)
    outcome = {"succeeded": "succeeded", "partial-succeeded": "partial"}.get(
        result["status"], "failed"
    )
    return Verdict(file, outcome, last if outcome == "failed" else "", seconds)


def read_app(text):
    """The app as plain data; {} for what only the program can read."""
    try:
        if text.lstrip().startswith("{"):
            wrapped = json.loads(text)
            text = wrapped.get("data") if isinstance(wrapped.get("data"), str) else text
        app = yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        return {}
    return app if isinstance(app, dict) else {}


def make_copy(text):
    """The app with http for https, because the stub has no certificate, and with secrets."""
    text = re.sub(r"https:(//|\\/\\/)", r"http:\1", text)
    return re.sub(r"value: (''|\"\")(\s+value_type: secret)", r"value: made-up\2", text)


def attempt(options, described, text, app, style):
    """One run of a copy in which the rest of the world answers in one style."""
    name = os.path.relpath(described["file"], options.corpus)
    content_type, body = world.service_body(style.service, app)
    server = os.path.abspath(options.model_server) if options.model == "scripted" else None
    with (
        tempfile.TemporaryDirectory() as made,
        world.Stub() as stub,
        world.Model(server, world.make_script(app, style)) as model,
    ):
        stub.content_type, stub.body = content_type, body
        folder = pathlib.Path(made)
        (folder / "app.yml").write_text(make_copy(text), encoding="utf-8")
        (folder / "picture.png").write_bytes(world.PNG)
        (folder / "document.txt").write_text(world.DOCUMENT, encoding="utf-8")
        python = world.make_python(folder / "python", app, content_type, body)
        (folder / "flowspan.toml").write_text(
            CONFIGURATION.format(url=stub.url, python=python, folder=folder / "python"),
            encoding="utf-8",
        )
        trace = folder / "trace.jsonl"
        command = [options.program, "run", "app.yml", "--json", "--trace", "never"]
        command += ["--trace-out", str(trace), *made_up_inputs(described, folder, style)]
        if described["mode"] == "advanced-chat":
            command += ["--query", "Hello, what can you do?"]
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=make_environment(stub, model),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=options.limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Verdict(name, "hung", f"not done after {options.limit} s", options.limit)
        return judge(name, done, trace, time.monotonic() - started)


def run_one(options, described):
    """Tries one style after the other until the app succeeds; the first failure is what counts."""
    name = os.path.relpath(described["file"], options.corpus)
    if described["is_not_an_app"]:
        return Verdict(name, "not run", "not an app")
    if not described["can_load"]:
        return Verdict(name, "not run", "does not load")
    if described["mode"] not in GRAPH_MODES:
        return Verdict(name, "not run", f"mode {described['mode']}")
    text = pathlib.Path(described["file"]).read_text(encoding="utf-8")
    app = read_app(text)
    first = None
    for style in world.STYLES:
        verdict = attempt(options, described, text, app, style)
        if verdict.outcome in DONE or verdict.outcome not in ACCEPTED:
            return verdict
        first = first or verdict
    for pattern, fault in OWN_FAULTS.items():
        if re.search(pattern, first.reason):
            first.reason = f"[its own: {fault}] {first.reason}"
            break
    return first


def describe_all(options):
    files = sorted(
        str(path)
        for path in pathlib.Path(options.corpus).rglob("*")
        if path.suffix.lower() in (".yml", ".yaml", ".json") and path.is_file()
    )
    if not files:
        sys.exit(f"run_corpus: no app files in {options.corpus}")
    done = subprocess.run(
        [options.describe, *files], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def print_report(verdicts, options):
    width = min(60, max(len(verdict.file) for verdict in verdicts))
    columns = shutil.get_terminal_size((160, 40)).columns
    for verdict in verdicts:
        line = f"{verdict.outcome:<12} {verdict.seconds:6.2f} s  {verdict.file:<{width}}  "
        print((line + verdict.reason)[: columns if options.cut else None].rstrip())
    counts = collections.Counter(verdict.outcome for verdict in verdicts)
    done = sum(counts[outcome] for outcome in DONE)
    run = len(verdicts) - counts["not run"]
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()))
    print(f"{len(verdicts)} files, {run} run, {done} succeeded: {100 * done / max(run, 1):.1f} %")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", default=str(HERE / "sample"), help="folder of app files")
    parser.add_argument("--program", default=str(BUILD / "flowspan"))
    parser.add_argument("--describe", default=str(BUILD / "flowspan_describe_app"))
    parser.add_argument("--model-server", default=str(BUILD / "flowspan_model_server"))
    parser.add_argument("--model", choices=("scripted", "demo"), default="scripted")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds a run may take")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cut", action="store_true", help="cut lines at the terminal's width")
    parser.add_argument("--minimum", type=float, default=0, help="per cent that must succeed")
    return parser.parse_args()


def main():
    options = parse_arguments()
    options.program = os.path.abspath(options.program)
    apps = describe_all(options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(lambda app: run_one(options, app), apps))
    print_report(verdicts, options)
    run = [verdict for verdict in verdicts if verdict.outcome != "not run"]
    done = [verdict for verdict in run if verdict.outcome in DONE]
    if any(verdict.outcome not in ACCEPTED for verdict in verdicts):
        return 1
    return 0 if 100 * len(done) >= options.minimum * len(run) else 1


if __name__ == "__main__":
    sys.exit(main())
