// flowspan_describe_app: the start form of app files as JSON lines, for made-up inputs.

#include "cli/program.hpp"
#include "cli/terminal.hpp"
#include "flowspan/base/json.hpp"
#include "service/loaded_app.hpp"

#include <span>
#include <string>

namespace {

using namespace flowspan;

/// The start node's variables as the file has them.
json::value find_form(const dsl::App& app) {
    for (const auto& node : app.graph.nodes) {
        const auto* variables = find_member(node.data, "variables");
        if (node.type == "start" && variables != nullptr && variables->is_array()) {
            return *variables;
        }
    }
    return json::array();
}

json::object describe(const service::AppCheck& check) {
    return {
        {"file", check.file},
        {"mode", check.mode},
        {"is_not_an_app", check.is_not_an_app},
        {"can_load", check.app != nullptr},
        {"form", check.app ? find_form(check.app->app) : json::array()},
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
