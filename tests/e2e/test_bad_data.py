"""What goes wrong with data while a run goes on: the node fails with its reason, its error strategy
is applied, and the rest of the run is unharmed."""

import io
import json
import unittest
import zipfile

from support import FlowspanTest, StubServer, code_node, make_app, start_node, text_input


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
        "allowed_file_extensions": [],
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
