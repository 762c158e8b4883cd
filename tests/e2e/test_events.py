"""flowspan run --events: every event of a run, in the documented order, with all its fields."""

import json
import os
import signal
import unittest

from run_events import EventsTest, short
from support import (
    TIMEOUT_S,
    ModelServer,
    StubServer,
    answer_node,
    chat_app,
    end_node,
    llm_node,
    make_app,
    start_node,
    text_input,
)


class Events(EventsTest):
    def test_success(self):
        app = make_app(
            [start_node(text_input("name")), end_node(greeted=["start", "name"])],
            [("start", "end")],
        )
        events = self.events(app, "-i", "name=Ada")
        self.expect_order(
            events,
            [
                "run started",
                "started start",
                "taken start->end",
                "succeeded start",
                "started end",
                "succeeded end",
                "run succeeded",
            ],
        )
        self.assertEqual(events[0]["reason"], "initial")
        self.assertEqual(events[4]["predecessor_node_id"], "start")
        self.assertEqual(events[-1]["outputs"], {"greeted": "Ada"})
        self.assertEqual({len(ids) for ids in self.expect_ids(events).values()}, {1})

    def test_chunks_come_before_the_result_of_their_node(self):
        with ModelServer("replies:\n  - text: One two\n") as server:
            events = self.events(chat_app(), "--query", "?", environment=server.environment)
        self.expect_order(
            events,
            [
                "run started",
                "started start",
                "taken start->ask",
                "succeeded start",
                "started ask",
                "stream chunk ask 'One '",
                "stream chunk ask 'two'",
                "stream chunk ask '' final",
                "taken ask->say",
                "succeeded ask",
                "started say",
                "succeeded say",
                "run succeeded",
            ],
        )
        self.assertEqual(events[9]["llm_usage"]["currency"], "USD")

    def test_reasoning_is_told_apart(self):
        node_id, data = llm_node()
        app = make_app(
            [start_node(), (node_id, {**data, "reasoning_format": "separated"}), answer_node()],
            [("start", "ask"), ("ask", "say")],
            mode="advanced-chat",
        )
        with ModelServer("replies:\n  - text: <think>hm</think>Yes\n") as server:
            events = self.events(app, "--query", "?", environment=server.environment)
        chunks = [short(event) for event in events if "chunk" in event]
        self.assertEqual(
            chunks,
            [
                "reasoning chunk ask 'hm'",
                "stream chunk ask 'Yes'",
                "reasoning chunk ask '' final",
                "stream chunk ask '' final",
            ],
        )

    def failing_app(self, **extra):
        condition = {
            "variable_selector": ["start", "name"],
            "comparison_operator": ">",
            "value": "1",
        }
        check = {
            "type": "if-else",
            "title": "Check",
            "cases": [{"case_id": "yes", "logical_operator": "and", "conditions": [condition]}],
        }
        sorry = ("sorry", {"type": "end", "title": "Sorry", "outputs": []})
        return make_app(
            [start_node(text_input("name")), ("check", {**check, **extra}), end_node(), sorry],
            [("start", "check"), ("check", "end", "yes"), ("check", "sorry", "fail-branch")],
        )

    def test_failure(self):
        events = self.events(self.failing_app(), "-i", "name=Ada", code=1)
        self.expect_order(
            events,
            [
                "run started",
                "started start",
                "taken start->check",
                "succeeded start",
                "started check",
                "failed check",
                "run failed",
            ],
        )
        self.assertEqual(events[-2]["status"], "failed")
        self.assertEqual(events[-1]["error"], events[-2]["error"])
        self.assertEqual(events[-1]["exceptions_count"], 1)

    def test_fail_branch(self):
        app = self.failing_app(error_strategy="fail-branch")
        events = self.events(app, "-i", "name=Ada")
        self.expect_order(
            events,
            [
                "run started",
                "started start",
                "taken start->check",
                "succeeded start",
                "started check",
                "skipped check->end",
                "taken check->sorry",
                "exception check",
                "started sorry",
                "succeeded sorry",
                "run partial succeeded",
            ],
        )
        self.assertEqual(events[7]["error_strategy"], "fail-branch")
        self.assertEqual(events[7]["edge_source_handle"], "fail-branch")
        self.assertEqual(list(events[7]["outputs"]), ["error_message", "error_type"])

    def test_retry(self):
        answers = iter([503, 503, 200])
        fetch = {
            "type": "http-request",
            "title": "Fetch",
            "method": "get",
            "headers": "",
            "params": "",
            "authorization": {"type": "no-auth", "config": None},
            "body": {"type": "none", "data": []},
            "retry_config": {"retry_enabled": True, "max_retries": 3, "retry_interval": 1},
        }
        with StubServer(lambda *_: (next(answers), {"Content-Type": "text/plain"}, b"x")) as server:
            app = make_app(
                [start_node(), ("fetch", {**fetch, "url": server.url}), end_node()],
                [("start", "fetch"), ("fetch", "end")],
            )
            events = self.events(app)
        self.expect_order(
            events,
            [
                "run started",
                "started start",
                "taken start->fetch",
                "succeeded start",
                "started fetch",
                "retry fetch",
                "retry fetch",
                "taken fetch->end",
                "succeeded fetch",
                "started end",
                "succeeded end",
                "run partial succeeded",
            ],
        )
        self.assertEqual([event["retry_index"] for event in events[5:7]], [1, 2])
        self.assertEqual(events[8]["retry_index"], 2)
        self.assertEqual(len(self.expect_ids(events)["fetch"]), 1, "an execution keeps its id")

    def test_agent_tells_its_steps(self):
        model = {"provider": "langgenius/openai/openai", "model": "m", "mode": "chat"}
        act = {
            "type": "agent",
            "title": "Act",
            "agent_strategy_provider_name": "langgenius/agent/agent",
            "agent_strategy_name": "function_calling",
            "agent_parameters": {
                "model": {"type": "constant", "value": model},
                "query": {"type": "constant", "value": "Hi"},
                "tools": {"type": "constant", "value": []},
            },
        }
        app = make_app(
            [start_node(), ("act", act), end_node(text=["act", "text"])],
            [("start", "act"), ("act", "end")],
        )
        with ModelServer("replies:\n  - text: Hello\n") as server:
            events = self.events(app, environment=server.environment)
        self.expect_order(
            events[4:],
            [
                "started act",
                "agent log act",
                "stream chunk act 'Hello'",
                "agent log act",
                "stream chunk act '' final",
                "taken act->end",
                "succeeded act",
                "started end",
                "succeeded end",
                "run succeeded",
            ],
        )
        logs = [event for event in events if event["event"] == "node_run_agent_log"]
        self.assertEqual([log["status"] for log in logs], ["start", "success"])
        self.assertEqual(len({log["message_id"] for log in logs}), 1)
        self.assertEqual(
            events[4]["extras"], {"agent_strategy": {"name": "function_calling", "icon": None}}
        )

    def test_tool_names_its_provider(self):
        use = {
            "type": "tool",
            "title": "Use",
            "provider_id": "time",
            "provider_type": "builtin",
            "provider_name": "time",
            "tool_name": "timestamp_to_localtime",
            "tool_configurations": {},
            "tool_parameters": {"timestamp": {"type": "constant", "value": "0"}},
        }
        app = make_app(
            [start_node(), ("use", use), end_node()], [("start", "use"), ("use", "end")]
        )
        events = self.events(app)
        self.assertEqual(short(events[4]), "started use")
        self.assertEqual(events[4]["provider_type"], "builtin")
        self.assertEqual(events[4]["provider_id"], "time")

    def test_pause_and_resumption(self):
        ask = {
            "type": "human-input",
            "title": "Ask",
            "form_content": "Is it right? {{#$output.note#}}",
            "inputs": [{"type": "text-input", "output_variable_name": "note"}],
            "user_actions": [{"id": "right", "title": "Right"}],
            "timeout": 1,
            "timeout_unit": "day",
        }
        app = make_app(
            [start_node(), ("ask", ask), end_node(note=["ask", "note"])],
            [("start", "ask"), ("ask", "end", "right")],
        )
        before = self.events(app, "--pause-file", "paused.json", code=3)
        self.expect_order(
            before,
            [
                "run started",
                "started start",
                "taken start->ask",
                "succeeded start",
                "started ask",
                "pause requested ask",
                "run paused",
            ],
        )
        self.assertEqual(len(before[-1]["reasons"]), 1)
        finished = self.flowspan(
            "resume", "paused.json", "--action", "right", "-i", "note=yes", "--events"
        )
        self.expect_code(finished, 0)
        after = [json.loads(line) for line in finished.stdout.splitlines()]
        self.expect_fields(after)
        self.expect_order(
            after,
            [
                "run started",
                "started ask",
                "human input form filled ask",
                "taken ask->end",
                "succeeded ask",
                "started end",
                "succeeded end",
                "run succeeded",
            ],
        )
        self.assertEqual(after[0]["reason"], "resumption")
        self.assertEqual(after[1]["id"], before[4]["id"], "the execution goes on")

    def test_stop(self):
        script = "replies:\n  - text: One two three four.\n    hang_after: 2\n"
        with ModelServer(script) as server, self.started(
            "run",
            self.write("app.yml", chat_app()),
            "--query",
            "Count!",
            "--events",
            environment=server.environment,
        ) as process:
            shown = b""
            while b"two" not in shown:
                piece = os.read(process.stdout.fileno(), 65536)
                self.assertNotEqual(piece, b"", "ended before it was stopped")
                shown += piece
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 130)
        events = [json.loads(line) for line in (shown + rest).splitlines()]
        self.expect_fields(events)
        self.expect_order(
            events[4:],
            [
                "started ask",
                "stream chunk ask 'One '",
                "stream chunk ask 'two '",
                "run aborted",
            ],
        )
        self.assertEqual(events[-1]["reason"], "Aborted: interrupted by SIGINT")


if __name__ == "__main__":
    unittest.main()
