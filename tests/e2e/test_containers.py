"""Iterations and loops on the real program: large ones, limits, and selectors that name nothing."""

import json
import unittest

from support import FlowspanTest, Trace, end_node, make_app, start_node, text_input

NOWHERE = ["nowhere", "x"]


def list_start():
    return start_node(text_input("list", kind="json_object"))


def iteration(**changes):
    data = {
        "type": "iteration", "title": "Each", "start_node_id": "first",
        "iterator_selector": ["start", "list", "items"], "output_selector": ["pick", "output"],
        "is_parallel": False, "error_handle_mode": "terminated", "flatten_output": False,
    }
    return ("each", {**data, **changes})


def iteration_app(**changes):
    pick = {
        "type": "variable-aggregator", "title": "Pick", "iteration_id": "each",
        "output_type": "number", "variables": [["each", "item"]],
    }
    first = {"type": "iteration-start", "title": "", "iteration_id": "each"}
    return make_app(
        [
            list_start(), iteration(**changes), ("first", first), ("pick", pick),
            end_node(all=["each", "output"], error=["each", "error_message"]),
        ],
        [("start", "each"), ("first", "pick"), ("each", "end"), ("each", "end", "fail-branch")],
    )


def loop_app(**changes):
    loop = {
        "type": "loop", "title": "Again", "start_node_id": "first", "loop_count": 3,
        "logical_operator": "and", "break_conditions": [],
        "loop_variables": [
            {"label": "n", "var_type": "number", "value_type": "constant", "value": 0}
        ],
    }
    count = {
        "type": "assigner", "title": "Count", "version": "2", "loop_id": "again",
        "items": [
            {"variable_selector": ["again", "n"], "input_type": "constant",
             "operation": "+=", "value": 1}
        ],
    }
    return make_app(
        [
            start_node(), ("again", {**loop, **changes}),
            ("first", {"type": "loop-start", "title": "", "loop_id": "again"}),
            ("count", count), end_node(n=["again", "n"], error=["again", "error_message"]),
        ],
        [("start", "again"), ("first", "count"), ("again", "end"), ("again", "end", "fail-branch")],
    )


def slow_items_app(**changes):
    first = {"type": "iteration-start", "title": "", "iteration_id": "each"}
    nap = {
        "type": "code", "title": "Nap", "iteration_id": "each", "code_language": "python3",
        "code": "import time\ndef main(item):\n    time.sleep(0.3)\n    return {'output': item}",
        "variables": [{"variable": "item", "value_selector": ["each", "item"]}],
        "outputs": {"output": {"type": "number"}},
    }
    return make_app(
        [
            list_start(), iteration(is_parallel=True, **changes), ("first", first), ("pick", nap),
            end_node(all=["each", "output"]),
        ],
        [("start", "each"), ("first", "pick"), ("each", "end")],
    )


class Containers(FlowspanTest):
    def run_result(self, app, *arguments):
        self.write("app.yml", app)
        return self.flowspan("run", "app.yml", "--json", *arguments).result

    def run_list(self, app, items):
        return self.run_result(app, "-i", "list=" + json.dumps({"items": items}))

    def test_many_items_and_rounds(self):
        self.write("flowspan.toml", "[limits]\nsteps_max = 100000\n")
        for changes in ({}, {"is_parallel": True, "parallel_nums": 10}):
            result = self.run_list(iteration_app(**changes), list(range(2000)))
            self.assertEqual(result["outputs"]["all"], list(range(2000)))
        result = self.run_result(loop_app(loop_count=2000))
        self.assertEqual(result["outputs"]["n"], 2000)

    def test_rounds_tell_how_long_their_items_waited(self):
        items = json.dumps({"items": [1, 2, 3, 4]})
        finished = self.run_app(slow_items_app(parallel_nums=2), "-i", "list=" + items)
        self.assertEqual(finished.result["outputs"]["all"], [1, 2, 3, 4])
        rounds = Trace(self.trace_file).named("iteration.round")
        delays = {
            span.attributes["dify.iteration.index"]:
                span.attributes["flowspan.round.ready_delay"]
            for span in rounds
        }
        self.assertEqual(sorted(delays), [0, 1, 2, 3])
        for index in (0, 1):
            self.assertLess(delays[index], 0.25)
        for index in (2, 3):
            self.assertGreaterEqual(delays[index], 0.3)

    def test_the_step_limit_counts_what_containers_run(self):
        self.write("flowspan.toml", "[limits]\nsteps_max = 50\n")
        for result in (
            self.run_list(iteration_app(), list(range(100))),
            self.run_result(loop_app(loop_count=100)),
        ):
            self.assertEqual(result["status"], "stopped")
            self.assertIn("Maximum execution steps exceeded", result["error"])

    def test_selectors_that_name_nothing(self):
        strategy = {"error_strategy": "fail-branch"}
        result = self.run_list(iteration_app(iterator_selector=NOWHERE, **strategy), [1])
        self.assertEqual(result["status"], "partial-succeeded")
        self.assertIn("iterator variable ['nowhere', 'x'] not found", result["outputs"]["error"])
        result = self.run_list(iteration_app(output_selector=NOWHERE), [1, 2])
        self.assertEqual(result["outputs"]["all"], [None, None])
        variable = {"label": "n", "var_type": "number", "value_type": "variable", "value": NOWHERE}
        result = self.run_result(loop_app(loop_variables=[variable], **strategy))
        self.assertIn("Invalid value for loop variable n", result["outputs"]["error"])
        condition = {"variable_selector": NOWHERE, "comparison_operator": "=", "value": "1"}
        result = self.run_result(loop_app(break_conditions=[condition], **strategy))
        self.assertIn("not found", result["outputs"]["error"])

    def test_a_container_whose_start_is_missing(self):
        nodes = [list_start(), iteration(error_strategy="fail-branch"),
                 end_node(error=["each", "error_message"])]
        app = make_app(nodes, [("start", "each"), ("each", "end", "fail-branch")])
        result = self.run_list(app, [1])
        self.assertEqual(result["status"], "partial-succeeded")
        self.assertIn("holds no nodes to run", result["outputs"]["error"])


if __name__ == "__main__":
    unittest.main()
