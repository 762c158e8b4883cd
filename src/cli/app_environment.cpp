#include "cli/app_environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace flowspan::cli {

namespace {

using value::Value;
using value::ValueType;

Result<Value> read_as(ValueType type, const std::string& text) {
    if (type == ValueType::string) {
        return Value::string(text);
    }
    if (type == ValueType::secret) {
        return Value::secret(text);
    }
    const bool is_number = type == ValueType::integer || type == ValueType::floating;
    const auto wanted = is_number ? ValueType::number : type;
    auto parsed = parse_json(text);
    if (parsed) {
        if (auto typed = Value::typed(*std::move(parsed), wanted)) {
            return typed;
        }
    }
    // Not the text itself: it may be a secret that stands at the wrong name.
    return failure(
        ErrorCode::invalid_input,
        fmt::format("the value must be of type {}, written as JSON", value::to_string(wanted))
    );
}

Result<void> set_variable(
    dsl::App& app, const std::string& name, const std::string& text, std::string_view source
) {
    const auto found = std::ranges::find(app.environment_variables, name, &dsl::VariableSpec::name);
    if (found == app.environment_variables.end()) {
        std::vector<std::string_view> names;
        names.reserve(app.environment_variables.size());
        for (const auto& variable : app.environment_variables) {
            names.push_back(variable.name);
        }
        return failure(
            ErrorCode::invalid_input,
            fmt::format(
                "{} {}: this app has no such environment variable; {}",
                source,
                name,
                names.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(names, ", "))
            )
        );
    }
    auto read = read_as(found->value.type(), text);
    if (!read) {
        return failure(
            ErrorCode::invalid_input, fmt::format("{} {}: {}", source, name, read.error().message)
        );
    }
    found->value = *std::move(read);
    return {};
}

Result<void> set_given(dsl::App& app, const std::string& pair, const EnvironmentLookup& lookup) {
    const auto split = pair.find('=');
    const auto name = pair.substr(0, split);
    if (name.empty()) {
        return failure(ErrorCode::invalid_input, "--env: write NAME=VALUE, or NAME alone");
    }
    if (split != std::string::npos) {
        return set_variable(app, name, pair.substr(split + 1), "--env");
    }
    const auto* text = lookup(name.c_str());
    if (text == nullptr) {
        return failure(
            ErrorCode::invalid_input,
            fmt::format(
                "--env {}: the variable is not set in this process's environment; set it, or write "
                "--env {}=VALUE",
                name,
                name
            )
        );
    }
    return set_variable(app, name, text, "--env");
}

}  // namespace

Result<std::shared_ptr<const service::LoadedApp>> with_environment(
    std::shared_ptr<const service::LoadedApp> app,
    const std::map<std::string, Secret>& configured,
    const std::vector<std::string>& given,
    const EnvironmentLookup& lookup
) {
    if (configured.empty() && given.empty()) {
        return app;
    }
    auto filled = std::make_shared<service::LoadedApp>(*app);
    for (const auto& variable : app->app.environment_variables) {
        if (const auto found = configured.find(variable.name); found != configured.end()) {
            auto set =
                set_variable(filled->app, found->first, found->second.reveal(), "[environment]");
            if (!set) {
                return failure(std::move(set).error());
            }
        }
    }
    for (const auto& pair : given) {
        if (auto set = set_given(filled->app, pair, lookup); !set) {
            return failure(std::move(set).error());
        }
    }
    return filled;
}

std::shared_ptr<const service::LoadedApp> with_environment_of(
    const service::LoadedApp& app, const value::VariablePool& variables
) {
    auto filled = std::make_shared<service::LoadedApp>(app);
    for (auto& variable : filled->app.environment_variables) {
        if (const auto* kept = variables.find(value::kEnvironmentPrefix, variable.name)) {
            variable.value = *kept;
        }
    }
    return filled;
}

std::string describe_missing_secrets(const dsl::App& app) {
    std::vector<std::string> names;
    for (const auto& variable : app.environment_variables) {
        if (variable.value.type() == ValueType::secret && variable.value.text().empty()) {
            names.push_back(fmt::format("`{}`", variable.name));
        }
    }
    if (names.empty()) {
        return {};
    }
    return fmt::format(
        "the app's secret{} {} {} no value, as exports leave them; give it with --env NAME, or "
        "under "
        "[environment] in flowspan.toml",
        names.size() == 1 ? "" : "s",
        fmt::join(names, ", "),
        names.size() == 1 ? "has" : "have"
    );
}

}  // namespace flowspan::cli
