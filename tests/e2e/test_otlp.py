"""What really leaves over OTLP, read by an independent decoder and held against the conventions."""

import json
import pathlib
import unittest

import conventions
from otlp_receivers import (
    AGENT_SCRIPT,
    PARAMETERS,
    GrpcReceiver,
    Received,
    agent_app,
    failing_app,
    plain,
    searching_app,
    type_of,
)
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

# Agents ask no database of the program.
DATABASE_METRIC = "db.client.operation.duration"
AGENT_SPANS = {"chat", "invoke_workflow", "invoke_agent", "execute_tool", "POST"}


def otlp(server, **more):
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        **more,
    }


class Contract(FlowspanTest):
    def run_agent(self, **more):
        with ModelServer(AGENT_SCRIPT) as model, StubServer() as receiver:
            finished = self.run_app(
                agent_app(),
                environment=model.environment | otlp(receiver, **more),
            )
            self.expect_code(finished, 0)
            return finished, Received.over_http(receiver.requests)

    def run_agent_over_grpc(self, **more):
        with ModelServer(AGENT_SCRIPT) as model, GrpcReceiver() as receiver:
            finished = self.run_app(
                agent_app(),
                environment=model.environment
                | otlp(
                    receiver,
                    OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
                    OTEL_EXPORTER_OTLP_HEADERS="x-api-key=k1",
                    **more,
                ),
            )
            self.expect_code(finished, 0)
            for path in Received.REQUESTS:
                self.assertEqual(receiver.metadata[path]["x-api-key"], "k1", path)
            return finished, receiver.received

    def test_spans_have_the_names_and_types_of_the_conventions(self):
        _, received = self.run_agent()
        self.assertEqual(self.expect_conventional_spans(received), AGENT_SPANS)

    def test_search_models_follow_the_conventions(self):
        with ModelServer() as model, StubServer() as receiver:
            service = f'[{{base_url = "{model.url}/v1", provider_name = "jina"}}]'
            self.write(
                "flowspan.toml",
                f"[models]\nrerank = {service}\nembedding = {service}\n[trace]\ncontent = 'full'\n",
            )
            self.write("docs.txt", "Refunds are paid within 14 days.")
            for arguments in (("create", "docs"), ("add", "docs", "docs.txt")):
                self.expect_code(self.flowspan("knowledge", *arguments), 0)
            finished = self.run_app(
                searching_app(),
                "-i",
                "question=When are refunds paid?",
                environment=otlp(receiver),
            )
            self.expect_code(finished, 0)
            received = Received.over_http(receiver.requests)
        self.expect_metric(received.metrics(), DATABASE_METRIC)
        seen = self.expect_conventional_spans(received)
        self.assertLessEqual({"rerank", "embeddings", "retrieval", "SELECT", "POST"}, seen)
        by_id = {span.span_id: span for span in received.spans()}
        for name in ("rerank ranker", "embeddings embedder"):
            (span,) = [span for span in by_id.values() if span.name == name]
            self.assertTrue(by_id[span.parent_span_id].name.startswith("retrieval "), name)
            calls = [call for call in by_id.values() if call.parent_span_id == span.span_id]
            self.assertEqual([call.name for call in calls], ["POST"], name)
        (ranked,) = finished.result["outputs"]["found"]
        self.assertEqual(ranked["metadata"]["score"], 0.75)

    def expect_conventional_spans(self, received):
        spans = received.spans()
        seen = set()
        for span in spans:
            with self.subTest(span=span.name):
                types = self.expect_sound_span(span)
                if (rules := conventions.of_span(span.name, types)) is None:
                    continue
                seen.add(span.name.split(" ")[0])
                kind, required, optional = rules
                self.assertEqual(span.kind, kind)
                self.expect_types(types, required, optional | conventions.COMMON)
        return seen

    def expect_types(self, types, required, optional):
        known = required | optional
        for name in required:
            self.assertIn(name, types)
        for name, found in types.items():
            if name.startswith(conventions.OWNED):
                self.assertIn(name, known)
                self.assertEqual(found, known[name], name)

    def expect_sound_span(self, span):
        """What holds for all spans; gives the types of the attributes."""
        types = {item.key: type_of(item.value) for item in span.attributes}
        self.assertEqual(len(types), len(span.attributes), "each key once")
        self.assertNotEqual(span.status.code, 1, "OK is the application's word")
        if span.status.code == 2:
            self.assertIn("error.type", types)
        exceptions = 0
        for event in span.events:
            exceptions += event.name == "exception"
            if event.name in conventions.EVENTS:
                required, optional = conventions.EVENTS[event.name]
                self.expect_types(
                    {item.key: type_of(item.value) for item in event.attributes},
                    required,
                    optional,
                )
        self.assertLessEqual(exceptions, 1, "an exception is recorded once")
        return types

    def test_all_signals_name_their_conventions(self):
        _, received = self.run_agent()
        scopes = [
            (path, scope)
            for path, outer, inner in (
                ("/v1/traces", "resource_spans", "scope_spans"),
                ("/v1/metrics", "resource_metrics", "scope_metrics"),
                ("/v1/logs", "resource_logs", "scope_logs"),
            )
            for request in received.by_path[path]
            for resource in getattr(request, outer)
            for scope in [resource, *getattr(resource, inner)]
        ]
        for path, scope in scopes:
            self.assertEqual(scope.schema_url, conventions.SCHEMA_URL, path)
            if hasattr(scope, "scope"):
                self.assertEqual(scope.scope.name, "flowspan", path)
                self.assertRegex(scope.scope.version, r"^\d+\.\d+", path)

    def run_app_with_content(self, app, model, receiver, *arguments):
        self.write("flowspan.toml", "[trace]\ncontent = 'full'\n")
        finished = self.run_app(app, *arguments, environment=model.environment | otlp(receiver))
        return finished, Received.over_http(receiver.requests)

    def test_parameters_and_tools_have_the_types_of_the_conventions(self):
        app = agent_app().replace('"temperature": 0.5, "max_tokens": 64', PARAMETERS)
        self.assertIn(PARAMETERS, app)
        with ModelServer(AGENT_SCRIPT) as model, StubServer() as receiver:
            finished, received = self.run_app_with_content(app, model, receiver)
        self.expect_code(finished, 0)
        self.expect_conventional_spans(received)
        chat = next(span for span in received.spans() if span.name.startswith("chat"))
        attributes = plain(chat.attributes)
        self.assertEqual(attributes["gen_ai.request.temperature"], 1.0)
        (tool,) = json.loads(attributes["gen_ai.tool.definitions"])
        self.assertEqual((tool["type"], tool["name"]), ("function", "timestamp_to_localtime"))

    def test_text_completions_follow_the_conventions(self):
        name, data = llm_node()
        data = data | {"model": data["model"] | {"mode": "completion"}}
        data["prompt_template"] = {"text": "Say {{#sys.query#}}", "edition_type": "basic"}
        app = make_app(
            [start_node(), (name, data), answer_node()],
            [("start", "ask"), ("ask", "say")],
            mode="advanced-chat",
        )
        with ModelServer("replies: [{text: Hello there.}]") as model, StubServer() as receiver:
            finished, received = self.run_app_with_content(app, model, receiver, "-q", "hi")
        self.expect_code(finished, 0)
        self.assertIn("text_completion", self.expect_conventional_spans(received))

    def test_failures_follow_the_conventions(self):
        """A model that refuses, a server that breaks, a peer that is not there, a tool that fails."""

        def respond(_method, path, _headers, _body):
            return (200 if path.startswith("/v1/") else 500), {}, b""

        with StubServer(respond) as receiver, ModelServer(
            "replies: [{status: 401, body: {error: {message: no such key}}}]"
        ) as model:
            self.write(
                "flowspan.toml",
                f"[[tools.map]]\nprovider = 'mine'\nurl = '{receiver.url}/tool'\n",
            )
            app = failing_app(receiver.url + "/broken", f"http://127.0.0.1:{closed_port()}/gone")
            finished = self.run_app(app, environment=model.environment | otlp(receiver))
            self.expect_code(finished, 0)
            received = Received.over_http(
                [request for request in receiver.requests if request[1].startswith("/v1/")]
            )
        self.assertEqual(finished.result["status"], "partial-succeeded")
        seen = self.expect_conventional_spans(received)
        self.assertLessEqual({"chat", "POST", "GET", "execute_tool", "invoke_workflow"}, seen)
        by_name = {}
        for span in received.spans():
            by_name.setdefault(span.name, []).append(span)
        (chat,) = by_name["chat scripted-1"]
        self.assertEqual(chat.status.code, 2)
        codes = {
            plain(span.attributes).get("http.response.status_code"): plain(span.attributes)
            for span in by_name["GET"] + by_name["POST"]
        }
        self.assertEqual(codes[500]["error.type"], "500")
        self.assertEqual(codes[401]["error.type"], "401")
        self.assertNotIn(codes[None]["error.type"], ("500", ""), "not reached: what failed")
        (workflow,) = by_name["invoke_workflow Trial"]
        self.assertEqual(workflow.status.code, 0, "what was handled is no error of the run")
        # Each failure stands once in the trace.
        exceptions = [
            (span.name, event)
            for span in received.spans()
            for event in span.events
            if event.name == "exception"
        ]
        metrics = received.metrics()
        failed = {
            plain(point.attributes).get("error.type")
            for point in metrics["gen_ai.client.operation.duration"].histogram.data_points
        }
        self.assertEqual(failed, {plain(chat.attributes)["error.type"]})
        self.assertGreaterEqual(len(exceptions), 2)

    def test_tree_is_whole(self):
        finished, received = self.run_agent()
        spans = received.spans()
        by_id = {span.span_id: span for span in spans}
        self.assertEqual(len(by_id), len(spans))
        self.assertEqual({len(span.trace_id) for span in spans}, {16})
        self.assertEqual({len(span.span_id) for span in spans}, {8})
        self.assertEqual(
            {span.trace_id.hex() for span in spans}, {finished.result["trace_id"]}
        )
        roots = [span.name for span in spans if not span.parent_span_id]
        self.assertEqual(roots, ["AppGenerateService.generate"])
        parents = {
            span.name: by_id[span.parent_span_id].name for span in spans if span.parent_span_id
        }
        self.assertEqual(parents["invoke_agent Helper"], "node agent")
        self.assertEqual(parents["execute_tool timestamp_to_localtime"], "agent round")
        self.assertEqual(parents["chat scripted-1"], "agent round")
        self.assertEqual(parents["POST"], "chat scripted-1")
        for span in spans:
            self.assertLessEqual(span.start_time_unix_nano, span.end_time_unix_nano)

    def test_metrics_have_the_names_units_and_buckets_of_the_conventions(self):
        finished, received = self.run_agent()
        self.expect_conventional_metrics(finished, received)

    def expect_metric(self, metrics, name):
        sort, unit, labels, buckets = conventions.METRICS[name]
        with self.subTest(metric=name):
            metric = metrics[name]
            self.assertEqual(metric.WhichOneof("data"), sort)
            self.assertEqual(metric.unit, unit)
            data = getattr(metric, sort)
            self.assertEqual(data.aggregation_temporality, 2, "cumulative")
            for point in data.data_points:
                self.assertLessEqual(labels, set(plain(point.attributes)))
                if buckets:
                    self.assertEqual(len(point.explicit_bounds), len(buckets))
                    for bound, wanted in zip(point.explicit_bounds, buckets):
                        self.assertAlmostEqual(bound, wanted)
                    self.assertEqual(len(point.bucket_counts), len(buckets) + 1)
                    self.assertEqual(sum(point.bucket_counts), point.count)

    def expect_conventional_metrics(self, finished, received):
        metrics = received.metrics()
        for name in conventions.METRICS.keys() - {DATABASE_METRIC}:
            self.expect_metric(metrics, name)
        calls = metrics["gen_ai.client.operation.duration"].histogram.data_points
        self.assertEqual(sum(point.count for point in calls), 2)
        usage = {
            plain(point.attributes)["gen_ai.token.type"]: point.sum
            for point in metrics["gen_ai.client.token.usage"].histogram.data_points
        }
        self.assertEqual(usage, {"input": 40, "output": 9})
        spans = received.spans()
        started = metrics["otel.sdk.span.started"].sum.data_points[0].as_int
        self.assertEqual(started, len(spans))
        exemplar = calls[0].exemplars[0]
        chats = {span.span_id for span in spans if span.name == "chat scripted-1"}
        self.assertIn(exemplar.span_id, chats)
        self.assertEqual(exemplar.trace_id.hex(), finished.result["trace_id"])

    def test_runs_that_nobody_traces_are_measured(self):
        _, received = self.run_agent(OTEL_TRACES_SAMPLER="always_off")
        self.assertEqual(received.spans(), [])
        metrics = received.metrics()
        runs = metrics["flowspan.workflow.runs"].sum
        self.assertTrue(runs.is_monotonic)
        self.assertEqual([point.as_int for point in runs.data_points], [1])
        self.assertIn("gen_ai.client.operation.duration", metrics)

    def test_logs_carry_the_ids_of_the_run(self):
        finished, received = self.run_agent()
        self.expect_logs_of_the_run(finished, received)

    def test_messages_go_to_an_event_where_the_environment_asks_for_it(self):
        _, received = self.run_agent(
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="EVENT_ONLY"
        )
        events = [
            record
            for record in received.logs()
            if record.event_name == "gen_ai.client.inference.operation.details"
        ]
        calls = {span.span_id: span for span in received.spans() if span.name.startswith("chat ")}
        self.assertEqual({event.span_id for event in events}, set(calls))
        for event in events:
            on_event = {item.key: item.value for item in event.attributes}
            on_span = {item.key: item.value for item in calls[event.span_id].attributes}
            self.assertNotIn("gen_ai.input.messages", on_span)
            self.assertNotIn("gen_ai.output.messages", on_span)
            self.assertEqual(on_event["gen_ai.request.model"], on_span["gen_ai.request.model"])
            for key in ("gen_ai.input.messages", "gen_ai.output.messages"):
                message = on_event[key].array_value.values[0].kvlist_value.values
                self.assertIn("role", [member.key for member in message], key)

    def test_messages_that_nobody_receives_are_said(self):
        with ModelServer(AGENT_SCRIPT) as model:
            finished = self.run_app(
                agent_app(),
                environment=model.environment
                | {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY"},
            )
        self.expect_code(finished, 0)
        self.assertIn("set OTEL_LOGS_EXPORTER=otlp", finished.stderr)

    def test_all_signals_say_the_same_over_grpc(self):
        for compression in ("none", "gzip"):
            with self.subTest(compression=compression):
                finished, received = self.run_agent_over_grpc(
                    OTEL_EXPORTER_OTLP_COMPRESSION=compression
                )
                self.assertEqual(self.expect_conventional_spans(received), AGENT_SPANS)
                self.expect_conventional_metrics(finished, received)
                self.expect_logs_of_the_run(finished, received)

    def expect_logs_of_the_run(self, finished, received):
        records = received.logs()
        self.assertEqual(
            [record.event_name for record in records],
            ["flowspan.run.started", "flowspan.run.ended"],
        )
        spans = {span.span_id for span in received.spans()}
        for record in records:
            self.assertEqual(record.trace_id.hex(), finished.result["trace_id"])
            self.assertIn(record.span_id, spans)
            self.assertGreater(record.time_unix_nano, 0)
            self.assertIn(record.severity_text, ("INFO", "ERROR"))

    def test_all_signals_come_from_the_same_instance(self):
        _, received = self.run_agent(OTEL_SERVICE_NAME="mine")
        resources = [
            plain(part.resource.attributes)
            for path, field in (
                ("/v1/traces", "resource_spans"),
                ("/v1/metrics", "resource_metrics"),
                ("/v1/logs", "resource_logs"),
            )
            for request in received.by_path[path]
            for part in getattr(request, field)
        ]
        self.assertEqual({one["service.name"] for one in resources}, {"mine"})
        self.assertEqual(len({one["service.instance.id"] for one in resources}), 1)

    def test_compressed_requests_say_the_same(self):
        _, received = self.run_agent(OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
        self.assertGreater(len(received.spans()), 8)
        self.assertIn("gen_ai.client.token.usage", received.metrics())


class Files(FlowspanTest):
    def test_metrics_go_into_a_file(self):
        with ModelServer("replies: [{text: Hello there.}]") as model:
            finished = self.run_app(
                chat_app(),
                "--query",
                "hi",
                "--metrics-out",
                str(self.folder / "metrics.prom"),
                environment=model.environment,
            )
            self.expect_code(finished, 0)
        text = pathlib.Path(self.folder / "metrics.prom").read_text(encoding="utf-8")
        self.assertIn("# TYPE gen_ai_client_operation_duration_seconds histogram\n", text)
        self.assertIn('flowspan_workflow_runs_total{dify_app_mode="advanced-chat"', text)

    def test_taken_port_is_said(self):
        import socket

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            finished = self.run_app(hello_app(), "-i", "name=x", "--metrics-port", port)
        self.expect_code(finished, 2)
        self.expect_said(finished, "metrics cannot be served", port)


if __name__ == "__main__":
    unittest.main()
