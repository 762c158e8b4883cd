#!/usr/bin/env python3
"""Starts a node kind: its folder with logic, test and two cases, and its line in kinds.def.

    tools/new_kind.py NAME [--root ROOT]     NAME as the folder is called: text_length
"""

import argparse
import pathlib
import re
import sys

SOURCE = '''\
// Fills variables into a text. (Say in one sentence what a user gets from this kind.)

#include "flowspan/value/text_template.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <memory>
#include <utility>

namespace flowspan::nodes::@NAME@ {

namespace {

class @CLASS@Node final : public engine::Node {
public:
    explicit @CLASS@Node(value::TextTemplate text) : text_(std::move(text)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        engine::NodeOutcome outcome;
        outcome.outputs.push_back({"text", value::Value::string(resolve(context, text_))});
        co_return outcome;
    }

private:
    value::TextTemplate text_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    auto text = reader.required_text_template("text");
    return reader.is_valid() ? std::make_unique<@CLASS@Node>(std::move(text)) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "@WIRE@",
        .description = "Fills variables into a text.",
        .config = {{"text", "template", "The text with its placeholders.", true}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::@NAME@
'''

CASE_GOOD = '''\
title: Fills in the variable
data:
  text: "Hello {{#start.name#}}"
variables:
  start: {name: Ada}
expect:
  outputs: {text: Hello Ada}
'''

CASE_BAD = '''\
title: Needs a text
data: {}
expect:
  problems: [node.missing_field]
'''


def start_kind(root, name):
    """Writes the files; returns what to say, or raises ValueError with what is wrong."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ValueError(f"'{name}' is no folder name; use snake_case, for example text_length")
    room = root / "src" / "nodes"
    folder = room / name
    definitions = room / "kinds.def"
    line = f"NODE_KIND({name})"
    if folder.exists():
        raise ValueError(f"src/nodes/{name} is already there")
    if line in definitions.read_text().splitlines():
        raise ValueError(f"kinds.def already has {line}")

    words = {"@NAME@": name, "@WIRE@": name.replace("_", "-"),
             "@CLASS@": "".join(word.capitalize() for word in name.split("_"))}
    source = SOURCE
    for mark, word in words.items():
        source = source.replace(mark, word)
    (folder / "cases").mkdir(parents=True)
    (folder / f"{name}.cpp").write_text(source)
    (folder / "cases" / "fills_in_the_variable.yaml").write_text(CASE_GOOD)
    (folder / "cases" / "needs_a_text.yaml").write_text(CASE_BAD)
    with definitions.open("a") as file:
        file.write(line + "\n")
    return (f"src/nodes/{name} is started and stands in kinds.def.\n"
            f"Next: write its logic in {name}.cpp and its cases, then ./dev test --only nodes.\n"
            f"The format of cases: src/nodes/testing/node_case.hpp")


def main():
    parser = argparse.ArgumentParser(prog="./dev new-kind")
    parser.add_argument("name")
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    try:
        print(start_kind(arguments.root, arguments.name))
    except ValueError as error:
        print(f"new-kind: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
