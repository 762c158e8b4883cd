"""flowspan run --events: the events of iterations and loops."""

import unittest

from run_events import EventsTest
from support import end_node, make_app, start_node, text_input


class ContainerEvents(EventsTest):
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
        for event, index in ((events[9], 0), (events[13], 1)):
            self.assertEqual(event["metadata"], {"iteration_id": "each", "iteration_index": index})
        self.assertEqual(events[5]["predecessor_node_id"], "start")

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
        for event, index in ((events[9], 0), (events[14], 1)):
            self.assertEqual(event["metadata"], {"loop_id": "round", "loop_index": index})

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


if __name__ == "__main__":
    unittest.main()
