"""Files as variables: given on the command line, by an address, and made by nodes on the way."""

import json
import unittest

from support import (
    FlowspanTest,
    StubServer,
    answer_node,
    end_node,
    make_app,
    start_node,
    text_input,
)

ATTRIBUTES = (
    "type", "name", "size", "mime_type", "extension", "transfer_method", "url", "related_id",
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def file_field(name, kind="file", **allowed):
    return {**text_input(name, kind=kind), "max_length": 5, **allowed}


def attributes_of(selector):
    return {attribute: [*selector, attribute] for attribute in ATTRIBUTES}


def condition(selector, operator, value="", sub=None):
    entry = {"variable_selector": selector, "comparison_operator": operator, "value": value}
    if sub:
        entry["sub_variable_condition"] = {"logical_operator": "and", "conditions": sub}
    return {"case_id": "true", "logical_operator": "and", "conditions": [entry]}


def if_else_node(case):
    return ("check", {"type": "if-else", "title": "Check", "cases": [case]})


class Files(FlowspanTest):
    def outputs_of(self, nodes, edges, *arguments):
        self.write("app.yml", make_app(nodes, edges))
        finished = self.flowspan("run", "app.yml", "--json", *arguments)
        self.expect_code(finished, 0)
        return finished.result["outputs"]

    def attributes(self, *arguments):
        nodes = [start_node(file_field("doc")), end_node(**attributes_of(["start", "doc"]))]
        return self.outputs_of(nodes, [("start", "end")], *arguments)

    def test_local_files_of_every_type(self):
        types = {
            "photo.JPG": ("image", "image/jpeg"),
            "report.pdf": ("document", "application/pdf"),
            "talk.mp3": ("audio", "audio/mpeg"),
            "clip.mp4": ("video", "video/mp4"),
            "data.bin": ("custom", "application/octet-stream"),
        }
        for name, (kind, mime_type) in types.items():
            with self.subTest(name):
                self.write(name, "12345")
                seen = self.attributes("-i", f"doc=@{name}")
                self.assertEqual(seen["type"], kind)
                self.assertEqual(seen["name"], name)
                self.assertEqual(seen["size"], 5)
                self.assertEqual(seen["mime_type"], mime_type)
                self.assertEqual(seen["extension"], "." + name.split(".")[1])
                self.assertEqual(seen["transfer_method"], "local_file")
                self.assertEqual(seen["url"], "file://" + str((self.folder / name).resolve()))
                self.assertTrue(seen["related_id"])

    def test_remote_files_by_their_address(self):
        seen = self.attributes("-i", "doc=http://example.invalid/a/report.pdf?x=1")
        self.assertEqual(seen["type"], "document")
        self.assertEqual(seen["name"], "report.pdf")
        self.assertEqual(seen["mime_type"], "application/pdf")
        self.assertEqual(seen["extension"], ".pdf")
        self.assertEqual(seen["transfer_method"], "remote_url")
        self.assertEqual(seen["url"], "http://example.invalid/a/report.pdf?x=1")
        self.assertEqual(seen["size"], -1)

    def test_files_that_a_request_brings(self):
        with StubServer(lambda *_: (200, {"Content-Type": "image/png"}, PNG)) as stub:
            request = {
                "type": "http-request", "title": "Fetch", "method": "get",
                "url": stub.url + "/cat", "headers": "", "params": "",
                "authorization": {"type": "no-auth", "config": None},
                "body": {"type": "none", "data": []},
            }
            first = {
                "type": "list-operator", "title": "First", "variable": ["fetch", "files"],
                "filter_by": {
                    "enabled": True,
                    "conditions": [
                        {"key": "type", "comparison_operator": "in", "value": ["image"]}
                    ],
                },
                "order_by": {"enabled": True, "key": "size", "value": "desc"},
                "limit": {"enabled": True, "size": 1},
            }
            seen = self.outputs_of(
                [
                    start_node(), ("fetch", request), ("first", first),
                    end_node(**attributes_of(["first", "first_record"])),
                ],
                [("start", "fetch"), ("fetch", "first"), ("first", "end")],
            )
        self.assertEqual(seen["type"], "image")
        self.assertEqual(seen["mime_type"], "image/png")
        self.assertEqual(seen["extension"], ".png")
        self.assertEqual(seen["size"], len(PNG))
        self.assertEqual(seen["transfer_method"], "tool_file")

    def test_conditions_on_attributes_and_lists(self):
        self.write("a.txt", "tea")
        self.write("b.pdf", "tea")
        pdf = {"key": "extension", "comparison_operator": "is", "value": "pdf"}
        not_a = {"key": "name", "comparison_operator": "not contains", "value": "a"}
        cases = [
            (condition(["start", "one", "extension"], "is", ".txt"), True),
            (condition(["start", "one", "size"], ">", "3"), False),
            (condition(["start", "one"], "exists"), True),
            (condition(["start", "many"], "contains", sub=[pdf]), True),
            (condition(["start", "many"], "all of", sub=[not_a]), False),
        ]
        nodes = [
            start_node(file_field("one"), file_field("many", "file-list")),
            end_node(met=["check", "result"]),
        ]
        edges = [("start", "check"), ("check", "end", "true"), ("check", "end", "false")]
        given = ["-i", "one=@a.txt", "-i", "many=@a.txt", "-i", "many=@b.pdf"]
        for case, expected in cases:
            with self.subTest(case=case):
                outputs = self.outputs_of([*nodes, if_else_node(case)], edges, *given)
                self.assertEqual(outputs["met"], expected)

    def test_lists_of_files_in_one_text(self):
        self.write("a.txt", "tea")
        nodes = [start_node(file_field("many", "file-list")), end_node(many=["start", "many"])]
        mapping = {"transfer_method": "remote_url", "url": "http://example.invalid/c.md"}
        given = json.dumps(["@a.txt", "http://example.invalid/b.pdf", mapping])
        outputs = self.outputs_of(nodes, [("start", "end")], "-i", f"many={given}")
        self.assertEqual(
            [file["filename"] for file in outputs["many"]], ["a.txt", "b.pdf", "c.md"]
        )

    def test_templates_name_files(self):
        self.write("a.txt", "tea")
        nodes = [
            start_node(file_field("doc")),
            answer_node("{{#start.doc.name#}}: {{#start.doc#}}"),
        ]
        self.write("app.yml", make_app(nodes, [("start", "say")], mode="advanced-chat"))
        finished = self.flowspan("run", "app.yml", "--json", "--query", "q", "-i", "doc=@a.txt")
        self.expect_code(finished, 0)
        answer = finished.result["outputs"]["answer"]
        self.assertTrue(answer.startswith("a.txt: [a.txt](file://"), answer)

    def test_files_that_are_too_large_or_too_many(self):
        (self.folder / "big.png").write_bytes(bytes(11 * 1024 * 1024))
        self.write("a.txt", "tea")
        nodes = [start_node(file_field("doc")), end_node()]
        self.write("app.yml", make_app(nodes, [("start", "end")]))
        finished = self.flowspan("run", "app.yml", "-i", "doc=@big.png")
        self.assertNotEqual(finished.code, 0)
        self.assertIn("at most 10 MB", finished.stderr)
        nodes = [start_node(file_field("doc", "file-list")), end_node()]
        self.write("app.yml", make_app(nodes, [("start", "end")]))
        finished = self.flowspan("run", "app.yml", *["-i", "doc=@a.txt"] * 6)
        self.assertNotEqual(finished.code, 0)
        self.assertIn("less than 5 files", finished.stderr)

    def test_files_that_a_field_does_not_take(self):
        self.write("a.txt", "tea")
        field = file_field(
            "doc", allowed_file_types=["image", "custom"], allowed_file_extensions=[".kt"],
            allowed_file_upload_methods=["remote_url"],
        )
        self.write("app.yml", make_app([start_node(field), end_node()], [("start", "end")]))
        finished = self.flowspan("run", "app.yml", "-i", "doc=@a.txt")
        self.expect_code(finished, 2)
        self.assertIn("File validation failed for file: a.txt", finished.stderr)
        self.assertIn("doc takes: image, custom with extension kt", finished.stderr)
        self.write("a.kt", "tea")
        finished = self.flowspan("run", "app.yml", "-i", "doc=@a.kt")
        self.expect_code(finished, 2)
        self.assertIn("it comes as local_file; doc takes: remote_url", finished.stderr)
        finished = self.flowspan("run", "app.yml", "-i", "doc=http://example.invalid/a.kt")
        self.expect_code(finished, 0)

    def test_files_of_a_message(self):
        self.write("a.txt", "tea")
        nodes = [start_node(), answer_node("{{#sys.files#}}")]
        app = make_app(nodes, [("start", "say")], mode="advanced-chat")
        setting = {"enabled": True, "allowed_file_types": ["document"], "number_limits": 2}
        self.write("app.yml", app.replace("features: {}", f"features: {{file_upload: {setting}}}"))
        given = ["--query", "q", "--file", "a.txt", "--file", "http://example.invalid/b.txt"]
        finished = self.flowspan("run", "app.yml", "--json", *given)
        self.expect_code(finished, 0)
        answer = finished.result["outputs"]["answer"]
        self.assertIn("[a.txt](file://", answer)
        self.assertIn("[b.txt](http://example.invalid/b.txt)", answer)
        finished = self.flowspan("run", "app.yml", *given, "--file", "a.txt")
        self.expect_code(finished, 2)
        self.assertIn("Number of files exceeds the maximum limit 2", finished.stderr)
        self.write("app.yml", app)
        finished = self.flowspan("run", "app.yml", *given)
        self.expect_code(finished, 2)
        self.assertIn("this app takes no files", finished.stderr)


if __name__ == "__main__":
    unittest.main()
