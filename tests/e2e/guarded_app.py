"""Apps whose node under test has a fail branch, and a branch beside it that must not be harmed."""

import json

from support import FlowspanTest, code_node, make_app, start_node, text_input


def guarded(node, variables, **outputs):
    """start -> node -> end, with a fail branch, and beside it a branch that has nothing to do with
    it."""
    node_id, data = node
    reason = {"why": [node_id, "error_message"], "type": [node_id, "error_type"]}
    ends = {"end": outputs, "sorry": reason, "also": {"beside": ["beside", "output"]}}
    nodes = [
        start_node(*variables),
        (node_id, {"title": "Subject", **data, "error_strategy": "fail-branch"}),
        (
            "beside",
            {
                "type": "variable-aggregator",
                "title": "Beside",
                "variables": [["sys", "user_id"]],
                "output_type": "string",
            },
        ),
    ]
    for name, selectors in ends.items():
        nodes.append(
            (
                name,
                {
                    "type": "end",
                    "title": name,
                    "outputs": [
                        {"variable": key, "value_selector": selector}
                        for key, selector in selectors.items()
                    ],
                },
            )
        )
    edges = [
        ("start", node_id),
        (node_id, "end"),
        (node_id, "sorry", "fail-branch"),
        ("start", "beside"),
        ("beside", "also"),
    ]
    return make_app(nodes, edges)


def paragraph(name):
    return {**text_input(name, required=False), "type": "paragraph", "max_length": None}


def json_input(name):
    return {**text_input(name), "type": "json_object", "json_schema": ""}


def file_input(name):
    return {
        **text_input(name),
        "type": "file",
        "allowed_file_types": ["document", "custom"],
        "allowed_file_extensions": [".json"],
        "allowed_file_upload_methods": ["local_file", "remote_url"],
    }


def template(source, **variables):
    return (
        "subject",
        {
            "type": "template-transform",
            "template": source,
            "variables": [{"variable": k, "value_selector": v} for k, v in variables.items()],
        },
    )


def request(url, **more):
    return (
        "subject",
        {
            "type": "http-request",
            "method": "get",
            "url": url,
            "headers": "",
            "params": "",
            "authorization": {"type": "no-auth", "config": None},
            "body": {"type": "none", "data": []},
            **more,
        },
    )


def extractor():
    return (
        "subject",
        {
            "type": "document-extractor",
            "variable_selector": ["start", "file"],
            "is_array_file": False,
        },
    )


def list_operator(**more):
    return (
        "subject",
        {
            "type": "list-operator",
            "variable": ["start", "data", "xs"],
            "filter_by": {"enabled": False, "conditions": []},
            "order_by": {"enabled": False},
            "limit": {"enabled": False},
            **more,
        },
    )


def with_children(app, container, kind, child=None):
    """The app with a start and one node inside of its container."""
    belongs = {f"{kind}_id": container}
    begin = {"type": f"{kind}-start", "title": "", **belongs}
    child = {"title": "Child", **(child or {"type": "code", **code_node("")[1]}), **belongs}
    inner = (
        f"      - {{id: begin, data: {json.dumps(begin)}}}\n"
        f"      - {{id: child, data: {json.dumps(child)}}}\n    edges:\n"
        "      - {id: inner, source: begin, sourceHandle: source, target: child}\n"
    )
    return app.replace("    edges:\n", inner)


class BadDataTest(FlowspanTest):
    def run_guarded(self, app, *arguments, **options):
        finished = self.run_app(app, *arguments, **options)
        self.expect_code(finished, 0)
        self.expect_whole_trace()
        outputs = finished.result["outputs"]
        self.assertEqual(outputs.pop("beside"), "cli", "the other branch came to its end")
        return finished.result["status"], outputs

    def expect_handled(self, app, *arguments, says, **options):
        """The node failed with `says`, its fail branch answered, the other branch was unharmed."""
        status, outputs = self.run_guarded(app, *arguments, **options)
        self.assertEqual(status, "partial-succeeded")
        self.assertRegex(outputs["why"], says)
        self.assertLess(len(outputs["why"]), 2000, "a reason, not the data")
        return outputs

    def expect_fine(self, app, *arguments, **options):
        status, outputs = self.run_guarded(app, *arguments, **options)
        self.assertEqual(status, "succeeded", outputs)
        return outputs

    def inputs(self, **values):
        self.write("inputs.json", json.dumps(values))
        return "--inputs", "@inputs.json"
