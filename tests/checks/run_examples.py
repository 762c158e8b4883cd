#!/usr/bin/env python3
"""Runs every app of examples/ with the demo model and checks its result and its trace.

    run_examples.py PROGRAM FOLDER
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading


class Page(http.server.BaseHTTPRequestHandler):
    """One small page for the http example."""

    def do_GET(self):
        body = b"<p>hello</p>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


def cases(address):
    """File, arguments, and what must stand in which output."""
    return [
        ("hello.yml", ["-i", "name=Ada"], {"greeting": "Ada"}),
        ("chat.yml", ["--query", "What is the price?"], {"answer": "**Prices**"}),
        ("chat.yml", ["--query", "Good morning"], {"answer": "Good morning"}),
        ("research.yml", ["-i", "topic=four day weeks"], {"report": "Against: "}),
        ("http.yml", ["-i", f"url={address}"], {"report": "answered 200 with 12 characters"}),
    ]


def spans_of(path):
    spans = []
    for line in path.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                spans += scope["spans"]
    return spans


def trace_findings(spans, result):
    """What is wrong with the tree of one run."""
    if not spans:
        return ["no spans were written"]
    ids = {span["spanId"] for span in spans}
    roots = [span["name"] for span in spans if not span.get("parentSpanId")]
    findings = []
    if len(roots) != 1:
        findings.append(f"{len(roots)} root spans: {roots}")
    if {span["traceId"] for span in spans} != {result["trace_id"]}:
        findings.append("not all spans belong to the run's trace")
    for span in spans:
        if span.get("parentSpanId") and span["parentSpanId"] not in ids:
            findings.append(f"the parent of '{span['name']}' is not in the trace")
        if int(span["endTimeUnixNano"]) < int(span["startTimeUnixNano"]):
            findings.append(f"'{span['name']}' ends before it starts")
    return findings


def run_findings(program, file, arguments, expected, trace):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("OTEL_", "FLOWSPAN_"))}
    environment["FLOWSPAN_TRACE_STORE"] = "off"
    done = subprocess.run(
        [program, "run", str(file), *arguments, "--json", "--trace-out", str(trace)],
        capture_output=True, text=True, env=environment, cwd=trace.parent, timeout=60, check=False)
    if done.returncode != 0:
        return [f"exit code {done.returncode}: {done.stderr.strip() or done.stdout.strip()}"]
    result = json.loads(done.stdout)
    findings = []
    if result["status"] != "succeeded":
        findings.append(f"status {result['status']}: {result['error']}")
    for name, text in expected.items():
        if text not in str(result["outputs"].get(name)):
            findings.append(f"outputs {result['outputs']} lack '{text}' in {name}")
    return findings + trace_findings(spans_of(trace), result)


def main():
    program, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    is_good = True
    covered = set()
    with tempfile.TemporaryDirectory() as temporary:
        for number, (name, arguments, expected) in enumerate(cases(address)):
            trace = pathlib.Path(temporary) / f"{number}.jsonl"
            findings = run_findings(program, folder / name, arguments, expected, trace)
            print(f"{'ok  ' if not findings else 'FAIL'} {name} {' '.join(arguments)}")
            for finding in findings:
                print(f"     {finding}")
            is_good = is_good and not findings
            covered.add(name)
    for path in sorted(folder.glob("*.yml")):
        if path.name not in covered:
            print(f"FAIL {path.name}: has no line in cases()")
            is_good = False
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
