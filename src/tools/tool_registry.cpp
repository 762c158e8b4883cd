#include "tools/tool_registry.hpp"

#include "tools/mapped_tools.hpp"
#include "tools/openapi_tools.hpp"
#include "tools/time_tools.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::tools {

namespace {

class Registry final : public ToolProvider {
public:
    Registry(ToolsConfig config, ToolServices services) {
        providers_.push_back(make_mapped_tools(std::move(config.map), services));
        for (auto& service : config.openapi) {
            providers_.push_back(make_openapi_tools(std::move(service), services.http_client));
        }
        providers_.push_back(make_time_tools(services.clock));
    }

    Result<std::unique_ptr<const Tool>> find(const ToolRef& ref) const override {
        for (const auto& provider : providers_) {
            FLOWSPAN_TRY(auto tool, provider->find(ref));
            if (tool != nullptr) {
                return tool;
            }
        }
        return nullptr;
    }

private:
    std::vector<std::unique_ptr<ToolProvider>> providers_;
};

}  // namespace

std::string ToolRef::name() const {
    return fmt::format("{}/{}", provider_id.empty() ? provider_name : provider_id, tool);
}

Error unmapped_tool(const ToolRef& ref) {
    const std::string_view target = ref.provider_type == "workflow"
                                        ? "app = \"workflow.yml\""
                                        : "url = \"http://127.0.0.1:8000/tool\"";
    return Error(
        ErrorCode::not_found,
        fmt::format(
            "tool `{}` ({}) is mapped to nothing; add to flowspan.toml: [[tools.map]] provider = "
            "\"{}\" tool = \"{}\" {} (or command = [\"program\"])",
            ref.name(),
            ref.provider_type.empty() ? "builtin" : ref.provider_type,
            ref.provider_id.empty() ? ref.provider_name : ref.provider_id,
            ref.tool,
            target
        )
    );
}

std::unique_ptr<ToolProvider> make_tool_registry(ToolsConfig config, ToolServices services) {
    return std::make_unique<Registry>(std::move(config), services);
}

}  // namespace flowspan::tools
