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

TEST(Config, EnvironmentSaysWhereMessagesGo) {
    const auto read = [](const char* wish) {
        Config config;
        config.trace.messages_on = MessagePlace::both;
        apply_environment(config, [wish](const char* name) -> const char* {
            constexpr std::string_view kName = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
            return name == kName ? wish : nullptr;
        });
        return config.trace;
    };
    const auto as_event = read("event_only");
    EXPECT_EQ(as_event.capture.prompts, ContentPolicy::full);
    EXPECT_EQ(as_event.capture.answers, ContentPolicy::full);
    EXPECT_FALSE(as_event.capture.inputs);
    EXPECT_EQ(as_event.messages_on, MessagePlace::event);
    EXPECT_EQ(read("NO_CONTENT").capture.prompts, ContentPolicy::metadata);
    EXPECT_EQ(read("SPAN_ONLY").messages_on, MessagePlace::span);
    EXPECT_EQ(read("nonsense").messages_on, MessagePlace::both)
        << "what is unclear changes nothing";
    EXPECT_FALSE(read("nonsense").capture.prompts);
}

}  // namespace
}  // namespace flowspan::cli
