"""flowspan check: one verdict a file, every problem with its place."""

import json
import unittest

from support import FlowspanTest, chat_app, end_node, hello_app, make_app, start_node

KEYS = ["file", "mode", "version", "status", "problems"]


class Check(FlowspanTest):
    def setUp(self):
        super().setUp()
        self.write("apps/good.yml", hello_app())
        self.write("apps/deep/chat.yaml", chat_app())
        self.write(
            "apps/odd.yml",
            make_app(
                [start_node(), ("odd", {"type": "teleport", "title": "Odd"}), end_node()],
                [("start", "odd"), ("odd", "end")],
            ),
        )
        self.write("apps/broken.yml", "kind: app\napp: [\n")
        self.write("apps/nowhere.yml", make_app([start_node()], [("start", "atlantis")]))
        self.write("apps/compose.yml", "services: {web: {image: nginx}}\n")
        self.write("apps/notes.txt", "not looked at")

    def verdicts(self, *arguments):
        finished = self.flowspan("check", *arguments, "--json")
        return finished, [json.loads(line) for line in finished.stdout.splitlines()]

    def test_folder_as_json(self):
        finished, verdicts = self.verdicts("apps")
        self.expect_code(finished, 1)
        for verdict in verdicts:
            self.assertEqual(list(verdict), KEYS)
            for problem in verdict["problems"]:
                self.assertEqual(list(problem), ["line", "column", "code", "message"])
        by_file = {verdict["file"]: verdict for verdict in verdicts}
        self.assertEqual(
            {file: verdict["status"] for file, verdict in by_file.items()},
            {
                "apps/good.yml": "ok",
                "apps/deep/chat.yaml": "ok",
                "apps/odd.yml": "unsupported",
                "apps/broken.yml": "invalid",
                "apps/nowhere.yml": "invalid",
                "apps/compose.yml": "not_an_app",
            },
        )
        self.assertEqual(by_file["apps/good.yml"]["mode"], "workflow")
        self.assertEqual(by_file["apps/deep/chat.yaml"]["mode"], "advanced-chat")
        self.assertEqual(by_file["apps/good.yml"]["version"], "0.6.0")
        (problem,) = by_file["apps/odd.yml"]["problems"]
        self.assertIn("teleport", problem["message"])
        lines = (self.folder / "apps/odd.yml").read_text(encoding="utf-8").splitlines()
        self.assertIn("id: odd", lines[problem["line"] - 1])

    def test_folder_for_people(self):
        finished = self.flowspan("check", "apps")
        self.expect_code(finished, 1)
        self.assertIn("apps/good.yml: ok", finished.stdout)
        self.assertIn("atlantis", finished.stdout)
        summary = finished.stdout.splitlines()[-1]
        self.assertEqual(summary, "6 files: 2 ok, 1 unsupported, 2 invalid, 1 not an app")

    def test_unsupported_is_no_failure(self):
        finished, _ = self.verdicts("apps/odd.yml", "apps/good.yml")
        self.expect_code(finished, 0)

    def test_a_node_with_wrong_data_is_a_failure_but_the_app_loads(self):
        self.write(
            "faulty.yml",
            make_app(
                [start_node(), ("bad", {"type": "code", "title": "Bad"}), end_node()],
                [("start", "bad"), ("bad", "end")],
            ),
        )
        finished, (verdict,) = self.verdicts("faulty.yml")
        self.expect_code(finished, 1)
        self.assertEqual(verdict["status"], "unsupported")
        self.assertIn("node.missing_field", [problem["code"] for problem in verdict["problems"]])
        run = self.flowspan("run", "faulty.yml", "--json")
        self.expect_code(run, 1)
        self.assertIn("is missing", json.loads(run.stdout)["error"])

    def test_an_agent_whose_strategy_nobody_knows_is_unsupported(self):
        agent = {
            "type": "agent",
            "title": "Agent",
            "agent_strategy_name": "plan_and_pray",
            "agent_strategy_provider_name": "x",
            "agent_parameters": {},
        }
        nodes = [start_node(), ("agent", agent), end_node()]
        self.write("agent.yml", make_app(nodes, [("start", "agent"), ("agent", "end")]))
        finished, (verdict,) = self.verdicts("agent.yml")
        self.expect_code(finished, 0)
        self.assertEqual(verdict["status"], "unsupported")

    def test_tools_are_those_of_the_configuration(self):
        tool = {
            "type": "tool",
            "title": "Tool",
            "provider_type": "builtin",
            "provider_id": "search",
            "provider_name": "search",
            "tool_name": "search",
            "tool_label": "Search",
            "tool_parameters": {},
            "tool_configurations": {},
        }
        nodes = [start_node(), ("tool", tool), end_node()]
        self.write("tool.yml", make_app(nodes, [("start", "tool"), ("tool", "end")]))
        self.write("other.toml", '[[tools.map]]\nprovider = "search"\ncommand = ["cat"]\n')
        _, (verdict,) = self.verdicts("tool.yml")
        self.assertEqual([problem["code"] for problem in verdict["problems"]], ["tool.unmapped"])
        _, (verdict,) = self.verdicts("tool.yml", "--config", "other.toml")
        self.assertEqual(verdict["problems"], [])
        finished = self.flowspan("check", "tool.yml", "--config", "none.toml")
        self.expect_code(finished, 2)
        self.expect_said(finished, "none.toml")

    def test_missing_file(self):
        finished, verdicts = self.verdicts("nowhere.yml")
        self.assertNotEqual(finished.code, 0)
        self.assertTrue("nowhere.yml" in finished.stderr or verdicts[0]["status"] == "invalid")

    def test_quiet_prints_the_summary(self):
        finished = self.flowspan("check", "--quiet", "apps")
        self.assertEqual(len(finished.stdout.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
