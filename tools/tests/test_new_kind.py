"""./dev new-kind: starts a folder and its line, and touches nothing that is there."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import new_kind


class NewKind(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.room = self.root / "src" / "nodes"
        self.room.mkdir(parents=True)
        (self.room / "kinds.def").write_text("NODE_KIND(start)\n")

    def test_starts_folder_cases_and_line(self):
        new_kind.start_kind(self.root, "text_length")
        self.assertEqual((self.room / "kinds.def").read_text(),
                         "NODE_KIND(start)\nNODE_KIND(text_length)\n")
        source = (self.room / "text_length" / "text_length.cpp").read_text()
        self.assertIn("namespace flowspan::nodes::text_length {", source)
        self.assertIn("class TextLengthNode final", source)
        self.assertIn('.type = "text-length"', source)
        self.assertNotIn("@", source)
        self.assertEqual(len(list((self.room / "text_length" / "cases").glob("*.yaml"))), 2)

    def test_refuses_what_is_there_already(self):
        new_kind.start_kind(self.root, "text_length")
        for name in ("text_length", "start"):
            with self.assertRaisesRegex(ValueError, "already"):
                new_kind.start_kind(self.root, name)

    def test_refuses_names_that_are_no_folder_names(self):
        for name in ("TextLength", "text-length", "1st", "a__b", ""):
            with self.assertRaisesRegex(ValueError, "snake_case"):
                new_kind.start_kind(self.root, name)


if __name__ == "__main__":
    unittest.main()
