"""./dev with cmake, ninja and ctest replaced by scripts: what it counts, says and returns."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Configuring makes the build file.
CMAKE = 'mkdir -p "build/$2" && touch "build/$2/build.ninja"\n'

# Has nothing to do, does one step, or fails, as NINJA says; knows every target.
NINJA = """\
case "$*" in *"-t query"*) exit 0 ;; esac
echo "ninja: Entering directory"
case "${NINJA:-}" in
"") echo "ninja: no work to do." ;;
step) echo "[1/1, 0 s] Building x" ;;
*) echo "[1/2, 0 s] Building x"; echo "FAILED: x"; echo "x.cpp:1: error: wrong"; exit 1 ;;
esac
"""

# Writes a report with the counts TESTS FAILURES SKIPPED of CTEST; fails if a test did.
CTEST = """\
set -- "$@" end
while [ "$1" != end ]; do
    if [ "$1" = --output-junit ]; then report=$2; fi
    shift
done
read -r tests failures skipped <<<"${CTEST:-10 0 0}"
echo "      Start  1: A.B"
echo " 1/10 Test  #1: A.B ......   Passed    0.01 sec"
[ "$failures" -eq 0 ] || echo " 2/10 Test  #2: A.C ......***Failed    0.01 sec"
[ "$tests" = none ] && exit 8
printf '<testsuite name="x"\\n\\ttests="%s"\\n\\tfailures="%s"\\n\\tdisabled="0"\\n\\tskipped="%s"\\n>' \\
    "$tests" "$failures" "$skipped" >"$report"
[ "$failures" -eq 0 ]
"""


class Dev(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copy(ROOT / "dev", self.root / "dev")
        self.script("tools/setup.sh", "exit 0\n")
        for name, text in (("cmake", CMAKE), ("ninja", NINJA), ("ctest", CTEST)):
            self.script(f"bin/{name}", text)

    def script(self, path, text):
        file = self.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text("#!/usr/bin/env bash\n" + text)
        file.chmod(0o755)

    def dev(self, *arguments, **environment):
        return subprocess.run(
            [self.root / "dev", *arguments], capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}", **environment})

    def test_sums_all_runs_in_one_closing_line(self):
        done = self.dev("test")
        self.assertEqual(done.stdout, "40 passed, 0 failed\n")
        self.assertEqual(done.returncode, 0)

    def test_counts_failures_and_skips(self):
        done = self.dev("test", "--quick", CTEST="10 2 3")
        self.assertEqual(done.stdout, "10 passed, 4 failed, 6 skipped\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("A.C", done.stderr)
        self.assertNotIn("A.B", done.stderr)

    def test_a_build_that_fails_is_a_failure(self):
        done = self.dev("test", "--only", "engine", NINJA="fails")
        self.assertEqual(done.stdout, "0 passed, 1 failed\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("x.cpp:1: error: wrong", done.stderr)

    def test_a_test_run_without_report_is_a_failure(self):
        done = self.dev("test", "--only", "engine", CTEST="none 0 0")
        self.assertEqual(done.stdout, "0 passed, 1 failed\n")
        self.assertNotEqual(done.returncode, 0)

    def test_no_test_at_all_is_no_success(self):
        self.assertNotEqual(self.dev("test", "--only", "x", CTEST="0 0 0").returncode, 0)

    def test_run_leaves_standard_output_to_the_program(self):
        self.dev("build")
        self.script("build/release/flowspan", 'echo "$@"\nexit 130\n')
        done = self.dev("run", "a.yml", "--json", NINJA="step")
        self.assertEqual(done.stdout, "run a.yml --json\n")
        self.assertEqual(done.returncode, 130)
        self.assertIn("Building x", done.stderr)

    def test_run_is_silent_when_nothing_is_to_be_built(self):
        self.dev("build")
        self.script("build/release/flowspan", "exit 0\n")
        self.assertEqual(self.dev("run", "a.yml").stderr, "")

    def test_says_plainly_what_is_not_there(self):
        for command in ("serve", "web", "nonsense"):
            done = self.dev(command)
            self.assertEqual(done.returncode, 2)
            self.assertIn("there is no", done.stderr)


if __name__ == "__main__":
    unittest.main()
