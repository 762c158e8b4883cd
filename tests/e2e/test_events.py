"""flowspan run --events: every event of a run, in the documented order, with all its fields."""

import json
import os
import signal
import unittest

from support import (
    TIMEOUT_S,
    FlowspanTest,
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

NODE = [
    "event",
    "id",
    "node_id",
    "node_type",
    "node_title",
    "node_version",
    "in_iteration_id",
    "in_loop_id",
]
START = ["start_at", "predecessor_node_id", "extras", "provider_type", "provider_id"]
RESULT = [
    "status",
    "inputs",
    "process_data",
    "outputs",
    "metadata",
    "llm_usage",
    "start_at",
    "finished_at",
    "elapsed_ms",
    "edge_source_handle",
    "retry_index",
]
FIELDS = {
    "graph_run_started": ["event", "reason"],
    "graph_run_succeeded": ["event", "outputs"],
    "graph_run_partial_succeeded": ["event", "exceptions_count", "outputs"],
    "graph_run_failed": ["event", "error", "exceptions_count"],
    "graph_run_aborted": ["event", "reason", "outputs"],
    "graph_run_paused": ["event", "reasons", "outputs"],
    "graph_edge_taken": [
        "event",
        "edge_id",
        "source_node_id",
        "target_node_id",
        "source_handle",
    ],
    "node_run_started": NODE + START,
    "node_run_stream_chunk": ["event", "id", "node_id", "selector", "chunk", "is_final"],
    "node_run_reasoning_chunk": NODE + ["selector", "chunk", "is_final"],
    "node_run_retriever_resource": NODE + ["retriever_resources", "context"],
    "node_run_variable_updated": NODE + ["variable"],
    "node_run_agent_log": NODE
    + [
        "message_id",
        "label",
        "node_execution_id",
        "parent_id",
        "error",
        "status",
        "data",
        "metadata",
    ],
    "node_run_retry": NODE + START + RESULT + ["error", "error_type"],
    "node_run_succeeded": NODE + RESULT,
    "node_run_failed": NODE + RESULT + ["error", "error_type"],
    "node_run_exception": NODE + RESULT + ["error", "error_type", "error_strategy"],
    "node_run_pause_requested": NODE + RESULT + ["reason"],
    "node_run_human_input_form_filled": NODE
    + ["rendered_content", "action_id", "action_text", "submitted_data"],
    "node_run_human_input_form_timeout": NODE + ["expiration_time"],
    "node_run_warning": NODE + ["code", "message"],
}
FIELDS["graph_edge_skipped"] = FIELDS["graph_edge_taken"]
for kind, next_field in (("iteration", "pre_iteration_output"), ("loop", "pre_loop_output")):
    FIELDS[f"node_run_{kind}_started"] = NODE + ["start_at", "inputs", "metadata"]
    FIELDS[f"node_run_{kind}_next"] = NODE + ["index", next_field]
    ended = NODE + ["start_at", "inputs", "outputs", "metadata", "steps"]
    FIELDS[f"node_run_{kind}_succeeded"] = ended
    FIELDS[f"node_run_{kind}_failed"] = ended + ["error"]


def short(event):
    """`taken a->b`, `started a`, `chunk a "text"`, ..."""
    name = event["event"]
    if name.startswith("graph_edge_"):
        arrow = f"{event['source_node_id']}->{event['target_node_id']}"
        return f"{name.removeprefix('graph_edge_')} {arrow}"
    if name.startswith("graph_"):
        return name.removeprefix("graph_").replace("_", " ")
    text = f"{name.removeprefix('node_run_').replace('_', ' ')} {event['node_id']}"
    if "chunk" in event:
        text += f" {event['chunk']!r}" + (" final" if event["is_final"] else "")
    if name.endswith("_next"):
        text += f" {event['index']}"
    if name == "node_run_variable_updated":
        text += f" {'.'.join(event['variable']['selector'])}={event['variable']['value']}"
    return text


class Events(FlowspanTest):
    def events(self, app, *arguments, code=0, environment=None):
        finished = self.flowspan(
            "run",
            self.write("app.yml", app),
            "--events",
            *arguments,
            environment=environment,
        )
        self.expect_code(finished, code)
        events = [json.loads(line) for line in finished.stdout.splitlines()]
        self.expect_fields(events)
        return events

    def expect_fields(self, events):
        """No event lacks a field of its kind; the position in a container may come on top."""
        for event in events:
            missing = set(FIELDS[event["event"]]) - set(event)
            self.assertFalse(missing, f"{event['event']} lacks {sorted(missing)}")

    def expect_order(self, events, expected):
        self.assertEqual([short(event) for event in events], expected)

    def expect_ids(self, events):
        """One id for each execution of a node, the same in all its events."""
        ids = {}
        for event in events:
            if "id" in event:
                self.assertRegex(event["id"], "^[0-9a-f-]{36}$")
                ids.setdefault(event["node_id"], set()).add(event["id"])
        return ids

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

    def test_iteration(self):
        nodes = [
            start_node({**text_input("xs"), "type": "json_object", "json_schema": ""}),
            (
                "each",
                {
                    "type": "iteration",
                    "title": "Each",
                    "start_node_id": "each0",
                    "iterator_selector": ["start", "xs", "items"],
                    "output_selector": ["merge", "output"],
                    "is_parallel": False,
                    "flatten_output": False,
                },
            ),
            ("each0", {"type": "iteration-start", "title": "", "iteration_id": "each"}),
            (
                "merge",
                {
                    "type": "variable-aggregator",
                    "title": "Merge",
                    "variables": [["each", "item"]],
                    "output_type": "string",
                    "iteration_id": "each",
                },
            ),
            end_node(out=["each", "output"]),
        ]
        app = make_app(nodes, [("start", "each"), ("each0", "merge"), ("each", "end")])
        events = self.events(app, "--inputs", '{"xs": {"items": ["a", "b"]}}')
        self.expect_order(
            events,
            [
                "run started",
                "started start",
                "taken start->each",
                "succeeded start",
                "started each",
                "iteration started each",
                "iteration next each 0",
                "taken each0->merge",
                "started merge",
                "succeeded merge",
                "iteration next each 1",
                "taken each0->merge",
                "started merge",
                "succeeded merge",
                "iteration succeeded each",
                "taken each->end",
                "succeeded each",
                "started end",
                "succeeded end",
                "run succeeded",
            ],
        )
        self.assertEqual(events[5]["metadata"], {"iteration_length": 2})
        self.assertEqual(events[14]["steps"], 2)
        self.assertEqual(events[14]["outputs"], {"output": ["a", "b"]})
        children = [event for event in events if event.get("node_id") == "merge"]
        self.assertEqual({event["in_iteration_id"] for event in children}, {"each"})
        self.assertEqual(len(self.expect_ids(events)["merge"]), 2, "each round has its own id")

    def test_loop(self):
        count = {"label": "n", "var_type": "number", "value_type": "constant", "value": "0"}
        done = {
            "variable_selector": ["round", "n"],
            "comparison_operator": "≥",
            "value": "2",
            "varType": "number",
        }
        nodes = [
            start_node(),
            (
                "round",
                {
                    "type": "loop",
                    "title": "Round",
                    "start_node_id": "round0",
                    "loop_count": 5,
                    "break_conditions": [done],
                    "logical_operator": "and",
                    "loop_variables": [count],
                },
            ),
            ("round0", {"type": "loop-start", "title": "", "loop_id": "round"}),
            (
                "inc",
                {
                    "type": "assigner",
                    "title": "Inc",
                    "version": "2",
                    "loop_id": "round",
                    "items": [
                        {
                            "variable_selector": ["round", "n"],
                            "input_type": "constant",
                            "operation": "+=",
                            "value": 1,
                        }
                    ],
                },
            ),
            end_node(n=["round", "n"]),
        ]
        app = make_app(nodes, [("start", "round"), ("round0", "inc"), ("round", "end")])
        events = self.events(app)
        self.expect_order(
            events,
            [
                "run started",
                "started start",
                "taken start->round",
                "succeeded start",
                "started round",
                "loop started round",
                "taken round0->inc",
                "started inc",
                "variable updated inc round.n=1",
                "succeeded inc",
                "loop next round 1",
                "taken round0->inc",
                "started inc",
                "variable updated inc round.n=2",
                "succeeded inc",
                "loop succeeded round",
                "taken round->end",
                "succeeded round",
                "started end",
                "succeeded end",
                "run succeeded",
            ],
        )
        self.assertEqual(events[5]["metadata"], {"loop_length": 5})
        self.assertEqual(events[10]["pre_loop_output"], {"n": 1, "loop_round": 1})
        self.assertEqual(events[15]["steps"], 5)
        self.assertEqual(events[15]["outputs"], {"n": 2, "loop_round": 2})
        self.assertEqual(events[15]["metadata"]["completed_reason"], "loop_break")
        self.assertEqual(events[7]["node_version"], "2")
        self.assertEqual(events[7]["in_loop_id"], "round")

    def test_loop_that_is_done_before_it_begins(self):
        done = {"variable_selector": ["start", "n"], "comparison_operator": "≥", "value": "0"}
        nodes = [
            start_node({**text_input("n"), "type": "number"}),
            (
                "round",
                {
                    "type": "loop",
                    "title": "Round",
                    "start_node_id": "round0",
                    "loop_count": 5,
                    "break_conditions": [done],
                    "logical_operator": "and",
                    "loop_variables": [],
                },
            ),
            ("round0", {"type": "loop-start", "title": "", "loop_id": "round"}),
            end_node(),
        ]
        app = make_app(nodes, [("start", "round"), ("round", "end")])
        events = self.events(app, "-i", "n=1")
        self.expect_order(
            events[4:8],
            ["started round", "loop started round", "loop succeeded round", "taken round->end"],
        )
        self.assertEqual(events[6]["steps"], 0)
        self.assertEqual(events[6]["outputs"], {})

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
