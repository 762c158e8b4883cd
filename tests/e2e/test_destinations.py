"""Several receivers at once, each in its own words: what really left over OTLP, read by Debian's
python3-opentelemetry-proto, against tables made from the conventions."""

import json
import sys
import unittest

import conventions
from support import (
    FlowspanTest,
    ModelServer,
    StubServer,
    answer_node,
    chat_app,
    closed_port,
    hello_app,
    llm_node,
    make_app,
    start_node,
)

# Debian's own Python modules, also for another interpreter.
sys.path.append("/usr/lib/python3/dist-packages")

try:
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
except ImportError:
    trace_service_pb2 = None

QUESTION = "does it arrive everywhere?"
ANSWER = "One two three."
REPLY = f"""
replies:
  - text: {ANSWER}
    usage: {{prompt_tokens: 7, completion_tokens: 3}}
"""


def plain(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None


class Received:
    """All spans that a receiver got; checks that every request can be decoded."""

    def __init__(self, server):
        self.spans = []
        self.requests = []
        self.resource = {}
        self.schemas = set()
        for method, path, headers, body in server.requests:
            if not path.endswith("/traces"):
                continue
            assert method == "POST" and headers["Content-Type"] == "application/x-protobuf"
            request = trace_service_pb2.ExportTraceServiceRequest()
            request.ParseFromString(body)
            self.requests.append((headers, request))
            for resource in request.resource_spans:
                self.resource = {a.key: plain(a.value) for a in resource.resource.attributes}
                for scope in resource.scope_spans:
                    self.spans += list(scope.spans)
                    self.schemas.add(scope.schema_url)

    def attributes(self, prefix):
        found = [span for span in self.spans if span.name.startswith(prefix)]
        assert found, f"no span {prefix} among {sorted(s.name for s in self.spans)}"
        keys = [a.key for a in found[0].attributes]
        assert len(keys) == len(set(keys)), f"a key twice: {keys}"
        return {a.key: plain(a.value) for a in found[0].attributes}


# What each convention wants on a model call: name -> type. Values are checked where they are known.
MODEL_CALL = {
    "opentelemetry": {
        "gen_ai.operation.name": str,
        "gen_ai.provider.name": str,
        "gen_ai.request.model": str,
        "gen_ai.request.stream": bool,
        "gen_ai.usage.input_tokens": int,
        "gen_ai.usage.output_tokens": int,
        "gen_ai.response.finish_reasons": list,
        "gen_ai.response.model": str,
        "gen_ai.response.time_to_first_chunk": float,
        "gen_ai.input.messages": str,
        "gen_ai.output.messages": str,
        "gen_ai.conversation.id": str,
        "server.address": str,
        "server.port": int,
        "user.id": str,
    },
    "openinference": {
        "openinference.span.kind": str,
        "llm.model_name": str,
        "llm.provider": str,
        "llm.token_count.prompt": int,
        "llm.token_count.completion": int,
        "llm.token_count.total": int,
        "llm.input_messages.0.message.role": str,
        "llm.input_messages.0.message.content": str,
        "llm.output_messages.0.message.role": str,
        "llm.output_messages.0.message.content": str,
        "input.value": str,
        "input.mime_type": str,
        "output.value": str,
        "output.mime_type": str,
        "session.id": str,
        "user.id": str,
        "tag.tags": list,
        "metadata": str,
    },
    "dify": {
        "gen_ai.span.kind": str,
        "gen_ai.framework": str,
        "gen_ai.request.model": str,
        "gen_ai.provider.name": str,
        "gen_ai.usage.input_tokens": int,
        "gen_ai.usage.output_tokens": int,
        "gen_ai.usage.total_tokens": int,
        "gen_ai.prompt": str,
        "gen_ai.completion": str,
        "gen_ai.response.finish_reason": str,
        "gen_ai.input.messages": str,
        "gen_ai.output.messages": str,
    },
    "langfuse": {
        "langfuse.observation.type": str,
        "langfuse.observation.input": str,
        "langfuse.observation.output": str,
        "langfuse.observation.model.name": str,
        "langfuse.observation.usage_details": str,
        "langfuse.observation.completion_start_time": str,
        "langfuse.session.id": str,
        "langfuse.user.id": str,
        "langfuse.trace.tags": list,
    },
    "langsmith": {
        "langsmith.span.kind": str,
        "langsmith.span.tags": str,
        "langsmith.metadata.thread_id": str,
        "gen_ai.system": str,
        "gen_ai.operation.name": str,
        "gen_ai.request.model": str,
        "gen_ai.usage.input_tokens": int,
        "gen_ai.usage.output_tokens": int,
        "gen_ai.usage.total_tokens": int,
        "gen_ai.prompt.0.role": str,
        "gen_ai.prompt.0.content": str,
        "gen_ai.completion.0.role": str,
        "gen_ai.completion.0.content": str,
    },
}

VALUES = {
    "opentelemetry": {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7},
    "openinference": {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.content": QUESTION,
        "llm.output_messages.0.message.content": ANSWER,
        "llm.token_count.total": 10,
        "user.id": "ada",
    },
    "dify": {"gen_ai.span.kind": "LLM", "gen_ai.framework": "dify", "gen_ai.completion": ANSWER},
    "langfuse": {
        "langfuse.observation.type": "generation",
        "langfuse.observation.usage_details": '{"input":7,"output":3,"total":10}',
        "langfuse.user.id": "ada",
    },
    "langsmith": {
        "langsmith.span.kind": "llm",
        "gen_ai.prompt.0.content": QUESTION,
        "gen_ai.completion.0.content": ANSWER,
    },
}

# The kinds of the other steps, by span.
KINDS = {
    "openinference": (
        "openinference.span.kind",
        {"AppGenerateService": "CHAIN", "invoke_workflow": "CHAIN", "node llm": "CHAIN"},
    ),
    "langfuse": (
        "langfuse.observation.type",
        {"AppGenerateService": "chain", "invoke_workflow": "chain", "node llm": "span"},
    ),
    "langsmith": (
        "langsmith.span.kind",
        {"AppGenerateService": "chain", "invoke_workflow": "chain", "node llm": "chain"},
    ),
}


def destination(name, url, **settings):
    lines = [f'name = "{name}"', f'endpoint = "{url}"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    return "[[trace.destinations]]\n" + "\n".join(lines) + "\n"


@unittest.skipIf(trace_service_pb2 is None, "python3-opentelemetry-proto is not installed")
class Dialects(FlowspanTest):
    def run_chat(self, settings, **options):
        self.write("flowspan.toml", settings)
        with ModelServer(REPLY) as model:
            finished = self.run_app(
                chat_app(),
                "-q",
                QUESTION,
                "--user",
                "ada",
                "--conversation",
                "talk-1",
                environment=model.environment,
                **options,
            )
        self.expect_code(finished, 0)
        return finished

    def test_each_receiver_gets_the_names_and_types_of_its_dialect(self):
        servers = {dialect: StubServer() for dialect in MODEL_CALL}
        settings = ""
        for dialect, server in servers.items():
            server.__enter__()
            self.addCleanup(server.__exit__, None, None, None)
            settings += destination(
                dialect, server.url + "/v1/traces", dialect=dialect, content="full"
            )
        self.run_chat(settings)
        ids = set()
        for dialect, server in servers.items():
            received = Received(server)
            with self.subTest(dialect):
                attributes = received.attributes("chat ")
                for name, kind in MODEL_CALL[dialect].items():
                    self.assertIn(name, attributes)
                    self.assertIs(type(attributes[name]), kind, name)
                for name, value in VALUES[dialect].items():
                    self.assertEqual(attributes[name], value, name)
                if dialect in KINDS:
                    key, kinds = KINDS[dialect]
                    for prefix, kind in kinds.items():
                        self.assertEqual(received.attributes(prefix)[key], kind, prefix)
                self.assertEqual(received.attributes("POST")["http.request.method"], "POST")
                # Who has other names must not claim the conventions'.
                schema = conventions.SCHEMA_URL if dialect == "opentelemetry" else ""
                self.assertEqual(received.schemas, {schema})
            ids.add(frozenset(span.span_id for span in received.spans))
        self.assertEqual(len(ids), 1, "the same spans everywhere")

    def test_structured_values_are_json(self):
        with StubServer() as server:
            self.run_chat(
                destination("lf", server.url + "/traces", dialect="langfuse", content="full")
            )
            received = Received(server)
        chat = received.attributes("chat ")
        self.assertEqual(
            json.loads(chat["langfuse.observation.input"]),
            [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}],
        )
        root = received.attributes("AppGenerateService")
        self.assertEqual(root["langfuse.trace.name"], "Trial")
        self.assertEqual(json.loads(root["langfuse.trace.output"])["answer"], ANSWER)
        self.assertNotIn("gen_ai.usage.input_tokens", received.attributes("node llm"))

    def test_each_receiver_sees_the_content_it_may_see(self):
        with StubServer() as full, StubServer() as some, StubServer() as none:
            settings = destination("full", full.url + "/traces", content="full")
            settings += destination("some", some.url + "/traces")
            settings += "[trace.destinations.capture]\nanswers = \"full\"\n"
            settings += destination("none", none.url + "/traces", content="off")
            self.run_chat(settings)
            seen = [Received(server) for server in (full, some, none)]
        chats = [received.attributes("chat ") for received in seen]
        self.assertIn("gen_ai.input.messages", chats[0])
        self.assertIn("gen_ai.output.messages", chats[0])
        self.assertNotIn("gen_ai.input.messages", chats[1])
        self.assertIn("gen_ai.output.messages", chats[1])
        self.assertEqual(chats[1]["flowspan.prompt.bytes"], len(QUESTION))
        for key in chats[2]:
            self.assertNotIn(".messages", key.replace("flowspan.prompt.messages", ""))
            self.assertFalse(key.endswith(".bytes"), key)
        # Neither the file nor the store were asked to show content.
        self.assertNotIn(QUESTION, self.trace_file.read_text(encoding="utf-8"))

    def test_headers_and_resource_belong_to_one_receiver(self):
        with StubServer() as mine, StubServer() as other:
            settings = destination("mine", mine.url + "/traces")
            settings += '[trace.destinations.headers]\n"x-api-key" = "secret-key-1"\n'
            settings += '[trace.destinations.resource]\n"openinference.project.name" = "p1"\n'
            settings += destination("other", other.url + "/traces")
            self.run_chat(settings)
            headers = [Received(server).requests[0][0] for server in (mine, other)]
            resources = [Received(server).resource for server in (mine, other)]
        self.assertEqual(headers[0]["x-api-key"], "secret-key-1")
        self.assertNotIn("x-api-key", headers[1])
        self.assertEqual(resources[0]["openinference.project.name"], "p1")
        self.assertNotIn("openinference.project.name", resources[1])

    def test_one_that_is_down_harms_no_other(self):
        with StubServer() as server:
            settings = destination("down", f"http://127.0.0.1:{closed_port()}/v1/traces")
            settings += destination("up", server.url + "/traces")
            finished = self.run_chat(settings)
            received = Received(server)
        self.expect_whole_trace()
        self.assertEqual(
            {span.span_id.hex() for span in received.spans},
            {span.span_id for span in self.expect_whole_trace().spans},
        )
        self.expect_said(finished, "down: ", "did not get")
        self.assertNotIn("up: ", finished.stderr)

    def test_two_of_one_name_are_refused(self):
        twice = destination("same", "http://127.0.0.1:1/v1/traces")
        self.write("flowspan.toml", twice + twice)
        finished = self.run_app(hello_app(), "-i", "name=x")
        self.expect_code(finished, 2)
        self.expect_said(finished, "two receivers", "same: ")

    def test_a_5_mb_prompt_arrives_cut_with_a_mark_and_its_neighbours_whole(self):
        prompt = "x" * (5 * 1024 * 1024)
        self.write("prompt.txt", prompt)
        app = make_app(
            [
                start_node(
                    {
                        "variable": "text",
                        "label": "text",
                        "type": "paragraph",
                        "required": True,
                        "max_length": 10_000_000,
                        "options": [],
                    }
                ),
                llm_node(prompt="{{#start.text#}}"),
                answer_node(),
            ],
            [("start", "ask"), ("ask", "say")],
            mode="advanced-chat",
        )
        with StubServer() as server, ModelServer(REPLY) as model:
            self.write(
                "flowspan.toml",
                "[trace]\ncontent_bytes_max = 16000000\n"
                + destination("big", server.url + "/traces", content="full"),
            )
            finished = self.run_app(
                app, "-q", "go", "-i", "text=@prompt.txt", environment=model.environment
            )
            self.expect_code(finished, 0)
            received = Received(server)
            sizes = [len(body) for _, path, _, body in server.requests if "traces" in path]
        spans = {span.span_id for span in self.expect_whole_trace().spans}
        self.assertEqual({span.span_id.hex() for span in received.spans}, spans, "none is lost")
        self.assertLess(max(sizes), 4 * 1024 * 1024, "no request is beyond what receivers take")
        chat = received.attributes("chat ")
        self.assertIn("gen_ai.input.messages", chat["flowspan.truncated"])
        self.assertGreater(chat["flowspan.truncated_bytes"], 4_000_000)
        self.assertTrue(chat["gen_ai.input.messages"].startswith('[{"role":"user"'))
        self.assertEqual(chat["flowspan.prompt.bytes"], len(prompt))
        self.assertIn(ANSWER, chat["gen_ai.output.messages"])
        say = received.attributes("node answer")
        self.assertNotIn("flowspan.truncated", say)
        self.assertIn(ANSWER, say["output.value"])
        http = received.attributes("POST")
        self.assertEqual(http["http.response.status_code"], 200)

    def test_large_content_goes_to_a_folder_by_reference(self):
        prompt = "y" * 100_000
        self.write("prompt.txt", prompt)
        self.write(
            "flowspan.toml",
            '[trace]\ncontent = "full"\n[trace.content_store]\npath = "content"\n',
        )
        app = make_app(
            [start_node(), llm_node(prompt=prompt), answer_node()],
            [("start", "ask"), ("ask", "say")],
            mode="advanced-chat",
        )
        with ModelServer(REPLY) as model:
            finished = self.run_app(app, "-q", "go", environment=model.environment)
        self.expect_code(finished, 0)
        chat = self.expect_whole_trace().named("chat ")[0].attributes
        head = json.loads(chat["gen_ai.input.messages"])
        self.assertIn("more bytes)", head[0]["parts"][0]["content"])
        self.assertLess(len(chat["gen_ai.input.messages"]), 17_000)
        whole = self.flowspan("trace", "content", chat["flowspan.prompt.ref"])
        self.expect_code(whole, 0)
        self.assertEqual(json.loads(whole.stdout)[0]["parts"][0]["content"], prompt)


def partial_success(_method, _path, _headers, _body):
    # partial_success {rejected_spans: 2, error_message: "too old"}
    return 200, {"Content-Type": "application/x-protobuf"}, b"\x0a\x0b\x08\x02\x12\x07too old"


class TraceTest(FlowspanTest):
    def run_test(self, settings, *arguments):
        self.write("flowspan.toml", settings)
        return self.flowspan("trace", "test", *arguments)

    def test_says_what_came_back(self):
        def refuse(*_):
            return 401, {"Content-Type": "text/plain"}, b"no such key"

        with StubServer() as good, StubServer(partial_success) as some, StubServer(refuse) as bad:
            settings = destination("good", good.url + "/v1/traces", dialect="langsmith")
            settings += destination("some", some.url + "/v1/traces")
            settings += destination("bad", bad.url + "/v1/traces")
            settings += destination("gone", f"http://127.0.0.1:{closed_port()}/v1/traces")
            finished = self.run_test(settings)
            as_json = self.run_test(settings, "--json")
        self.expect_code(finished, 1)
        lines = finished.stdout.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[0], r"^good: .*: accepted in \d+ ms, 7 spans, trace [0-9a-f]{32}$")
        self.assertRegex(lines[1], r"^some: .*: partial in .*2 of 7 spans rejected: too old$")
        self.assertRegex(lines[2], r"^bad: .*: refused in .*HTTP 401.*no such key$")
        self.assertRegex(lines[3], r"^gone: .*: unreachable in ")
        outcomes = [json.loads(line)["outcome"] for line in as_json.stdout.splitlines()]
        self.assertEqual(outcomes, ["accepted", "partial", "refused", "unreachable"])

    def test_says_what_became_of_the_score(self):
        def respond(_method, path, _headers, _body):
            return (200 if path.endswith("/traces") else 403), {}, b"read only"

        with StubServer(respond) as phoenix, StubServer(respond) as langsmith:
            settings = destination("px", phoenix.url + "/v1/traces", dialect="openinference")
            settings += destination("ls", langsmith.url + "/otel/v1/traces", dialect="langsmith")
            finished = self.run_test(settings)
        self.expect_code(finished, 1)
        for line in finished.stdout.splitlines():
            self.assertRegex(line, r"partial in .*1 of 7 spans rejected: .*HTTP 403: read only$")

    def test_a_run_that_langsmith_has_yet_to_make_is_no_failure(self):
        def respond(_method, path, _headers, _body):
            return (200 if path.endswith("/traces") else 404), {}, b""

        with StubServer(respond) as server:
            settings = destination("ls", server.url + "/otel/v1/traces", dialect="langsmith")
            finished = self.run_test(settings)
            as_json = self.run_test(settings, "--json")
        self.expect_code(finished, 0)
        self.assertRegex(finished.stdout, r"^ls: .*: accepted in .*; not its score: .*HTTP 404")
        self.assertIn("HTTP 404", json.loads(as_json.stdout)["score_error"])

    def test_all_accepted_is_0(self):
        with StubServer() as good:
            finished = self.run_test(destination("good", good.url + "/v1/traces"))
        self.expect_code(finished, 0)

    def test_no_receiver_is_bad_usage(self):
        finished = self.run_test("")
        self.expect_code(finished, 2)
        self.expect_said(finished, "[[trace.destinations]]")

    def test_an_unknown_dialect_is_named(self):
        finished = self.run_test(destination("x", "http://127.0.0.1:1/", dialect="klingon"))
        self.expect_code(finished, 1)
        self.assertIn("klingon", finished.stdout)


@unittest.skipIf(trace_service_pb2 is None, "python3-opentelemetry-proto is not installed")
class Scores(FlowspanTest):
    def test_attach_to_the_trace_of_the_run(self):
        with StubServer() as otlp, StubServer() as langfuse, StubServer() as back_end:
            settings = '[trace.store]\npath = "traces.db"\n'
            settings += destination("otlp", otlp.url + "/v1/traces")
            settings += destination(
                "lf", langfuse.url + "/api/public/otel/v1/traces", dialect="langfuse"
            )
            settings += '[trace.destinations.headers]\nAuthorization = "Basic cGs6c2s="\n'
            settings += destination(
                "ls", back_end.url + "/otel/v1/traces", dialect="langsmith", content="off"
            )
            settings += '[trace.destinations.headers]\n"x-api-key" = "lsv2-key"\n'
            settings += destination("px", back_end.url + "/v1/traces", dialect="openinference")
            self.write("flowspan.toml", settings)
            environment = {"FLOWSPAN_TRACE_STORE": "traces.db"}
            with ModelServer(REPLY) as model:
                run = self.run_app(
                    chat_app(), "-q", QUESTION, environment=model.environment | environment
                )
            trace_id = run.result["trace_id"]
            scored = self.flowspan(
                "trace", "score", trace_id[:12], "--name", "helpful", "--value", "0.5",
                "--comment", "so so", environment=environment,
            )
            self.expect_code(scored, 0)
            received = Received(otlp)
            posted = [
                json.loads(body)
                for _, path, _, body in langfuse.requests
                if path == "/api/public/ingestion"
            ]
            shown = self.flowspan("trace", "show", trace_id, environment=environment)
        span = next(s for s in received.spans if s.name == "score helpful")
        root = next(s for s in received.spans if s.name.startswith("AppGenerateService"))
        self.assertEqual(span.trace_id.hex(), trace_id)
        self.assertEqual(span.parent_span_id, root.span_id)
        attributes = received.attributes("score ")
        self.assertEqual(attributes["gen_ai.evaluation.name"], "helpful")
        self.assertEqual(attributes["gen_ai.evaluation.score.value"], 0.5)
        self.assertEqual(attributes["gen_ai.evaluation.explanation"], "so so")
        self.assertEqual(span.events[0].name, "gen_ai.evaluation.result")
        self.assertEqual(len(posted), 1, "Langfuse has an endpoint of its own for scores")
        event = posted[0]["batch"][0]
        self.assertEqual(event["type"], "score-create")
        body = event["body"]
        self.assertEqual(
            (body["traceId"], body["name"], body["value"], body["comment"]),
            (trace_id, "helpful", 0.5, "so so"),
        )
        self.assertIn("score helpful", shown.stdout)
        told = {path: (headers, json.loads(body)) for _, path, headers, body in back_end.requests
                if not path.endswith("/traces")}
        self.assertEqual(
            set(told), {"/api/v1/feedback", "/v1/span_annotations?sync=false"}
        )
        headers, feedback = told["/api/v1/feedback"]
        run_id = root.span_id.hex()
        self.assertEqual(headers["x-api-key"], "lsv2-key")
        self.assertEqual(
            feedback["run_id"], f"00000000-0000-0000-{run_id[:4]}-{run_id[4:]}"
        )
        self.assertEqual((feedback["key"], feedback["score"]), ("helpful", 0.5))
        headers, annotations = told["/v1/span_annotations?sync=false"]
        self.assertNotIn("x-api-key", headers)
        (annotation,) = annotations["data"]
        self.assertEqual(annotation["span_id"], root.span_id.hex())
        self.assertEqual(annotation["annotator_kind"], "HUMAN")
        self.assertEqual(annotation["result"], {"score": 0.5, "explanation": "so so"})

    def test_find_the_trace_by_the_run(self):
        environment = {"FLOWSPAN_TRACE_STORE": "traces.db"}
        with StubServer() as otlp:
            self.write("flowspan.toml", destination("otlp", otlp.url + "/v1/traces"))
            run = self.run_app(hello_app(), "-i", "name=x", environment=environment).result
            scored = self.flowspan(
                "trace", "score", run["run_id"], "--name", "n", "--value", "1",
                environment=environment,
            )
            self.expect_code(scored, 0)
            span = next(s for s in Received(otlp).spans if s.name == "score n")
        self.assertEqual(span.trace_id.hex(), run["trace_id"])
        shown = self.flowspan("trace", "show", run["run_id"], environment=environment)
        self.expect_code(shown, 0)
        self.assertIn(run["trace_id"], shown.stdout)
        other = "00000000-0000-4000-8000-000000000000"
        finished = self.flowspan("trace", "show", other, environment=environment)
        self.expect_code(finished, 2)
        self.expect_said(finished, other)

    def test_need_a_value_and_a_trace(self):
        self.expect_code(self.flowspan("trace", "score", "abc", "--name", "n"), 2)
        finished = self.flowspan(
            "trace", "score", "0" * 31 + "1", "--name", "n", "--value", "1", "--span", "x"
        )
        self.expect_code(finished, 2)


if __name__ == "__main__":
    unittest.main()
