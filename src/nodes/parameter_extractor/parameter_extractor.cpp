// Lets a model read typed values out of a text.

#include "nodes/json_repair.hpp"
#include "nodes/model_config.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/parameter_extractor/extractor_prompt.hpp"
#include "nodes/parameter_extractor/parameters.hpp"
#include "nodes/prompt_files.hpp"
#include "nodes/prompt_memory.hpp"
#include "nodes/think_filter.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::parameter_extractor {

namespace {

constexpr std::string_view kNothingFound =
    "Failed to extract result from function call or text response, using empty result.";

struct Config {
    value::Selector query;
    ModelConfig model;
    std::vector<Parameter> parameters;
    value::TextTemplate instruction;
    bool prefers_tool = true;
    std::optional<MemoryConfig> memory;
    VisionConfig vision;
};

/// An object as it stands there, else what can be made of one with mistakes; null if there is none.
json::value read_object(std::string_view text) {
    auto found = find_json_object(text);
    const auto start = text.find('{');
    if (found.is_object() || start == std::string_view::npos) {
        return found;
    }
    auto repaired = repair_json(text.substr(start));
    return repaired.is_object() && !repaired.get_object().empty() ? repaired : json::value();
}

class ParameterExtractorNode final : public engine::Node {
public:
    ParameterExtractorNode(Config config, const Services& services)
        : config_(std::move(config)), services_(services), schema_(to_schema(config_.parameters)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        auto request = make_request(context, config_.model);
        const auto features = services_.chat_model.features(request.model);
        const bool uses_tool = config_.prefers_tool && features.tool_call;
        if (uses_tool && config_.model.is_completion) {
            co_return fail_bare(
                context, ErrorCode::unsupported, "Model mode completion not support."
            );
        }
        ExtractorQuestion question;
        record_inputs(context, question);
        FLOWSPAN_CO_TRY(
            question.history,
            co_await load_quoted_memory(context, services_, config_.memory, request)
        );
        if (uses_tool) {
            request.messages = tool_prompt(question);
            request.tools.push_back(
                {std::string(kToolName), "Takes the parameters found in the text.", schema_}
            );
        } else {
            request.messages =
                config_.model.is_completion ? completion_prompt(question) : chat_prompt(question);
        }
        if (auto attached = co_await attach_vision(
                services_.file_store, context.variables(), config_.vision, request.messages
            );
            !attached) {
            co_return failure(std::move(attached).error());
        }
        keep_supported_content(request.messages, features);
        record_prompts(context, config_.model, request.messages);
        SilentListener listener;
        auto reply = co_await services_.chat_model.chat(request, listener);
        if (!reply) {
            co_return failure(
                as_model_error(std::move(reply).error()).while_doing("extracting parameters")
            );
        }
        record_answer(context, request, *reply);
        co_return to_outcome(*reply);
    }

private:
    void record_inputs(engine::NodeContext& context, ExtractorQuestion& question) const {
        const auto query = find_or_warn(context, config_.query);
        question.text = query ? query->to_text() : std::string();
        question.schema = value::python_json(schema_);
        question.instruction = resolve(context, config_.instruction);
        auto& inputs = context.record().inputs;
        inputs["query"] = query ? for_record(*query) : json::value();
        const auto files = config_.vision.is_enabled
                               ? find_files(context.variables(), config_.vision.selector)
                               : Result<std::vector<json::value>>();
        inputs["files"] = files ? json::array(files->begin(), files->end()) : json::array();
        inputs["parameters"] = to_json(config_.parameters);
        inputs["instruction"] = question.instruction;
        record_model(context, config_.model);
    }

    void record_answer(
        engine::NodeContext& context,
        const model::ChatRequest& request,
        const model::ChatReply& reply
    ) const {
        record_reply(context, config_.model, reply);
        auto& data = context.record().process_data;
        data["function"] = request.tools.empty()
                               ? json::value()
                               : json::value(
                                     {{"name", request.tools.front().name},
                                      {"parameters", request.tools.front().parameters}}
                                 );
        data["tool_call"] = reply.tool_calls.empty()
                                ? json::value()
                                : json::value(
                                      {{"id", reply.tool_calls.front().id},
                                       {"type", "function"},
                                       {"function",
                                        {{"name", reply.tool_calls.front().name},
                                         {"arguments", reply.tool_calls.front().arguments}}}}
                                  );
        data["llm_text"] = reply.text;
    }

    engine::NodeOutcome to_outcome(const model::ChatReply& reply) const {
        json::value found;
        if (!reply.tool_calls.empty()) {
            found = read_object(reply.tool_calls.front().arguments);
        }
        if (!found.is_object()) {
            found = read_object(split_answer(reply.text).text);
        }
        const bool is_found = found.is_object();
        const auto values = is_found ? found.get_object() : json::object();
        const auto mistake =
            is_found ? find_mistake(values, config_.parameters) : std::string(kNothingFound);
        engine::NodeOutcome outcome;
        outcome.outputs = to_outputs(values, config_.parameters);
        outcome.outputs.push_back({"__is_success", value::Value::integer(mistake.empty() ? 1 : 0)});
        outcome.outputs.push_back(
            {"__reason", mistake.empty() ? value::Value() : value::Value::string(mistake)}
        );
        outcome.outputs.push_back({"__usage", value::Value(json::value(reply.usage.to_json()))});
        return outcome;
    }

    Config config_;
    Services services_;
    json::object schema_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    config.query = reader.required_selector("query");
    config.model = read_model_config(reader, "model");
    config.parameters = read_parameters(reader, "parameters");
    config.instruction = reader.text_template("instruction");
    if (!reader.text("reasoning_mode").empty()) {
        config.prefers_tool = reader.enumeration(
            "reasoning_mode", {{"function_call", true}, {"prompt", false}}, true
        );
    }
    config.memory = read_memory_config(reader, "memory");
    config.vision = read_vision_config(reader, "vision");
    if (!reader.is_valid()) {
        return nullptr;
    }
    return std::make_unique<ParameterExtractorNode>(std::move(config), services);
}

}  // namespace

NodeKind kind() {
    return {
        .type = "parameter-extractor",
        .description = "Lets a model read typed values out of a text.",
        .config =
            {{"query", "selector", "The text.", true},
             {"model", "{provider, name, mode, completion_params}", "The model to ask.", true},
             {"parameters",
              "list of {name, type, options, description, required}",
              "What to look for; each becomes an output.",
              true},
             {"instruction", "template", "What the model should heed."},
             {"reasoning_mode",
              "function_call or prompt",
              "Whether the model calls a function, if it can, or answers with JSON."},
             {"memory", "{window}", "How much of the conversation the model is told."},
             {"vision", "{enabled, configs}", "Files for the model to look at."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::parameter_extractor
