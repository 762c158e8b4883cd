// Asks a language model and streams its answer.

#include "nodes/llm/context.hpp"
#include "nodes/llm/prompt.hpp"
#include "nodes/llm/reply_stream.hpp"
#include "nodes/llm/structured_output.hpp"
#include "nodes/node_kind.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace flowspan::nodes::llm {

namespace {

struct Config {
    ModelConfig model;
    PromptConfig prompt;
    bool has_context = false;
    value::Selector context_selector;
    ReasoningFormat reasoning_format = ReasoningFormat::tagged;
    std::optional<StructuredOutput> structured_output;
};

std::unexpected<Error> variable_not_found(std::string_view name) {
    return failure(Error(ErrorCode::not_found, fmt::format("Variable {} not found", name))
                       .with_type("VariableNotFoundError"));
}

// How a Jinja2 variable is shown in the node's inputs; templates get the value itself.
Result<json::value> recorded_jinja2_value(const value::Value& value) {
    if (const auto* items = value.json().if_array()) {
        std::string text;
        for (const auto& item : *items) {
            if (item.is_object()) {
                FLOWSPAN_TRY(const auto line, join_context_items({item}));
                text += line;
            } else {
                text += value::python_str(item);
            }
            text += '\n';
        }
        if (!text.empty()) {
            text.pop_back();
        }
        return json::value(text);
    }
    if (value.json().is_object()) {
        return json::value(value::python_json(value.json()));
    }
    return for_record(value).is_string() ? for_record(value) : json::value(value.to_text());
}

class LlmNode final : public engine::Node {
public:
    LlmNode(Config config, const Services& services)
        : config_(std::move(config)), services_(services) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        // What only the preparation needs is gone before the model answers.
        auto request = co_await prepare(context);
        if (!request) {
            co_return failure(std::move(request).error());
        }
        ReplyStream stream(context, config_.reasoning_format);
        auto reply = co_await services_.chat_model.chat(*request, stream);
        if (!reply) {
            co_return failure(as_model_error(std::move(reply).error()));
        }
        stream.finish(*reply);
        record_prompts(context, config_.model, request->messages);
        record_reply(context, config_.model, *reply);
        co_return conclude(stream, *reply);
    }

private:
    Task<Result<model::ChatRequest>> prepare(engine::NodeContext& context) const {
        FLOWSPAN_CO_TRY(const auto material, gather(context));
        auto request = make_request(context, config_.model);
        record_model(context, config_.model);
        FLOWSPAN_CO_TRY(
            request.messages,
            co_await build_messages(context, services_, config_.prompt, material, request)
        );
        if (config_.structured_output) {
            const auto features = services_.chat_model.features(request.model);
            if (auto applied = config_.structured_output->apply(request, features); !applied) {
                co_return failure(std::move(applied).error());
            }
        }
        co_return request;
    }

    Result<PromptMaterial> gather(engine::NodeContext& context) const {
        PromptMaterial material;
        if (auto recorded = record_references(context); !recorded) {
            return failure(std::move(recorded).error());
        }
        auto& inputs = context.record().inputs;
        for (const auto& [name, selector] : config_.prompt.jinja2_variables) {
            const auto value = context.variables().find(selector);
            if (!value) {
                return variable_not_found(name);
            }
            FLOWSPAN_TRY(inputs[name], recorded_jinja2_value(*value));
            material.jinja2_values[name] = value->json();
        }
        if (config_.prompt.vision.is_enabled) {
            FLOWSPAN_TRY(
                material.files, find_files(context.variables(), config_.prompt.vision.selector)
            );
            if (!material.files.empty()) {
                inputs["#files#"] = json::array(material.files.begin(), material.files.end());
            }
        }
        if (config_.has_context) {
            if (auto added = add_context(context, material); !added) {
                return failure(std::move(added).error());
            }
        }
        return material;
    }

    Result<void> record_references(engine::NodeContext& context) const {
        for (const auto& message : config_.prompt.messages) {
            for (const auto& selector : message.text.references()) {
                if (!record_reference(context, selector, true)) {
                    return variable_not_found(fmt::format("#{}#", value::to_text(selector)));
                }
            }
        }
        if (config_.prompt.memory) {
            for (const auto& selector : config_.prompt.memory->query_template.references()) {
                if (!record_reference(context, selector, false)) {
                    return variable_not_found(fmt::format("#{}#", value::to_text(selector)));
                }
            }
        }
        return {};
    }

    static bool record_reference(
        engine::NodeContext& context, const value::Selector& selector, bool should_show_null
    ) {
        const auto value = context.variables().find(selector);
        if (!value) {
            return false;
        }
        if (!value->is_none() || should_show_null) {
            context.record().inputs[fmt::format("#{}#", value::to_text(selector))] =
                value->is_none() ? json::value("") : for_record(*value);
        }
        return true;
    }

    Result<void> add_context(engine::NodeContext& context, PromptMaterial& material) const {
        const auto value = find_or_warn(context, config_.context_selector);
        if (!value) {
            return {};
        }
        FLOWSPAN_TRY(auto retrieved, read_context(*value));
        if (!retrieved.should_report) {
            return {};
        }
        auto& inputs = context.record().inputs;
        inputs["#context#"] = retrieved.text;
        if (!retrieved.files.empty()) {
            inputs["#context_files#"] = json::array(retrieved.files.begin(), retrieved.files.end());
        }
        context.report_retrieval(retrieved.citations, retrieved.text);
        material.context = std::move(retrieved.text);
        material.context_files = std::move(retrieved.files);
        return {};
    }

    Result<engine::NodeOutcome> conclude(const ReplyStream& stream, const model::ChatReply& reply)
        const {
        const auto answer = stream.result();
        engine::NodeOutcome outcome;
        outcome.outputs.push_back({"text", value::Value::string(answer.text)});
        outcome.outputs.push_back({"reasoning_content", value::Value::string(answer.reasoning)});
        outcome.outputs.push_back({"usage", value::Value(json::value(reply.usage.to_json()))});
        outcome.outputs.push_back(
            {"finish_reason",
             reply.finish_reason ? value::Value::string(*reply.finish_reason) : value::Value()}
        );
        if (config_.structured_output) {
            FLOWSPAN_TRY(auto parsed, config_.structured_output->parse(stream.raw()));
            outcome.outputs.push_back({"structured_output", value::Value(std::move(parsed))});
        }
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
    config.model = read_model_config(reader, "model");
    config.prompt = read_prompt_config(reader);
    const auto context = reader.object("context");
    config.context_selector = context.selector("variable_selector");
    config.has_context = context.boolean("enabled", false) && !config.context_selector.empty();
    config.reasoning_format = reader.enumeration(
        "reasoning_format",
        {{"tagged", ReasoningFormat::tagged}, {"separated", ReasoningFormat::separated}},
        ReasoningFormat::tagged
    );
    config.structured_output = StructuredOutput::read(reader);
    return reader.is_valid() ? std::make_unique<LlmNode>(std::move(config), services) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "llm",
        .description = "Asks a language model and streams its answer.",
        .traits = {.is_retryable = true},
        .config =
            {{"model", "{provider, name, mode, completion_params}", "The model to ask.", true},
             {"prompt_template",
              "list of {role, text} or {text}",
              "The messages, as templates in the basic or the Jinja2 edition.",
              true},
             {"prompt_config", "{jinja2_variables}", "What Jinja2 messages may use."},
             {"context", "{enabled, variable_selector}", "Retrieved text for `{{#context#}}`."},
             {"vision", "{enabled, configs}", "Files for the model to look at."},
             {"memory",
              "{window, query_prompt_template, role_prefix}",
              "How much of the conversation the model is told."},
             {"structured_output", "{schema}", "A JSON schema that the answer must fit."},
             {"structured_output_switch_on", "bool", "Whether the schema is in force."},
             {"reasoning_format",
              "tagged or separated",
              "Whether thoughts stay in the text or go to `reasoning_content`."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::llm
