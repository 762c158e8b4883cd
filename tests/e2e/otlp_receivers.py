"""What the contract tests of OTLP share: apps whose runs have all sorts of spans, receivers that decode with
Debian's own package of the protocol."""

import gzip
import threading
from concurrent import futures

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import conventions
from support import end_node, llm_node, make_app, start_node, text_input

AGENT_SCRIPT = """
replies:
  - when: {any_message: "2023-11-14"}
    text: It was then.
    usage: {prompt_tokens: 30, completion_tokens: 4}
  - text: Let me see.
    tool_calls: [{id: call_1, name: timestamp_to_localtime, arguments: {timestamp: "1700000000"}}]
    usage: {prompt_tokens: 10, completion_tokens: 5}
"""


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


# As apps write them: whole numbers where the conventions have fractions, and the other way round.
PARAMETERS = '"temperature": 1, "top_p": 1, "presence_penalty": 0, "max_tokens": 64.0, "seed": 7'


def failing_app(broken_url, gone_url):
    """Four nodes that fail one after the other, each with a default value."""

    def handled(**data):
        return {
            "title": data["type"],
            "error_strategy": "default-value",
            "default_value": [{"key": "text", "type": "string", "value": "none"}],
        } | data

    def call(url):
        return handled(
            type="http-request",
            method="get",
            url=url,
            headers="",
            params="",
            body={"type": "none", "data": []},
            authorization={"type": "no-auth", "config": None},
            timeout={},
            retry_config={"retry_enabled": False},
            default_value=[{"key": "body", "type": "string", "value": "none"}],
        )

    _, model = llm_node(prompt="hi")
    tool = handled(
        type="tool",
        provider_id="mine",
        provider_name="mine",
        provider_type="api",
        tool_name="send",
        tool_label="send",
        tool_configurations={},
        tool_parameters={},
    )
    nodes = [
        start_node(),
        ("ask", handled(**model)),
        ("broken", call(broken_url)),
        ("gone", call(gone_url)),
        ("use", tool),
        end_node(text=["ask", "text"]),
    ]
    ids = [name for name, _ in nodes]
    return make_app(nodes, list(zip(ids, ids[1:])))


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
