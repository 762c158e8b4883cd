"""The programs of examples/embed, built against an installed Flowspan, make the right trees."""

import http.server
import json
import os
import threading
import unittest

from installed import COMPILER, LAUNCHER, SOURCE, installed, run

KINDS = {1: "", 3: " (client)"}


def clean_environment():
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OTEL_") and not name.lower().endswith("_proxy")
    }


def tree_of(lines):
    """The spans as indented text, siblings in the order of their names."""
    spans = []
    for line in lines.splitlines():
        if line.startswith('{"resourceSpans"'):
            for resource in json.loads(line)["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    spans += scope["spans"]
    children = {}
    for span in spans:
        children.setdefault(span.get("parentSpanId", ""), []).append(span)

    def show(parent, depth):
        text = ""
        for span in sorted(children.get(parent, []), key=lambda one: one["name"]):
            mark = " ERROR" if span.get("status", {}).get("code") == 2 else ""
            text += "  " * depth + span["name"] + KINDS[span["kind"]] + mark + "\n"
            text += show(span["spanId"], depth + 1)
        return text

    return show("", 0), spans


class Server:
    """Answers everything; keeps the headers."""

    def __enter__(self):
        self.headers = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.headers.append(dict(self.headers))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder, prefix = cls.enterClassContext(installed())
        cls.build = cls.folder / "build"
        command = ["cmake", "-G", "Ninja", "-B", cls.build, "-S", SOURCE / "examples" / "embed"]
        command += [f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER}"]
        if LAUNCHER:
            command.append(f"-DCMAKE_CXX_COMPILER_LAUNCHER={LAUNCHER}")
        run(command)
        run(["cmake", "--build", cls.build, "-j", "2"])

    def start(self, name, *arguments):
        environment = clean_environment() | {"OTEL_TRACES_EXPORTER": "console"}
        finished = run([self.build / name, *arguments], env=environment, timeout=90)
        return tree_of(finished.stderr)

    def test_own_coroutines(self):
        tree, _ = self.start("own_program")
        self.assertEqual(
            tree, "report\n  look up Oslo\n    the sky\n  look up Rome\n    the sky\n"
        )

    def test_own_engine(self):
        tree, spans = self.start("own_engine")
        self.assertEqual(
            tree,
            "invoke_workflow our flow\n"
            "  node left\n    work of left\n"
            "  node right ERROR\n    work of right\n",
        )
        self.assertEqual(len(spans), 5)

    def test_http_client(self):
        with Server() as server:
            tree, spans = self.start("http_calls", server.url)
            self.assertEqual(tree, "fetch\n  GET (client)\n")
            call = next(span for span in spans if span["name"] == "GET")
            sent = {name.lower(): value for name, value in server.headers[0].items()}
            self.assertEqual(
                sent["traceparent"], f"00-{call['traceId']}-{call['spanId']}-01"
            )

    def test_sql_client(self):
        tree, _ = self.start("sql_calls")
        self.assertIn("count cities\n", tree)
        self.assertIn("  SELECT cities (client)\n", tree)
        self.assertEqual(tree.count("(client)"), 2)

    def test_nothing_is_written_while_tracing_is_off(self):
        finished = run([self.build / "own_program"], env=clean_environment(), timeout=90)
        self.assertEqual(finished.stderr, "")


if __name__ == "__main__":
    unittest.main()
