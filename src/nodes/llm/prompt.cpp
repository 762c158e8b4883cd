#include "nodes/llm/prompt.hpp"

#include "flowspan/value/limits.hpp"
#include "infra/sandbox/sandbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace flowspan::nodes::llm {

namespace {

constexpr std::string_view kContextMark = "{{#context#}}";
constexpr std::string_view kHistoriesMark = "#histories#";

PromptMessage read_message(const dsl::DataReader& reader, std::string role) {
    PromptMessage message;
    message.role = std::move(role);
    auto source = reader.text("text");
    if (reader.text("edition_type") == "jinja2") {
        auto jinja2 = reader.text("jinja2_text");
        if (!jinja2.empty()) {
            source = jinja2;
        }
        message.jinja2 = std::move(jinja2);
    }
    message.text = ContextTemplate(source);
    return message;
}

model::ContentPart text_part(std::string text) {
    model::ContentPart part;
    part.text = std::move(text);
    return part;
}

// Builds the messages of one call; lives in the frame of build_messages.
class PromptBuilder {
public:
    PromptBuilder(
        engine::NodeContext& context,
        const Services& services,
        const PromptConfig& config,
        const PromptMaterial& material
    )
        : context_(context), services_(services), config_(config), material_(material) {}

    Task<Result<void>> add_templates() {
        for (const auto& message : config_.messages) {
            if (message.role != "system" && message.role != "user" && message.role != "assistant") {
                co_return failure(
                    Error(
                        ErrorCode::invalid_input,
                        fmt::format("Got unexpected prompt message type {}", message.role)
                    )
                        .with_type("ValueError")
                );
            }
            if (message.jinja2) {
                FLOWSPAN_CO_TRY(auto text, co_await render(*message.jinja2));
                add(message.role, {text_part(std::move(text))});
                continue;
            }
            FLOWSPAN_CO_TRY(
                auto files, co_await load(message.text.find_files(context_.variables()))
            );
            auto text = message.text.to_text(context_.variables(), material_.context);
            if (!text.empty()) {
                add(message.role, {text_part(std::move(text))});
            }
            if (!files.empty()) {
                add(message.role, std::move(files));
            }
        }
        co_return Result<void>();
    }

    Task<Result<void>> add_history(const std::vector<MemoryMessage>& history) {
        for (const auto& remembered : history) {
            FLOWSPAN_CO_TRY(auto parts, co_await load(remembered.files));
            model::ChatMessage message;
            message.role = remembered.role;
            if (parts.empty()) {
                message.text = remembered.text;
            } else {
                parts.push_back(text_part(remembered.text));
                message.parts = std::move(parts);
            }
            messages_.push_back(std::move(message));
        }
        co_return Result<void>();
    }

    Task<Result<void>> add_query() {
        auto text = query_text();
        if (config_.memory->has_query_template) {
            std::vector<json::value> referenced;
            for (const auto& selector : config_.memory->query_template.references()) {
                add_prompt_files(context_.variables(), selector, referenced);
            }
            FLOWSPAN_CO_TRY(auto files, co_await load(std::move(referenced)));
            if (!text.empty()) {
                add("user", {text_part(std::move(text))});
            }
            if (!files.empty()) {
                add("user", std::move(files));
            }
        } else if (!text.empty()) {
            add("user", {text_part(std::move(text))});
        }
        co_return Result<void>();
    }

    Task<Result<void>> add_files() {
        FLOWSPAN_CO_TRY(auto files, co_await load(material_.files));
        attach_files(messages_, std::move(files));
        FLOWSPAN_CO_TRY(auto more, co_await load(material_.context_files));
        attach_files(messages_, std::move(more));
        co_return Result<void>();
    }

    /// The completion form: the only text, with memory and query in front of it.
    void frame_completion(const std::string& transcript) {
        if (messages_.empty()) {
            add("user", {text_part(std::string())});
        }
        auto& text = messages_.front().parts.front().text;
        bool has_mark = false;
        for (auto at = text.find(kHistoriesMark); at != std::string::npos;
             at = text.find(kHistoriesMark, at + transcript.size())) {
            text.replace(at, kHistoriesMark.size(), transcript);
            has_mark = true;
        }
        if (!has_mark) {
            text = transcript + "\n" + text;
        }
        if (config_.memory) {
            if (const auto query = query_text(); !query.empty()) {
                text = query + "\n" + text;
            }
        }
    }

    [[nodiscard]] std::vector<model::ChatMessage> take() { return std::move(messages_); }

    static void add_prompt_files(
        const value::VariablePool& pool,
        const value::Selector& selector,
        std::vector<json::value>& files
    ) {
        const auto value = pool.find(selector);
        if (!value) {
            return;
        }
        if (value->type() == value::ValueType::file && fits_prompt(value->json())) {
            files.push_back(value->json());
        } else if (value->type() == value::ValueType::array_file) {
            std::ranges::copy_if(value->json().get_array(), std::back_inserter(files), fits_prompt);
        }
    }

private:
    void add(std::string_view role, std::vector<model::ContentPart> parts) {
        auto& message = messages_.emplace_back();
        message.role = role;
        message.parts = std::move(parts);
    }

    [[nodiscard]] std::string query_text() const {
        if (config_.memory->has_query_template) {
            return config_.memory->query_template.to_text(context_.variables());
        }
        // What a user typed is no template.
        const auto* query = context_.variables().find(value::kSystemPrefix, "query");
        return query == nullptr ? std::string() : query->to_text();
    }

    Task<Result<std::string>> render(const std::string& source) {
        if (source.empty()) {
            co_return std::string();
        }
        co_return co_await services_.sandbox.render_jinja2(source, material_.jinja2_values);
    }

    Task<Result<std::vector<model::ContentPart>>> load(std::vector<json::value> files) {
        std::vector<model::ContentPart> parts;
        for (auto& file : files) {
            FLOWSPAN_CO_TRY(
                auto part,
                co_await load_content_part(
                    services_.file_store, std::move(file), config_.vision.detail
                )
            );
            parts.push_back(std::move(part));
        }
        co_return parts;
    }

    engine::NodeContext& context_;
    const Services& services_;
    const PromptConfig& config_;
    const PromptMaterial& material_;
    std::vector<model::ChatMessage> messages_;
};

Task<Result<std::string>> load_transcript(
    engine::NodeContext& context,
    const Services& services,
    const PromptConfig& config,
    const model::ChatRequest& request,
    std::int64_t messages_max
) {
    if (!config.memory || !has_memory(context, services)) {
        co_return std::string();
    }
    if (!config.memory->role_prefix) {
        co_return failure(
            Error(ErrorCode::invalid_input, "Memory role prefix is required for completion model.")
                .with_type("MemoryRolePrefixRequiredError")
        );
    }
    FLOWSPAN_CO_TRY(
        const auto history, co_await load_memory(context, services, request, messages_max)
    );
    const auto& prefix = *config.memory->role_prefix;
    co_return to_transcript(history, prefix.user, prefix.assistant);
}

}  // namespace

ContextTemplate::ContextTemplate(std::string_view source) {
    while (true) {
        const auto mark = source.find(kContextMark);
        pieces_.emplace_back(source.substr(0, mark));
        if (mark == std::string_view::npos) {
            return;
        }
        source.remove_prefix(mark + kContextMark.size());
    }
}

std::vector<value::Selector> ContextTemplate::references() const {
    std::vector<value::Selector> selectors;
    for (const auto& piece : pieces_) {
        std::ranges::move(piece.references(), std::back_inserter(selectors));
    }
    return selectors;
}

std::string ContextTemplate::to_text(const value::VariablePool& pool, std::string_view context)
    const {
    std::string out;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        if (i > 0) {
            out += context;
        }
        out += pieces_[i].to_text(pool);
        if (out.size() > value::kRenderedBytesMax) {
            throw std::length_error(
                fmt::format("the prompt is longer than {} bytes", value::kRenderedBytesMax)
            );
        }
    }
    return out;
}

std::vector<json::value> ContextTemplate::find_files(const value::VariablePool& pool) const {
    std::vector<json::value> files;
    for (const auto& selector : references()) {
        PromptBuilder::add_prompt_files(pool, selector, files);
    }
    return files;
}

PromptConfig read_prompt_config(const dsl::DataReader& reader) {
    PromptConfig config;
    const auto* prompt = reader.find("prompt_template");
    config.is_completion = prompt != nullptr && prompt->is_object();
    if (config.is_completion) {
        config.messages.push_back(read_message(reader.object("prompt_template"), "user"));
    } else {
        for (const auto& message : reader.required_objects("prompt_template")) {
            config.messages.push_back(read_message(message, message.required_text("role")));
        }
    }
    config.jinja2_variables =
        read_named_selectors(reader.object("prompt_config"), "jinja2_variables");
    config.memory = read_memory_config(reader, "memory");
    config.vision = read_vision_config(reader, "vision");
    return config;
}

Task<Result<std::vector<model::ChatMessage>>> build_messages(
    engine::NodeContext& context,
    const Services& services,
    const PromptConfig& config,
    const PromptMaterial& material,
    const model::ChatRequest& request
) {
    PromptBuilder builder(context, services, config, material);
    if (auto added = co_await builder.add_templates(); !added) {
        co_return failure(std::move(added).error());
    }
    const auto window = config.memory && config.memory->has_window ? config.memory->window_size : 0;
    if (config.is_completion) {
        FLOWSPAN_CO_TRY(
            const auto transcript,
            co_await load_transcript(context, services, config, request, window)
        );
        builder.frame_completion(transcript);
    } else if (config.memory) {
        FLOWSPAN_CO_TRY(
            const auto history, co_await load_memory(context, services, request, window)
        );
        if (auto added = co_await builder.add_history(history); !added) {
            co_return failure(std::move(added).error());
        }
        if (auto added = co_await builder.add_query(); !added) {
            co_return failure(std::move(added).error());
        }
    }
    if (auto added = co_await builder.add_files(); !added) {
        co_return failure(std::move(added).error());
    }
    auto messages = builder.take();
    keep_supported_content(messages, services.chat_model.features(request.model));
    if (messages.empty()) {
        co_return failure(
            Error(
                ErrorCode::invalid_input,
                "No prompt found in the LLM configuration. Please ensure a prompt is properly "
                "configured before proceeding."
            )
                .with_type("NoPromptFoundError")
        );
    }
    co_return messages;
}

}  // namespace flowspan::nodes::llm
