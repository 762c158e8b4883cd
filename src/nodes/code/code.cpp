// Runs a user's Python or JavaScript over variables.

#include "infra/sandbox/sandbox.hpp"
#include "nodes/code/output_check.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::code {

namespace {

using infra::sandbox::Language;

struct Config {
    std::vector<NamedSelector> variables;
    Language language = Language::python3;
    std::string source;
    std::vector<OutputField> outputs;
};

class CodeNode final : public engine::Node {
public:
    CodeNode(Config config, const Services& services)
        : config_(std::move(config)), sandbox_(services.sandbox), limits_(services.limits) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        infra::sandbox::CodeRequest request;
        request.language = config_.language;
        request.code = config_.source;
        for (const auto& [name, selector] : config_.variables) {
            const auto value = find_or_warn(context, selector).value_or(value::Value());
            if (value.type() == value::ValueType::file) {
                co_return fail_bare(
                    context,
                    ErrorCode::type_mismatch,
                    fmt::format(
                        "variable `{}` is a file, which code cannot take; select an attribute "
                        "such as `url`",
                        name
                    )
                );
            }
            const bool is_no_files =
                value.type() == value::ValueType::array_file && !value.is_truthy();
            request.inputs[name] = is_no_files ? json::value() : value.json();
            context.record().inputs[name] = for_record(value);
        }
        auto reply = co_await sandbox_.run_code(std::move(request));
        if (!reply) {
            co_return failure(std::move(reply).error());
        }
        if (!reply->result.is_object()) {
            co_return fail_bare(context, ErrorCode::execution_failed, "Result must be a dict");
        }
        FLOWSPAN_CO_TRY(
            auto outputs, check_outputs(reply->result.get_object(), config_.outputs, limits_)
        );
        co_return to_outcome(std::move(outputs));
    }

private:
    engine::NodeOutcome to_outcome(json::object outputs) const {
        engine::NodeOutcome outcome;
        for (const auto& field : config_.outputs) {
            auto data = std::move(outputs[field.name]);
            // An empty list keeps the type that the node declares.
            const bool is_typed_list =
                data.is_array() && value::is_array(field.type) && data.get_array().empty();
            outcome.outputs.push_back(
                {field.name,
                 is_typed_list ? value::Value::unchecked(std::move(data), field.type)
                               : value::Value(std::move(data))}
            );
        }
        return outcome;
    }

    Config config_;
    infra::sandbox::Sandbox& sandbox_;
    Limits limits_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    config.variables = read_required_named_selectors(reader, "variables");
    config.language = reader.required_enumeration(
        "code_language",
        {{"python3", Language::python3}, {"javascript", Language::javascript}},
        Language::python3
    );
    config.source = reader.required_text("code");
    if (!reader.has("outputs")) {
        reader.report("outputs", "is missing");
    }
    config.outputs = read_output_fields(reader, "outputs");
    return reader.is_valid() ? std::make_unique<CodeNode>(std::move(config), services) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "code",
        .description = "Runs a Python or JavaScript function over variables.",
        .traits = {.is_retryable = true},
        .config =
            {{"variables",
              "list of {variable, value_selector}",
              "The arguments of `main`; one that has no value is null.",
              true},
             {"code_language", "python3 or javascript", "What `code` is written in.", true},
             {"code", "text", "Defines `main`, which returns a mapping.", true},
             {"outputs",
              "mapping of name to {type, children}",
              "What `main` returns; checked after each run.",
              true}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::code
