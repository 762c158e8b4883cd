"""Everything that people and the world get wrong: a message that says what, where and what to do,
the right exit code, no crash, no hang, and a trace that is still whole."""

import unittest

from support import (
    FlowspanTest,
    ModelServer,
    StubServer,
    answer_node,
    chat_app,
    closed_port,
    code_app,
    end_node,
    hello_app,
    llm_node,
    make_app,
    start_node,
    text_input,
)


class BadFiles(FlowspanTest):
    """Exit code 2 and the place in the file; nothing runs."""

    def expect_refused(self, text, *words):
        finished = self.run_app(text)
        self.expect_code(finished, 2)
        result = self.expect_result(finished, "failed")
        self.assertIsNone(result["run_id"])
        for word in words:
            self.assertIn(word, result["error"])
        self.expect_said(finished, *words)
        return finished

    def test_missing_file(self):
        finished = self.flowspan("run", "nowhere.yml")
        self.expect_code(finished, 2)
        self.expect_said(finished, "nowhere.yml")
        self.assertEqual(finished.stdout, "")

    def test_folder_instead_of_a_file(self):
        self.write("folder/app.yml", hello_app())
        finished = self.flowspan("run", "folder")
        self.expect_code(finished, 2)
        self.expect_said(finished, "folder")

    def test_empty_file(self):
        self.expect_refused("", "app.yml")

    def test_broken_yaml(self):
        self.expect_refused("kind: app\napp:\n  name: [unclosed\nworkflow: {}\n", "app.yml:")

    def test_binary_file(self):
        (self.folder / "app.yml").write_bytes(bytes(range(256)) * 20)
        finished = self.flowspan("run", "app.yml")
        self.expect_code(finished, 2)
        self.expect_said(finished, "app.yml")

    def test_wrong_kind(self):
        text = hello_app().replace("kind: app", "kind: rag_pipeline")
        self.expect_refused(text, "app.yml:2:", "rag_pipeline")

    def test_not_an_app_at_all(self):
        self.expect_refused("services:\n  web: {image: nginx}\n", "app.yml")

    def test_mode_that_cannot_run(self):
        text = (
            "version: 0.6.0\nkind: app\napp: {name: A, mode: completion}\n"
            "model_config: {model: {provider: openai, name: gpt-4, mode: chat}}\n"
        )
        self.expect_refused(text, "completion")
        finished = self.run_app(text, "-i", "topic=tea")
        self.expect_code(finished, 2)
        self.expect_said(finished, "completion")

    def test_cycle(self):
        condition = {
            "type": "if-else",
            "title": "Again?",
            "cases": [{"case_id": "true", "logical_operator": "and", "conditions": []}],
        }
        text = make_app(
            [start_node(), ("first", condition), ("second", condition), end_node()],
            [
                ("start", "first"),
                ("first", "second", "true"),
                ("second", "first", "true"),
                ("second", "end", "false"),
            ],
        )
        self.expect_refused(text, "app.yml:", "first", "second")

    def test_edge_to_nowhere(self):
        text = make_app(
            [start_node(), end_node()], [("start", "end"), ("start", "atlantis")]
        )
        self.expect_refused(text, "app.yml:", "atlantis")

    def test_no_start(self):
        self.expect_refused(make_app([end_node()], []), "start")

    def test_all_problems_are_told_at_once(self):
        text = make_app(
            [start_node(), end_node(), end_node()],
            [("start", "end"), ("start", "atlantis"), ("lemuria", "end")],
        )
        self.expect_refused(text, "atlantis", "lemuria")

    def test_file_of_many_levels(self):
        self.expect_refused("a: " + "[" * 50000, "app.yml")


class BadInputs(FlowspanTest):
    def test_unknown_node_kind_fails_where_it_is_reached(self):
        text = make_app(
            [start_node(), ("odd", {"type": "teleport", "title": "Beam me up"}), end_node()],
            [("start", "odd"), ("odd", "end")],
        )
        finished = self.run_app(text)
        self.expect_code(finished, 1)
        self.expect_result(finished, "failed")
        self.expect_said(finished, "teleport")
        self.expect_whole_trace()

    def test_missing_required_input(self):
        finished = self.run_app(hello_app())
        self.expect_code(finished, 2)
        self.expect_said(finished, "name")
        self.expect_whole_trace()

    def test_wrong_type(self):
        app = make_app(
            [start_node(text_input("size", kind="number")), end_node(x=["start", "size"])],
            [("start", "end")],
        )
        finished = self.run_app(app, "-i", "size=enormous")
        self.expect_code(finished, 2)
        self.expect_said(finished, "size", "number")

    def test_unknown_input(self):
        finished = self.run_app(hello_app(), "-i", "nmae=Ada")
        self.expect_code(finished, 2)
        self.expect_said(finished, "nmae", "name")

    def test_input_file_that_is_not_there(self):
        finished = self.run_app(hello_app(), "-i", "name=@nobody.txt")
        self.expect_code(finished, 2)
        self.expect_said(finished, "name", "nobody.txt")

    def test_inputs_that_are_no_json(self):
        finished = self.run_app(hello_app(), "--inputs", "{name:")
        self.expect_code(finished, 2)
        self.expect_said(finished, "--inputs")

    def test_template_that_names_an_unknown_variable(self):
        app = make_app(
            [start_node(), answer_node("Hello {{#nobody.name#}}!")],
            [("start", "say")],
            mode="advanced-chat",
        )
        finished = self.run_app(app, "--query", "Hi")
        self.expect_code(finished, 0)
        self.assertIn("Hello", finished.result["outputs"]["answer"])
        self.expect_said(finished, "nobody.name", "say")
        self.expect_whole_trace()

    def test_prompt_that_names_an_unknown_variable(self):
        app = make_app(
            [start_node(), llm_node(prompt="Hello {{#nobody.name#}}!"), end_node(x=["ask", "text"])],
            [("start", "ask"), ("ask", "end")],
        )
        finished = self.run_app(app)
        self.expect_code(finished, 1)
        self.expect_said(finished, "nobody")
        self.expect_whole_trace()

    def test_configuration_with_an_unknown_key(self):
        self.write("flowspan.toml", "[models]\ndefualt_endpoint = 1\n")
        finished = self.run_app(hello_app(), "-i", "name=A")
        self.expect_code(finished, 2)
        self.expect_said(finished, "flowspan.toml:2:", "defualt_endpoint")

    def test_configuration_that_is_not_there(self):
        finished = self.run_app(hello_app(), "-i", "name=A", "--config", "other.toml")
        self.expect_code(finished, 2)
        self.expect_said(finished, "other.toml")


class BadEndpoints(FlowspanTest):
    def ask(self, environment):
        finished = self.run_app(chat_app(), "--query", "Hi", environment=environment)
        self.expect_code(finished, 1)
        self.expect_result(finished, "failed")
        trace = self.expect_whole_trace()
        for name in ("invoke_workflow", "node llm", "chat "):
            self.assertEqual(trace.named(name)[0].status, 2, name)
        return finished

    def test_nobody_listens(self):
        port = closed_port()
        finished = self.ask({"FLOWSPAN_MODEL_BASE_URL": f"http://127.0.0.1:{port}/v1"})
        self.expect_said(finished, f"127.0.0.1:{port}")
        self.assertLess(finished.seconds, 60)

    def test_no_such_host(self):
        finished = self.ask({"FLOWSPAN_MODEL_BASE_URL": "http://model.invalid/v1"})
        self.expect_said(finished, "model.invalid")

    def test_base_url_that_is_none(self):
        finished = self.run_app(
            chat_app(), "--query", "Hi", environment={"FLOWSPAN_MODEL_BASE_URL": "not a url"}
        )
        self.assertIn(finished.code, (1, 2))
        self.expect_said(finished, "URL", "http://")

    def test_garbage_of_every_sort(self):
        for title, body, content_type in (
            ("a web page", "<html>It works!</html>", "text/html"),
            ("json of another sort", '{"weather": "fine"}', "application/json"),
            ("a list", "[1, 2, 3]", "application/json"),
            ("broken json", '{"choices": [', "application/json"),
            ("a stream of nonsense", "data: {{{\\n\\ndata: 7\\n\\n", "text/event-stream"),
            ("nothing", "", "application/json"),
        ):
            with self.subTest(title), ModelServer(
                f"replies: [{{body: {quote(body)}, content_type: {content_type}}}]"
            ) as server:
                finished = self.ask(server.environment)
                self.expect_said(finished, f"127.0.0.1:{server.port}")

    def test_bytes_that_are_no_text(self):
        def respond(*_):
            return 200, {"Content-Type": "text/event-stream"}, bytes(range(256)) * 100

        with StubServer(respond) as server:
            self.ask({"FLOWSPAN_MODEL_BASE_URL": server.url})

    def test_errors_of_the_provider_come_with_its_words(self):
        for status in (400, 401, 403, 404, 422):
            with self.subTest(status=status), ModelServer(
                f"replies: [{{status: {status}, body: {{error: {{message: the words of it}}}}}}]"
            ) as server:
                finished = self.ask(server.environment)
                self.expect_said(finished, str(status), "the words of it")

    def test_key_is_never_shown(self):
        with ModelServer("replies: [{status: 401, body: {error: {message: no}}}]") as server:
            environment = {**server.environment, "FLOWSPAN_MODEL_API_KEY": "sk-very-secret-thing"}
            finished = self.ask(environment)
        trace = self.trace_file.read_text(encoding="utf-8")
        for text in (finished.stdout, finished.stderr, trace):
            self.assertNotIn("very-secret", text)

    def test_stream_that_breaks_off(self):
        with ModelServer("replies: [{text: one two three, disconnect_after: 2}]") as server:
            finished = self.ask(server.environment)
        self.expect_said(finished, "broke off")

    def test_telemetry_receiver_that_is_down(self):
        for protocol in ("http/protobuf", "http/json", "grpc"):
            with self.subTest(protocol=protocol):
                port = closed_port()
                finished = self.run_app(
                    hello_app(),
                    "-i",
                    "name=Ada",
                    environment={
                        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
                        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                    },
                )
                self.expect_code(finished, 0)
                self.expect_result(finished, "succeeded")
                self.expect_said(finished, f"127.0.0.1:{port}", "span")
                self.assertLess(finished.seconds, 20)
                self.expect_whole_trace()

    def test_telemetry_receiver_that_never_answers(self):
        with ModelServer() as server:
            finished = self.run_app(
                hello_app(),
                "-i",
                "name=Ada",
                environment={"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": server.url + "/hang"},
            )
        self.expect_code(finished, 0)
        self.expect_said(finished, f"127.0.0.1:{server.port}", "span")
        self.assertLess(finished.seconds, 20)
        self.expect_whole_trace()


def quote(text):
    """As a YAML double-quoted text whose `\\n` are line breaks."""
    return '"' + text.replace('"', '\\"') + '"'


class BadCode(FlowspanTest):
    """Code nodes that misbehave are stopped by their limits and fail alone."""

    def expect_stopped(self, code, *words, language="python3", code_limit_s=40):
        finished = self.run_app(code_app(code, language=language))
        self.expect_code(finished, 1)
        self.expect_result(finished, "failed")
        self.expect_said(finished, "Code (code): ", *words)
        self.assertLess(finished.seconds, code_limit_s)
        trace = self.expect_whole_trace()
        (node,) = trace.named("node code")
        self.assertEqual(node.status, 2)
        return finished

    def setUp(self):
        super().setUp()
        # Shorter than the default, to be quick, and only one of the two: which of them is reached
        # first depends on how many threads the interpreter uses.
        self.write("flowspan.toml", "[sandbox.limits]\nwall_time = 3\nprocessor_time = 30\n")

    def test_that_loops_for_ever(self):
        self.expect_stopped("def main():\n    while True:\n        pass\n", "ran longer than")

    def test_that_loops_for_ever_in_javascript(self):
        self.expect_stopped("function main() { for (;;) {} }", "ran longer than", language="javascript")

    def test_that_uses_too_much_processor_time(self):
        self.write("flowspan.toml", "[sandbox.limits]\nwall_time = 60\nprocessor_time = 1\n")
        self.expect_stopped("def main():\n    while True:\n        pass\n", "processor time")

    def test_that_sleeps_for_ever(self):
        self.expect_stopped("import time\n\ndef main():\n    time.sleep(10000)\n", "ran longer than")

    def test_that_forks(self):
        self.expect_stopped(
            "import os\n\ndef main():\n    while True:\n        os.fork()\n"
        )

    def test_that_starts_programs(self):
        self.expect_stopped(
            "import subprocess\n\ndef main():\n"
            "    return {'x': subprocess.check_output(['id']).decode()}\n"
        )

    def test_that_starts_programs_in_javascript(self):
        self.expect_stopped(
            "function main() { return {x: String(require('child_process').execSync('id'))} }",
            language="javascript",
        )

    def test_that_eats_memory(self):
        self.expect_stopped(
            "def main():\n    kept = []\n    while True:\n"
            "        kept.append(bytearray(16 * 1024 * 1024))\n",
            "memory",
        )

    def test_that_eats_memory_in_javascript(self):
        self.expect_stopped(
            "function main() { const kept = []; for (;;) kept.push(new Array(1e6).fill({})) }",
            language="javascript",
        )

    def test_that_opens_a_socket(self):
        with StubServer() as server:
            self.expect_stopped(
                "import urllib.request\n\ndef main():\n"
                f"    return {{'x': urllib.request.urlopen('{server.url}').read().decode()}}\n"
            )
            self.assertEqual(server.requests, [])

    def test_that_opens_a_socket_in_javascript(self):
        with StubServer() as server:
            self.expect_stopped(
                "function main() { require('net').connect(%d, '127.0.0.1'); "
                "const until = Date.now() + 500; while (Date.now() < until) {} "
                "throw new Error('nobody came'); }" % server.port,
                language="javascript",
            )
            self.assertEqual(server.requests, [])

    def test_that_prints_a_lot(self):
        self.expect_stopped(
            "def main():\n    for _ in range(100):\n        print('x' * 1024 * 1024)\n"
            "    return {'x': 'done'}\n",
            "printed more than",
        )

    def test_that_exits(self):
        self.expect_stopped("import os\n\ndef main():\n    os._exit(0)\n")

    def test_that_kills_what_it_can(self):
        self.expect_stopped(
            "import os\n\ndef main():\n    os.kill(-1, 9)\n    os.kill(os.getppid(), 9)\n"
        )

    def test_that_reads_the_files_of_the_host(self):
        self.write("secret.txt", "the secret of the host")
        finished = self.expect_stopped(
            f"def main():\n    return {{'x': open('{self.folder}/secret.txt').read()}}\n"
        )
        self.assertNotIn("the secret of the host", finished.stdout)

    def test_that_reads_the_environment_of_the_host(self):
        finished = self.run_app(
            code_app("import os\n\ndef main():\n    return {'x': str(dict(os.environ))}\n"),
            environment={"FLOWSPAN_MODEL_API_KEY": "sk-very-secret-thing"},
        )
        self.assertNotIn("very-secret", finished.stdout)

    def test_that_is_no_code(self):
        self.expect_stopped("x = 1\ndef main(:\n", "SyntaxError", "line 2")

    def test_without_main(self):
        self.expect_stopped("x = 1\n", "main")

    def test_program_is_fine_afterwards(self):
        """No process of a sandbox outlives the program."""
        self.expect_stopped("def main():\n    while True:\n        pass\n", "ran longer than")
        finished = self.run_app(code_app("def main():\n    return {'x': 'fine'}\n"))
        self.expect_code(finished, 0)
        self.assertEqual(finished.result["outputs"], {"x": "fine"})


if __name__ == "__main__":
    unittest.main()
