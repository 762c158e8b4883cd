"""tools/run_tidy.py: which files it takes and what it reads from clang-tidy's output."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import run_tidy

ROOT = run_tidy.ROOT


class RunTidy(unittest.TestCase):
    def test_headers_give_way_to_their_sources(self):
        commands = {str(ROOT / "src/async/task.cpp"): "c", str(ROOT / "src/dsl/app.cpp"): "c"}
        files = [ROOT / "include/flowspan/async/task.hpp", ROOT / "src/async/task.cpp",
                 ROOT / "src/dsl/app.hpp", ROOT / "src/dsl/lonely.hpp"]
        self.assertEqual(run_tidy.sources_of(files, commands),
                         [str(ROOT / "src/async/task.cpp"), str(ROOT / "src/dsl/app.cpp")])

    def test_reads_each_finding_once_and_only_of_the_project(self):
        place = f"{ROOT}/src/dsl/app.cpp:3:1"
        output = (f"{place}: error: wrong [some-check,-warnings-as-errors]\n"
                  f"{place}: error: wrong [some-check,-warnings-as-errors]\n"
                  "/usr/include/x.hpp:1:1: warning: not ours [some-check]\n"
                  f"{place}: note: because\n")
        found = run_tidy.find_warnings(output)
        self.assertEqual(list(found), [(f"{ROOT}/src/dsl/app.cpp", 3, "some-check")])

    def test_names_rooms(self):
        for file, room in (("src/infra/http/a.cpp", "infra/http"), ("src/dsl/a.cpp", "dsl"),
                           ("src/dsl/detail/a.cpp", "dsl"), ("bench/a.cpp", "bench"),
                           ("include/flowspan/trace/a.hpp", "trace")):
            self.assertEqual(run_tidy.room_of(ROOT / file), room)


if __name__ == "__main__":
    unittest.main()
