"""What the end-to-end tests share: the program, servers on free loopback ports, apps, traces."""

import contextlib
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

PROGRAM = os.environ.get("FLOWSPAN_PROGRAM", "build/release/flowspan")
MODEL_SERVER = os.environ.get("FLOWSPAN_MODEL_SERVER", "build/release/flowspan_model_server")

# Generous, because sanitizers slow everything down and machines are shared. A hang is longer.
TIMEOUT_S = 90

RESULT_KEYS = ["run_id", "trace_id", "status", "outputs", "error", "elapsed_ms", "total_tokens"]

CRASH_MARKS = ["Sanitizer", "terminate called", "Assertion", "runtime error:", "core dumped"]


def clean_environment(extra=None):
    """The tests' own settings only: nothing of the machine's telemetry, proxies or models."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "FLOWSPAN_"))
        and not name.lower().endswith("_proxy")
        and name not in ("TRACEPARENT", "TRACESTATE", "BAGGAGE", "NO_COLOR", "COLUMNS")
    }
    # Traces of tests do not belong among the machine's own; tests of the store name their file.
    environment["FLOWSPAN_TRACE_STORE"] = "off"
    environment.update(extra or {})
    return environment


def closed_port():
    """A loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ModelServer:
    """The scripted model server as a process; `script` is YAML text."""

    def __init__(self, script="", arguments=()):
        self._script = script
        self._arguments = list(arguments)

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self._folder.name) / "model.script"
        path.write_text(self._script or "{}", encoding="utf-8")
        self._process = subprocess.Popen(
            [MODEL_SERVER, "--script", str(path), *self._arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self._process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {"FLOWSPAN_MODEL_BASE_URL": self.url + "/v1"}
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(TIMEOUT_S)
        self._process.stdout.close()
        self._folder.cleanup()


class StubServer:
    """An HTTP server that answers everything by `respond(method, path, headers, body)`, which
    returns (status, headers, body). Keeps the requests."""

    def __init__(self, respond=None):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                status, headers, reply = (respond or default_reply)(
                    self.command, self.path, self.headers, body
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply)))
                with contextlib.suppress(ConnectionError):  # the client may be gone
                    self.end_headers()
                    self.wfile.write(reply)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = answer

            def log_message(self, *_):
                pass

        def default_reply(*_):
            return 200, {"Content-Type": "application/json"}, b"{}"

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(TIMEOUT_S)


# Apps, as YAML text with only the parts that matter.


def make_app(nodes, edges, mode="workflow", head="kind: app\n", name="Trial"):
    text = f"version: 0.6.0\n{head}app:\n  name: {name}\n  mode: {mode}\nworkflow:\n"
    text += "  environment_variables: []\n  conversation_variables: []\n  features: {}\n"
    text += "  graph:\n    nodes:\n"
    for node_id, data in nodes:
        text += f"      - id: {node_id}\n        data: {json.dumps(data)}\n"
    text += "    edges:\n" if edges else "    edges: []\n"
    for edge in edges:
        source, target, handle = (*edge, "source")[:3]
        text += (
            f"      - {{id: {source}-{handle}-{target}, source: {source}, "
            f'sourceHandle: "{handle}", target: {target}, targetHandle: target}}\n'
        )
    return text


def start_node(*variables):
    return ("start", {"type": "start", "title": "Start", "variables": list(variables)})


def text_input(name, required=True, kind="text-input"):
    return {
        "variable": name,
        "label": name,
        "type": kind,
        "required": required,
        "max_length": 400,
        "options": [],
    }


def end_node(**outputs):
    return (
        "end",
        {
            "type": "end",
            "title": "End",
            "outputs": [
                {"variable": name, "value_selector": selector} for name, selector in outputs.items()
            ],
        },
    )


def llm_node(node_id="ask", prompt="{{#sys.query#}}"):
    return (
        node_id,
        {
            "type": "llm",
            "title": "Ask",
            "model": {
                "provider": "langgenius/openai/openai",
                "name": "scripted-1",
                "mode": "chat",
                "completion_params": {},
            },
            "prompt_template": [{"role": "user", "text": prompt}],
            "context": {"enabled": False, "variable_selector": []},
            "vision": {"enabled": False},
        },
    )


def answer_node(text="{{#ask.text#}}"):
    return ("say", {"type": "answer", "title": "Answer", "answer": text, "variables": []})


def code_node(code, language="python3", outputs=None, variables=()):
    return (
        "code",
        {
            "type": "code",
            "title": "Code",
            "code_language": language,
            "code": code,
            "variables": [{"variable": v, "value_selector": s} for v, s in variables],
            "outputs": outputs or {"x": {"type": "string", "children": None}},
        },
    )


def hello_app():
    """start -> end: nothing can go wrong."""
    return make_app(
        [start_node(text_input("name")), end_node(greeted=["start", "name"])], [("start", "end")]
    )


def chat_app():
    return make_app(
        [start_node(), llm_node(), answer_node()],
        [("start", "ask"), ("ask", "say")],
        mode="advanced-chat",
    )


def code_app(code, **options):
    return make_app(
        [start_node(), code_node(code, **options), end_node(x=["code", "x"])],
        [("start", "code"), ("code", "end")],
    )


# Traces.


def plain_value(value):
    (kind, content), *_ = value.items()
    if kind == "intValue":
        return int(content)
    if kind == "arrayValue":
        return [plain_value(item) for item in content.get("values", [])]
    return content


def plain_attributes(attributes):
    return {item["key"]: plain_value(item["value"]) for item in attributes}


class Span:
    def __init__(self, data):
        self.data = data
        self.name = data["name"]
        self.trace_id = data["traceId"]
        self.span_id = data["spanId"]
        self.parent_id = data.get("parentSpanId", "")
        self.start = int(data["startTimeUnixNano"])
        self.end = int(data["endTimeUnixNano"])
        self.attributes = plain_attributes(data.get("attributes", []))
        self.status = data.get("status", {}).get("code", 0)
        self.status_text = data.get("status", {}).get("message", "")


class Trace:
    """The spans of a --trace-out file, with the form of the file checked.

    A file that its program still writes may end within a line: growing leaves that one out.
    """

    def __init__(self, path, *, growing=False):
        self.spans = []
        lines = pathlib.Path(path).read_bytes().splitlines(keepends=True)
        if growing and lines and not lines[-1].endswith(b"\n"):
            lines.pop()
        for line in lines:
            request = json.loads(line)
            assert list(request) == ["resourceSpans"], f"not an export request: {line[:200]}"
            for resource in request["resourceSpans"]:
                self.resource = plain_attributes(resource["resource"]["attributes"])
                for scope in resource["scopeSpans"]:
                    self.spans += [Span(data) for data in scope["spans"]]

    def named(self, prefix):
        return [span for span in self.spans if span.name.startswith(prefix)]


class Finished:
    """An ended program."""

    def __init__(self, code, stdout, stderr, seconds):
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds

    @property
    def result(self):
        return json.loads(self.stdout)


class FlowspanTest(unittest.TestCase):
    """A folder of its own, and the program in it."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.trace_file = self.folder / "trace.jsonl"

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    def flowspan(self, *arguments, environment=None, timeout=TIMEOUT_S):
        started = time.monotonic()
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=clean_environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        finished = Finished(
            done.returncode,
            done.stdout.decode("utf-8"),
            done.stderr.decode("utf-8"),
            time.monotonic() - started,
        )
        self.expect_no_crash(finished)
        return finished

    def run_app(self, app, *arguments, environment=None, timeout=TIMEOUT_S):
        """`flowspan run` with JSON on standard output and the trace in a file."""
        name = self.write("app.yml", app)
        return self.flowspan(
            "run",
            name,
            "--json",
            "--trace-out",
            str(self.trace_file),
            *arguments,
            environment=environment,
            timeout=timeout,
        )

    @contextlib.contextmanager
    def started(self, *arguments, environment=None):
        """The program while it runs; killed if the test ends first."""
        process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=clean_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            process.stderr.close()

    def expect_no_crash(self, finished):
        for mark in CRASH_MARKS:
            self.assertNotIn(mark, finished.stderr)
        self.assertGreaterEqual(finished.code, 0, f"killed by a signal\n{finished.stderr}")

    def expect_code(self, finished, code):
        self.assertEqual(finished.code, code, f"\n{finished.stdout}\n{finished.stderr}")

    def expect_said(self, finished, *words):
        """A message for people on standard error that has all the words."""
        for word in words:
            self.assertIn(word, finished.stderr)

    def expect_result(self, finished, status):
        self.assertEqual(list(finished.result), RESULT_KEYS)
        self.assertEqual(finished.result["status"], status, finished.stderr)
        return finished.result

    def expect_whole_trace(self):
        """One root, every parent there, every span ended, children within their parents' start."""
        trace = Trace(self.trace_file)
        by_id = {span.span_id: span for span in trace.spans}
        self.assertEqual(len(by_id), len(trace.spans), "ids are unique")
        self.assertGreater(len(trace.spans), 0)
        self.assertEqual(len({span.trace_id for span in trace.spans}), 1, "one trace a run")
        roots = [span for span in trace.spans if not span.parent_id]
        self.assertEqual([span.name for span in roots], ["AppGenerateService.generate"])
        for span in trace.spans:
            self.assertRegex(span.trace_id, "^[0-9a-f]{32}$")
            self.assertRegex(span.span_id, "^[0-9a-f]{16}$")
            self.assertGreaterEqual(span.end, span.start, span.name)
            if span.parent_id:
                self.assertIn(span.parent_id, by_id, f"{span.name} has no parent")
                parent = by_id[span.parent_id]
                self.assertGreaterEqual(span.start, parent.start, f"{span.name} in {parent.name}")
        return trace
