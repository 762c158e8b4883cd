#include "observe/traced_tools.hpp"

#include "flowspan/trace/names.hpp"
#include "flowspan/trace/trace_span.hpp"
#include "tools/tool_reply.hpp"

#include <string>
#include <utility>
#include <variant>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

// Arguments without those that are declared as secrets.
json::object without_secrets(
    const json::object& arguments, const tools::ToolDescription& description
) {
    auto shown = arguments;
    if (description.parameters) {
        for (const auto& parameter : *description.parameters) {
            if (parameter.type == tools::ParameterType::secret) {
                shown.erase(parameter.name);
            }
        }
    }
    return shown;
}

std::size_t size_of(const tools::ToolMessage& message) {
    struct Sizes {
        std::size_t operator()(const tools::TextMessage& text) const { return text.text.size(); }

        std::size_t operator()(const tools::LinkMessage& link) const { return link.url.size(); }

        std::size_t operator()(const tools::JsonMessage& data) const {
            return trace::content_size(data.data);
        }

        std::size_t operator()(const tools::FileMessage& file) const { return file.bytes.size(); }

        std::size_t operator()(const tools::VariableMessage& variable) const {
            return trace::content_size(variable.value);
        }
    };

    return std::visit(Sizes{}, message);
}

std::size_t size_of(const tools::ToolReply& reply) {
    std::size_t bytes = 0;
    for (const auto& message : reply.messages) {
        bytes += size_of(message);
    }
    return bytes;
}

struct ToolHandler {
    const tools::ToolDescription* description;
    const trace::CapturePolicy* policy;

    std::string span_name(const json::object& /*arguments*/, auto& /*context*/) const {
        return "execute_tool " + description->ref.tool;
    }

    void on_start(trace::Span& span, const json::object& arguments, auto& context) const {
        set(span, names::kGenAiOperationName, "execute_tool");
        set(span, names::kGenAiToolName, description->ref.tool);
        set(span, names::kGenAiToolType, "function");
        set(span, names::kFlowspanToolProvider, description->ref.provider_id);
        if (!context.call_id.empty()) {
            set(span, names::kGenAiToolCallId, context.call_id);
        }
        if (!description->text.empty()) {
            set(span, names::kGenAiToolDescription, description->text);
        }
        policy->write(
            span,
            trace::content::kToolArguments,
            [&] { return trace::content_size(arguments); },
            [&] { return json::value(without_secrets(arguments, *description)); }
        );
    }

    void on_result(trace::Span& span, const Result<tools::ToolReply>& result) const {
        if (result->usage) {
            set(span, names::kFlowspanToolTokens, result->usage->total_tokens);
        }
        policy->write(
            span,
            trace::content::kToolResult,
            [&] { return size_of(*result); },
            [&] { return tools::to_model_text(*result); }
        );
    }
};

struct InvokeTool {
    const tools::Tool* inner;

    Task<Result<tools::ToolReply>> operator()(
        json::object arguments, const tools::ToolContext& context
    ) const {
        return inner->invoke(std::move(arguments), context);
    }
};

class TracedTool final : public tools::Tool {
public:
    TracedTool(std::unique_ptr<const tools::Tool> inner, const trace::CapturePolicy& policy)
        : inner_(std::move(inner)),
          invoke_(ToolHandler{&inner_->description(), &policy}, InvokeTool{inner_.get()}) {}

    const tools::ToolDescription& description() const noexcept override {
        return inner_->description();
    }

    Task<Result<tools::ToolReply>> invoke(json::object arguments, const tools::ToolContext& context)
        const override {
        return invoke_(std::move(arguments), context);
    }

private:
    std::unique_ptr<const tools::Tool> inner_;
    trace::TracedCallable<ToolHandler, InvokeTool> invoke_;
};

class TracedTools final : public tools::ToolProvider {
public:
    TracedTools(tools::ToolProvider& inner, const trace::CapturePolicy& policy)
        : inner_(inner), policy_(policy) {}

    Result<std::unique_ptr<const tools::Tool>> find(const tools::ToolRef& ref) const override {
        FLOWSPAN_TRY(auto tool, inner_.find(ref));
        if (tool == nullptr) {
            return nullptr;
        }
        return std::make_unique<TracedTool>(std::move(tool), policy_);
    }

private:
    tools::ToolProvider& inner_;
    const trace::CapturePolicy& policy_;
};

}  // namespace

std::unique_ptr<tools::ToolProvider> trace_tools(
    tools::ToolProvider& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedTools>(inner, policy);
}

}  // namespace flowspan::observe
