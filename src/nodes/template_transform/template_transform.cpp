// Renders a Jinja2 template over variables.

#include "flowspan/base/text.hpp"
#include "infra/sandbox/sandbox.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::template_transform {

namespace {

class TemplateTransformNode final : public engine::Node {
public:
    TemplateTransformNode(
        std::vector<NamedSelector> variables, std::string source, const Services& services
    )
        : variables_(std::move(variables)),
          source_(std::move(source)),
          sandbox_(services.sandbox),
          length_max_(services.limits.template_output_length_max) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        json::object values;
        for (const auto& [name, selector] : variables_) {
            const auto value = find_or_warn(context, selector).value_or(value::Value());
            const bool is_file = value.type() == value::ValueType::file ||
                                 value.type() == value::ValueType::array_file;
            if (is_file && value.is_truthy()) {
                co_return fail_bare(
                    context,
                    ErrorCode::type_mismatch,
                    fmt::format(
                        "variable `{}` is a file, which a template cannot take; select an "
                        "attribute such as `url`",
                        name
                    )
                );
            }
            values[name] = value.json();
            context.record().inputs[name] = for_record(value);
        }
        FLOWSPAN_CO_TRY(auto text, co_await sandbox_.render_jinja2(source_, std::move(values)));
        if (count_code_points(text) > length_max_) {
            co_return failure(Error(
                                  ErrorCode::limit_exceeded,
                                  fmt::format("Output length exceeds {} characters", length_max_)
            )
                                  .with_type("ValueError"));
        }
        engine::NodeOutcome outcome;
        outcome.outputs.push_back({"output", value::Value::string(text)});
        co_return outcome;
    }

private:
    std::vector<NamedSelector> variables_;
    std::string source_;
    infra::sandbox::Sandbox& sandbox_;
    std::size_t length_max_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    auto variables = read_required_named_selectors(reader, "variables");
    auto source = reader.required_text("template");
    if (!reader.is_valid()) {
        return nullptr;
    }
    return std::make_unique<TemplateTransformNode>(
        std::move(variables), std::move(source), services
    );
}

}  // namespace

NodeKind kind() {
    return {
        .type = "template-transform",
        .description = "Renders a Jinja2 template over variables.",
        .config =
            {{"variables",
              "list of {variable, value_selector}",
              "What the template may use; one that has no value is None.",
              true},
             {"template", "text", "The Jinja2 source.", true}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::template_transform
