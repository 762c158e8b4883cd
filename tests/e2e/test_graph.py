"""flowspan graph: the picture of an app, as text and as SVG."""

import unittest
import xml.etree.ElementTree

from support import FlowspanTest, end_node, hello_app, make_app, start_node

SVG = "{http://www.w3.org/2000/svg}"


class Graph(FlowspanTest):
    def setUp(self):
        super().setUp()
        self.write("hello.yml", hello_app())
        self.write(
            "odd.yml",
            make_app(
                [start_node(), ("odd", {"type": "teleport", "title": "Beam <up> & away"}), end_node()],
                [("start", "odd"), ("odd", "end")],
            ),
        )

    def test_text(self):
        finished = self.flowspan("graph", "odd.yml")
        self.expect_code(finished, 0)
        lines = finished.stdout.splitlines()
        self.assertIn("3 nodes, 2 edges", lines[0])
        self.assertTrue(lines[2].startswith("▶ "), lines)
        self.assertEqual(lines[3], "✗ Beam <up> & away  teleport  (cannot run here)")
        self.assertNotIn("\x1b", finished.stdout)

    def test_svg(self):
        finished = self.flowspan("graph", "odd.yml", "--svg")
        self.expect_code(finished, 0)
        root = xml.etree.ElementTree.fromstring(finished.stdout)
        self.assertEqual(root.tag, SVG + "svg")
        texts = [element.text for element in root.iter(SVG + "text")]
        self.assertIn("Beam <up> & away", texts)
        self.assertIn("cannot run here", texts)

    def test_svg_by_the_name_of_the_file(self):
        finished = self.flowspan("graph", "hello.yml", "-o", "out.svg")
        self.expect_code(finished, 0)
        self.assertEqual(finished.stdout, "")
        xml.etree.ElementTree.parse(self.folder / "out.svg")
        self.expect_code(self.flowspan("graph", "hello.yml", "-o", "out.txt"), 0)
        self.assertIn("▶", (self.folder / "out.txt").read_text(encoding="utf-8"))

    def test_bad_files(self):
        self.write("broken.yml", "kind: app\napp: [\n")
        self.write("nowhere.yml", make_app([start_node()], [("start", "atlantis")]))
        self.write("chat.yml", "kind: app\nversion: 0.3.0\napp: {name: x, mode: chat}\nmodel_config: {model: {provider: p, name: m}}\n")
        for file, pattern in [
            ("missing.yml", r"missing\.yml"),
            ("broken.yml", r"broken\.yml:\d+:\d+: "),
            ("nowhere.yml", r"nowhere\.yml:\d+:\d+: .*atlantis"),
            ("chat.yml", r"mode chat, which has no graph"),
        ]:
            finished = self.flowspan("graph", file)
            self.expect_code(finished, 2)
            self.assertRegex(finished.stderr, pattern)
            self.assertEqual(finished.stdout, "")

    def test_output_that_cannot_be_written(self):
        finished = self.flowspan("graph", "hello.yml", "-o", "no/such/folder/x.svg")
        self.expect_code(finished, 2)
        self.assertIn("no/such/folder/x.svg", finished.stderr)


if __name__ == "__main__":
    unittest.main()
