// flowspan_describe_app: the start form of app files as JSON lines, for made-up inputs.

#include "cli/program.hpp"
#include "cli/terminal.hpp"
#include "flowspan/base/json.hpp"
#include "service/input_form.hpp"
#include "service/loaded_app.hpp"

#include <span>
#include <string>

namespace {

using namespace flowspan;

json::object describe(const service::AppCheck& check) {
    json::array form;
    if (check.app) {
        for (const auto& field : service::describe_form(check.app->app.graph)) {
            form.push_back(json::object{
                {"variable", field.variable},
                {"type", field.type},
                {"is_required", field.is_required},
                {"options", json::array(field.options.begin(), field.options.end())},
            });
        }
    }
    return {
        {"file", check.file},
        {"mode", check.mode},
        {"is_not_an_app", check.is_not_an_app},
        {"can_load", check.app != nullptr},
        {"form", std::move(form)},
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
