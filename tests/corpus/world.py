"""Plays the rest of the world for an app: its models, web services, tools and files.

What apps do with answers is up to them, so there are several styles of answering; a run that fails
with one is tried with the next.
"""

import http.server
import json
import subprocess
import tempfile
import threading

import shapes

# A red dot.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccf"
    "c0f01f0005050201a5f6457d0000000049454e44ae426082"
)

DOCUMENT = "Tea was carried over the mountains. It was pressed into bricks.\n"

PROSE = "Tea was carried over the mountains, see " + shapes.URL + "\n\n- tea\n- bricks\n"

PAGE = "<html><head><title>Tea</title></head><body><h1>Tea</h1><p>In bricks.</p></body></html>"


BLOCKS = (
    ("html", PAGE),
    ("sql", "SELECT name FROM tea"),
    ("python", "def main():\n    return {'result': 'tea'}"),
    ("mermaid", "graph TD; tea --> bricks"),
)


def fenced(word, text):
    return f"```{word}\n{text}\n```"


class Style:
    """How models, services and users answer in one attempt."""

    def __init__(self, model, service, text="Tea in twelve cups", is_sparse=False, option=0):
        self.model = model
        self.service = service
        self.text = text
        self.is_sparse = is_sparse  # users give only what is required
        self.option = option  # which of a list's options they choose


STYLES = [
    Style("fitting", "object"),
    Style("object", "object"),
    Style("fitting", "object", is_sparse=True, option=-1),
    Style("matching", "object", option=-1),
    Style("list", "list"),
    Style("example", "object"),
    Style("fenced", "wrapped", shapes.URL),
    Style("list", "object", "2024"),
    Style("prose", "page", '{"text": "tea", "items": ["tea"]}'),
    Style("markdown", "list", "1.31"),
    Style("fenced list", "object", '["tea", "bricks"]'),
    Style("markdown", "object", "{}"),
]


def reply_text(kind, app):
    """What a model says if nothing more is known of what it is asked."""
    sample = shapes.sample_for(app)
    as_json = json.dumps(sample, ensure_ascii=False)
    example = shapes.example_for(app)
    return {
        "object": as_json,
        "list": json.dumps([sample, sample], ensure_ascii=False),
        "example": json.dumps(sample if example is None else example, ensure_ascii=False),
        "fenced": fenced("json", as_json),
        "fenced list": fenced("json", json.dumps([sample, sample], ensure_ascii=False)),
        "matching": PROSE + "\n" + "\n\n".join(shapes.pattern_samples(app)),
        "prose": PROSE,
        "markdown": "# Tea\n\n" + "\n".join(fenced(*block) for block in BLOCKS),
    }[kind]


def make_script(app, style):
    """The model server's script; its first entry that fits is used."""
    replies = [
        {"when": {"any_message": piece}, "text": json.dumps(reply, ensure_ascii=False)}
        for piece, reply in shapes.schema_replies(app)
    ]
    for data in shapes.nodes_of(app):
        if data.get("type") == "question-classifier":
            chosen = (data.get("classes") or [{}])[0]
            reply = {"category_id": chosen.get("id"), "category_name": chosen.get("name")}
            replies.append({"when": {"any_message": "category_id"}, "text": json.dumps(reply)})
        if data.get("type") == "parameter-extractor":
            replies += extractor_replies(data, app)
    if style.model == "fitting":
        for word in ("JSON", "json"):
            replies.append({"when": {"any_message": word}, "text": reply_text("object", app)})
        replies.append({"text": PROSE})
    else:
        replies.append({"text": reply_text(style.model, app)})
    return {"tokens": 12, "replies": replies}


def extractor_replies(data, app):
    parameters = [entry for entry in data.get("parameters") or [] if isinstance(entry, dict)]
    reply = {}
    for entry in parameters:
        kind = str(entry.get("type"))
        kind = {"bool": "boolean", "select": "string"}.get(kind, kind)
        schema = {"type": kind, "enum": entry.get("options")}
        if kind.startswith("array"):
            schema = {"type": "array", "items": {"type": kind[6:-1]}}
        made_up = shapes.instance_of(schema, str(entry.get("name")))
        sample = {"object": shapes.sample_for(app), "array[object]": [shapes.sample_for(app)]}
        reply[entry.get("name")] = sample.get(kind, made_up)
    if parameters:
        known_by = str(parameters[0].get("description") or "JSON")
        yield {"when": {"any_message": known_by}, "text": json.dumps(reply)}


class Model:
    """The scripted model server with what fits an app; without a program the demo model answers."""

    def __init__(self, program, script):
        self._program = program
        self._script = script
        self.environment = {}

    def __enter__(self):
        if self._program:
            with tempfile.NamedTemporaryFile("w", suffix=".script", encoding="utf-8") as script:
                json.dump(self._script, script, ensure_ascii=False)
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
            self._process.wait(60)


def service_body(kind, app):
    """Content type and bytes of what web services and tools answer."""
    sample = shapes.sample_for(app)
    if kind == "page":
        return "text/html", PAGE.encode()
    answer = {
        "object": {"ok": True, "code": 0, "message": "tea", "data": {"text": "tea"}} | sample,
        "list": [sample, sample],
        "wrapped": {"ok": True, "text": json.dumps(sample, ensure_ascii=False), "json": [sample]},
    }[kind]
    return "application/json", json.dumps(answer, ensure_ascii=False).encode()


def tool_reply(app, body):
    """What tools give: a service's answer as text and data, and a file if the app wants files."""
    text = body.decode()
    try:
        data = json.loads(text)
    except ValueError:
        data = []
    reply = {"text": text, "json": data if isinstance(data, list) else [data]}
    if shapes.reads_files_of_tools(app):
        reply["files"] = [{"url": shapes.URL}]
    return json.dumps(reply, ensure_ascii=False).encode()


class Stub:
    """A proxy that answers every request itself, so that nothing leaves the machine."""

    def __init__(self, content_type, body, tool_reply):
        self._content_type = content_type
        self._body = body
        self._tool_reply = tool_reply

    def answer_to(self, path):
        """Content type and bytes."""
        if path == "/tool":
            return "application/json", self._tool_reply
        return ("image/png", PNG) if path.endswith(".png") else (self._content_type, self._body)

    def __enter__(self):
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                content_type, body = stub.answer_to(self.path)
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

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


# Code nodes have no network. In the runs here their HTTP libraries get the stub's answer without
# one, and sleep does not wait: this file is loaded by the sandbox's own virtual environment.
SITE = '''
import io
import sys
import time
import types

CONTENT_TYPE = {content_type!r}
BODY = {body!r}

time.sleep = lambda seconds: None


def patch_requests():
    import requests

    def send(self, request, **_):
        response = requests.Response()
        response.status_code = 200
        response.headers["Content-Type"] = CONTENT_TYPE
        response.encoding = "utf-8"
        response.raw = io.BytesIO(BODY)
        response._content = BODY
        response.url = request.url
        response.request = request
        return response

    requests.adapters.HTTPAdapter.send = send
    requests.Session.get_adapter = lambda *_, **__: requests.adapters.HTTPAdapter()


def patch_httpx():
    import httpx

    def answer(request):
        return httpx.Response(200, content=BODY, headers={{"content-type": CONTENT_TYPE}})

    httpx.Client._init_transport = lambda self, *_, **__: httpx.MockTransport(answer)
    httpx.AsyncClient._init_transport = httpx.Client._init_transport


def patch_urllib():
    import urllib.request

    urllib.request.urlopen = lambda *_, **__: io.BytesIO(BODY)


def echo(*arguments, **_):
    return arguments[0] if arguments else None


def stand_in(name):
    """A module that the machine lacks: whatever is called gives back its first argument."""
    module = types.ModuleType(name)
    module.__path__ = []
    module.__getattr__ = lambda _: echo
    sys.modules[name] = module
    parent, _, own_name = name.rpartition(".")
    if parent:
        setattr(sys.modules.get(parent) or stand_in(parent), own_name, module)
    return module


for name in {missing!r}:
    stand_in(name)
for patch in ({patches}):
    try:
        patch()
    except ImportError:
        pass
'''


# Prints the version of Python and those of the named modules that it lacks.
PROBE = """
import importlib.util, sys
print("%d.%d" % sys.version_info[:2])
print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None])
"""


def make_python(folder, app, content_type, body):
    """A virtual environment whose Python is the system's, with stand-ins for the network."""
    code = "\n".join(str(data.get("code")) for data in shapes.nodes_of(app))
    patches = "".join(f"patch_{name}, " for name in ("requests", "httpx", "urllib") if name in code)
    modules = shapes.imported_modules(app)
    version, missing = subprocess.run(
        ["/usr/bin/python3", "-c", PROBE, *{module.split(".")[0] for module in modules}],
        capture_output=True, text=True, check=True,
    ).stdout.split("\n")[:2]
    site = folder / "lib" / f"python{version}" / "site-packages"
    site.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to("/usr/bin/python3")
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = true\n")
    (site / "sitecustomize.py").write_text(
        SITE.format(
            content_type=content_type,
            body=body,
            patches=patches,
            missing=[name for name in modules if name.split(".")[0] in missing.split()],
        ),
        encoding="utf-8",
    )
    return folder / "bin" / "python3"
