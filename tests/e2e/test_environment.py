"""Values for an app's environment variables: exports carry secrets without their value."""

import json
import unittest

from support import FlowspanTest, StubServer, end_node, make_app, start_node

SECRET = "the-token-of-a-person"


def app_with(variables, *nodes, edges=(("start", "end"),), **outputs):
    text = make_app([start_node(), *nodes, end_node(**outputs)], list(edges))
    return text.replace(
        "environment_variables: []", "environment_variables: " + json.dumps(variables)
    )


def variable(name, value_type="string", value=""):
    return {"name": name, "value_type": value_type, "value": value}


class Values(FlowspanTest):
    def setUp(self):
        super().setUp()
        self.app = app_with(
            [variable("TOKEN", "secret"), variable("PLACE", value="home"), variable("N", "number", 1)],
            token=["env", "TOKEN"],
            place=["env", "PLACE"],
            n=["env", "N"],
        )

    def outputs(self, *arguments, **options):
        finished = self.run_app(self.app, *arguments, **options)
        self.expect_code(finished, 0)
        return finished.result["outputs"]

    def test_stay_as_the_file_has_them(self):
        self.assertEqual(self.outputs(), {"token": "", "place": "home", "n": 1})

    def test_come_from_flags(self):
        outputs = self.outputs("--env", "TOKEN=a=b", "--env", "N=2.5", "--env", "PLACE=@away")
        self.assertEqual(outputs, {"token": "a=b", "place": "@away", "n": 2.5})

    def test_come_from_the_process_without_being_written_out(self):
        outputs = self.outputs("--env", "TOKEN", environment={"TOKEN": SECRET})
        self.assertEqual(outputs["token"], SECRET)

    def test_come_from_the_configuration_and_flags_win(self):
        self.write("flowspan.toml", '[environment]\nTOKEN = "t"\nPLACE = "p"\nOTHER_APPS = "x"\n')
        self.assertEqual(self.outputs("--env", "PLACE=q"), {"token": "t", "place": "q", "n": 1})

    def test_that_no_variable_takes_are_named(self):
        for given, *words in (
            ("TOKNE=1", "TOKNE", "TOKEN, PLACE, N"),
            ("N=many", "--env N", "number"),
            ("TOKEN", "--env TOKEN", "not set"),
            ("=1", "--env", "NAME=VALUE"),
        ):
            with self.subTest(given):
                finished = self.run_app(self.app, "--env", given)
                self.expect_code(finished, 2)
                self.expect_said(finished, *words)

    def test_secret_without_a_value_is_named(self):
        finished = self.run_app(self.app)
        self.expect_said(finished, "`TOKEN`", "--env", "[environment]")
        finished = self.run_app(self.app, "--env", "TOKEN=t")
        self.assertEqual(finished.stderr, "")


class Secrets(FlowspanTest):
    REQUEST = (
        "call",
        {
            "type": "http-request",
            "title": "Call",
            "method": "get",
            "headers": "X-Token: {{#env.TOKEN#}}",
            "params": "",
            "authorization": {"type": "no-auth", "config": None},
            "body": {"type": "none", "data": []},
        },
    )
    FORM = (
        "form",
        {
            "type": "human-input",
            "title": "Form",
            "form_content": "",
            "inputs": [],
            "user_actions": [{"id": "go", "title": "Go"}],
        },
    )

    def test_are_used_and_never_traced_also_after_a_pause(self):
        everything = "[trace]\ncontent = \"full\"\n"
        self.write("flowspan.toml", everything)
        with StubServer(lambda *_: (200, {"Content-Type": "text/plain"}, b"fine")) as server:
            name, data = self.REQUEST
            app = app_with(
                [variable("TOKEN", "secret")],
                self.FORM,
                (name, {**data, "url": server.url}),
                edges=[("start", "form"), ("form", "call", "go"), ("call", "end")],
                body=["call", "body"],
                request=["env", "TOKEN"],
            )
            paused = self.run_app(app, "--env", f"TOKEN={SECRET}", "--pause-file", "paused.json")
            self.expect_code(paused, 3)
            resumed = self.flowspan(
                "resume", "paused.json", "--action", "go", "--json",
                "--trace-out", str(self.trace_file),
            )
            self.expect_code(resumed, 0)
            self.assertEqual(server.requests[0][2]["X-Token"], SECRET)
        self.assertEqual(resumed.stderr, "")
        self.assertNotIn(SECRET, self.trace_file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
