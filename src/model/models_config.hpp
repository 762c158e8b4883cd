#pragma once
// Which endpoint serves which model: the settings behind `[models]` in flowspan.toml.

#include "flowspan/base/secret.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::model {

BOOST_DEFINE_ENUM_CLASS(Protocol, demo, openai)

/// A server that speaks one of the protocols.
struct EndpointConfig {
    Protocol protocol = Protocol::openai;
    std::string base_url = {};  ///< for example `https://host/v1`; the protocol's path is appended
    Secret api_key = {};        ///< sent as a bearer token if not empty
    std::string provider_name = {
    };  ///< for spans, as GenAI conventions name it; default: the protocol
    int retries_max = 3;  ///< further attempts on 429, 5xx and failed connections

    bool operator==(const EndpointConfig&) const = default;
};

BOOST_DESCRIBE_STRUCT(EndpointConfig, (), (protocol, base_url, api_key, provider_name, retries_max))

/// Sends models whose provider and name match to an endpoint, under another name if given.
struct ModelMapping {
    std::string provider = "*";  ///< `openai` or `author/plugin/provider`; `*` matches any text
    std::string name = "*";      ///< glob over the model's name
    std::optional<EndpointConfig> endpoint = {};  ///< absent: the default endpoint
    std::string remote_name = {};                 ///< empty: the app's own name
    bool tool_call = true;
    bool vision = true;
    bool structured_output = false;
    std::int64_t context_size = 0;  ///< tokens; 0: unknown
    double prompt_price = 0;        ///< per million tokens
    double completion_price = 0;    ///< per million tokens
    std::string currency = "USD";

    bool operator==(const ModelMapping&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    ModelMapping,
    (),
    (provider,
     name,
     endpoint,
     remote_name,
     tool_call,
     vision,
     structured_output,
     context_size,
     prompt_price,
     completion_price,
     currency)
)

/// Sends embedding or rerank models whose provider and name match to a server.
struct ServiceMapping {
    std::string provider = "*";      ///< as in ModelMapping
    std::string name = "*";          ///< glob over the model's name
    std::string base_url = {};       ///< `/embeddings` or `/rerank` is appended
    Secret api_key = {};             ///< sent as a bearer token if not empty
    std::string provider_name = {};  ///< for spans; default: `openai`
    std::string remote_name = {};    ///< empty: the app's own name
    int retries_max = 3;             ///< further attempts on 429, 5xx and failed connections

    bool operator==(const ServiceMapping&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    ServiceMapping, (), (provider, name, base_url, api_key, provider_name, remote_name, retries_max)
)

/// The first mapping that matches wins; the rest goes to `default_endpoint`. Without one the
/// built-in demo model answers. Embedding and rerank models have no default.
struct ModelsConfig {
    std::optional<EndpointConfig> default_endpoint = {};
    std::vector<ModelMapping> map = {};
    std::vector<ServiceMapping> embedding = {};
    std::vector<ServiceMapping> rerank = {};

    bool operator==(const ModelsConfig&) const = default;
};

BOOST_DESCRIBE_STRUCT(ModelsConfig, (), (default_endpoint, map, embedding, rerank))

}  // namespace flowspan::model
