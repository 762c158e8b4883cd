// Prints node kinds, settings and error codes as JSON, for tools/make_docs.py.

#include "cli/config.hpp"
#include "flowspan/base/error.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/base/secret.hpp"
#include "nodes/registry.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace {

namespace json = boost::json;
using flowspan::nodes::NodeKind;

json::array describe_kinds() {
    json::array kinds;
    for (const NodeKind& kind : flowspan::nodes::all_kinds()) {
        json::array fields;
        for (const auto& field : kind.config) {
            fields.push_back(json::object{
                {"key", field.key},
                {"type", field.type},
                {"description", field.description},
                {"is_required", field.is_required},
            });
        }
        json::array companions;
        for (const auto& companion : kind.companions) {
            companions.push_back(json::object{
                {"type", companion.type},
                {"description", companion.description},
            });
        }
        kinds.push_back(json::object{
            {"type", kind.type},
            {"aliases", json::array(kind.aliases.begin(), kind.aliases.end())},
            {"description", kind.description},
            {"is_retryable", kind.traits.is_retryable},
            {"fields", std::move(fields)},
            {"companions", std::move(companions)},
        });
    }
    return kinds;
}

json::object setting(const std::string& key, const char* type, const std::string& text) {
    return {{"key", key}, {"type", type}, {"default", text}};
}

template <class T>
constexpr bool kIsDuration = false;
template <class Rep, class Period>
constexpr bool kIsDuration<std::chrono::duration<Rep, Period>> = true;
template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
constexpr bool kIsVector = false;
template <class T>
constexpr bool kIsVector<std::vector<T>> = true;

template <class T>
constexpr bool kIsMap = false;
template <class T>
constexpr bool kIsMap<std::map<std::string, T>> = true;

template <class T>
void add_settings(const T& defaults, const std::string& key, json::array& settings) {
    if constexpr (std::same_as<T, bool>) {
        settings.push_back(setting(key, "boolean", defaults ? "true" : "false"));
    } else if constexpr (std::same_as<T, flowspan::Secret>) {
        settings.push_back(setting(key, "secret text", ""));
    } else if constexpr (std::same_as<T, std::string>) {
        settings.push_back(setting(key, "text", defaults));
    } else if constexpr (std::is_enum_v<T>) {
        settings.push_back(setting(key, "word", boost::describe::enum_to_string(defaults, "")));
    } else if constexpr (kIsDuration<T>) {
        const auto seconds = std::chrono::duration<double>(defaults).count();
        settings.push_back(setting(key, "seconds", fmt::format("{}", seconds)));
    } else if constexpr (std::is_arithmetic_v<T>) {
        settings.push_back(setting(key, "number", fmt::format("{}", defaults)));
    } else if constexpr (kIsOptional<T>) {
        add_settings(typename T::value_type{}, key, settings);
    } else if constexpr (kIsVector<T>) {
        add_settings(typename T::value_type{}, key + "[]", settings);
    } else if constexpr (kIsMap<T>) {
        add_settings(typename T::mapped_type{}, key + ".*", settings);
    } else {
        using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
        boost::mp11::mp_for_each<Members>([&](auto member) {
            const auto below = key.empty() ? std::string(member.name) : key + "." + member.name;
            add_settings(defaults.*member.pointer, below, settings);
        });
    }
}

json::array describe_error_codes() {
    json::array codes;
    for (int number = 0; number <= static_cast<int>(flowspan::ErrorCode::internal); ++number) {
        const auto code = static_cast<flowspan::ErrorCode>(number);
        codes.push_back(json::object{
            {"code", flowspan::to_string(code)},
            {"is_retryable", flowspan::is_retryable(code)},
        });
    }
    return codes;
}

}  // namespace

int main() {
    json::array settings;
    add_settings(flowspan::cli::Config{}, "", settings);
    const json::object all{
        {"kinds", describe_kinds()},
        {"settings", std::move(settings)},
        {"error_codes", describe_error_codes()},
    };
    const auto text = flowspan::to_json_text(all);
    return std::puts(text.c_str()) < 0 ? 1 : 0;
}
