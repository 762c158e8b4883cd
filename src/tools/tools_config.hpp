#pragma once
// Which tools run where: the settings behind `[tools]` in flowspan.toml.

#include "flowspan/base/secret.hpp"

#include <boost/describe/class.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace flowspan::tools {

/// Sends tools whose provider and name match to an HTTP endpoint, a local command, or an app file;
/// exactly one of `url`, `command` and `app` is given.
struct ToolMapping {
    std::string provider = "*";  ///< glob over the provider's id or name, `*` matches any text
    std::string tool = "*";      ///< glob over the tool's name
    std::string url = {};        ///< takes a POST of `{provider, tool, parameters}`
    Secret api_key = {};         ///< sent to `url` as a bearer token if not empty
    /// Program and arguments; gets the same JSON on standard input. No shell is involved.
    std::vector<std::string> command = {};
    std::string app = {};  ///< a workflow app's file; runs with the parameters as inputs
    std::chrono::milliseconds timeout = std::chrono::seconds(60);
    std::size_t output_bytes_max = std::size_t{10} * 1024 * 1024;

    bool operator==(const ToolMapping&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    ToolMapping, (), (provider, tool, url, api_key, command, app, timeout, output_bytes_max)
)

/// A service described by an OpenAPI 3 document; each operation is a tool.
struct OpenApiConfig {
    std::string provider = {};  ///< glob over the provider's id or name in app files
    std::string file = {};      ///< JSON or YAML
    std::string server = {};    ///< instead of the document's first server
    Secret api_key = {};        ///< sent with every call if not empty
    std::string api_key_header = "Authorization";
    std::string api_key_prefix = "Bearer ";
    std::chrono::milliseconds timeout = std::chrono::seconds(60);
    std::size_t output_bytes_max = std::size_t{10} * 1024 * 1024;

    bool operator==(const OpenApiConfig&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    OpenApiConfig,
    (),
    (provider, file, server, api_key, api_key_header, api_key_prefix, timeout, output_bytes_max)
)

/// Mappings come first, in their order, then OpenAPI services, then the built-in tools.
struct ToolsConfig {
    std::vector<ToolMapping> map = {};
    std::vector<OpenApiConfig> openapi = {};

    bool operator==(const ToolsConfig&) const = default;
};

BOOST_DESCRIBE_STRUCT(ToolsConfig, (), (map, openapi))

}  // namespace flowspan::tools
