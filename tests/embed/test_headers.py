"""Each public header compiles alone, with nothing but what is installed."""

import concurrent.futures
import subprocess
import unittest

from installed import COMPILER, installed

# What the installed targets hand on to those that link them.
FLAGS = [
    "-std=c++23",
    "-fsyntax-only",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-DBOOST_ASIO_SEPARATE_COMPILATION",
    "-DBOOST_ASIO_NO_DEPRECATED",
    "-DBOOST_ASIO_DISABLE_BOOST_COROUTINE",
    "-DHAVE_ABSEIL",
    "-DOPENTELEMETRY_ABI_VERSION_NO=1",
    "-DFMT_SHARED",
]


class Headers(unittest.TestCase):
    def test_each_compiles_alone(self):
        with installed() as (_, prefix):
            include = prefix / "include"
            headers = sorted(
                str(path.relative_to(include))
                for path in (include / "flowspan").rglob("*.hpp")
                if "rooms" not in path.parts
            )
            self.assertGreater(len(headers), 30)

            def compile_one(header):
                return header, subprocess.run(
                    [COMPILER, *FLAGS, f"-I{include}", f"-I{include}/flowspan/rooms", "-x", "c++", "-"],
                    input=f"#include <{header}>\n#include <{header}>\n",
                    capture_output=True,
                    text=True,
                    check=False,
                )

            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                for header, finished in pool.map(compile_one, headers):
                    with self.subTest(header=header):
                        self.assertEqual(finished.returncode, 0, finished.stderr[:2000])


if __name__ == "__main__":
    unittest.main()
