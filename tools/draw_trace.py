#!/usr/bin/env python3
"""Draws the spans of a --trace-out file as a waterfall: one SVG, nothing to load.

    tools/draw_trace.py trace.jsonl > docs/images/trace.svg
"""

import html
import json
import pathlib
import sys

ROW = 22
TREE = 330  # pixels for names
BARS = 520
COLORS = {
    "AppGenerateService": "#64748b",
    "WorkflowAppRunner": "#64748b",
    "AdvancedChatAppRunner": "#64748b",
    "invoke_workflow": "#0f766e",
    "node": "#2563eb",
    "iteration.round": "#7c3aed",
    "loop.round": "#7c3aed",
    "chat": "#d97706",
    "execute_tool": "#be185d",
    "invoke_agent": "#be185d",
    "retrieval": "#15803d",
}
OTHER = "#475569"


def read_spans(path):
    spans = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                spans += scope["spans"]
    return spans


def title_of(span):
    attributes = {item["key"]: item["value"] for item in span.get("attributes", [])}
    node = attributes.get("node.id", {}).get("stringValue")
    return f"{span['name']} · {node}" if node else span["name"]


def in_order(spans):
    """(depth, span) as a tree is read, siblings by their start."""
    children = {}
    for span in spans:
        children.setdefault(span.get("parentSpanId", ""), []).append(span)
    rows = []

    def walk(parent, depth):
        for span in sorted(children.get(parent, []), key=lambda one: int(one["startTimeUnixNano"])):
            rows.append((depth, span))
            walk(span["spanId"], depth + 1)

    walk("", 0)
    return rows


def time_text(nanoseconds):
    if nanoseconds >= 1e9:
        return f"{nanoseconds / 1e9:.2f} s"
    return f"{nanoseconds / 1e6:.1f} ms" if nanoseconds >= 1e6 else f"{nanoseconds / 1e3:.0f} µs"


def draw(spans):
    rows = in_order(spans)
    start = min(int(span["startTimeUnixNano"]) for _, span in rows)
    length = max(int(span["endTimeUnixNano"]) for _, span in rows) - start
    width, height = TREE + BARS + 80, ROW * len(rows) + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, (depth, span) in enumerate(rows):
        top = 8 + number * ROW
        begin = int(span["startTimeUnixNano"]) - start
        duration = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
        left = TREE + begin / length * BARS
        bar = max(2, duration / length * BARS)
        word = span["name"].split(" ")[0]
        color = COLORS.get(word, COLORS.get(word.split(".")[0], OTHER))
        is_error = span.get("status", {}).get("code") == 2
        if number % 2:
            out.append(f'<rect y="{top}" width="{width}" height="{ROW}" fill="#f8fafc"/>')
        if depth:
            x = 8 + depth * 16 - 9
            out.append(
                f'<path d="M{x} {top} v{ROW / 2} h6" stroke="#cbd5e1" fill="none"/>'
            )
        out.append(
            f'<text x="{8 + depth * 16}" y="{top + 15}" fill="{"#b91c1c" if is_error else "#0f172a"}">'
            f"{html.escape(title_of(span))}</text>"
        )
        out.append(
            f'<rect x="{left:.1f}" y="{top + 5}" width="{bar:.1f}" height="{ROW - 10}" rx="2" '
            f'fill="{"#dc2626" if is_error else color}"/>'
        )
        out.append(
            f'<text x="{min(left + bar, TREE + BARS) + 5:.1f}" y="{top + 15}" fill="#64748b" '
            f'font-size="10">{time_text(duration)}</text>'
        )
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    sys.stdout.write(draw(read_spans(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
