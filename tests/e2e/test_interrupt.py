"""Ctrl-C and its relatives: the run stops in order, and its trace is whole."""

import json
import os
import signal
import threading
import time
import unittest

from support import (
    RESULT_KEYS,
    TIMEOUT_S,
    FlowspanTest,
    ModelServer,
    StubServer,
    chat_app,
    code_app,
)

ENDLESS = """
replies:
  - text: One two three four five six seven eight nine ten.
    hang_after: 4
"""


class Interrupts(FlowspanTest):
    def interrupt(self, process, signal_number, wait_for):
        """Sends the signal once `wait_for` has been streamed; returns all of standard output."""
        shown = b""
        while wait_for.encode() not in shown:
            piece = os.read(process.stdout.fileno(), 65536)
            self.assertNotEqual(piece, b"", "ended before it was interrupted")
            shown += piece
        process.send_signal(signal_number)
        rest, errors = process.communicate(timeout=TIMEOUT_S)
        return (shown + rest).decode(), errors.decode()

    def run_interrupted(self, signal_number):
        name = self.write("app.yml", chat_app())
        with ModelServer(ENDLESS) as server, self.started(
            "run",
            name,
            "--query",
            "Count!",
            "--trace-out",
            str(self.trace_file),
            environment=server.environment,
        ) as process:
            started = time.monotonic()
            shown, errors = self.interrupt(process, signal_number, "three")
            self.assertEqual(process.returncode, 130, errors)
            self.assertLess(time.monotonic() - started, 30)
        self.assertIn("One two three", shown)
        return shown, errors

    def expect_stopped_trace(self, reason):
        trace = self.expect_whole_trace()
        names = {span.name for span in trace.spans}
        self.assertLessEqual({"node llm", "chat scripted-1", "POST"}, names)
        for name in ("invoke_workflow Trial", "node llm", "chat scripted-1", "POST"):
            (span,) = trace.named(name)
            self.assertEqual(span.status, 2, f"{name} is not marked")
            self.assertTrue(span.status_text, f"{name} has no reason")
        (workflow,) = trace.named("invoke_workflow")
        self.assertEqual(workflow.attributes["dify.workflow.status"], "stopped")
        self.assertIn(reason, workflow.status_text)
        (node,) = trace.named("node llm")
        self.assertEqual(node.attributes["dify.node.status"], "stopped")
        (start,) = trace.named("node start")
        self.assertNotEqual(start.status, 2, "what was done before stays as it was")

    def test_ctrl_c_stops_a_stream(self):
        _, errors = self.run_interrupted(signal.SIGINT)
        self.assertIn("SIGINT", errors)
        self.expect_stopped_trace("SIGINT")

    def test_sigterm_stops_a_stream(self):
        self.run_interrupted(signal.SIGTERM)
        self.expect_stopped_trace("SIGTERM")

    def test_ctrl_c_stops_a_silent_model(self):
        asked, released = threading.Event(), threading.Event()

        def stay_silent(*_):
            asked.set()
            released.wait(TIMEOUT_S)
            return 200, {}, b""

        name = self.write("app.yml", chat_app())
        with StubServer(stay_silent) as server, self.started(
            "run",
            name,
            "--json",
            "--query",
            "Well?",
            "--trace-out",
            str(self.trace_file),
            environment={"FLOWSPAN_MODEL_BASE_URL": server.url},
        ) as process:
            self.assertTrue(asked.wait(TIMEOUT_S))
            process.send_signal(signal.SIGINT)
            shown, errors = process.communicate(timeout=TIMEOUT_S)
            released.set()
            self.assertEqual(process.returncode, 130, errors)
        result = json.loads(shown)
        self.assertEqual(list(result), RESULT_KEYS)
        self.assertEqual(result["status"], "stopped")
        self.assertIn("SIGINT", result["error"])
        self.expect_stopped_trace("SIGINT")

    def test_ctrl_c_stops_a_busy_sandbox(self):
        name = self.write("app.yml", code_app("def main():\n    while True:\n        pass\n"))
        with self.started(
            "run", name, "--events", "--trace-out", str(self.trace_file)
        ) as process:
            shown, errors = self.interrupt(process, signal.SIGINT, '"node_type": "code"')
            self.assertEqual(process.returncode, 130, errors)
        self.assertEqual(json.loads(shown.splitlines()[-1])["event"], "graph_run_aborted")
        trace = self.expect_whole_trace()
        (node,) = trace.named("node code")
        self.assertEqual(node.attributes["dify.node.status"], "stopped")


if __name__ == "__main__":
    unittest.main()
