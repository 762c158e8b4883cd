"""tools/setup.sh: how the source for backports follows from the machine's own sources, and that
nothing is done when nothing is missing. Installs nothing."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SETUP = pathlib.Path(__file__).resolve().parent.parent / "setup.sh"

DEB822 = """\
# The main mirror.
Types: deb-src
URIs: http://mirror.example/sources
Suites: bookworm
Components: main

Types: deb deb-src
# A comment inside.
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
"""

DEB822_DERIVED = """\
sources
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
"""


class Setup(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.apt = pathlib.Path(folder.name)
        (self.apt / "sources.list.d").mkdir()

    def call(self, *command):
        environment = {**os.environ, "FLOWSPAN_APT_FOLDER": str(self.apt)}
        return subprocess.run(["bash", "-c", f'. "{SETUP}"; "$@"', "setup", *command],
                              capture_output=True, text=True, env=environment, check=False)

    def test_derives_from_a_sources_file(self):
        (self.apt / "sources.list.d" / "debian.sources").write_text(DEB822)
        self.assertEqual(self.call("derive_backports", "bookworm").stdout, DEB822_DERIVED)

    def test_derives_from_a_list_file(self):
        (self.apt / "sources.list").write_text(
            "# deb http://old.example/debian bookworm main\n"
            "deb-src http://mirror.example/debian bookworm main\n"
            "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib\n")
        self.assertEqual(
            self.call("derive_backports", "bookworm").stdout,
            "list\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian "
            "bookworm-backports main\n")

    def test_leaves_out_what_is_switched_off(self):
        (self.apt / "sources.list.d" / "debian.sources").write_text(
            "Enabled: no\nTypes: deb\nURIs: http://a\nSuites: bookworm\nComponents: main\n")
        self.assertNotEqual(self.call("derive_backports", "bookworm").returncode, 0)

    def test_sees_backports_that_are_there(self):
        listed = self.apt / "sources.list.d" / "debian.list"
        listed.write_text("# deb http://a bookworm-backports main\n")
        self.assertNotEqual(self.call("has_backports", "bookworm").returncode, 0)
        listed.write_text("deb http://a bookworm-backports main\n")
        self.assertEqual(self.call("has_backports", "bookworm").returncode, 0)

    def test_every_line_of_the_list_is_a_package(self):
        for line in self.call("wanted").stdout.splitlines():
            self.assertRegex(line, r"^[a-z0-9.+-]+(\s+backports)?\s*$")

    def test_names_a_package_that_is_missing(self):
        answer = self.call("eval", "wanted() { echo dpkg; echo no-such-package; }; missing_packages")
        self.assertEqual(answer.stdout.split(), ["no-such-package"])


if __name__ == "__main__":
    unittest.main()
