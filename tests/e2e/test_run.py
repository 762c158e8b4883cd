"""flowspan run: exit codes, standard output, the trace file, what a terminal and a pipe get."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

from support import (
    PROGRAM,
    FlowspanTest,
    ModelServer,
    StubServer,
    Trace,
    chat_app,
    clean_environment,
    code_app,
    end_node,
    hello_app,
    llm_node,
    make_app,
    start_node,
    text_input,
)

ESCAPE = "\x1b"

TWO_ANSWERS = """
replies:
  - text: One two three.
    usage: {prompt_tokens: 7, completion_tokens: 3}
"""


class ExitCodes(FlowspanTest):
    def test_done_is_0(self):
        finished = self.run_app(hello_app(), "-i", "name=Ada")
        self.expect_code(finished, 0)
        result = self.expect_result(finished, "succeeded")
        self.assertEqual(result["outputs"], {"greeted": "Ada"})
        self.assertIsNone(result["error"])

    def test_failed_run_is_1(self):
        finished = self.run_app(code_app("def main():\n    raise ValueError('so it is')\n"))
        self.expect_code(finished, 1)
        result = self.expect_result(finished, "failed")
        self.assertIn("so it is", result["error"])
        self.expect_said(finished, "so it is")
        self.expect_whole_trace()

    def test_wrong_usage_is_2(self):
        for arguments in (
            [],
            ["run"],
            ["frobnicate"],
            ["run", "app.yml", "--no-such-flag"],
            ["run", "app.yml", "--trace", "sometimes"],
            ["check"],
        ):
            with self.subTest(arguments=arguments):
                finished = self.flowspan(*arguments)
                self.expect_code(finished, 2)
                self.assertEqual(finished.stdout, "")
                self.assertNotEqual(finished.stderr, "")

    def test_wrong_inputs_are_2_and_told_the_right_ones(self):
        tone = {**text_input("tone", required=False), "type": "select", "options": ["dry", "warm"]}
        app = make_app(
            [start_node(text_input("name"), tone), end_node(greeted=["start", "name"])],
            [("start", "end")],
        )
        for arguments in ([], ["-i", "nme=Ada"], ["-i", "name=Ada", "-i", "tone=cold"]):
            with self.subTest(arguments=arguments):
                finished = self.run_app(app, *arguments)
                self.expect_code(finished, 2)
                self.assertIn("-i name=VALUE  (required, text-input)", finished.stderr)
                self.assertIn("-i tone=VALUE  (one of: dry, warm)", finished.stderr)
        finished = self.run_app(chat_app())
        self.expect_code(finished, 2)
        self.assertIn("--query TEXT  (required)", finished.stderr)

    def test_help_and_version_are_0(self):
        for arguments in (["--help"], ["run", "--help"], ["check", "--help"], ["--version"]):
            with self.subTest(arguments=arguments):
                finished = self.flowspan(*arguments)
                self.expect_code(finished, 0)
                self.assertIn("flowspan", finished.stdout.lower())


class JsonOutput(FlowspanTest):
    def test_is_one_object_and_nothing_else(self):
        with ModelServer(TWO_ANSWERS) as server:
            finished = self.run_app(
                chat_app(), "--query", "Count!", environment=server.environment
            )
        self.expect_code(finished, 0)
        self.assertEqual(finished.stdout.count("\n"), 1, "one line")
        result = self.expect_result(finished, "succeeded")
        self.assertEqual(result["outputs"]["answer"], "One two three.")
        self.assertEqual(result["total_tokens"], 10)
        self.assertRegex(result["trace_id"], "^[0-9a-f]{32}$")
        self.assertRegex(result["run_id"], "^[0-9a-f-]{36}$")
        self.assertGreater(result["elapsed_ms"], 0)

    def test_names_the_trace_of_the_file(self):
        finished = self.run_app(hello_app(), "-i", "name=Ada")
        trace = self.expect_whole_trace()
        self.assertEqual(finished.result["trace_id"], trace.spans[0].trace_id)


class TraceFile(FlowspanTest):
    def test_holds_the_whole_path_of_a_call(self):
        with ModelServer(TWO_ANSWERS) as server:
            self.run_app(chat_app(), "--query", "Count!", environment=server.environment)
        trace = self.expect_whole_trace()
        by_id = {span.span_id: span for span in trace.spans}
        (request,) = trace.named("POST")
        path = []
        span = request
        while span:
            path.append(span.name)
            span = by_id.get(span.parent_id)
        self.assertEqual(
            path[::-1],
            [
                "AppGenerateService.generate",
                "AdvancedChatAppRunner.run",
                "invoke_workflow Trial",
                "node llm",
                "chat scripted-1",
                "POST",
            ],
        )
        self.assertEqual(trace.resource["service.name"], "flowspan")
        self.assertEqual(request.attributes["http.response.status_code"], 200)
        (chat,) = trace.named("chat ")
        self.assertEqual(chat.attributes["gen_ai.usage.output_tokens"], 3)

    def test_joins_the_callers_trace(self):
        trace_id = "0af7651916cd43dd8448eb211c80319c"
        name = self.write("app.yml", hello_app())
        finished = self.flowspan(
            "run",
            name,
            "-i",
            "name=Ada",
            "--json",
            "--trace-out",
            str(self.trace_file),
            environment={"TRACEPARENT": f"00-{trace_id}-b7ad6b7169203331-01"},
        )
        self.expect_code(finished, 0)
        self.assertEqual(finished.result["trace_id"], trace_id)
        spans = Trace(self.trace_file).spans
        self.assertEqual({span.trace_id for span in spans}, {trace_id})
        (root,) = [span for span in spans if span.name == "AppGenerateService.generate"]
        self.assertEqual(root.parent_id, "b7ad6b7169203331")

    def test_hands_the_trace_on_to_servers(self):
        with StubServer() as server:
            app = make_app(
                [
                    start_node(text_input("url")),
                    (
                        "fetch",
                        {
                            "type": "http-request",
                            "title": "Fetch",
                            "method": "get",
                            "url": "{{#start.url#}}",
                            "authorization": {"type": "no-auth", "config": None},
                            "headers": "",
                            "params": "",
                            "body": {"type": "none", "data": []},
                            "variables": [],
                        },
                    ),
                    end_node(x=["fetch", "body"]),
                ],
                [("start", "fetch"), ("fetch", "end")],
            )
            self.expect_code(self.run_app(app, "-i", f"url={server.url}/x"), 0)
            ((_, _, headers, _),) = server.requests
        trace = self.expect_whole_trace()
        (request,) = trace.named("GET")
        sent = {name.lower(): value for name, value in headers.items()}["traceparent"]
        self.assertEqual(sent, f"00-{request.trace_id}-{request.span_id}-01")

    def test_that_cannot_be_written_is_bad_usage(self):
        name = self.write("app.yml", hello_app())
        finished = self.flowspan("run", name, "-i", "name=A", "--trace-out", "no/such/folder/t")
        self.expect_code(finished, 2)
        self.expect_said(finished, "--trace-out", "no/such/folder/t")


class Pipes(FlowspanTest):
    def test_get_plain_text(self):
        name = self.write("app.yml", chat_app())
        with ModelServer(TWO_ANSWERS) as server:
            finished = self.flowspan(
                "run", name, "--query", "Count!", environment=server.environment
            )
        self.expect_code(finished, 0)
        self.assertIn("One two three.", finished.stdout)
        self.assertIn("invoke_workflow Trial", finished.stdout)
        self.assertNotIn(ESCAPE, finished.stdout + finished.stderr)

    def test_get_only_the_answer_when_quiet(self):
        name = self.write("app.yml", chat_app())
        with ModelServer(TWO_ANSWERS) as server:
            finished = self.flowspan(
                "run", name, "--query", "Count!", "--quiet", environment=server.environment
            )
        self.assertEqual(finished.stdout.strip(), "One two three.")
        self.assertEqual(finished.stderr, "")

    def test_get_events_as_json_lines(self):
        name = self.write("app.yml", hello_app())
        finished = self.flowspan("run", name, "-i", "name=Ada", "--events")
        events = [json.loads(line)["event"] for line in finished.stdout.splitlines()]
        self.assertEqual(events[0], "graph_run_started")
        self.assertEqual(events[-1], "graph_run_succeeded")

    def test_that_nobody_reads_end_nothing(self):
        name = self.write("app.yml", hello_app())
        with self.started("run", name, "-i", "name=Ada") as process:
            process.stdout.close()
            process.stdout = open(os.devnull, "rb")
            self.assertEqual(process.wait(60), 0)


class Terminals(FlowspanTest):
    def run_on_terminal(self, columns, environment=None):
        """What a terminal of that width would show, escape sequences included."""
        name = self.write("app.yml", chat_app())
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        with ModelServer(TWO_ANSWERS) as server:
            settings = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
            settings.update(server.environment)
            settings.update(environment or {})
            process = subprocess.Popen(
                [PROGRAM, "run", name, "--query", "Count!"],
                cwd=self.folder,
                env=clean_environment(settings),
                stdin=follower,
                stdout=follower,
                stderr=follower,
            )
            os.close(follower)
            shown = b""
            try:
                while piece := os.read(leader, 65536):
                    shown += piece
            except OSError:
                pass  # how Linux reports that the other side has closed
            os.close(leader)
            self.assertEqual(process.wait(), 0)
        return shown.decode("utf-8")

    def test_get_a_tree_that_fits(self):
        for columns in (60, 100, 160):
            with self.subTest(columns=columns):
                shown = self.run_on_terminal(columns)
                self.assertIn(ESCAPE, shown)
                self.assertIn("One two three.", shown)
                plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", shown)
                widest = max(len(line) for line in plain.splitlines())
                self.assertLessEqual(widest, columns, plain)

    def test_without_colour_if_asked(self):
        self.assertNotIn(ESCAPE, self.run_on_terminal(100, {"NO_COLOR": "1"}))


class Inputs(FlowspanTest):
    def test_come_from_arguments_files_and_json(self):
        app = make_app(
            [
                start_node(
                    text_input("a"), text_input("b", kind="paragraph"), text_input("n", kind="number")
                ),
                end_node(a=["start", "a"], b=["start", "b"], n=["start", "n"]),
            ],
            [("start", "end")],
        )
        self.write("b.txt", "from a file\n")
        finished = self.run_app(app, "--inputs", '{"n": 2.5}', "-i", "a=x=y", "-i", "b=@b.txt")
        self.expect_code(finished, 0)
        outputs = finished.result["outputs"]
        self.assertEqual(outputs["a"], "x=y")
        self.assertEqual(outputs["b"].strip(), "from a file")
        self.assertEqual(outputs["n"], 2.5)

    def test_demo_model_answers_without_any_setting(self):
        app = make_app(
            [start_node(), llm_node(prompt="Say it."), end_node(x=["ask", "text"])],
            [("start", "ask"), ("ask", "end")],
        )
        finished = self.run_app(app)
        self.expect_code(finished, 0)
        self.assertIn("demo", finished.result["outputs"]["x"].lower())


if __name__ == "__main__":
    unittest.main()
