#include "nodes/prompt_memory.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::nodes {

std::optional<MemoryConfig> read_memory_config(
    const dsl::DataReader& reader, std::string_view key
) {
    const auto memory = reader.object(key);
    if (!memory.exists()) {
        return std::nullopt;
    }
    MemoryConfig config;
    const auto window = memory.object("window");
    config.has_window = window.boolean("enabled", false);
    config.window_size = window.optional_integer("size").value_or(0);
    config.has_query_template = !memory.text("query_prompt_template").empty();
    config.query_template = memory.text_template("query_prompt_template");
    if (const auto prefix = memory.object("role_prefix"); prefix.exists()) {
        config.role_prefix = {prefix.text("user"), prefix.text("assistant")};
    }
    return config;
}

bool has_memory(const engine::NodeContext& context, const Services& services) {
    return services.memory != nullptr && !context.run().conversation_id.empty();
}

Task<Result<std::vector<MemoryMessage>>> load_memory(
    const engine::NodeContext& context,
    const Services& services,
    const model::ChatRequest& request,
    std::int64_t messages_max
) {
    if (!has_memory(context, services)) {
        co_return std::vector<MemoryMessage>();
    }
    const auto limit = services.limits.memory_messages_max;
    FLOWSPAN_CO_TRY(
        auto messages,
        co_await services.memory->load(
            context.run().conversation_id, messages_max > 0 ? std::min(messages_max, limit) : limit
        )
    );
    auto tokens_max = services.limits.memory_tokens_without_context_size;
    if (const auto size = services.chat_model.features(request.model).context_size) {
        const auto* reserved = request.parameters.if_contains("max_tokens");
        const auto answer = reserved == nullptr ? std::nullopt : dsl::to_integer(*reserved);
        tokens_max = std::max<std::int64_t>(0, *size - answer.value_or(0));
    }
    fit_to_tokens(messages, tokens_max);
    co_return messages;
}

Task<Result<std::string>> load_quoted_memory(
    const engine::NodeContext& context,
    const Services& services,
    const std::optional<MemoryConfig>& config,
    const model::ChatRequest& request
) {
    if (!config) {
        co_return std::string();
    }
    FLOWSPAN_CO_TRY(
        const auto messages, co_await load_memory(context, services, request, config->window_size)
    );
    co_return to_transcript(messages, "Human", "Assistant");
}

}  // namespace flowspan::nodes
