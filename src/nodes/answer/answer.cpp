// What a chat app says: a template, streamed to the user as its variables come in.

#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <utility>

namespace flowspan::nodes::answer {

namespace {

class AnswerNode final : public engine::Node {
public:
    explicit AnswerNode(value::TextTemplate answer) : answer_(std::move(answer)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        warn_about_missing(context, answer_);
        engine::NodeOutcome outcome;
        outcome.outputs.push_back(
            {"answer", value::Value::string(answer_.to_markdown(context.variables()))}
        );
        outcome.outputs.push_back({"files", referenced_files(context.variables())});
        co_return outcome;
    }

    std::vector<value::TextTemplate::Segment> response_template() const override {
        return answer_.segments();
    }

private:
    [[nodiscard]] value::Value referenced_files(const value::VariablePool& pool) const {
        json::array files;
        for (const auto& segment : answer_.segments()) {
            if (segment.selector.empty()) {
                continue;
            }
            const auto value = pool.find(segment.selector);
            if (value && value->type() == value::ValueType::file) {
                files.push_back(value->json());
            } else if (value && value->type() == value::ValueType::array_file) {
                const auto& list = value->json().get_array();
                files.insert(files.end(), list.begin(), list.end());
            }
        }
        return value::Value::unchecked(std::move(files), value::ValueType::array_file);
    }

    value::TextTemplate answer_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    auto answer = reader.required_text_template("answer");
    return reader.is_valid() ? std::make_unique<AnswerNode>(std::move(answer)) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "answer",
        .description = "Streams a text with variables to the user of a chat app.",
        .traits = {.shape = engine::NodeShape::response},
        .config = {{"answer", "template", "The text, in markdown.", true}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::answer
