#pragma once
// For tests: a YAML file that says what one node is given and what must come of it.
//
//   title: Takes the first case that is true
//   data: {cases: [...]}                  # the node's data
//   version: "2"                          # default "1"
//   variables: {start: {age: 18}}
//   types: {conversation: {tags: array[string]}}   # where inference is not what is meant
//   run: {conversation_id: c1}
//   model: [{pieces: [Hel, lo], prompt_tokens: 3, completion_tokens: 2, finish_reason: stop}]
//   features: {vision: false}
//   sandbox: [{result: {x: 1}}, {error: {code: execution_failed, message: m, type: T}}]
//   http: [{status: 200, headers: {content-type: text/plain}, body: hi}, {error: ...}]
//   memory: [{role: user, text: Hi}]
//   frames: [{group: child, variables: {out: 1}, error: {...}, loop_end: true, yields: 1}]
//   kept: {form_id: f1}                   # what an interrupted execution kept
//   answers: {f1: {action: yes}}          # what came in for pauses, by session id
//   expect:
//     problems: [node.missing_field]      # building fails with these codes
//     outputs: {result: true}             # these, and at least these members of objects
//     handle: "true"
//     pause: {TYPE: human_input_required} # at least these members of the reason to pause
//     events: ['text "Hel"']              # exactly these, if given
//     error: {message: ..., type: ...}    # as a user sees it
//     inputs: / process_data: / metadata: # at least these members
//     calls: [{model: m}]                 # to services; at least these members of each

#include "flowspan/base/json.hpp"

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace flowspan::nodes::testing {

struct NodeCase {
    std::string kind;  ///< folder name
    std::string name;  ///< file name without extension
    json::value content;

    [[nodiscard]] bool expects_failure() const;
};

void PrintTo(const NodeCase& node_case, std::ostream* out);

/// All cases of all kinds below the room's folder, sorted. Throws on a file that is no YAML.
[[nodiscard]] std::vector<NodeCase> load_cases(const std::filesystem::path& room);

/// Builds the node, runs it and returns what is not as expected, one finding each.
[[nodiscard]] std::vector<std::string> run_case(const NodeCase& node_case);

}  // namespace flowspan::nodes::testing
