// flowspan_describe_app: the start form of app files as JSON lines, for made-up inputs.

#include "cli/program.hpp"
#include "cli/terminal.hpp"
#include "flowspan/base/json.hpp"
#include "service/file_rules.hpp"
#include "service/input_form.hpp"
#include "service/loaded_app.hpp"

#include <span>
#include <string>

namespace {

using namespace flowspan;

/// The start node's variables as the file has them, or what a trigger wants.
json::value find_form(const dsl::App& app) {
    for (const auto& node : app.graph.nodes) {
        const auto* variables = find_member(node.data, "variables");
        if (node.id == app.graph.root_id && node.type == "start" && variables != nullptr &&
            variables->is_array()) {
            return *variables;
        }
    }
    json::array form;
    for (const auto& field : service::describe_form(app.graph).fields) {
        if (field.is_required) {
            form.push_back(json::object{
                {"variable", field.variable},
                {"label", field.label},
                {"type", field.type},
                {"required", true},
            });
        }
    }
    return form;
}

/// What the app says about files that go with a message; null if it takes none.
json::value find_uploads(const dsl::App& app) {
    return service::takes_uploads(app.features) ? *find_member(app.features, "file_upload")
                                                : json::value();
}

json::object describe(const service::AppCheck& check) {
    return {
        {"file", check.file},
        {"mode", check.mode},
        {"is_not_an_app", check.is_not_an_app},
        {"can_load", check.app != nullptr},
        {"form", check.app ? find_form(check.app->app) : json::array()},
        {"uploads", check.app ? find_uploads(check.app->app) : json::value()},
    };
}

}  // namespace

int main(int argc, char** argv) {
    const cli::OfflineRegistry registry(cli::Config{});
    for (const auto* file : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
        const auto check = service::check_app_file(file, registry.factory());
        cli::write_output(to_json_text(describe(check)) + "\n");
    }
    return 0;
}
