"""flowspan trace: the local store while runs go on, after they ended, and after a kill."""

import json
import os
import pty
import signal
import subprocess
import threading
import time
import unittest

from support import (
    PROGRAM,
    TIMEOUT_S,
    FlowspanTest,
    ModelServer,
    StubServer,
    Trace,
    chat_app,
    clean_environment,
    code_app,
    end_node,
    hello_app,
    make_app,
    start_node,
)

# Says four words, then nothing more until it is killed.
ENDLESS = """
replies:
  - text: One two three four five six seven eight nine ten.
    hang_after: 4
"""

ONE_ANSWER = """
replies:
  - text: One two three.
    usage: {prompt_tokens: 7, completion_tokens: 3}
"""

RUN_SPANS = [
    "AppGenerateService.generate",
    "AdvancedChatAppRunner.run",
    "invoke_workflow Trial",
    "node llm",
    "chat scripted-1",
    "POST",
]


class StoreTest(FlowspanTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "state" / "traces.db"
        self.environment = {"FLOWSPAN_TRACE_STORE": str(self.store)}

    def flowspan(self, *arguments, environment=None, timeout=TIMEOUT_S):
        return super().flowspan(
            *arguments, environment={**self.environment, **(environment or {})}, timeout=timeout
        )

    def traces(self, *arguments):
        finished = self.flowspan("trace", "list", "--json", *arguments)
        self.expect_code(finished, 0)
        return [json.loads(line) for line in finished.stdout.splitlines()]

    def wait_for(self, condition, what):
        """Until it holds; a condition that never does is a failure."""
        started = time.monotonic()
        while time.monotonic() - started < TIMEOUT_S:
            found = condition()
            if found:
                return found
        return self.fail(f"never: {what}")

    def stored(self, trace_id):
        """The spans of a trace as OTLP JSON."""
        finished = self.flowspan("trace", "show", trace_id, "--json")
        self.expect_code(finished, 0)
        path = self.folder / "shown.jsonl"
        path.write_text(finished.stdout, encoding="utf-8")
        return Trace(path)

    def destinations(self):
        """Of the last process, by name, with the books' equation checked."""
        finished = self.flowspan("trace", "status", "--json", "-n", "1")
        self.expect_code(finished, 0)
        (process,) = finished.result["processes"]
        for sink in process["destinations"]:
            gone = sum(sink["dropped"].values())
            offered = sink["exported"] + sink["queued"] + sink["undecided"] + gone
            self.assertEqual(sink["offered"] + sink["announced"], offered, sink)
            self.assertEqual(
                process["started"],
                process["open"] + process["unsampled"] + sink["offered"],
                sink,
            )
        return process, {sink["name"].split()[0]: sink for sink in process["destinations"]}

    def started_chat(self, server, *arguments, environment=None):
        self.write("app.yml", chat_app())
        return self.started(
            "run",
            "app.yml",
            "--query",
            "Count!",
            *arguments,
            environment={**self.environment, **server.environment, **(environment or {})},
        )


class Lists(StoreTest):
    def test_runs_newest_first_with_what_they_were(self):
        self.expect_code(self.run_app(hello_app(), "-i", "name=Ada"), 0)
        failed = self.run_app(code_app("def main():\n    raise ValueError('no')\n"))
        self.expect_code(failed, 1)
        newest, oldest = self.traces()
        self.assertEqual(newest["trace_id"], failed.result["trace_id"])
        self.assertEqual([newest["status"], oldest["status"]], ["failed", "succeeded"])
        self.assertEqual(oldest["app_name"], "Trial")
        self.assertEqual(oldest["open_spans"], 0)
        self.assertGreater(newest["errors"], 0)
        self.assertEqual(newest["spans"], len(self.expect_whole_trace().spans))
        self.assertEqual(self.traces("--status", "failed"), [newest])
        self.assertEqual(self.traces("--limit", "1"), [newest])
        self.assertEqual(self.traces("--app", "tri", "--since", "1h"), [newest, oldest])
        self.assertEqual(self.traces("--app", "other"), [])
        table = self.flowspan("trace", "list").stdout
        self.assertIn(newest["trace_id"], table)
        self.assertIn("succeeded", table)

    def test_show_gives_the_tree_and_the_same_spans_as_the_file(self):
        with ModelServer() as server:
            finished = self.run_app(
                chat_app(), "--query", "Count!", environment=server.environment
            )
        self.expect_code(finished, 0)
        trace_id = finished.result["trace_id"]
        written = self.expect_whole_trace()
        shown = self.stored(trace_id[:10])
        self.assertEqual(
            sorted((s.span_id, s.parent_id, s.name, s.start, s.end) for s in shown.spans),
            sorted((s.span_id, s.parent_id, s.name, s.start, s.end) for s in written.spans),
        )
        by_id = {span.span_id: span for span in written.spans}
        for span in shown.spans:
            self.assertEqual(span.data, by_id[span.span_id].data)
        self.assertEqual(shown.resource, written.resource)
        tree = self.flowspan("trace", "show", trace_id).stdout
        self.assertIn("invoke_workflow Trial", tree)
        self.assertIn(trace_id, tree)

    def test_books_are_exact(self):
        self.expect_code(self.run_app(hello_app(), "-i", "name=Ada"), 0)
        process, sinks = self.destinations()
        count = len(self.expect_whole_trace().spans)
        self.assertEqual(process["started"], count)
        self.assertEqual(process["state"], "ended")
        self.assertEqual({name: sink["exported"] for name, sink in sinks.items()},
                         {"file": count, "store": count})
        status = self.flowspan("trace", "status").stdout
        self.assertIn(f"{count} started = {count} exported + 0 dropped + 0 open", status)

    def test_off_keeps_nothing(self):
        name = self.write("app.yml", hello_app())
        for arguments in (["--store", "off"], []):
            environment = {} if arguments else {"FLOWSPAN_TRACE_STORE": "off"}
            self.expect_code(
                self.flowspan("run", name, "-i", "name=A", *arguments, environment=environment), 0
            )
        self.assertFalse(self.store.exists())
        self.write("flowspan.toml", "[trace.store]\nenabled = false\n")
        finished = self.flowspan("trace", "list", environment={"FLOWSPAN_TRACE_STORE": ""})
        self.expect_code(finished, 2)
        self.expect_said(finished, "switched off")

    def test_default_place_is_the_state_folder(self):
        name = self.write("app.yml", hello_app())
        environment = {"FLOWSPAN_TRACE_STORE": "", "XDG_STATE_HOME": str(self.folder / "xdg")}
        self.expect_code(self.flowspan("run", name, "-i", "name=A", environment=environment), 0)
        self.assertTrue((self.folder / "xdg" / "flowspan" / "traces.db").exists())

    def test_says_what_is_wrong(self):
        finished = self.flowspan("trace", "list")
        self.expect_code(finished, 0)
        self.expect_said(finished, "no traces yet")
        self.expect_code(self.flowspan("trace", "show", "abc"), 2)
        self.run_app(hello_app(), "-i", "name=Ada")
        self.run_app(hello_app(), "-i", "name=Ada")
        for word, said in (("feed" * 8, "no trace"), ("xyz", "hexadecimal"), ("", "required")):
            finished = self.flowspan("trace", "show", *([word] if word else []))
            self.expect_code(finished, 2)
            self.expect_said(finished, said)
        finished = self.flowspan("trace", "list", "--since", "yesterday")
        self.expect_code(finished, 2)
        self.expect_said(finished, "yesterday")
        garbage = self.folder / "garbage.db"
        garbage.write_bytes(b"no database at all" * 1000)
        finished = self.flowspan("trace", "list", "--store", str(garbage))
        self.expect_code(finished, 2)
        self.expect_said(finished, str(garbage))

    def test_store_that_cannot_be_written_breaks_no_run(self):
        (self.folder / "blocked").write_text("a file where a folder should be")
        name = self.write("app.yml", hello_app())
        finished = self.flowspan(
            "run", name, "-i", "name=A", "--json", "--store", str(self.folder / "blocked/t.db")
        )
        self.expect_code(finished, 0)
        self.expect_said(finished, "store", "did not get")


class Killed(StoreTest):
    def kill_in_the_middle(self, environment=None):
        with ModelServer(ENDLESS) as server, self.started_chat(
            server, "--trace", "never", environment=environment
        ) as process:
            (running,) = self.wait_for(
                lambda: [t for t in self.traces() if t["open_spans"] == len(RUN_SPANS)],
                "the model's call among the open spans",
            )
            self.assertEqual(running["status"], "running")
            tree = self.flowspan("trace", "show", running["trace_id"]).stdout
            self.assertIn("running", tree)
            process.send_signal(signal.SIGKILL)
            process.wait(TIMEOUT_S)
        return running["trace_id"]

    def test_its_tree_is_whole_with_marks_exactly_once(self):
        trace_id = self.kill_in_the_middle()
        tree = self.flowspan("trace", "show", trace_id).stdout
        self.assertEqual(tree.count("the process went away"), 1, tree)
        self.assertIn("chat scripted-1 interrupted", tree)
        trace = self.stored(trace_id)
        by_id = {span.span_id: span for span in trace.spans}
        self.assertEqual(len(by_id), len(trace.spans))
        for span in trace.spans:
            self.assertGreaterEqual(span.end, span.start, span.name)
            self.assertTrue(not span.parent_id or span.parent_id in by_id, span.name)
        marked = [s.name for s in trace.spans if s.attributes.get("flowspan.interrupted")]
        self.assertEqual(sorted(marked), sorted(RUN_SPANS))
        for span in trace.spans:
            if span.name in RUN_SPANS:
                self.assertEqual(span.status, 2)
                self.assertEqual(len(span.data["events"]), 1, "the mark stands once")
        (chat,) = trace.named("chat")
        self.assertEqual(chat.attributes["gen_ai.request.model"], "scripted-1")
        (listed,) = self.traces()
        self.assertEqual(listed["status"], "interrupted")
        self.assertEqual(listed["interrupted_spans"], len(RUN_SPANS))
        self.assertEqual(listed["open_spans"], 0)

    def test_books_stay_exact(self):
        self.kill_in_the_middle()
        process, sinks = self.destinations()
        self.assertEqual(process["state"], "crashed")
        self.assertEqual(process["open"], 0)
        self.assertEqual(sinks["store"]["exported"], process["started"])

    def test_what_a_receiver_missed_comes_with_the_next_run(self):
        got = []

        def receive(_, path, __, body):
            if path == "/v1/traces":
                for resource in json.loads(body)["resourceSpans"]:
                    pid = {a["key"]: a["value"] for a in resource["resource"]["attributes"]}[
                        "process.pid"
                    ]["intValue"]
                    for scope in resource["scopeSpans"]:
                        got.extend((pid, span) for span in scope["spans"])
            return 200, {"Content-Type": "application/json"}, b"{}"

        with StubServer(receive) as receiver:
            environment = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            }
            trace_id = self.kill_in_the_middle(environment)
            # A program without the receiver closes the spans, but cannot send them.
            whole = {span.span_id: span.name for span in self.stored(trace_id).spans}
            self.run_app(hello_app(), "-i", "name=Ada", environment=environment)
            arrived = [(pid, span) for pid, span in got if span["traceId"] == trace_id]
            self.assertEqual({span["spanId"] for _, span in arrived}, set(whole))
            self.assertEqual(len({pid for pid, _ in arrived}), 1, "as the process that made them")
            marked = [
                span["name"]
                for _, span in arrived
                if any(a["key"] == "flowspan.interrupted" for a in span["attributes"])
            ]
            self.assertEqual(sorted(marked), sorted(RUN_SPANS), "each once")
            finished = self.flowspan("trace", "status", "--json", "-n", "2")
            crashed = finished.result["processes"][1]
            for sink in crashed["destinations"]:
                self.assertEqual(sink["exported"], crashed["started"], sink)
            count = len(got)
            self.run_app(hello_app(), "-i", "name=Ada", environment=environment)
            again = [span for _, span in got[count:] if span["traceId"] == trace_id]
            self.assertEqual(again, [], "once is enough")

    def test_what_happened_just_before_it_is_there_too(self):
        """Nothing of this run has been written when it dies: it ends before the first write."""
        steps = [
            (
                name,
                {
                    "type": "http-request", "title": name.title(), "method": "get",
                    "url": "{{#env.server#}}/" + name, "authorization": {"type": "no-auth"},
                    "headers": "", "params": "", "body": {"type": "none", "data": []},
                },
            )
            for name in ("first", "second")
        ]
        killed = threading.Event()
        started = threading.Event()
        children = []

        def respond(_, path, __, ___):
            if path == "/second":
                started.wait(TIMEOUT_S)
                children[0].send_signal(signal.SIGKILL)
                killed.set()
            return 200, {}, b"fine"

        app = make_app(
            [start_node(), *steps, end_node(x=["second", "body"])],
            [("start", "first"), ("first", "second"), ("second", "end")],
        )
        with StubServer(respond) as server:
            self.write("app.yml", app.replace("{{#env.server#}}", server.url))
            with self.started("run", "app.yml", environment=self.environment) as process:
                children.append(process)
                started.set()
                self.assertTrue(killed.wait(TIMEOUT_S))
                process.wait(TIMEOUT_S)
        (listed,) = self.traces()
        self.assertEqual((listed["status"], listed["open_spans"]), ("interrupted", 0))
        trace = self.stored(listed["trace_id"])
        by_id = {span.span_id: span for span in trace.spans}

        def way(span):
            parent = by_id.get(span.parent_id)
            node = span.attributes.get("node.id", "")
            return (way(parent) if parent else "") + f"/{span.name} {node}".rstrip()

        run = (
            "/AppGenerateService.generate/WorkflowAppRunner.run/invoke_workflow Trial"
        )
        http = "/node http-request "
        marks = {
            way(span): (
                "interrupted" if span.attributes.get("flowspan.interrupted") else "ended",
                span.status,
            )
            for span in trace.spans
        }
        self.assertEqual(
            marks,
            {
                "/AppGenerateService.generate": ("interrupted", 2),
                "/AppGenerateService.generate/WorkflowAppRunner.run": ("interrupted", 2),
                run: ("interrupted", 2),
                run + "/node start start": ("ended", 0),
                run + http + "first": ("ended", 0),
                run + http + "first/GET": ("ended", 0),
                run + http + "second": ("interrupted", 2),
                run + http + "second/GET": ("interrupted", 2),
            },
        )
        process, sinks = self.destinations()
        self.assertEqual(process["started"], len(trace.spans))
        self.assertEqual(sinks["store"]["exported"], process["started"])
        left = [path.name for path in self.store.parent.iterdir() if "-live-" in path.name]
        self.assertEqual(left, [])

    def test_the_next_run_closes_it_too(self):
        trace_id = self.kill_in_the_middle()
        self.expect_code(self.run_app(hello_app(), "-i", "name=Ada"), 0)
        (killed,) = self.traces("--status", "interrupted")
        self.assertEqual(killed["trace_id"], trace_id)


class Follows(StoreTest):
    def test_a_pipe_gets_a_line_for_each_start_and_end(self):
        with ModelServer(ENDLESS) as server, self.started_chat(server) as process:
            self.wait_for(
                lambda: [t for t in self.traces() if t["open_spans"] == len(RUN_SPANS)], "a call"
            )
            with self.started("trace", "follow", environment=self.environment) as follower:
                shown = b""
                while b"start  POST" not in shown:
                    piece = os.read(follower.stdout.fileno(), 65536)
                    self.assertNotEqual(piece, b"", "ended too early")
                    shown += piece
                process.send_signal(signal.SIGINT)
                rest, _ = follower.communicate(timeout=TIMEOUT_S)
                self.assertEqual(follower.returncode, 0)
        lines = (shown + rest).decode()
        for name in ("AppGenerateService.generate", "invoke_workflow Trial", "chat scripted-1"):
            self.assertEqual(lines.count(f"start  {name}"), 1, lines)
            self.assertIn(name, lines.split("end", 1)[1])
        self.assertNotIn("\x1b", lines)

    def test_ctrl_c_ends_it_and_not_the_run(self):
        with ModelServer(ENDLESS) as server, self.started_chat(server) as process:
            (trace,) = self.wait_for(
                lambda: [t for t in self.traces() if t["open_spans"] == len(RUN_SPANS)], "a call"
            )
            with self.started(
                "trace", "follow", trace["trace_id"][:8], environment=self.environment
            ) as follower:
                os.read(follower.stdout.fileno(), 65536)
                follower.send_signal(signal.SIGINT)
                follower.communicate(timeout=TIMEOUT_S)
                self.assertEqual(follower.returncode, 130)
            self.assertIsNone(process.poll())

    def test_a_terminal_sees_the_tree_drawn_in_place_until_the_end(self):
        with ModelServer(ENDLESS) as server, self.started_chat(server) as process:
            self.wait_for(
                lambda: [t for t in self.traces() if t["open_spans"] == len(RUN_SPANS)], "a call"
            )
            outer, inner = pty.openpty()
            follower = subprocess.Popen(
                [PROGRAM, "trace", "follow"],
                cwd=self.folder,
                env=clean_environment(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=inner,
                stderr=subprocess.PIPE,
            )
            os.close(inner)
            shown = b""
            while shown.count(b"A\r\x1b[J") < 3:
                shown += os.read(outer, 65536)
            self.assertIn(b"running", shown)
            process.send_signal(signal.SIGKILL)
            while True:
                try:
                    piece = os.read(outer, 65536)
                except OSError:  # how a pseudo terminal says that the other side has closed
                    break
                if not piece:
                    break
                shown += piece
            self.assertEqual(follower.wait(TIMEOUT_S), 0)
            follower.stderr.close()
            os.close(outer)
        self.assertIn("interrupted", shown.decode().rsplit("\x1b[J", 1)[1])


class Sampling(StoreTest):
    def run_sampled(self, app, *arguments, settings="ratio = 0.0\n"):
        self.write("flowspan.toml", "[trace.sampling]\n" + settings)
        self.trace_file.unlink(missing_ok=True)
        finished = self.run_app(app, *arguments)
        return finished, Trace(self.trace_file).spans

    def test_keeps_failed_slow_and_flagged_runs_whole_and_counts_the_rest(self):
        failing = code_app("def main():\n    raise ValueError('no')\n")
        finished, spans = self.run_sampled(failing)
        self.expect_code(finished, 1)
        self.expect_whole_trace()

        finished, spans = self.run_sampled(hello_app(), "-i", "name=Ada")
        self.expect_code(finished, 0)
        self.assertEqual(spans, [], "an ordinary run")
        process, sinks = self.destinations()
        self.assertEqual(sinks["file"]["dropped"]["sampled_out"], process["started"])
        self.assertEqual(sinks["store"]["exported"], process["started"], "the store keeps all")
        self.assertEqual(finished.stderr.count("did not get"), 0, "on purpose is no loss")

        self.run_sampled(hello_app(), "-i", "name=Ada", "--keep-trace")
        self.expect_whole_trace()
        for rule in ("slow = 0.001", "tokens = 10"):
            with self.subTest(rule=rule), ModelServer(ONE_ANSWER) as server:
                self.write("flowspan.toml", f"[trace.sampling]\nratio = 0.0\n{rule}\n")
                self.trace_file.unlink()
                self.run_app(chat_app(), "--query", "Hi", environment=server.environment)
                self.expect_whole_trace()
        self.assertEqual(len(self.traces()), 5)

    def test_ratio_is_decided_by_the_trace_id(self):
        def kept(trace_id):
            _, spans = self.run_sampled(
                hello_app(), "-i", "name=A", "--trace-id", trace_id, settings="ratio = 0.5\n"
            )
            return bool(spans)

        ids = [f"{number:032x}" for number in range(1, 9)]
        first = [kept(trace_id) for trace_id in ids]
        self.assertEqual(first, [kept(trace_id) for trace_id in ids])
        self.assertIn(True, first)
        self.assertIn(False, first)

    def test_head_sampling_follows_the_environment_and_the_caller(self):
        trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
        with StubServer() as server:
            self.write("flowspan.toml", "")
            for flags, sampler, expected in (
                ("00", None, "00"),
                ("01", None, "01"),
                ("01", "always_off", "00"),
                ("00", "always_on", "01"),
            ):
                with self.subTest(flags=flags, sampler=sampler):
                    self.trace_file.unlink(missing_ok=True)
                    server.requests.clear()
                    environment = {
                        "TRACEPARENT": f"00-{trace_id}-{parent}-{flags}",
                        "TRACESTATE": "vendor=x",
                        "FLOWSPAN_MODEL_BASE_URL": server.url,
                        **({"OTEL_TRACES_SAMPLER": sampler} if sampler else {}),
                    }
                    self.run_app(chat_app(), "--query", "Hi", environment=environment)
                    headers = {k.lower(): v for k, v in server.requests[0][2].items()}
                    self.assertEqual(headers["traceparent"].split("-")[1], trace_id)
                    self.assertEqual(headers["traceparent"].split("-")[3], expected)
                    self.assertEqual(headers.get("tracestate"), "vendor=x")
                    spans = Trace(self.trace_file).spans
                    self.assertEqual(bool(spans), expected == "01")


class Pending(StoreTest):
    def test_long_spans_are_announced_to_receivers_that_want_it(self):
        self.write("flowspan.toml", "[trace]\npending_after = 0.05\n")
        with ModelServer(ENDLESS) as server, self.started_chat(
            server, "--trace", "never", "--trace-out", str(self.trace_file)
        ) as process:
            self.wait_for(
                lambda: self.trace_file.exists()
                and {s.name for s in Trace(self.trace_file, growing=True).spans} >= set(RUN_SPANS),
                "every open span in the file",
            )
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=TIMEOUT_S)
        spans = Trace(self.trace_file).spans
        real = {s.span_id: s for s in spans if "flowspan.pending" not in s.attributes}
        pending = [s for s in spans if "flowspan.pending" in s.attributes]
        self.assertEqual(sorted(s.name for s in pending), sorted(RUN_SPANS))
        for span in pending:
            self.assertEqual(span.end, span.start)
            parent = real[span.parent_id]
            self.assertEqual((span.name, span.start), (parent.name, parent.start))
            self.assertEqual(
                span.attributes.get("flowspan.pending.parent_id", ""), parent.parent_id
            )
        _, sinks = self.destinations()
        self.assertEqual(sinks["file"]["announced"], len(RUN_SPANS))
        self.assertEqual(sinks["store"]["announced"], 0)


class TraceIds(StoreTest):
    def test_an_external_id_stands_on_the_trace(self):
        for given, expected in (
            ("0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319c"),
            ("0AF76519-16cd-43dd-8448-eb211c80319d", "0af7651916cd43dd8448eb211c80319d"),
            ("ticket_4711", None),
        ):
            with self.subTest(given=given):
                finished = self.run_app(hello_app(), "-i", "name=A", "--trace-id", given)
                self.expect_code(finished, 0)
                trace = self.expect_whole_trace()
                (root,) = trace.named("AppGenerateService.generate")
                self.assertEqual(root.attributes["flowspan.external_trace_id"], given)
                if expected:
                    self.assertEqual(finished.result["trace_id"], expected)

    def test_a_caller_that_is_known_wins(self):
        finished = self.run_app(
            hello_app(),
            "-i",
            "name=A",
            "--trace-id",
            "f" * 32,
            environment={"TRACEPARENT": f"00-{'a' * 32}-{'b' * 16}-01"},
        )
        self.assertEqual(finished.result["trace_id"], "a" * 32)

    def test_one_that_cannot_be_is_refused(self):
        finished = self.run_app(hello_app(), "-i", "name=A", "--trace-id", "no spaces")
        self.expect_code(finished, 2)
        self.expect_said(finished, "letters, digits")


if __name__ == "__main__":
    unittest.main(verbosity=2)
