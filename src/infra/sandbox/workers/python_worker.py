"""Runs one request of user code, or renders one template, in a freshly forked process.

A message in either direction is its length (4 bytes, little-endian) and then that many bytes. A
request is JSON. A reply starts with one letter: R and the result's JSON, T and the rendered text,
or E and JSON about what failed: kind, line (or null) and text.
"""

# Imported for the user's code too: what is loaded before the fork is free for every worker.
import base64
import collections
import codecs
import datetime
import functools
import hashlib
import html
import itertools
import json
import linecache
import math
import os
import random
import re
import string
import struct
import sys
import time
import traceback
import types
import typing
import urllib.parse
import uuid

try:
    import jinja2
except ImportError:
    jinja2 = None

# User code may replace what modules hold; the reply does not depend on it.
dumps = json.dumps
loads = json.loads

# Exported code uses them without importing them: its wrapper has done so where it was written.
GIVEN_NAMES = {
    "json": json, "b64decode": base64.b64decode, "os": os, "sys": sys, "traceback": traceback,
}

CODE_NAME = "<code>"
TEMPLATE_NAME = "<template>"
ERROR_TEXT_MAX = 8192
DEPTH_MAX = 200
AF_UNIX = 1

START_PROCESS = "start a process"
OPEN_CONNECTION = "open a network connection"
PROCESS_EVENTS = frozenset(
    ["os.fork", "os.forkpty", "os.system", "os.posix_spawn", "os.exec", "subprocess.Popen",
     "pty.spawn"]
)
NETWORK_EVENTS = frozenset(
    ["socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname",
     "socket.gethostbyaddr", "socket.getnameinfo"]
)


class SandboxError(PermissionError):
    """Raised where user code tries what the sandbox forbids; `action` completes "tried to"."""

    def __init__(self, action):
        super().__init__(f"tried to {action}: not allowed in the sandbox")
        self.action = action


def explain_forbidden(event, arguments):
    """An audit hook. It only gives the words: the system call filter is what forbids."""
    if event in PROCESS_EVENTS:
        raise SandboxError(START_PROCESS)
    if event in NETWORK_EVENTS:
        raise SandboxError(OPEN_CONNECTION)
    # asyncio wakes itself through a pair of local sockets, which is allowed.
    if event == "socket.__new__" and arguments[1] != AF_UNIX:
        raise SandboxError(OPEN_CONNECTION)


def warm_up():
    """Loads what the first request would otherwise load lazily, before any worker is forked."""
    loads(dumps({"a": [1, 2.5, "é", None, True]}, ensure_ascii=False))
    traceback.TracebackException(ValueError, ValueError("x"), None)
    if jinja2 is not None:
        jinja2.Template("{% for i in a %}{{ i | upper }}{% endfor %}").render({"a": "x"})


def read_exactly(descriptor, size):
    pieces = []
    while size > 0:
        piece = os.read(descriptor, min(size, 1 << 20))
        if not piece:
            os._exit(0)
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def receive(descriptor):
    (size,) = struct.unpack("<I", read_exactly(descriptor, 4))
    return read_exactly(descriptor, size)


def send(descriptor, letter, body):
    view = memoryview(struct.pack("<I", len(body) + 1) + letter + body)
    while view:
        view = view[os.write(descriptor, view):]


def to_utf8(text):
    """Surrogate pairs become the character they mean, lone surrogates U+FFFD."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return joined.encode("utf-8")


def find_unserialisable(value, path, depth):
    """Words on the first part of `value` that JSON cannot express, or None."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{path} is {value}, which JSON cannot express"
    if value is None or isinstance(value, (str, int, float)):
        return None
    if depth > DEPTH_MAX:
        return None
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, (str, int, float, type(None))):
                return f"{path} has a key of type {type(key).__name__}, which JSON cannot express"
            words = find_unserialisable(item, f"{path}[{key!r}]", depth + 1)
            if words:
                return words
        return None
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            words = find_unserialisable(item, f"{path}[{index}]", depth + 1)
            if words:
                return words
        return None
    return f"{path} is of type {type(value).__name__}, which JSON cannot express"


def find_line(error, name):
    """The innermost line of the user's text that `error` passed through, or None."""
    if isinstance(error, SyntaxError) and error.filename == name:
        return error.lineno
    if jinja2 is not None and isinstance(error, jinja2.TemplateSyntaxError):
        return error.lineno
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == name:
            line = number
    return line


def find_forbidden(error):
    """The SandboxError behind `error`; libraries wrap it in exceptions of their own."""
    for _ in range(16):
        if isinstance(error, SandboxError):
            return error
        reason = getattr(error, "reason", None)
        if not isinstance(reason, BaseException):
            reason = error.__cause__ or error.__context__
        if reason is None:
            return None
        error = reason
    return None


def describe(error):
    """The exception's last traceback line, for example `ValueError: bad`."""
    if jinja2 is not None and isinstance(error, jinja2.TemplateError):
        return f"{type(error).__name__}: {error.message}"[:ERROR_TEXT_MAX]
    lines = list(traceback.TracebackException(type(error), error, None).format_exception_only())
    text = lines[-1] if isinstance(error, SyntaxError) else lines[0]
    return text.strip()[:ERROR_TEXT_MAX]


def explain(error, name):
    """What the parent is told about an exception."""
    line = find_line(error, name)
    forbidden = find_forbidden(error)
    if forbidden is not None:
        return {"kind": "forbidden", "line": line, "text": forbidden.action}
    if isinstance(error, MemoryError):
        return {"kind": "memory", "line": line, "text": ""}
    if isinstance(error, SystemExit):
        return {"kind": "ended", "line": line, "text": describe(error)}
    return {"kind": "exception", "line": line, "text": describe(error)}


def run_code(request):
    """The JSON text of what the user's `main` returns."""
    code = request["code"]
    linecache.cache[CODE_NAME] = (len(code), None, code.splitlines(True), CODE_NAME)
    module = types.ModuleType("__main__")
    module.__dict__.update(GIVEN_NAMES)
    sys.modules["__main__"] = module
    exec(compile(code, CODE_NAME, "exec", dont_inherit=True), module.__dict__)
    if "main" not in module.__dict__:
        raise NameError("name 'main' is not defined")
    result = module.__dict__["main"](**request["inputs"])
    try:
        return dumps(result, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        words = find_unserialisable(result, "result", 0)
        if words is None:
            raise
        raise TypeError(words) from None


def render_template(request):
    if jinja2 is None:
        raise ImportError("the sandbox's Python has no Jinja2 (Debian: apt install python3-jinja2)")
    return jinja2.Template(request["template"]).render(request["variables"])


def answer(request):
    """The letter and body of the reply to one request."""
    is_code = "code" in request
    try:
        if is_code:
            return b"R", to_utf8(run_code(request))
        return b"T", to_utf8(render_template(request))
    except BaseException as error:
        explained = explain(error, CODE_NAME if is_code else TEMPLATE_NAME)
    return b"E", to_utf8(dumps(explained, ensure_ascii=False))


def serve_one(descriptor):
    """Serves one request and ends the process, without waiting for threads of the user's."""
    sys.argv = ["code"]
    sys.addaudithook(explain_forbidden)
    os.write(descriptor, b"r")
    request = loads(receive(descriptor))
    letter, body = answer(request)
    for stream in {sys.stdout, sys.stderr, sys.__stdout__}:
        try:
            stream.flush()
        except BaseException:
            pass  # Whatever the user put in its place.
    send(descriptor, letter, body)
    os._exit(0)
