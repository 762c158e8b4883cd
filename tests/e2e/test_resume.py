"""Runs that pause, are paused, stopped or killed by others, and go on in another process."""

import json
import os
import signal
import stat
import time
import unittest

from support import (
    RESULT_KEYS,
    TIMEOUT_S,
    FlowspanTest,
    ModelServer,
    Trace,
    answer_node,
    llm_node,
    make_app,
    start_node,
)

def script(gap_ms):
    return f"""
replies:
  - when: {{message: first}}
    text: One two three four.
    gap_ms: {gap_ms}
  - when: {{message: second}}
    text: Done.
"""


# Between the second word and the end another process has to be started and heard.
SLOW = script(6000)
QUICK = script(100)


def form_node(inputs=(), timeout=36):
    return (
        "ask",
        {
            "type": "human-input",
            "title": "Approve",
            "form_content": "Publish? {{#$output.comment#}}",
            "inputs": list(inputs),
            "user_actions": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
            "timeout": timeout,
        },
    )


def form_app():
    return make_app(
        [
            start_node(),
            form_node([{"type": "paragraph", "output_variable_name": "comment"}]),
            (
                "end",
                {
                    "type": "end",
                    "title": "End",
                    "outputs": [
                        {"variable": "said", "value_selector": ["ask", "comment"]},
                        {"variable": "shown", "value_selector": ["ask", "__rendered_content"]},
                    ],
                },
            ),
        ],
        [("start", "ask"), ("ask", "end", "yes")],
    )


def two_step_app():
    first = llm_node("one", "first")
    second = llm_node("two", "second")
    return make_app(
        [start_node(), first, second, answer_node("{{#one.text#}} {{#two.text#}}")],
        [("start", "one"), ("one", "two"), ("two", "say")],
        mode="advanced-chat",
    )


class Forms(FlowspanTest):
    def pause(self):
        name = self.write("app.yml", form_app())
        finished = self.flowspan(
            "run", name, "--json", "--pause-file", "paused.json", "--trace-out", "first.jsonl"
        )
        self.expect_code(finished, 3)
        return finished

    def test_pause_says_what_it_waits_for(self):
        finished = self.pause()
        self.assertEqual(list(finished.result), RESULT_KEYS + ["pause_reasons", "pause_file"])
        self.assertEqual(finished.result["status"], "paused")
        self.assertEqual(finished.result["pause_file"], "paused.json")
        (reason,) = finished.result["pause_reasons"]
        self.assertEqual(reason["TYPE"], "human_input_required")
        self.expect_said(
            finished,
            "the run is paused",
            "Approve waits for an answer until ",
            "comment (paragraph)",
            "actions: yes (Yes), no (No)",
            "flowspan resume paused.json --action ID -i comment=...",
        )
        mode = stat.S_IMODE(os.stat(self.folder / "paused.json").st_mode)
        self.assertEqual(mode, 0o600, "it holds what the app holds")

    def test_answer_goes_on_in_the_same_trace(self):
        paused = self.pause()
        (self.folder / "app.yml").unlink()  # the file is enough
        finished = self.flowspan(
            "resume", "paused.json", "--action", "yes", "-i", "comment=fine", "--json",
            "--trace-out", "second.jsonl",
        )
        self.expect_code(finished, 0)
        self.assertEqual(
            finished.result["outputs"], {"said": "fine", "shown": "Publish? fine"}
        )
        self.assertEqual(finished.result["run_id"], paused.result["run_id"])
        self.assertEqual(finished.result["trace_id"], paused.result["trace_id"])
        first = Trace(self.folder / "first.jsonl")
        second = Trace(self.folder / "second.jsonl")
        (root,) = [span for span in first.spans if not span.parent_id]
        (resumed,) = second.named("AppGenerateService.generate")
        self.assertEqual(resumed.parent_id, root.span_id)
        self.assertEqual(resumed.attributes["flowspan.run.resumed"], "paused")
        self.assertGreater(resumed.attributes["flowspan.run.pause_duration"], 0)

    def test_wrong_answers_change_nothing(self):
        self.pause()
        before = (self.folder / "paused.json").read_bytes()
        for arguments, words in [
            (["--action", "maybe", "-i", "comment=x"], ["Invalid action: maybe", "yes, no"]),
            (["--action", "yes"], ["Missing required inputs: comment"]),
            (["--action", "yes", "-i", "other=x"], ["other", "comment"]),
            (["--action", "yes", "--form", "f9"], ["does not wait for the form `f9`", "Approve"]),
        ]:
            finished = self.flowspan("resume", "paused.json", *arguments)
            self.expect_code(finished, 2)
            self.expect_said(finished, *words)
        self.assertEqual((self.folder / "paused.json").read_bytes(), before)

    def test_without_an_answer_it_waits_on(self):
        first = self.pause()
        finished = self.flowspan("resume", "paused.json", "--json")
        self.expect_code(finished, 3)
        self.assertEqual(
            finished.result["pause_reasons"], first.result["pause_reasons"], "the same form"
        )

    def test_files_that_are_no_paused_runs(self):
        self.pause()
        whole = json.loads((self.folder / "paused.json").read_text())
        self.write("newer.json", json.dumps({**whole, "version": 2}))
        self.write("cut.json", (self.folder / "paused.json").read_text()[:500])
        self.write("other.json", "{}")
        for name, words in [
            ("missing.json", ["missing.json", "there is no such file"]),
            ("newer.json", ["version 2", "reads version 1", "newer program"]),
            ("cut.json", ["cut.json"]),
            ("other.json", ["no paused run"]),
            ("app.yml", ["app.yml", "no paused run"]),
        ]:
            finished = self.flowspan("resume", name, "--action", "yes")
            self.expect_code(finished, 2)
            self.expect_said(finished, *words)


class Commands(FlowspanTest):
    """To a run in another process."""

    def environment(self, server):
        return {**server.environment, "XDG_RUNTIME_DIR": str(self.folder)}

    def wait_for_text(self, process, text):
        shown = b""
        while text.encode() not in shown:
            piece = os.read(process.stdout.fileno(), 65536)
            self.assertNotEqual(piece, b"", "ended too early")
            shown += piece
        return shown.decode()

    def test_pause_then_resume(self):
        name = self.write("app.yml", two_step_app())
        with ModelServer(SLOW) as server:
            environment = self.environment(server)
            with self.started(
                "run", name, "--query", "go", "--pause-file", "paused.json",
                environment=environment,
            ) as process:
                self.wait_for_text(process, "two")
                told = self.flowspan("pause", "--reason", "lunch", environment=environment)
                self.expect_code(told, 0)
                _, errors = process.communicate(timeout=TIMEOUT_S)
                self.assertEqual(process.returncode, 3, errors)
                self.assertIn("lunch", errors.decode())
            finished = self.flowspan("resume", "paused.json", "--json", environment=environment)
            self.assertEqual(list((self.folder / "flowspan").iterdir()), [], "sockets left")
        self.expect_code(finished, 0)
        self.assertEqual(
            finished.result["outputs"]["answer"], "One two three four. Done."
        )

    def test_stop(self):
        name = self.write("app.yml", two_step_app())
        with ModelServer(SLOW) as server:
            environment = self.environment(server)
            with self.started("run", name, "--query", "go", environment=environment) as process:
                self.wait_for_text(process, "two")
                told = self.flowspan("stop", "--reason", "enough", environment=environment)
                self.expect_code(told, 0)
                _, errors = process.communicate(timeout=TIMEOUT_S)
                self.assertEqual(process.returncode, 130, errors)
                self.assertIn("Aborted: enough", errors.decode())

    def test_nothing_to_command(self):
        with ModelServer() as server:
            environment = self.environment(server)
            (self.folder / "flowspan").mkdir()
            (self.folder / "flowspan" / "1.sock").touch()
            finished = self.flowspan("stop", environment=environment)
            self.expect_code(finished, 2)
            self.expect_said(finished, "no run is at work")


class Kills(FlowspanTest):
    def test_checkpoints_outlive_a_kill(self):
        name = self.write("app.yml", two_step_app())
        with ModelServer(QUICK) as server:
            with self.started(
                "run", name, "--query", "go", "--checkpoint", "--pause-file", "kept.json",
                environment=server.environment,
            ) as process:
                deadline = time.monotonic() + TIMEOUT_S
                while not (self.folder / "kept.json").exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                process.send_signal(signal.SIGKILL)
                process.wait()
            finished = self.flowspan(
                "resume", "kept.json", "--json", "--trace-out", str(self.trace_file),
                environment=server.environment,
            )
        self.expect_code(finished, 0)
        self.assertEqual(
            finished.result["outputs"]["answer"], "One two three four. Done."
        )
        (resumed,) = Trace(self.trace_file).named("AppGenerateService.generate")
        self.assertEqual(resumed.attributes["flowspan.run.resumed"], "interrupted")

    def test_checkpoints_go_away_with_the_run(self):
        name = self.write("app.yml", two_step_app())
        with ModelServer(QUICK) as server:
            finished = self.flowspan(
                "run", name, "--query", "go", "--checkpoint", "--pause-file", "kept.json",
                environment=server.environment,
            )
        self.expect_code(finished, 0)
        self.assertFalse((self.folder / "kept.json").exists())


if __name__ == "__main__":
    unittest.main()
