"""tools/check_layers.py: each rule fires on a small tree that breaks it, and only then."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import check_layers


class CheckLayers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def findings(self):
        return "\n".join(check_layers.check(self.root))

    def test_lets_a_room_include_what_the_table_allows(self):
        self.write("src/engine/CMakeLists.txt",
                   "flowspan_library(engine\n    USES base dsl # rooms\n    SOURCES a.cpp)\n")
        self.write("src/engine/a.cpp", '#include "dsl/app.hpp"\n#include "engine/a.hpp"\n'
                                       '#include "flowspan/base/json.hpp"\n#include <vector>\n')
        self.assertEqual(self.findings(), "")

    def test_refuses_a_room_that_may_not_be_known(self):
        self.write("src/nodes/llm/llm.cpp", '\n#include "flowspan/trace/tracer.hpp"\n')
        self.assertIn("src/nodes/llm/llm.cpp:2: nodes may not know trace", self.findings())

    def test_reads_public_headers_as_part_of_their_room(self):
        self.write("include/flowspan/value/value.hpp", '#include "flowspan/async/task.hpp"\n')
        self.assertIn("value may not know async", self.findings())

    def test_refuses_private_headers_in_public_ones(self):
        self.write("include/flowspan/engine/node.hpp", '#include "engine/run_state.hpp"\n')
        self.assertIn("a public header includes", self.findings())

    def test_refuses_the_inside_of_another_room(self):
        self.write("src/engine/a.cpp", '#include "dsl/detail/yaml.hpp"\n')
        self.assertIn("is private to dsl", self.findings())

    def test_keeps_the_sdk_in_its_room(self):
        self.write("src/observe/a.cpp", "#include <opentelemetry/sdk/trace/tracer.h>\n")
        self.write("src/export/a.cpp", "#include <opentelemetry/sdk/trace/tracer.h>\n")
        self.write("src/engine/a.cpp", "#include <opentelemetry/trace/tracer.h>\n")
        findings = self.findings()
        self.assertIn("src/observe/a.cpp:1", findings)
        self.assertIn("src/engine/a.cpp:1", findings)
        self.assertNotIn("src/export/a.cpp", findings)

    def test_lets_tests_include_anything(self):
        self.write("src/value/value_test.cpp", '#include "cli/main.hpp"\n')
        self.write("src/value/testing/fake.hpp", '#include "cli/main.hpp"\n')
        self.assertEqual(self.findings(), "")

    def test_compares_uses_with_includes(self):
        self.write("src/engine/CMakeLists.txt",
                   "flowspan_library(engine USES value cli SOURCES a.cpp TESTS b.cpp)\n")
        self.write("src/engine/a.cpp", '#include "dsl/app.hpp"\n')
        findings = self.findings()
        self.assertIn("USES cli, which engine may not know", findings)
        self.assertNotIn("USES value", findings)
        self.assertIn("add dsl to USES", findings)

    def test_names_a_folder_that_is_no_room(self):
        self.write("src/misc/a.cpp", "")
        self.assertIn("stands in no room", self.findings())

    def test_the_table_has_no_cycles(self):
        def reach(room, seen):
            self.assertNotIn(room, seen, " -> ".join([*seen, room]))
            for other in check_layers.MAY_USE[room]:
                reach(other, [*seen, room])
        for room in check_layers.MAY_USE:
            reach(room, [])


if __name__ == "__main__":
    unittest.main()
