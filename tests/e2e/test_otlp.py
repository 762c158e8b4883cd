"""What really leaves over OTLP, read by an independent decoder and held against the conventions."""

import gzip
import pathlib
import threading
import unittest
from concurrent import futures

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import conventions
from support import FlowspanTest, ModelServer, StubServer, chat_app, hello_app, make_app
from support import end_node, start_node, text_input

AGENT_SCRIPT = """
replies:
  - when: {any_message: "2023-11-14"}
    text: It was then.
    usage: {prompt_tokens: 30, completion_tokens: 4}
  - text: Let me see.
    tool_calls: [{id: call_1, name: timestamp_to_localtime, arguments: {timestamp: "1700000000"}}]
    usage: {prompt_tokens: 10, completion_tokens: 5}
"""


AGENT_SPANS = {"chat", "invoke_workflow", "invoke_agent", "execute_tool", "POST"}


def agent_app():
    parameters = {
        "model": {
            "type": "constant",
            "value": {
                "provider": "langgenius/openai/openai",
                "model": "scripted-1",
                "mode": "chat",
                "completion_params": {"temperature": 0.5, "max_tokens": 64},
            },
        },
        "instruction": {"type": "mixed", "value": "Serve well."},
        "query": {"type": "mixed", "value": "When was it?"},
        "maximum_iterations": {"type": "constant", "value": 4},
        "tools": {
            "type": "constant",
            "value": [
                {
                    "enabled": True,
                    "type": "builtin",
                    "provider_name": "time",
                    "tool_name": "timestamp_to_localtime",
                    "parameters": {
                        "timestamp": {"auto": 1, "value": None},
                        "timezone": {"auto": 0, "value": {"type": "mixed", "value": "UTC"}},
                    },
                    "settings": {},
                    "extra": {"description": "Reads stamps"},
                }
            ],
        },
    }
    agent = {
        "type": "agent",
        "title": "Helper",
        "agent_strategy_provider_name": "langgenius/agent/agent",
        "agent_strategy_name": "function_calling",
        "agent_parameters": parameters,
    }
    return make_app(
        [start_node(), ("agent", agent), end_node(text=["agent", "text"])],
        [("start", "agent"), ("agent", "end")],
    )


def searching_app():
    """Two retrievals, one after the other: a rerank model's order, and vectors weighed with words."""
    retrieval = {
        "type": "knowledge-retrieval",
        "title": "Find",
        "query_variable_selector": ["start", "question"],
        "dataset_ids": ["docs"],
        "retrieval_mode": "multiple",
    }
    reranked = {
        "top_k": 2,
        "reranking_mode": "reranking_model",
        "reranking_model": {"provider": "jina", "model": "ranker"},
    }
    weighted = {
        "top_k": 2,
        "reranking_mode": "weighted_score",
        "weights": {
            "vector_setting": {
                "vector_weight": 0.5,
                "embedding_provider_name": "jina",
                "embedding_model_name": "embedder",
            },
            "keyword_setting": {"keyword_weight": 0.5},
        },
    }
    return make_app(
        [
            start_node(text_input("question")),
            ("ranked", retrieval | {"multiple_retrieval_config": reranked}),
            ("weighed", retrieval | {"multiple_retrieval_config": weighted}),
            end_node(found=["ranked", "result"], weighed=["weighed", "result"]),
        ],
        [("start", "ranked"), ("ranked", "weighed"), ("weighed", "end")],
    )


TYPES = {
    "string_value": conventions.S,
    "int_value": conventions.I,
    "double_value": conventions.D,
    "bool_value": conventions.B,
}


def type_of(value):
    kind = value.WhichOneof("value")
    if kind != "array_value":
        return TYPES[kind]
    inner = {type_of(item) for item in value.array_value.values}
    return f"{inner.pop()}[]" if len(inner) == 1 else "mixed[]"


def plain(attributes):
    return {
        item.key: getattr(item.value, item.value.WhichOneof("value")) for item in attributes
    }


class Received:
    """Requests of all three signals, decoded."""

    REQUESTS = {
        "/v1/traces": ExportTraceServiceRequest,
        "/v1/metrics": ExportMetricsServiceRequest,
        "/v1/logs": ExportLogsServiceRequest,
    }

    def __init__(self):
        self.by_path = {}

    @classmethod
    def over_http(cls, requests):
        received = cls()
        for method, path, headers, body in requests:
            assert method == "POST", method
            headers = {name.lower(): value for name, value in headers.items()}
            assert headers["content-type"] == "application/x-protobuf", headers
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            received.add(path, body)
        return received

    def add(self, path, body):
        message = self.REQUESTS[path]()
        message.ParseFromString(body)
        self.by_path.setdefault(path, []).append(message)

    def spans(self):
        return [
            span
            for request in self.by_path.get("/v1/traces", [])
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self):
        # Sums are cumulative: the last request has it all.
        return {
            metric.name: metric
            for resource in self.by_path["/v1/metrics"][-1].resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def logs(self):
        return [
            record
            for request in self.by_path.get("/v1/logs", [])
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


class GrpcReceiver(grpc.GenericRpcHandler):
    """A server of the three collector services; takes messages as bytes."""

    PATHS = {
        f"/opentelemetry.proto.collector.{package}.v1.{service}Service/Export": path
        for package, service, path in (
            ("trace", "Trace", "/v1/traces"),
            ("metrics", "Metrics", "/v1/metrics"),
            ("logs", "Logs", "/v1/logs"),
        )
    }

    def __init__(self):
        self.received = Received()
        self.metadata = {}
        self._lock = threading.Lock()

    def service(self, handler_call_details):
        path = self.PATHS.get(handler_call_details.method)
        if path is None:
            return None

        def take(body, _):
            with self._lock:
                self.received.add(path, body)
                self.metadata[path] = dict(handler_call_details.invocation_metadata)
            return b""  # an empty message: all is well

        return grpc.unary_unary_rpc_method_handler(take)

    def __enter__(self):
        self._server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[self])
        self.url = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(None).wait()


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
            word = span.name.split(" ")[0]
            if word not in conventions.SPANS:
                continue
            seen.add(word)
            kind, required, optional = conventions.SPANS[word]
            known = required | optional | conventions.COMMON
            with self.subTest(span=span.name):
                self.assertEqual(span.kind, kind)
                types = {item.key: type_of(item.value) for item in span.attributes}
                self.assertEqual(len(types), len(span.attributes), "each key once")
                for name in required:
                    self.assertIn(name, types)
                for name, found in types.items():
                    if name.startswith(conventions.OWNED):
                        self.assertIn(name, known)
                        self.assertEqual(found, known[name], name)
        return seen

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

    def expect_conventional_metrics(self, finished, received):
        metrics = received.metrics()
        for name, (sort, unit, labels, buckets) in conventions.METRICS.items():
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
