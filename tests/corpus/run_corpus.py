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

import inputs
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
    r"` is missing|must be (text|a list|a mapping|one of)": "a node's data breaks a rule",
    r"unknown comparison operator|names `.*` a second time": "a node's data breaks a rule",
    r"should have exactly one item": "a request's body is wrong",
    r"agent of version 2|node type .* cannot run here": "part of it lives in a workspace",
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


class Verdict:
    def __init__(self, file, outcome, reason="", seconds=0.0):
        self.file = file
        self.outcome = outcome
        self.reason = " ".join(reason.split())
        self.own_fault = ""  # why no runtime could run it
        self.seconds = seconds


# A run may end in these ways; the others are our fault.
ACCEPTED = ("succeeded", "partial", "failed", "refused", "not run")

DONE = ("succeeded", "partial")

# Forms that a run may ask a person to fill in, one after the other.
FORMS_MAX = 10


def find_trace_fault(paths):
    """What is wrong with the trace, or nothing: one root, every parent there."""
    spans = []
    for path in paths:
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


def judge(file, done, traces, seconds):
    last = done.stderr.strip().rpartition("flowspan: ")[2]
    if done.returncode not in (0, 1, 2, 3):
        return Verdict(file, "crashed", f"exit code {done.returncode}: {last}", seconds)
    if done.returncode == 2:
        return Verdict(file, "refused", last, seconds)
    if done.returncode == 3:
        return Verdict(file, "failed", f"still asks after {FORMS_MAX} answers", seconds)
    if fault := find_trace_fault(traces):
        return Verdict(file, "broken trace", fault, seconds)
    outcome = {"succeeded": "succeeded", "partial-succeeded": "partial"}.get(
        json.loads(done.stdout)["status"], "failed"
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
    # As YAML, as YAML inside a JSON text, and as JSON.
    text = re.sub(
        r"value: (?:''|\\?\"\\?\")((?:\s|\\n)+value_type: secret)", r"value: made-up\1", text
    )
    return re.sub(r'("value": )""(, "value_type": "secret")', r'\1"made-up"\2', text)


class Attempt:
    """One run of a copy in a folder of its own, with whatever a person has to answer on the way."""

    def __init__(self, options, described, folder, environment, style):
        self._options = options
        self._described = described
        self._folder = folder
        self._environment = environment
        self._style = style
        self._traces = []

    def judge(self):
        name = os.path.relpath(self._described["file"], self._options.corpus)
        started = time.monotonic()
        try:
            done = self._run_to_the_end()
        except subprocess.TimeoutExpired:
            limit = self._options.limit
            return Verdict(name, "hung", f"not done after {limit} s", limit)
        return judge(name, done, self._traces, time.monotonic() - started)

    def _run_to_the_end(self):
        given = inputs.of_start(self._described, self._folder, self._style)
        done = self._flowspan("run", "app.yml", "--pause-file", "paused.json", *given)
        for _ in range(FORMS_MAX):
            if done.returncode != 3:
                break
            reasons = json.loads(done.stdout)["pause_reasons"]
            form = next(reason for reason in reasons if reason.get("form_id"))
            answer = inputs.of_answer(form, self._folder, self._style)
            done = self._flowspan("resume", "paused.json", *answer)
        return done

    def _flowspan(self, *arguments):
        trace = self._folder / f"trace{len(self._traces)}.jsonl"
        self._traces.append(trace)
        return subprocess.run(
            [
                self._options.program, *arguments,
                "--json", "--trace", "never", "--trace-out", str(trace),
            ],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self._options.limit,
            check=False,
        )


def attempt(options, described, text, app, style):
    """One run in which the rest of the world answers in one style."""
    content_type, body = world.service_body(style.service, app)
    server = os.path.abspath(options.model_server) if options.model == "scripted" else None
    with (
        tempfile.TemporaryDirectory() as made,
        world.Stub(content_type, body, world.tool_reply(app, body)) as stub,
        world.Model(server, world.make_script(app, style)) as model,
    ):
        folder = pathlib.Path(made)
        (folder / "app.yml").write_text(make_copy(text), encoding="utf-8")
        python = world.make_python(folder / "python", app, content_type, body)
        (folder / "flowspan.toml").write_text(
            CONFIGURATION.format(url=stub.url, python=python, folder=folder / "python"),
            encoding="utf-8",
        )
        environment = make_environment(stub, model)
        return Attempt(options, described, folder, environment, style).judge()


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
            first.own_fault = fault
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
        fault = f"[its own: {verdict.own_fault}] " if verdict.own_fault else ""
        print((line + fault + verdict.reason)[: columns if options.cut else None].rstrip())
    counts = collections.Counter(verdict.outcome for verdict in verdicts)
    done = sum(counts[outcome] for outcome in DONE)
    run = len(verdicts) - counts["not run"]
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()))
    own = sum(bool(verdict.own_fault) for verdict in verdicts)
    print(f"{len(verdicts)} files, {run} run, {done} succeeded: {100 * done / max(run, 1):.1f} %")
    print(f"without the {own} at fault themselves: {100 * done / max(run - own, 1):.1f} %")


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
