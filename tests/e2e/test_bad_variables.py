"""Variables that are not there, or are not what they were: the node fails with its reason, and
alone."""

import unittest

from guarded_app import (
    BadDataTest,
    extractor,
    guarded,
    list_operator,
    request,
    template,
    with_children,
)
from support import code_node, make_app, start_node


MODEL = {"provider": "p", "name": "m", "mode": "chat", "completion_params": {}}

# Each place of a node's data where a selector or a reference can stand, with `SELECTOR` in it, and
# what a variable that is not there does: fail the node with this, or nothing.
PLACES = {
    "prompt": (
        {
            "type": "llm",
            "model": MODEL,
            "prompt_template": [{"role": "user", "text": "Say {{#gone.x#}}"}],
            "context": {"enabled": False},
        },
        "Variable #gone.x# not found",
    ),
    "jinja2 variable of a prompt": (
        {
            "type": "llm",
            "model": MODEL,
            "prompt_template": [
                {"role": "user", "text": "", "edition_type": "jinja2", "jinja2_text": "{{ v }}"}
            ],
            "prompt_config": {
                "jinja2_variables": [{"variable": "v", "value_selector": "SELECTOR"}]
            },
            "context": {"enabled": False},
        },
        "not found",
    ),
    "context": (
        {
            "type": "llm",
            "model": MODEL,
            "prompt_template": [{"role": "user", "text": "Hi"}],
            "context": {"enabled": True, "variable_selector": "SELECTOR"},
        },
        None,
    ),
    "vision": (
        {
            "type": "llm",
            "model": MODEL,
            "prompt_template": [{"role": "user", "text": "Hi"}],
            "context": {"enabled": False},
            "vision": {"enabled": True, "configs": {"variable_selector": "SELECTOR"}},
        },
        None,
    ),
    "condition": (
        {
            "type": "if-else",
            "cases": [
                {
                    "case_id": "yes",
                    "logical_operator": "and",
                    "conditions": [
                        {"variable_selector": "SELECTOR", "comparison_operator": "empty"}
                    ],
                }
            ],
        },
        r"Variable \[.*\] not found",
    ),
    "code": (
        code_node("def main(v):\n    return {'x': str(v)}", variables=[("v", "SELECTOR")])[1],
        None,
    ),
    "template": (template("{{ v }}", v="SELECTOR")[1], None),
    "url": (request("{{#gone.x#}}")[1], "url should start with http"),
    "binary body": (
        request(
            "http://127.0.0.1:9",
            method="post",
            body={"type": "binary", "data": [{"type": "file", "file": "SELECTOR"}]},
        )[1],
        "cannot fetch file with selector",
    ),
    "list": (list_operator(variable="SELECTOR")[1], "Variable not found for selector"),
    "document": (
        {**extractor()[1], "variable_selector": "SELECTOR"},
        "File variable not found for selector",
    ),
    "aggregator": (
        {"type": "variable-aggregator", "variables": ["SELECTOR"], "output_type": "string"},
        None,
    ),
    "old assigner": (
        {
            "type": "assigner",
            "assigned_variable_selector": "SELECTOR",
            "write_mode": "clear",
            "input_variable_selector": [],
        },
        "assigned variable not found",
    ),
    "target of an assigner": (
        {
            "type": "assigner",
            "version": "2",
            "items": [
                {
                    "variable_selector": "SELECTOR",
                    "input_type": "constant",
                    "operation": "set",
                    "value": 1,
                }
            ],
        },
        r"Variable \[.*\] not found",
    ),
    "iteration": (
        {
            "type": "iteration",
            "start_node_id": "begin",
            "iterator_selector": "SELECTOR",
            "output_selector": ["subject", "item"],
        },
        "iterator variable .* not found",
    ),
    "loop variable": (
        {
            "type": "loop",
            "start_node_id": "begin",
            "loop_count": 1,
            "break_conditions": [],
            "logical_operator": "and",
            "loop_variables": [
                {"label": "v", "var_type": "string", "value_type": "variable", "value": "SELECTOR"}
            ],
        },
        "Invalid value for loop variable v",
    ),
    "knowledge": (
        {
            "type": "knowledge-retrieval",
            "query_variable_selector": "SELECTOR",
            "dataset_ids": [],
            "retrieval_mode": "multiple",
            "multiple_retrieval_config": {"top_k": 1},
        },
        "Query variable is not string type",
    ),
    "tool": (
        {
            "type": "tool",
            "provider_id": "time",
            "provider_type": "builtin",
            "provider_name": "time",
            "tool_name": "timestamp_to_localtime",
            "tool_configurations": {},
            "tool_parameters": {"timestamp": {"type": "variable", "value": "SELECTOR"}},
        },
        "does not exist",
    ),
}


def filled_in(data, selector):
    if data == "SELECTOR":
        return selector
    if isinstance(data, dict):
        return {key: filled_in(value, selector) for key, value in data.items()}
    if isinstance(data, list):
        return [filled_in(value, selector) for value in data]
    return data


class MissingVariables(BadDataTest):
    def run_place(self, place, selector):
        data, _ = PLACES[place]
        app = guarded(("subject", filled_in(data, selector)), [])
        if data["type"] in ("iteration", "loop"):
            app = with_children(app, "subject", data["type"])
        return self.run_guarded(app)

    def test_do_in_each_place_what_is_documented(self):
        for place, (_, says) in PLACES.items():
            with self.subTest(place):
                status, outputs = self.run_place(place, ["gone", "x"])
                if says is None:
                    self.assertEqual(status, "succeeded", outputs)
                else:
                    self.assertEqual(status, "partial-succeeded")
                    self.assertRegex(outputs["why"], says)

    def test_that_are_not_named_yet_harm_their_node_alone(self):
        for place in PLACES:
            with self.subTest(place):
                status, outputs = self.run_place(place, [])
                self.assertIn(status, ["succeeded", "partial-succeeded"])
                if status == "partial-succeeded":
                    self.assertTrue(outputs["why"])


class ChangedTypes(BadDataTest):
    def chat(self, write, use):
        """Writes the question to a variable of another type, then uses it."""
        nodes = [
            start_node(),
            (
                "write",
                {
                    "type": "assigner",
                    "title": "Write",
                    "assigned_variable_selector": ["conversation", write],
                    "write_mode": "over-write",
                    "input_variable_selector": ["sys", "query"],
                },
            ),
            ("use", {"title": "Use", **use, "error_strategy": "fail-branch"}),
            ("fine", {"type": "answer", "title": "Fine", "answer": "fine", "variables": []}),
            (
                "sorry",
                {
                    "type": "answer",
                    "title": "Sorry",
                    "answer": "{{#use.error_message#}}",
                    "variables": [],
                },
            ),
        ]
        edges = [
            ("start", "write"),
            ("write", "use"),
            ("use", "fine"),
            ("use", "sorry", "fail-branch"),
        ]
        app = make_app(nodes, edges, mode="advanced-chat")
        variables = "\n".join(
            f"    - {{id: 1111111{i}-1111-1111-1111-111111111111, name: {name}, "
            f"value_type: '{kind}', value: {value}}}"
            for i, (name, kind, value) in enumerate(
                [("number", "number", 1), ("texts", "array[string]", "[a]")]
            )
        )
        return app.replace("conversation_variables: []", "conversation_variables:\n" + variables)

    def expect_answer(self, app, answer):
        finished = self.run_app(app, "--query", "a word")
        self.expect_code(finished, 0)
        self.assertEqual(finished.result["status"], "partial-succeeded")
        self.assertRegex(finished.result["outputs"]["answer"], answer)
        self.expect_whole_trace()

    def test_a_number_that_became_text_is_not_compared(self):
        condition = {
            "variable_selector": ["conversation", "number"],
            "comparison_operator": ">",
            "value": "1",
        }
        check = {
            "type": "if-else",
            "cases": [{"case_id": "yes", "logical_operator": "and", "conditions": [condition]}],
        }
        self.expect_answer(self.chat("number", check), "Invalid actual value type: number")

    def test_a_number_that_became_text_is_not_added_to(self):
        item = {
            "variable_selector": ["conversation", "number"],
            "input_type": "constant",
            "operation": "+=",
            "value": 1,
        }
        add = {"type": "assigner", "version": "2", "items": [item]}
        app = self.chat("number", add)
        self.expect_answer(app, r"Operation \+= is not supported for type string")

    def test_a_list_that_became_text_is_not_gone_through(self):
        pick = list_operator(variable=["conversation", "texts"])[1]
        self.expect_answer(self.chat("texts", pick), "is not an array type, actual type: string")

    def test_a_list_that_became_text_is_not_iterated_over(self):
        each = {
            "type": "iteration",
            "start_node_id": "begin",
            "iterator_selector": ["conversation", "texts"],
            "output_selector": ["use", "item"],
        }
        app = with_children(self.chat("texts", each), "use", "iteration")
        self.expect_answer(app, "invalid iterator value")


if __name__ == "__main__":
    unittest.main()
