#include "nodes/knowledge_retrieval/model_choices.hpp"

#include "nodes/json_repair.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::nodes::knowledge_retrieval {

namespace {

class SilentListener final : public model::ChatListener {
public:
    void on_text(std::string_view /*piece*/) override {}
};

Task<Result<model::ChatReply>> ask(
    engine::NodeContext& context,
    const Services& services,
    const ModelConfig& config,
    model::ChatRequest request
) {
    SilentListener listener;
    auto reply = co_await services.chat_model.chat(request, listener);
    if (reply) {
        // The node's own facts are about documents, not about this call.
        auto& record = context.record();
        auto facts = std::move(record.facts);
        record_reply(context, config, *reply);
        record.facts = std::move(facts);
    }
    co_return reply;
}

// Function names allow few characters and a limited length, ids of datasets have both.
std::string tool_name(std::size_t index) {
    return fmt::format("dataset_{}", index + 1);
}

model::ChatRequest routing_request(
    model::ChatRequest request,
    const std::string& query,
    const std::vector<knowledge::Dataset>& datasets,
    bool has_tool_calls
) {
    std::string list;
    for (std::size_t i = 0; i < datasets.size(); ++i) {
        const auto& dataset = datasets[i];
        const auto about = dataset.description.empty() ? dataset.name : dataset.description;
        if (has_tool_calls) {
            request.tools.push_back(
                {tool_name(i),
                 fmt::format("Searches the dataset \"{}\": {}", dataset.name, about),
                 {{"type", "object"}, {"properties", json::object()}}}
            );
        }
        list += fmt::format("{}: {} ({})\n", tool_name(i), dataset.name, about);
    }
    request.messages.push_back(
        {.role = "system",
         .text = has_tool_calls
                     ? "Call the one function that can find what answers the user's question."
                     : "Choose the one dataset that can answer the user's question. Reply with its "
                       "key only.\n" +
                           list}
    );
    request.messages.push_back({.role = "user", .text = query});
    return request;
}

void read_conditions(
    const json::value& data,
    const std::vector<std::string>& fields,
    knowledge::MetadataFilter& filter
) {
    if (!data.is_array()) {
        return;
    }
    for (const auto& one : data.get_array()) {
        const std::string name(string_member(one, "metadata_field_name"));
        const auto comparison =
            knowledge::parse_metadata_operator(string_member(one, "comparison_operator"));
        const auto* value = find_member(one, "metadata_field_value");
        if (comparison && std::ranges::find(fields, name) != fields.end()) {
            filter.conditions.push_back(
                {name, *comparison, value == nullptr ? json::value() : *value}
            );
        }
    }
}

}  // namespace

Task<std::size_t> choose_dataset(
    engine::NodeContext& context,
    const Services& services,
    const ModelConfig& config,
    std::string query,
    std::vector<knowledge::Dataset> datasets
) {
    if (datasets.size() == 1) {
        co_return 0;
    }
    const bool has_tool_calls = services.chat_model.features(config.ref).tool_call;
    auto request = routing_request(make_request(context, config), query, datasets, has_tool_calls);
    const auto reply = co_await ask(context, services, config, std::move(request));
    if (reply) {
        for (std::size_t i = datasets.size(); i-- > 0;) {
            const auto name = tool_name(i);
            const bool is_called = std::ranges::any_of(reply->tool_calls, [&](const auto& call) {
                return call.name == name;
            });
            if (is_called || (reply->tool_calls.empty() && reply->text.contains(name))) {
                co_return i;
            }
        }
    }
    context.warn(
        "retrieval.no_choice",
        fmt::format(
            "node {}: the model chose no dataset, so the first one is searched", context.node_id()
        )
    );
    co_return 0;
}

Task<knowledge::MetadataFilter> choose_filter(
    engine::NodeContext& context,
    const Services& services,
    const ModelConfig& config,
    std::string query,
    std::vector<std::string> fields
) {
    knowledge::MetadataFilter filter;
    // What is read out of a question may be wrong in part; one condition that holds is enough.
    filter.is_any = true;
    if (fields.empty()) {
        co_return filter;
    }
    auto request = make_request(context, config);
    request.messages.push_back(
        {.role = "system",
         .text = fmt::format(
             "Documents have these metadata fields: {}.\nSay what the user's question demands of "
             "them, as a JSON list of {{\"metadata_field_name\", \"metadata_field_value\", "
             "\"comparison_operator\"}}. Operators: contains, not contains, start with, end with, "
             "is, is not, empty, not empty, =, ≠, <, >, ≤, ≥, before, after. Reply with the list "
             "only; it is empty if the question demands nothing.",
             to_json_text(json::array(fields.begin(), fields.end()))
         )}
    );
    request.messages.push_back({.role = "user", .text = query});
    const auto reply = co_await ask(context, services, config, std::move(request));
    if (!reply) {
        context.warn(
            "retrieval.no_filter",
            fmt::format(
                "node {}: the model gave no metadata filter, so all documents are searched",
                context.node_id()
            )
        );
        co_return filter;
    }
    read_conditions(repair_json(reply->text), fields, filter);
    co_return filter;
}

}  // namespace flowspan::nodes::knowledge_retrieval
