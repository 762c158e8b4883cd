"""What of a run's content and secrets leaves the process on spans."""

import json
import unittest

from support import (
    FlowspanTest,
    ModelServer,
    StubServer,
    chat_app,
    end_node,
    make_app,
    start_node,
    text_input,
)

SECRET = "s3cr3t/of the app"
MODEL_KEY = "sk-model-0123456789"
TOOL_KEY = "tool-key-0123456789"

REPLY = """
replies:
  - text: One two three.
    usage: {prompt_tokens: 7, completion_tokens: 3}
"""


def secret_app(url):
    """Sends its secret everywhere a node can send it."""
    app = make_app(
        [
            start_node(text_input("name")),
            (
                "call",
                {
                    "type": "http-request",
                    "title": "Call",
                    "method": "post",
                    "url": url + "/{{#env.KEY#}}/path?q={{#env.KEY#}}",
                    "headers": "X-Mine: {{#env.KEY#}}\nCookie: a=b",
                    "params": "",
                    "body": {"type": "json", "data": [{"type": "text", "value": '{"k":"{{#env.KEY#}}"}'}]},
                    "authorization": {"type": "no-auth", "config": None},
                    "timeout": {},
                    "retry_config": {"retry_enabled": False},
                },
            ),
            (
                "tool",
                {
                    "type": "tool",
                    "title": "Tool",
                    "provider_id": "mine",
                    "provider_name": "mine",
                    "provider_type": "api",
                    "tool_name": "send",
                    "tool_label": "send",
                    "tool_configurations": {},
                    "tool_parameters": {"text": {"type": "mixed", "value": "my {{#env.KEY#}}"}},
                },
            ),
            end_node(body=["call", "body"], text=["tool", "text"]),
        ],
        [("start", "call"), ("call", "tool"), ("tool", "end")],
    )
    variable = {"id": "1", "name": "KEY", "value_type": "secret", "value": SECRET}
    return app.replace(
        "environment_variables: []", "environment_variables: " + json.dumps([variable])
    )


def echo(_method, _path, headers, body):
    return 200, {"Content-Type": "text/plain"}, body + str(dict(headers)).encode()


class Secrets(FlowspanTest):
    def test_never_stand_on_spans_even_with_all_content(self):
        with StubServer(echo) as server:
            self.write(
                "flowspan.toml",
                f"""
[trace]
content = "full"
[[tools.map]]
provider = "mine"
url = "{server.url}/tool"
api_key = "{TOOL_KEY}"
""",
            )
            finished = self.run_app(secret_app(server.url), "-i", "name=Ada Lovelace")
            self.expect_code(finished, 0)
            sent = b"".join(body for _, _, _, body in server.requests).decode()
        self.assertIn(SECRET, sent, "the app itself sends it")
        self.assertIn(SECRET, finished.result["outputs"]["body"], "and shows it")
        trace = self.expect_whole_trace()
        recorded = self.trace_file.read_text(encoding="utf-8")
        for form in (SECRET, "s3cr3t%2Fof%20the%20app", "s3cr3t%2Fof+the+app", TOOL_KEY, "a=b"):
            self.assertNotIn(form, recorded)
        call = trace.named("node http-request")[0].attributes
        self.assertIn("[redacted]", call["output.value"])
        tool = trace.named("execute_tool")[0].attributes
        self.assertEqual(json.loads(tool["gen_ai.tool.call.arguments"]), {"text": "my [redacted]"})
        self.assertIn("[redacted]", trace.named("POST")[0].attributes["url.full"])
        self.assertIn("Ada Lovelace", recorded, "content is on")


class ReceiverCredentials(FlowspanTest):
    def test_of_any_signal_never_stand_on_spans(self):
        self.write("flowspan.toml", "[trace]\ncontent = 'full'\n")
        keys = {
            f"OTEL_EXPORTER_OTLP_{signal}_HEADERS": f"x-api-key={signal.lower()}-key-0123"
            for signal in ("TRACES", "METRICS", "LOGS")
        }
        with ModelServer(REPLY) as model, StubServer() as receiver:
            finished = self.run_app(
                chat_app(),
                "-q",
                "traces-key-0123 metrics-key-0123 logs-key-0123 remain",
                environment=model.environment
                | keys
                | {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
                    "OTEL_METRICS_EXPORTER": "otlp",
                    "OTEL_LOGS_EXPORTER": "otlp",
                },
            )
            self.expect_code(finished, 0)
            sent = {path: headers["x-api-key"] for _, path, headers, _ in receiver.requests}
        self.assertEqual(
            sent, {f"/v1/{name}": f"{name}-key-0123" for name in ("traces", "metrics", "logs")}
        )
        recorded = self.trace_file.read_text(encoding="utf-8")
        self.assertIn("[redacted] [redacted] [redacted] remain", recorded)
        self.assertNotIn("-key-0123", recorded)


def request_app(url):
    return make_app(
        [
            start_node(),
            (
                "call",
                {
                    "type": "http-request",
                    "title": "Call",
                    "method": "get",
                    "url": url,
                    "headers": "",
                    "params": "",
                    "body": {"type": "none", "data": []},
                    "authorization": {"type": "no-auth", "config": None},
                    "timeout": {},
                    "retry_config": {"retry_enabled": False},
                },
            ),
            end_node(body=["call", "body"]),
        ],
        [("start", "call"), ("call", "end")],
    )


class Baggage(FlowspanTest):
    def headers_of_call(self, settings, environment=None):
        with StubServer() as server:
            self.write("flowspan.toml", settings)
            finished = self.run_app(
                request_app(server.url + "/x"), "--user", "ada b", environment=environment
            )
            self.expect_code(finished, 0)
            ((_, _, headers, _),) = server.requests
        return headers, finished.result["run_id"]

    def test_goes_to_nobody_by_default(self):
        headers, _ = self.headers_of_call("", {"BAGGAGE": "tenant=acme"})
        self.assertNotIn("baggage", {name.lower() for name in headers})
        self.assertIn("traceparent", {name.lower() for name in headers})

    def test_goes_to_hosts_that_are_named_with_what_is_allowed(self):
        headers, run_id = self.headers_of_call(
            '[trace.baggage]\nsend = ["user", "run"]\nhosts = ["127.*"]\n',
            {"BAGGAGE": "tenant=acme"},
        )
        baggage = dict(
            item.split("=", 1)
            for item in next(v for n, v in headers.items() if n.lower() == "baggage").split(",")
        )
        self.assertEqual(baggage.pop("user.id").replace("+", "%20"), "ada%20b")
        self.assertEqual(baggage, {"dify.workflow.run_id": run_id, "tenant": "acme"})

    def test_goes_to_no_other_host(self):
        headers, _ = self.headers_of_call(
            '[trace.baggage]\nsend = ["user"]\nhosts = ["*.example.org"]\n'
        )
        self.assertNotIn("baggage", {name.lower() for name in headers})

    def test_only_knows_its_words(self):
        self.write("flowspan.toml", '[trace.baggage]\nsend = ["password"]\n')
        finished = self.run_app(request_app("http://127.0.0.1:1/"))
        self.expect_code(finished, 2)
        self.expect_said(finished, "`password`", "[trace.baggage]")


class Content(FlowspanTest):
    QUESTION = "what may be seen of this?"

    def run_chat(self, settings):
        self.write("flowspan.toml", settings)
        with ModelServer(REPLY) as model:
            environment = model.environment | {"FLOWSPAN_MODEL_API_KEY": MODEL_KEY}
            finished = self.run_app(chat_app(), "-q", self.QUESTION, environment=environment)
        self.expect_code(finished, 0)
        trace = self.expect_whole_trace()
        return trace.named("chat ")[0].attributes, self.trace_file.read_text(encoding="utf-8")

    def test_is_metadata_by_default(self):
        chat, recorded = self.run_chat("")
        self.assertNotIn(self.QUESTION, recorded)
        self.assertNotIn("One two three", recorded)
        self.assertEqual(chat["flowspan.prompt.bytes"], len(self.QUESTION))
        self.assertEqual(chat["flowspan.prompt.messages"], 1)
        self.assertEqual(chat["flowspan.answer.bytes"], len("One two three."))

    def test_off_records_not_even_sizes(self):
        _, recorded = self.run_chat('[trace]\ncontent = "off"\n')
        self.assertNotIn(self.QUESTION, recorded)
        self.assertNotIn(".bytes", recorded)

    def test_is_chosen_by_kind(self):
        chat, recorded = self.run_chat(
            '[trace]\ncontent = "metadata"\n[trace.capture]\nprompts = "full"\n'
        )
        self.assertEqual(
            json.loads(chat["gen_ai.input.messages"]),
            [{"role": "user", "parts": [{"type": "text", "content": self.QUESTION}]}],
        )
        self.assertNotIn("gen_ai.output.messages", chat)
        self.assertNotIn("One two three", recorded, "nor as the output of a node")

    def test_is_chosen_by_app(self):
        _, recorded = self.run_chat(
            '[trace]\ncontent = "full"\n[[trace.apps]]\napp = "Tri*"\ncontent = "metadata"\n'
        )
        self.assertNotIn(self.QUESTION, recorded)

    def test_is_redacted_by_patterns_and_keys(self):
        chat, recorded = self.run_chat(
            '[trace]\ncontent = "full"\n[redaction]\npatterns = ["m[a]y be"]\n'
        )
        self.assertIn("what [redacted] seen", chat["gen_ai.input.messages"])
        self.assertNotIn("may be", recorded)
        self.assertNotIn(MODEL_KEY, recorded)

    def test_a_wrong_pattern_is_bad_usage(self):
        self.write("flowspan.toml", '[redaction]\npatterns = ["("]\n')
        finished = self.run_app(chat_app(), "-q", "x")
        self.expect_code(finished, 2)
        self.expect_said(finished, "no regular expression", "[redaction]")


if __name__ == "__main__":
    unittest.main()
