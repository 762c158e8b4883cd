#!/usr/bin/env python3
"""Runs every workflow and chatflow of a folder once, with made-up inputs, and says how it went.

Models are played by the scripted server (or the demo model); all other HTTP goes through a proxy on
loopback that answers every request with 200 and a small JSON object, so that nothing leaves the
machine. A run may fail, because an app may need what made-up inputs cannot give; it may not crash,
hang, or leave a trace that is not whole. Exits 1 if one does, or if too few succeed.
"""

import argparse
import collections
import concurrent.futures
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "release"

# A run that got what it needs is quicker by far, also with sanitizers.
LIMIT_S = 60

# A red dot.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccf"
    "c0f01f0005050201a5f6457d0000000049454e44ae426082"
)

DOCUMENT = "Tea was carried over the mountains. It was pressed into bricks.\n"

# Whoever asks for JSON gets some.
SCRIPT = """
tokens: 12
replies:
  - when: {any_message: category_id}
    text: '{"keywords": ["tea"], "category_id": "", "category_name": ""}'
  - when: {any_message: JSON}
    text: '{"result": "tea", "text": "tea", "items": ["tea"]}'
  - when: {any_message: json}
    text: '{"result": "tea", "text": "tea", "items": ["tea"]}'
"""

# Tools are played by the stub, too.
CONFIGURATION = """
[[tools.map]]
url = "%s/tool"
"""

GRAPH_MODES = ("workflow", "advanced-chat")


class Stub:
    """Plays the rest of the world: a proxy that answers everything itself."""

    BODY = json.dumps(
        {"ok": True, "code": 0, "message": "from the stub", "data": {"text": "stub", "items": []}}
    ).encode()

    def __enter__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(Stub.BODY)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(Stub.BODY)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = answer

            def do_CONNECT(self):
                self.send_error(502, "nothing leaves this machine")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class Model:
    """The scripted model server; without a program the built-in demo model answers."""

    def __init__(self, program):
        self._program = program
        self.environment = {}

    def __enter__(self):
        if self._program:
            with tempfile.NamedTemporaryFile("w", suffix=".script", encoding="utf-8") as script:
                script.write(SCRIPT)
                script.flush()
                self._process = subprocess.Popen(
                    [self._program, "--script", script.name], stdout=subprocess.PIPE, text=True
                )
                # Once it listens it has read the file.
                port = self._process.stdout.readline().rsplit(":", 1)[1].strip()
            self.environment = {"FLOWSPAN_MODEL_BASE_URL": f"http://127.0.0.1:{port}/v1"}
        return self

    def __exit__(self, *_):
        if self._program:
            self._process.terminate()
            self._process.wait(LIMIT_S)


def make_environment(stub, model):
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "FLOWSPAN_")) and not name.lower().endswith("_proxy")
    }
    proxies = {name: stub.url for name in ("http_proxy", "https_proxy", "all_proxy")}
    kept["FLOWSPAN_TRACE_STORE"] = "off"
    return {**kept, **proxies, "no_proxy": "127.0.0.1,localhost", **model.environment}


def made_up_value(field, folder):
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
    return "Tea in twelve cups"[: field.get("max_length") or None]


def made_up_inputs(app, folder):
    arguments = []
    for field in app["form"]:
        value = made_up_value(field, folder)
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
ACCEPTED = ("succeeded", "partial", "failed", "refused", "not run")


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
    if done.returncode not in (0, 1, 2):
        return Verdict(file, "crashed", f"exit code {done.returncode}: {last}", seconds)
    if done.returncode == 2:
        return Verdict(file, "refused", last, seconds)
    result = json.loads(done.stdout)
    if fault := find_trace_fault(trace):
        return Verdict(file, "broken trace", fault, seconds)
    outcome = {"succeeded": "succeeded", "partial-succeeded": "partial"}.get(
        result["status"], "failed"
    )
    return Verdict(file, outcome, last if outcome == "failed" else "", seconds)


def run_one(options, app, environment):
    """Runs a copy in which https is http, because the stub has no certificate."""
    file = app["file"]
    name = os.path.relpath(file, options.corpus)
    if app["is_not_an_app"]:
        return Verdict(name, "not run", "not an app")
    if not app["can_load"]:
        return Verdict(name, "not run", "does not load")
    if app["mode"] not in GRAPH_MODES:
        return Verdict(name, "not run", f"mode {app['mode']}")
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        text = pathlib.Path(file).read_text(encoding="utf-8")
        (folder / "app.yml").write_text(text.replace("https://", "http://"), encoding="utf-8")
        (folder / "picture.png").write_bytes(PNG)
        (folder / "document.txt").write_text(DOCUMENT, encoding="utf-8")
        (folder / "flowspan.toml").write_text(
            CONFIGURATION % environment["http_proxy"], encoding="utf-8"
        )
        trace = folder / "trace.jsonl"
        command = [options.program, "run", "app.yml", "--json", "--trace", "never"]
        command += ["--trace-out", str(trace), *made_up_inputs(app, folder)]
        if app["mode"] == "advanced-chat":
            command += ["--query", "Hello, what can you do?"]
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=options.limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Verdict(name, "hung", f"not done after {options.limit} s", options.limit)
        return judge(name, done, trace, time.monotonic() - started)


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
    done = counts["succeeded"] + counts["partial"]
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
    server = os.path.abspath(options.model_server) if options.model == "scripted" else None
    with Stub() as stub, Model(server) as model:
        environment = make_environment(stub, model)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            verdicts = list(pool.map(lambda app: run_one(options, app, environment), apps))
    print_report(verdicts, options)
    run = [verdict for verdict in verdicts if verdict.outcome != "not run"]
    done = [verdict for verdict in run if verdict.outcome in ("succeeded", "partial")]
    if any(verdict.outcome not in ACCEPTED for verdict in verdicts):
        return 1
    return 0 if 100 * len(done) >= options.minimum * len(run) else 1


if __name__ == "__main__":
    sys.exit(main())
