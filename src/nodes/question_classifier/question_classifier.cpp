// Lets a model choose one of several classes for a text, and takes that class's way.

#include "nodes/json_block.hpp"
#include "nodes/model_config.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/prompt_files.hpp"
#include "nodes/prompt_memory.hpp"
#include "nodes/question_classifier/classifier_prompt.hpp"
#include "nodes/think_filter.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::question_classifier {

namespace {

struct Class {
    std::string id;
    value::TextTemplate name;
    std::string label;
};

struct Config {
    value::Selector query;
    ModelConfig model;
    std::vector<Class> classes;
    value::TextTemplate instruction;
    std::optional<MemoryConfig> memory;
    VisionConfig vision;
};

std::unexpected<Error> unreadable(std::string message, std::string_view reply) {
    return failure(Error(ErrorCode::invalid_input, std::move(message))
                       .with_type("OutputParserError")
                       .with_detail(std::string(reply)));
}

// The object that a reply consists of once thoughts and prose are cut off.
Result<json::value> parse_reply(std::string_view reply) {
    const auto answer = split_answer(reply).text;
    const auto block = find_json_block(answer);
    if (!block) {
        return unreadable("could not find json block in the output.", answer);
    }
    auto parsed = parse_json(*block);
    if (!parsed) {
        return unreadable("got invalid json object. error", parsed.error().message);
    }
    if (const auto* list = parsed->if_array(); list != nullptr && list->size() == 1) {
        parsed = json::value(list->front());
    }
    if (!parsed->is_object()) {
        return unreadable("got invalid return object. obj", *block);
    }
    return parsed;
}

class QuestionClassifierNode final : public engine::Node {
public:
    QuestionClassifierNode(Config config, const Services& services)
        : config_(std::move(config)), services_(services) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        ClassifierQuestion question;
        if (!config_.query.empty()) {
            const auto query = find_or_warn(context, config_.query);
            question.text = query ? query->to_text() : std::string();
            context.record().inputs["query"] = query ? for_record(*query) : json::value();
        }
        record_model(context, config_.model);
        auto request = make_request(context, config_.model);
        std::vector<std::string> names;
        for (const auto& one : config_.classes) {
            names.push_back(resolve(context, one.name));
            question.classes.emplace_back(one.id, names.back());
        }
        question.instruction = resolve(context, config_.instruction);
        FLOWSPAN_CO_TRY(
            question.history,
            co_await load_quoted_memory(context, services_, config_.memory, request)
        );
        request.messages =
            config_.model.is_completion ? completion_prompt(question) : chat_prompt(question);
        if (auto attached = co_await attach_vision(
                services_.file_store, context.variables(), config_.vision, request.messages
            );
            !attached) {
            co_return failure(std::move(attached).error());
        }
        keep_supported_content(request.messages, services_.chat_model.features(request.model));
        record_prompts(context, config_.model, request.messages);
        SilentListener listener;
        auto reply = co_await services_.chat_model.chat(request, listener);
        if (!reply) {
            co_return failure(as_model_error(std::move(reply).error()));
        }
        record_reply(context, config_.model, *reply);
        FLOWSPAN_CO_TRY(const auto answer, parse_reply(reply->text));
        co_return to_outcome(choose(answer), names, *reply);
    }

private:
    // Anything that names no class stands for the first.
    [[nodiscard]] std::size_t choose(const json::value& answer) const {
        if (find_member(answer, "category_name") == nullptr) {
            return 0;
        }
        const auto id = string_member(answer, "category_id");
        const auto found = std::ranges::find(config_.classes, id, &Class::id);
        return found == config_.classes.end()
                   ? 0
                   : static_cast<std::size_t>(found - config_.classes.begin());
    }

    [[nodiscard]] engine::NodeOutcome to_outcome(
        std::size_t index, const std::vector<std::string>& names, const model::ChatReply& reply
    ) const {
        const auto& chosen = config_.classes[index];
        engine::NodeOutcome outcome;
        outcome.edge_handle = chosen.id;
        outcome.outputs.push_back({"class_name", value::Value::string(names[index])});
        outcome.outputs.push_back(
            {"class_label",
             value::Value::string(
                 chosen.label.empty() ? fmt::format("CLASS {}", index + 1) : chosen.label
             )}
        );
        outcome.outputs.push_back({"class_id", value::Value::string(chosen.id)});
        outcome.outputs.push_back({"usage", value::Value(json::value(reply.usage.to_json()))});
        return outcome;
    }

    Config config_;
    Services services_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    config.query = reader.selector("query_variable_selector");
    config.model = read_model_config(reader, "model");
    for (const auto& entry : reader.required_objects("classes")) {
        config.classes.push_back(
            {entry.required_text("id"), entry.text_template("name"), entry.text("label")}
        );
    }
    if (reader.has("classes") && config.classes.empty()) {
        reader.report("classes", "must hold at least one class");
    }
    config.instruction = reader.text_template("instruction");
    config.memory = read_memory_config(reader, "memory");
    config.vision = read_vision_config(reader, "vision");
    if (!reader.is_valid()) {
        return nullptr;
    }
    return std::make_unique<QuestionClassifierNode>(std::move(config), services);
}

}  // namespace

NodeKind kind() {
    return {
        .type = "question-classifier",
        .description = "Lets a model choose one of several classes, and takes that way.",
        .traits = {.shape = engine::NodeShape::branch},
        .config =
            {{"query_variable_selector", "selector", "The text to classify."},
             {"model", "{provider, name, mode, completion_params}", "The model to ask.", true},
             {"classes",
              "list of {id, name, label}",
              "The classes; the id of the chosen one is the edge handle.",
              true},
             {"instruction", "template", "What the model should heed."},
             {"memory", "{window}", "How much of the conversation the model is told."},
             {"vision", "{enabled, configs}", "Files for the model to look at."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::question_classifier
