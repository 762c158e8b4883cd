#include "cli/config.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace flowspan::cli {
namespace {

TEST(Config, ReadsNestedTablesListsAndDurations) {
    const auto config = parse_config(
        R"(
[models.default_endpoint]
base_url = "http://127.0.0.1:1/v1"
api_key = "sk-secret"

[[models.map]]
provider = "openai"
name = "gpt-4*"
remote_name = "big"
structured_output = true

[trace]
content = "full"

[limits]
time_max = 1.5
)",
        "flowspan.toml"
    );
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->models.default_endpoint->api_key.reveal(), "sk-secret");
    ASSERT_EQ(config->models.map.size(), 1U);
    EXPECT_EQ(config->models.map[0].remote_name, "big");
    EXPECT_EQ(config->trace.content, ContentPolicy::full);
    EXPECT_EQ(config->limits.time_max, std::chrono::milliseconds(1500));
}

TEST(Config, NamesEveryProblemWithItsPlace) {
    const auto config = parse_config(
        "[trace]\ncontent = \"all\"\n[limit]\nsteps_max = 1\n[limits]\nsteps_max = \"x\"\n",
        "f.toml"
    );
    ASSERT_FALSE(config);
    const auto& message = config.error().message;
    EXPECT_NE(message.find("f.toml:2:11: must be one of: off, metadata, full"), std::string::npos)
        << message;
    EXPECT_NE(message.find("unknown setting `limit`"), std::string::npos) << message;
    EXPECT_NE(message.find("f.toml:6:13: must be a whole number"), std::string::npos) << message;
}

TEST(Config, SyntaxErrorHasLineAndColumn) {
    const auto config = parse_config("a = \n", "f.toml");
    ASSERT_FALSE(config);
    EXPECT_TRUE(config.error().message.starts_with("f.toml:1:")) << config.error().message;
}

TEST(Config, EnvironmentSetsTheDefaultEndpoint) {
    const std::map<std::string, const char*> environment{
        {"FLOWSPAN_MODEL_BASE_URL", "http://127.0.0.1:9/v1"}, {"FLOWSPAN_MODEL_API_KEY", "k"}
    };
    Config config;
    apply_environment(config, [&](const char* name) -> const char* {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second;
    });
    ASSERT_TRUE(config.models.default_endpoint);
    EXPECT_EQ(config.models.default_endpoint->base_url, "http://127.0.0.1:9/v1");
    EXPECT_EQ(config.models.default_endpoint->api_key.reveal(), "k");
}

}  // namespace
}  // namespace flowspan::cli
