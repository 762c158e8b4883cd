#include "model/router.hpp"

#include "flowspan/async/runtime.hpp"
#include "model/model_glob.hpp"
#include "model_server/model_server.hpp"

#include <gtest/gtest.h>

namespace flowspan::model {
namespace {

using model_server::ModelServer;

class Ignore final : public ChatListener {
public:
    void on_text(std::string_view /*piece*/) override {}
};

class RouterTest : public ::testing::Test {
protected:
    RouterTest() { EXPECT_TRUE(server.start()); }

    Result<ChatReply> chat(const ModelsConfig& config, ModelRef ref) {
        const auto router = make_chat_model(config, *client, real_clock(), real_random());
        ChatRequest request;
        request.model = std::move(ref);
        request.messages.push_back({.role = "user", .text = "hello"});
        Ignore ignore;
        return runtime.block_on([&] { return router->chat(request, ignore); });
    }

    ModelServer server{{.script = {.tokens = 2}}};
    std::unique_ptr<http::HttpClient> client = http::make_http_client({.proxy = ""});
    async::Runtime runtime;
};

TEST(Providers, AreNormalizedToTheirLongForm) {
    struct Case {
        std::string_view provider;
        std::string_view expected;
    };

    const Case cases[] = {
        {"openai", "langgenius/openai/openai"},
        {"langgenius/openai/openai", "langgenius/openai/openai"},
        {"google", "langgenius/gemini/google"},
        {"a/b", "a/b"},
        {"", ""},
    };
    for (const auto& [provider, expected] : cases) {
        EXPECT_EQ(normalize_provider(provider), expected);
    }
}

TEST_F(RouterTest, WithoutAnEndpointTheDemoModelAnswers) {
    const auto reply = chat({}, {.provider = "openai", .name = "gpt-4o"});
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->text.starts_with("[demo model]")) << reply->text;
}

TEST_F(RouterTest, TheFirstMappingThatFitsWins) {
    EndpointConfig scripted;
    scripted.base_url = server.url();
    ModelsConfig config;
    config.map = {
        {.provider = "openai",
         .name = "gpt-4*",
         .endpoint = scripted,
         .remote_name = "local",
         .structured_output = true,
         .context_size = 1000,
         .prompt_price = 2.5,
         .completion_price = 10},
        {.provider = "*", .name = "*-local", .endpoint = scripted},
    };
    const auto mapped = chat(config, {.provider = "langgenius/openai/openai", .name = "gpt-4o"});
    ASSERT_TRUE(mapped) << mapped.error().message;
    EXPECT_EQ(mapped->response_model, "local");
    EXPECT_EQ(mapped->usage.to_json().at("completion_unit_price"), json::value("10"));
    EXPECT_EQ(mapped->usage.to_json().at("completion_price"), json::value("0.00002"));
    EXPECT_EQ(mapped->usage.to_json().at("total_price"), json::value("0.0000225"));

    const auto by_name = chat(config, {.provider = "x/y/z", .name = "llama-local"});
    ASSERT_TRUE(by_name);
    EXPECT_EQ(by_name->response_model, "llama-local");
    EXPECT_EQ(by_name->usage.to_json().at("total_price"), json::value("0"));

    const auto other = chat(config, {.provider = "openai", .name = "o1"});
    ASSERT_TRUE(other);
    EXPECT_EQ(other->response_model, "demo");

    const auto router = make_chat_model(config, *client, real_clock(), real_random());
    const ModelRef gpt{.provider = "openai", .name = "gpt-4o"};
    EXPECT_TRUE(router->features(gpt).structured_output);
    EXPECT_EQ(router->features(gpt).context_size, 1000);
    EXPECT_EQ(router->endpoint(gpt).server_port, server.port());
    EXPECT_EQ(router->endpoint({.provider = "openai", .name = "o1"}).server_address, "");
}

TEST_F(RouterTest, TheDefaultEndpointTakesTheRest) {
    ModelsConfig config;
    config.default_endpoint.emplace().base_url = server.url();
    const auto reply = chat(config, {.provider = "anything", .name = "x"});
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->response_model, "x");
    EXPECT_EQ(reply->text, "tok1 tok2 ");
}

}  // namespace
}  // namespace flowspan::model
