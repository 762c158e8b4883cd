"""What the tests of --events share: the fields of each event, and a short form of it."""

import json

from support import FlowspanTest

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
    "node_run_stream_chunk": NODE + ["selector", "chunk", "is_final"],
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
    FIELDS[f"node_run_{kind}_started"] = NODE + [
        "start_at",
        "predecessor_node_id",
        "inputs",
        "metadata",
    ]
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


class EventsTest(FlowspanTest):
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
