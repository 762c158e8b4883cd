"""What goes wrong with data while a run goes on: the node fails with its reason, its error strategy
is applied, and the rest of the run is unharmed."""

import io
import json
import unittest
import zipfile

from guarded_app import (
    BadDataTest,
    extractor,
    file_input,
    guarded,
    json_input,
    list_operator,
    paragraph,
    request,
    template,
    with_children,
)
from support import StubServer, code_node, make_app, start_node


class LargeTexts(BadDataTest):
    TEN_MB = "x" * 10_000_000

    def test_are_taken_where_there_is_no_limit(self):
        code = "def main(text):\n    return {'x': str(len(text))}"
        outputs = self.expect_fine(
            guarded(
                code_node(code, variables=[("text", ["start", "text"])]),
                [paragraph("text")],
                x=["code", "x"],
            ),
            *self.inputs(text=self.TEN_MB),
        )
        self.assertEqual(outputs, {"x": "10000000"})

    def test_are_refused_by_a_template(self):
        self.expect_handled(
            guarded(template("{{ text }}", text=["start", "text"]), [paragraph("text")]),
            *self.inputs(text=self.TEN_MB),
            says="Output length exceeds 400000 characters|output|larger",
        )

    def test_are_refused_by_a_code_output(self):
        self.expect_handled(
            guarded(code_node("def main():\n    return {'x': 'x' * 500000}"), []),
            says="length of output variable `x` must be less than 400000 characters",
        )

    def test_are_refused_in_a_reply(self):
        headers = {"Content-Type": "text/plain"}
        with StubServer(lambda *_: (200, headers, b"x" * 10_000_000)) as server:
            self.expect_handled(
                guarded(request(server.url), []),
                says=r"Text size is too large, max size is 1.00 MB",
            )

    def test_are_compared(self):
        condition = {
            "variable_selector": ["start", "text"],
            "comparison_operator": "end with",
            "value": "y",
        }
        check = {
            "type": "if-else",
            "cases": [{"case_id": "yes", "logical_operator": "and", "conditions": [condition]}],
        }
        app = guarded(("subject", check), [paragraph("text")])
        app = app.replace('"source", target: end', '"false", target: end')
        self.expect_fine(app, *self.inputs(text=self.TEN_MB))

    def test_that_a_model_answers_are_kept_or_refused(self):
        reply = {"choices": [{"message": {"content": self.TEN_MB}, "finish_reason": "stop"}]}
        node = (
            "subject",
            {
                "type": "llm",
                "model": {"provider": "p", "name": "m", "mode": "chat", "completion_params": {}},
                "prompt_template": [{"role": "user", "text": "Hi"}],
                "context": {"enabled": False},
                "reasoning_format": "separated",
            },
        )
        body = json.dumps(reply).encode()
        with StubServer(lambda *_: (200, {"Content-Type": "application/json"}, body)) as server:
            status, outputs = self.run_guarded(
                guarded(node, [], text=["subject", "text"]),
                environment={"FLOWSPAN_MODEL_BASE_URL": server.url},
            )
        if status == "succeeded":
            self.assertEqual(len(outputs["text"]), 10_000_000)
        else:
            self.assertRegex(outputs["why"], "bytes|large|MB")


class LargeLists(BadDataTest):
    MANY = list(range(100_000))

    def test_are_filtered_and_sorted(self):
        outputs = self.expect_fine(
            guarded(
                list_operator(
                    filter_by={
                        "enabled": True,
                        "conditions": [{"comparison_operator": "≥", "value": "99998"}],
                    },
                    order_by={"enabled": True, "value": "desc"},
                ),
                [json_input("data")],
                found=["subject", "result"],
            ),
            *self.inputs(data={"xs": self.MANY}),
        )
        self.assertEqual(outputs, {"found": [99999, 99998]})

    def test_are_refused_by_a_code_output(self):
        self.expect_handled(
            guarded(
                code_node(
                    "def main():\n    return {'x': list(range(100000))}",
                    outputs={"x": {"type": "array[number]", "children": None}},
                ),
                [],
            ),
            says="length of output variable `x` must be less than 1000 elements",
        )

    def test_of_objects_are_no_list_to_operate_on(self):
        self.expect_handled(
            guarded(list_operator(), [json_input("data")]),
            *self.inputs(data={"xs": [{"n": n} for n in self.MANY]}),
            says="is not an array type, actual type: array\\[object\\]",
        )


class DeepData(BadDataTest):
    def test_inputs_are_refused(self):
        self.write("inputs.json", '{"data": ' + '{"a": ' * 100_000 + "1" + "}" * 100_000 + "}")
        finished = self.run_app(
            guarded(list_operator(), [json_input("data")]), "--inputs", "@inputs.json"
        )
        self.expect_code(finished, 2)
        self.assertIn("deep", finished.stderr)

    def test_documents_are_refused(self):
        (self.folder / "deep.json").write_text("[" * 100_000 + "]" * 100_000)
        self.expect_handled(
            guarded(extractor(), [file_input("file")]),
            "-i",
            "file=@deep.json",
            says="Failed to extract text from JSON",
        )

    def test_answers_of_models_are_cut_off(self):
        node = (
            "subject",
            {
                "type": "parameter-extractor",
                "model": {"provider": "p", "name": "m", "mode": "chat", "completion_params": {}},
                "query": ["sys", "user_id"],
                "parameters": [
                    {"name": "x", "type": "string", "description": "", "required": True}
                ],
                "reasoning_mode": "prompt",
                "vision": {"enabled": False},
            },
        )
        reply = {"choices": [{"message": {"content": '{"x": ' * 200_000}}]}
        body = json.dumps(reply).encode()
        with StubServer(lambda *_: (200, {"Content-Type": "application/json"}, body)) as server:
            outputs = self.expect_fine(
                guarded(node, [], ok=["subject", "__is_success"]),
                environment={"FLOWSPAN_MODEL_BASE_URL": server.url},
            )
        self.assertEqual(outputs, {"ok": 0})

    def test_code_results_are_refused(self):
        code = "def main():\n    x = 1\n    for _ in range(200): x = {'a': x}\n    return {'x': x}"
        outputs = {"x": {"type": "object", "children": None}}
        self.expect_handled(guarded(code_node(code, outputs=outputs), []), says="[Dd]epth limit 5")


class InvalidText(BadDataTest):
    def test_in_a_reply_is_replaced(self):
        reply = b"caf\xff \xed\xa0\x80."
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        with StubServer(lambda *_: (200, headers, reply)) as server:
            outputs = self.expect_fine(
                guarded(request(server.url), [], body=["subject", "body"])
            )
        self.assertRegex(outputs["body"], "^caf\ufffd \ufffd+\\.$")

    def test_in_an_input_is_replaced(self):
        (self.folder / "text.txt").write_bytes(b"caf\xff.")
        outputs = self.expect_fine(
            guarded(template("{{ text }}", text=["start", "text"]), [paragraph("text")],
                    text=["subject", "output"]),
            "-i",
            "text=@text.txt",
        )
        self.assertEqual(outputs, {"text": "caf\ufffd."})

    def test_in_a_document_is_dropped(self):
        (self.folder / "text.txt").write_bytes("日本語".encode() + b"\xff\xfe." * 3)
        outputs = self.expect_fine(
            guarded(extractor(), [file_input("file")], text=["subject", "text"]),
            "-i",
            "file=@text.txt",
        )
        json.dumps(outputs["text"]).encode("utf-8")


class Bombs(BadDataTest):
    def setUp(self):
        super().setUp()
        self.write("flowspan.toml", "[sandbox.limits]\nwall_time = 4\n")

    def test_template_that_never_ends(self):
        source = "{% for i in range(10**6) %}{% for j in range(10**6) %}{% endfor %}{% endfor %}"
        self.expect_handled(guarded(template(source), []), says="ran longer than")

    def test_template_that_eats_memory(self):
        self.expect_handled(guarded(template("{{ 'x' * 10**10 }}"), []), says="[Mm]emory")

    def test_regular_expression_that_backtracks(self):
        code = "import re\ndef main():\n    return {'x': str(re.match('(a+)+$', 'a' * 64 + 'b'))}"
        self.expect_handled(guarded(code_node(code), []), says="ran longer than")

    def test_variable_that_doubles_in_each_round(self):
        double = {
            "type": "assigner",
            "title": "Double",
            "version": "2",
            "loop_id": "subject",
            "items": [
                {
                    "variable_selector": ["subject", "xs"],
                    "input_type": "variable",
                    "operation": "extend",
                    "value": ["subject", "xs"],
                }
            ],
        }
        loop = {
            "type": "loop",
            "start_node_id": "begin",
            "loop_count": 100,
            "break_conditions": [],
            "logical_operator": "and",
            "loop_variables": [
                {
                    "label": "xs",
                    "var_type": "array[string]",
                    "value_type": "constant",
                    "value": json.dumps(["x" * 1000] * 64),
                }
            ],
        }
        app = guarded(("subject", loop), [])
        app = with_children(app, "subject", "loop", double)
        self.expect_handled(app, says="larger than \\d+ bytes")

    def test_answer_that_doubles_in_each_round(self):
        nodes = [
            start_node(),
            (
                "again",
                {
                    "type": "loop",
                    "title": "Again",
                    "start_node_id": "begin",
                    "loop_count": 100,
                    "break_conditions": [],
                    "logical_operator": "and",
                    "loop_variables": [
                        {
                            "label": "x",
                            "var_type": "string",
                            "value_type": "constant",
                            "value": "x" * 10_000,
                        }
                    ],
                },
            ),
            ("begin", {"type": "loop-start", "title": "", "loop_id": "again"}),
            (
                "twice",
                {
                    "type": "answer",
                    "title": "Twice",
                    "loop_id": "again",
                    "answer": "{{#again.x#}}{{#again.x#}}",
                },
            ),
            (
                "keep",
                {
                    "type": "assigner",
                    "title": "Keep",
                    "version": "2",
                    "loop_id": "again",
                    "items": [
                        {
                            "variable_selector": ["again", "x"],
                            "input_type": "variable",
                            "operation": "over-write",
                            "value": ["twice", "answer"],
                        }
                    ],
                },
            ),
        ]
        edges = [("start", "again"), ("begin", "twice"), ("twice", "keep")]
        finished = self.run_app(make_app(nodes, edges, mode="advanced-chat"), "--query", "?")
        self.expect_code(finished, 1)
        self.assertRegex(finished.result["error"], "longer than \\d+ bytes")


class BadDocuments(BadDataTest):
    def expect_refused(self, name, data, says):
        (self.folder / name).write_bytes(data)
        self.expect_handled(
            guarded(extractor(), [file_input("file")]), "-i", f"file=@{name}", says=says
        )

    def archive(self, **files):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
        return out.getvalue()

    def test_archive_that_grows_without_end(self):
        body = b"<w:document xmlns:w='w'>" + b" " * 300_000_000
        bomb = self.archive(word__document_xml=body)
        self.assertLess(len(bomb), 1_000_000)
        self.expect_refused("bomb.docx", bomb, "unpack|large|limit|MB|bytes")

    def test_broken_archives(self):
        good = self.archive(word__document_xml="<w:document xmlns:w='w'/>")
        for name, data in [
            ("cut.docx", good[: len(good) // 2]),
            ("empty.docx", b""),
            ("other.docx", self.archive(readme="hi")),
            ("text.xlsx", b"this is no archive"),
            ("text.pptx", b"this is no archive"),
            ("text.epub", b"this is no archive"),
        ]:
            self.expect_refused(name, data, "^Failed to extract text from")

    def test_encrypted_documents(self):
        # Office wraps encrypted documents in a compound file.
        compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096
        self.expect_refused("locked.docx", compound, "encrypted|Failed")
        locked = bytearray(self.archive(word__document_xml="<w:document/>"))
        locked[6] |= 1
        directory = locked.find(b"PK\x01\x02")
        locked[directory + 8] |= 1
        self.expect_refused("zip.docx", bytes(locked), "encrypted|password|Failed")

    def test_broken_pdf(self):
        self.expect_refused("broken.pdf", b"%PDF-1.7\n" + b"\xff" * 2000, "PDF")


if __name__ == "__main__":
    unittest.main()
