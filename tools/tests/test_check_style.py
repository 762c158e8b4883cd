"""tools/check_style.py: each rule fires on a small tree that breaks it, and only then."""

import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import check_style


class CheckStyle(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        patch = mock.patch.dict(check_style.CATCH_MAX, {}, clear=True)
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def findings(self):
        return "\n".join(check_style.check(self.root))

    def assert_finds(self, path, text, expected):
        self.write(path, text)
        self.assertIn(expected, self.findings())

    def assert_clean(self, path, text):
        self.write(path, text)
        self.assertEqual(self.findings(), "")

    def test_refuses_banned_words_in_code(self):
        for line, word in (
            ("co_spawn(x, y, asio::detached);", "detached"),
            ("std::regex r;", "std::regex"),
            ("std::this_thread::sleep_for(1s);", "sleep_for"),
            ("auto t = std::chrono::system_clock::now();", "system_clock::now"),
            ("std::cout << 1;", "std::cout"),
            ("class SpanManager {};", "SpanManager"),
            ("std::thread t;", "std::thread"),
            ("assert(x);", "assert("),
        ):
            with self.subTest(line=line):
                self.assert_finds("src/engine/a.cpp", line + "\n", "src/engine/a.cpp:1: `")
                self.assertIn(word, self.findings())

    def test_knows_code_from_comments_and_strings(self):
        self.assert_clean("src/engine/a.cpp",
                          "// never detached\n/* std::regex\n std::cout */\n"
                          'auto a = "std::cout";\nauto b = R"(sleep_for " std::regex)";\n'
                          "auto c = '\"'; static_assert(x);\n")

    def test_lets_banned_words_stand_where_they_belong(self):
        self.assert_clean("src/async/a.cpp", "co_spawn(x, y, asio::detached);\n")
        self.assert_clean("src/engine/a_test.cpp", "std::jthread t;\n")
        self.assert_clean("src/base/clock.cpp", "std::chrono::system_clock::now();\n")

    def test_counts_catches_both_ways(self):
        code = "try { f(); } catch (...) {\n}\n"
        self.assert_finds("src/engine/a.cpp", code, "1 `catch`, allowed are 0")
        check_style.CATCH_MAX["src/engine/a.cpp"] = 1
        self.assertEqual(self.findings(), "")
        check_style.CATCH_MAX["src/engine/a.cpp"] = 2
        self.assertIn("lower its number", self.findings())
        check_style.CATCH_MAX["src/engine/a.cpp"] = 1
        check_style.CATCH_MAX["src/engine/gone.cpp"] = 1
        self.assertIn("src/engine/gone.cpp:1: is gone", self.findings())

    def test_wants_attribute_names_in_one_place(self):
        self.write(check_style.NAMES_HEADER,
                   '#pragma once\n// Names.\nconstexpr char kMood[] = "mood.level";\n')
        self.assertEqual(self.findings(), "")
        self.assert_finds("src/observe/a.cpp", 'span.set("gen_ai.request.model", 1);\n',
                          '"gen_ai.request.model"')
        self.assert_finds("src/observe/a.cpp", 'span.set("mood.level", 1);\n', '"mood.level"')
        self.assert_clean("src/observe/a.cpp", 'report("node.missing_field");\n')
        self.assert_clean("src/observe/a_test.cpp", 'EXPECT_EQ(span["mood.level"], 1);\n')

    def test_wants_headers_to_say_what_they_are_for(self):
        self.assert_finds("src/dsl/a.hpp", "// A.\n#pragma once\n", "starts with #pragma once")
        self.assert_finds("src/dsl/a.hpp", "#pragma once\n\nint f();\n", "in one sentence")
        self.assert_clean("src/dsl/a.hpp", "#pragma once\n// What it is for.\n")

    def test_limits_files_and_functions(self):
        self.assert_finds("src/dsl/a.cpp", "int a;\n" * 601, "601 lines")
        for calls, is_long in ((68, False), (69, True)):
            code = ("namespace a {\nclass B : public C {\n    int f(int x) const {\n"
                    + "        if (x) { g(); }\n" * calls + "    }\n};\n}\n")
            self.write("src/dsl/a.cpp", code)
            self.assertEqual("a function of 71 lines" in self.findings(), is_long)

    def test_refuses_words_of_the_workshop_everywhere(self):
        for line in ("see /" + "work/main/x", "as issue #12 says", "TODO(now): x", "TODO: x",
                     "deb http://deb." + "example.org/x bookworm main", "in an earlier session"):
            with self.subTest(line=line):
                self.assert_finds("docs/a.md", line + "\n", "docs/a.md:1: ")
        self.assert_clean("docs/a.md", "TODO(perf): measure. owner/project issue 12 is a reason. "
                                       "A session has an id. /usr/share/work/x\n")

    def test_wants_a_short_readme_in_each_room(self):
        self.assert_finds("src/dsl/CMakeLists.txt", "flowspan_library(dsl SOURCES a.cpp)\n",
                          "src/dsl/README.md:1: a room has a README.md")
        self.write("src/dsl/README.md", "line\n" * 41)
        self.assertIn("at most 40 lines", self.findings())
        self.write("src/dsl/README.md", "line\n" * 40)
        self.assertEqual(self.findings(), "")

    def test_follows_links_between_pages(self):
        self.assert_finds("docs/a.md", "[b](b.md) and [c](https://example.org)\n",
                          "links to b.md, which is not there")
        self.write("docs/b.md", "b\n")
        self.assertEqual(self.findings(), "")


if __name__ == "__main__":
    unittest.main()
