"""What OpenTelemetry's conventions (core and GenAI 1.41, HTTP and database stable) say of the spans, events and
metrics that a run makes: kind, names with their types, and which must be there. Two types are newer than
1.41, where nested values are not possible on spans and `top_k` was a double: JSON text, and an integer."""

SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.0"

INTERNAL, CLIENT = 1, 3

S, I, D, B, SS = "string", "int", "double", "bool", "string[]"

COMMON = {"error.type": S}
MODEL_REQUEST = {
    "gen_ai.request.stream": B,
    "gen_ai.request.choice.count": I,
    "gen_ai.request.top_k": I,
    "gen_ai.request.temperature": D,
    "gen_ai.request.top_p": D,
    "gen_ai.request.max_tokens": I,
    "gen_ai.request.seed": I,
    "gen_ai.request.frequency_penalty": D,
    "gen_ai.request.presence_penalty": D,
    "gen_ai.request.stop_sequences": SS,
    "gen_ai.output.type": S,
    "gen_ai.conversation.id": S,
    "gen_ai.response.id": S,
    "gen_ai.response.model": S,
    "gen_ai.response.finish_reasons": SS,
    "gen_ai.response.time_to_first_chunk": D,
    "gen_ai.usage.input_tokens": I,
    "gen_ai.usage.output_tokens": I,
    "gen_ai.usage.cache_read.input_tokens": I,
    "gen_ai.usage.cache_creation.input_tokens": I,
    "gen_ai.usage.reasoning.output_tokens": I,
    "gen_ai.input.messages": S,
    "gen_ai.output.messages": S,
    "gen_ai.system_instructions": S,
    "gen_ai.tool.definitions": S,
    "openai.api.type": S,
    "openai.request.service_tier": S,
    "openai.response.service_tier": S,
    "openai.response.system_fingerprint": S,
    "server.address": S,
    "server.port": I,
}
MODEL_CALL = (
    CLIENT,
    {"gen_ai.operation.name": S, "gen_ai.provider.name": S, "gen_ai.request.model": S},
    MODEL_REQUEST,
)

# By the first word of the span's name: (kind, must be there, may be there).
SPANS = {
    "chat": MODEL_CALL,
    "text_completion": MODEL_CALL,
    "invoke_workflow": (
        INTERNAL,
        {"gen_ai.operation.name": S, "gen_ai.workflow.name": S},
        {
            "gen_ai.conversation.id": S,
            "gen_ai.framework": S,
            "gen_ai.input.messages": S,
            "gen_ai.output.messages": S,
        },
    ),
    "invoke_agent": (
        INTERNAL,
        {"gen_ai.operation.name": S, "gen_ai.provider.name": S, "gen_ai.agent.name": S},
        MODEL_REQUEST
        | {
            "gen_ai.request.model": S,
            "gen_ai.agent.id": S,
            "gen_ai.agent.description": S,
            "gen_ai.agent.version": S,
            "gen_ai.data_source.id": S,
        },
    ),
    "execute_tool": (
        INTERNAL,
        {"gen_ai.operation.name": S, "gen_ai.tool.name": S},
        {
            "gen_ai.tool.type": S,
            "gen_ai.tool.call.id": S,
            "gen_ai.tool.description": S,
            "gen_ai.tool.call.arguments": S,
            "gen_ai.tool.call.result": S,
            "gen_ai.agent.name": S,
            "gen_ai.conversation.id": S,
        },
    ),
    "retrieval": (
        CLIENT,
        {"gen_ai.operation.name": S, "gen_ai.data_source.id": S},
        {
            "gen_ai.provider.name": S,
            "gen_ai.request.model": S,
            "server.address": S,
            "server.port": I,
            "gen_ai.request.top_k": I,
            "gen_ai.retrieval.query.text": S,
            "gen_ai.retrieval.documents": S,
        },
    ),
    "embeddings": (
        CLIENT,
        {"gen_ai.operation.name": S, "gen_ai.provider.name": S, "gen_ai.request.model": S},
        {
            "gen_ai.embeddings.dimension.count": I,
            "gen_ai.request.encoding_formats": SS,
            "gen_ai.usage.input_tokens": I,
            "gen_ai.response.model": S,
            "server.address": S,
            "server.port": I,
        },
    ),
    # No convention names it yet; the attributes are those of its neighbours.
    "rerank": (
        CLIENT,
        {"gen_ai.operation.name": S, "gen_ai.provider.name": S, "gen_ai.request.model": S},
        {
            "gen_ai.request.top_k": I,
            "gen_ai.retrieval.query.text": S,
            "gen_ai.usage.input_tokens": I,
            "gen_ai.response.model": S,
            "server.address": S,
            "server.port": I,
        },
    ),
}

HTTP = (
    CLIENT,
    {
        "http.request.method": S,
        "url.full": S,
        "server.address": S,
        "server.port": I,
    },
    {
        "http.request.method_original": S,
        "http.response.status_code": I,
        "http.request.resend_count": I,
        "http.request.body.size": I,
        "http.response.body.size": I,
        "network.protocol.name": S,
        "network.protocol.version": S,
        "network.peer.address": S,
        "network.peer.port": I,
        "url.scheme": S,
        "url.template": S,
        "user_agent.original": S,
    },
)
SQL = (
    CLIENT,
    {"db.system.name": S, "db.operation.name": S, "db.query.summary": S, "db.query.text": S},
    {
        "db.collection.name": S,
        "db.namespace": S,
        "db.operation.batch.size": I,
        "db.response.returned_rows": I,
        "db.response.status_code": S,
    },
)

# Namespaces that the conventions own: an attribute in one must be in the table.
OWNED = (
    "gen_ai.", "openai.", "http.", "url.", "server.", "network.", "db.", "error.", "exception.",
    "user_agent.",
)

# Events by name: (must be there, may be there).
EVENTS = {
    "exception": (
        {"exception.type": S},
        {"exception.message": S, "exception.stacktrace": S},
    ),
    "gen_ai.evaluation.result": (
        {"gen_ai.evaluation.name": S},
        {
            "gen_ai.evaluation.score.value": D,
            "gen_ai.evaluation.score.label": S,
            "gen_ai.evaluation.explanation": S,
        },
    ),
}


def of_span(name, attributes):
    """What holds for a span, or None where no convention speaks."""
    if "db.system.name" in attributes:
        return SQL
    # Nodes tell of the requests they make under the same names; they are no clients.
    if "http.request.method" in attributes and not name.startswith("node "):
        return HTTP
    return SPANS.get(name.split(" ")[0])

SECONDS = [0.01 * 2**i for i in range(14)]

# Name: (sort, unit, labels that must be there, buckets or None).
METRICS = {
    "gen_ai.client.operation.duration": (
        "histogram", "s", {"gen_ai.operation.name", "gen_ai.provider.name"}, SECONDS,
    ),
    "gen_ai.client.operation.time_to_first_chunk": (
        "histogram", "s", {"gen_ai.operation.name", "gen_ai.provider.name"}, SECONDS,
    ),
    "gen_ai.client.operation.time_per_output_chunk": (
        "histogram", "s", {"gen_ai.operation.name", "gen_ai.provider.name"}, SECONDS,
    ),
    "gen_ai.client.token.usage": (
        "histogram",
        "{token}",
        {"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.token.type"},
        [4**i for i in range(14)],
    ),
    "gen_ai.invoke_workflow.duration": ("histogram", "s", {"gen_ai.workflow.name"}, None),
    "gen_ai.invoke_agent.duration": (
        "histogram", "s", {"gen_ai.agent.name"}, [0.1 * 2**i for i in range(13)],
    ),
    "gen_ai.invoke_agent.inference_calls": (
        "histogram", "{inference_call}", {"gen_ai.agent.name"}, [2**i for i in range(8)],
    ),
    "gen_ai.invoke_agent.tool_calls": (
        "histogram", "{tool_call}", {"gen_ai.agent.name"}, [2**i for i in range(8)],
    ),
    "gen_ai.execute_tool.duration": ("histogram", "s", {"gen_ai.tool.name"}, SECONDS),
    "http.client.request.duration": (
        "histogram",
        "s",
        {"http.request.method", "server.address", "server.port"},
        [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    ),
    "db.client.operation.duration": (
        "histogram",
        "s",
        {"db.system.name", "db.operation.name"},
        [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    ),
    "otel.sdk.span.started": ("sum", "{span}", set(), None),
    "otel.sdk.span.live": ("sum", "{span}", set(), None),
    "otel.sdk.log.created": ("sum", "{log_record}", set(), None),
}
