#include "draw/box_detail.hpp"

#include "draw/label.hpp"
#include "flowspan/base/json.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace flowspan::draw {

namespace {

// More than this of a list is not worth reading in a box.
constexpr std::size_t kNamesMax = 6;

const json::array kNoItems;

const json::array& list_member(const json::value& data, std::string_view key) {
    const auto* member = find_member(data, key);
    return member != nullptr && member->is_array() ? member->get_array() : kNoItems;
}

const json::value& member_or_null(const json::value& data, std::string_view key) {
    static const json::value kNull;
    const auto* member = find_member(data, key);
    return member == nullptr ? kNull : *member;
}

/// `langgenius/openai/openai` is known to people as `openai`.
std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

std::string join(std::string_view first, std::string_view second) {
    return fmt::format("{}{}{}", first, first.empty() || second.empty() ? "" : " · ", second);
}

std::string model_of(const json::value& model) {
    auto name = string_member(model, "name");
    if (name.empty()) {
        name = string_member(model, "model");  // agents spell it so
    }
    return join(name, last_part(string_member(model, "provider")));
}

std::string agent_of(const json::value& data) {
    const auto& parameter = member_or_null(member_or_null(data, "agent_parameters"), "model");
    auto strategy = string_member(data, "agent_strategy_label");
    if (strategy.empty()) {
        strategy = string_member(data, "agent_strategy_name");
    }
    return join(model_of(member_or_null(parameter, "value")), strategy);
}

std::string tool_of(const json::value& data) {
    auto tool = string_member(data, "tool_label");
    if (tool.empty()) {
        tool = string_member(data, "tool_name");
    }
    auto provider = string_member(data, "provider_name");
    if (provider.empty()) {
        provider = string_member(data, "provider_id");
    }
    return join(tool, last_part(provider));
}

/// Without what stands before `@`, which may be a password.
std::string host_of(std::string_view url) {
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
        url.remove_prefix(scheme + 3);
    }
    // A reference has a `#` of its own.
    const auto end = url.starts_with("{{#") ? url.find("#}}") : std::string_view::npos;
    const auto from = end == std::string_view::npos ? 0 : end + 3;
    auto host = url.substr(0, url.find_first_of("/?#", from));
    if (const auto user = host.rfind('@'); user != std::string_view::npos) {
        host.remove_prefix(user + 1);
    }
    return shorten_references(host);
}

std::string request_of(const json::value& data) {
    std::string method(string_member(data, "method"));
    std::ranges::transform(method, method.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return method + " " + host_of(string_member(data, "url"));
}

/// `node.name` of a selector is known to people as `name`, but `sys.query` in full.
std::string selector_of(const json::value& selector) {
    if (!selector.is_array() || selector.get_array().empty()) {
        return {};
    }
    const auto& parts = selector.get_array();
    const auto group = string_or_empty(parts.front());
    const bool is_reserved = group == "sys" || group == "env" || group == "conversation";
    std::string text;
    for (std::size_t i = is_reserved || parts.size() == 1 ? 0 : 1; i < parts.size(); ++i) {
        text += fmt::format("{}{}", text.empty() ? "" : ".", string_or_empty(parts[i]));
    }
    return text;
}

/// The texts at `key` of each item.
std::string names_of(const json::value& data, std::string_view list, std::string_view key) {
    std::string names;
    std::size_t count = 0;
    for (const auto& item : list_member(data, list)) {
        const auto name = string_member(item, key);
        if (name.empty()) {
            continue;
        }
        if (++count > kNamesMax) {
            return names + ", …";
        }
        names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
    return names;
}

std::string text_of(const json::value& value) {
    if (value.is_null()) {
        return {};
    }
    return value.is_string() ? std::string(string_or_empty(value)) : json::serialize(value);
}

bool is_true(const json::value& value) {
    return value.is_bool() && value.get_bool();
}

std::string iteration_of(const json::value& data) {
    auto text = "for each of " + selector_of(member_or_null(data, "iterator_selector"));
    if (is_true(member_or_null(data, "is_parallel"))) {
        const auto* count = find_member(data, "parallel_nums");
        text += count == nullptr ? ", in parallel" : fmt::format(", {} at a time", text_of(*count));
    }
    return text;
}

std::string loop_of(const json::value& data) {
    const auto* count = find_member(data, "loop_count");
    return count == nullptr ? std::string() : fmt::format("at most {} rounds", text_of(*count));
}

std::string assigner_of(const json::value& data) {
    std::string names = selector_of(member_or_null(data, "assigned_variable_selector"));
    std::size_t count = 0;
    for (const auto& item : list_member(data, "items")) {
        if (++count > kNamesMax) {
            return names + ", …";
        }
        names += fmt::format(
            "{}{}",
            names.empty() ? "" : ", ",
            selector_of(member_or_null(item, "variable_selector"))
        );
    }
    return names;
}

std::string knowledge_of(const json::value& data) {
    const auto count = list_member(data, "dataset_ids").size();
    return count == 1 ? "1 dataset" : fmt::format("{} datasets", count);
}

struct KindDetail {
    std::string_view type;
    std::string (*detail)(const json::value& data);
};

constexpr std::array<KindDetail, 17> kDetails = {{
    {"llm", [](const json::value& data) { return model_of(member_or_null(data, "model")); }},
    {"question-classifier",
     [](const json::value& data) { return model_of(member_or_null(data, "model")); }},
    {"parameter-extractor",
     [](const json::value& data) { return model_of(member_or_null(data, "model")); }},
    {"agent", agent_of},
    {"tool", tool_of},
    {"http-request", request_of},
    {"code",
     [](const json::value& data) { return std::string(string_member(data, "code_language")); }},
    {"start", [](const json::value& data) { return names_of(data, "variables", "variable"); }},
    {"end", [](const json::value& data) { return names_of(data, "outputs", "variable"); }},
    {"iteration", iteration_of},
    {"loop", loop_of},
    {"assigner", assigner_of},
    {"variable-assigner",
     [](const json::value& data) {
         return data.is_object() && data.get_object().contains("assigned_variable_selector")
                    ? assigner_of(data)
                    : std::string();
     }},
    {"knowledge-retrieval", knowledge_of},
    {"document-extractor",
     [](const json::value& data) { return selector_of(member_or_null(data, "variable_selector")); }
    },
    {"list-operator",
     [](const json::value& data) { return selector_of(member_or_null(data, "variable")); }},
    {"answer",
     [](const json::value& data) { return shorten_references(string_member(data, "answer")); }},
}};

std::string condition_text(const json::value& condition) {
    auto text = fmt::format(
        "{} {}",
        selector_of(member_or_null(condition, "variable_selector")),
        string_member(condition, "comparison_operator")
    );
    const auto* value = find_member(condition, "value");
    if (value != nullptr && !value->is_null() &&
        !(value->is_string() && value->as_string().empty())) {
        text += " " + shorten_references(text_of(*value));
    }
    for (const auto& part :
         list_member(member_or_null(condition, "sub_variable_condition"), "conditions")) {
        text += fmt::format(
            " {} {} {}",
            string_member(part, "key"),
            string_member(part, "comparison_operator"),
            text_of(member_or_null(part, "value"))
        );
    }
    return text;
}

std::string conditions_text(const json::value& group) {
    const auto& conditions = list_member(group, "conditions");
    const auto word = string_member(group, "logical_operator", "and");
    std::string text;
    for (const auto& condition : conditions) {
        text += fmt::format(
            "{}{}", text.empty() ? "" : fmt::format(" {} ", word), condition_text(condition)
        );
        // The drawing cuts it anyway.
        if (text.size() > 200) {
            break;
        }
    }
    return text;
}

std::vector<Port> cases_of(const json::value& data) {
    std::vector<Port> ports;
    const auto* cases = find_member(data, "cases");
    if (cases == nullptr || !cases->is_array()) {
        ports.push_back({"true", "if " + conditions_text(data)});
    } else {
        for (const auto& item : cases->get_array()) {
            auto id = string_member(item, "case_id");
            if (id.empty()) {
                id = string_member(item, "id");
            }
            ports.push_back(
                {std::string(id), (ports.empty() ? "if " : "else if ") + conditions_text(item)}
            );
        }
    }
    ports.push_back({"false", "else"});
    return ports;
}

std::vector<Port> list_ports(
    const json::value& data, std::string_view list, std::string_view label_key
) {
    std::vector<Port> ports;
    for (const auto& item : list_member(data, list)) {
        const auto id = string_member(item, "id");
        const auto label = string_member(item, label_key);
        ports.push_back({std::string(id), std::string(label.empty() ? id : label)});
    }
    return ports;
}

}  // namespace

std::string detail_of(const dsl::NodeSpec& spec) {
    const auto found = std::ranges::find(kDetails, spec.type, &KindDetail::type);
    return found == kDetails.end() ? std::string() : to_single_line(found->detail(spec.data));
}

std::vector<Port> ports_of(const dsl::NodeSpec& spec) {
    std::vector<Port> ports;
    if (spec.type == "if-else") {
        ports = cases_of(spec.data);
    } else if (spec.type == "question-classifier") {
        ports = list_ports(spec.data, "classes", "name");
    } else if (spec.type == "human-input") {
        ports = list_ports(spec.data, "user_actions", "title");
        ports.push_back({"__timeout", "no answer in time"});
    }
    const bool is_branch = !ports.empty();
    const bool has_fail_branch = string_member(spec.data, "error_strategy") == "fail-branch";
    if (!is_branch) {
        ports.push_back({"source", has_fail_branch ? "success" : ""});
    }
    if (has_fail_branch) {
        ports.push_back({"fail-branch", "failure"});
    }
    for (auto& port : ports) {
        port.label = to_single_line(port.label);
    }
    return ports;
}

}  // namespace flowspan::draw
