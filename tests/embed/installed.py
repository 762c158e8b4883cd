"""An installed Flowspan in a folder of its own."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

BUILD = os.environ.get("FLOWSPAN_BUILD", "build/release")
SOURCE = pathlib.Path(os.environ.get("FLOWSPAN_SOURCE", "."))
COMPILER = os.environ.get("FLOWSPAN_COMPILER", "clang++-19")
LAUNCHER = os.environ.get("FLOWSPAN_LAUNCHER", "")


def run(command, **options):
    """Output of a command that must succeed."""
    finished = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    if finished.returncode != 0:
        raise AssertionError(
            f"{' '.join(map(str, command))}: exit {finished.returncode}\n"
            f"{finished.stdout[-4000:]}\n{finished.stderr[-4000:]}"
        )
    return finished


@contextlib.contextmanager
def installed():
    """Gives (folder, prefix)."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        prefix = folder / "prefix"
        run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", "devel"])
        yield folder, prefix
