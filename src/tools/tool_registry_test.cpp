#include "tools/tool_registry.hpp"

#include "flowspan/async/runtime.hpp"
#include "infra/http/http_client.hpp"
#include "model_server/raw_server.hpp"
#include "tools/mapped_tools.hpp"
#include "tools/tool_reply.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace flowspan::tools {
namespace {

using model_server::RawConnection;
using model_server::RawServer;

// Answers every request alike and keeps what it was asked last.
class OneReply {
public:
    explicit OneReply(std::string reply)
        : reply_(std::move(reply)), server_([this](RawConnection& connection) {
              auto text = connection.read_request();
              {
                  const std::lock_guard lock(mutex_);
                  request_ = std::move(text);
              }
              connection.write(reply_);
          }) {}

    [[nodiscard]] std::string url() const { return server_.url(); }

    [[nodiscard]] std::string request() {
        const std::lock_guard lock(mutex_);
        return request_;
    }

private:
    std::string reply_;
    std::mutex mutex_;
    std::string request_;
    RawServer server_;
};

std::string http_reply(std::string_view status, std::string_view type, std::string_view body) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
           std::string(body);
}

Task<Result<ToolReply>> invoke(const Tool* tool, json::object arguments) {
    const ToolContext context{.user_id = "ada", .call_depth = 1};
    co_return co_await tool->invoke(std::move(arguments), context);
}

class FakeWorkflows final : public WorkflowCaller {
public:
    Task<Result<WorkflowReply>> call(WorkflowCall call) override {
        last = call;
        co_return WorkflowReply{
            parse_json(R"({"text": "t", "n": 2, "doc": {"dify_model_identity": "__dify__file__"}})")
                ->get_object(),
            {.total_tokens = 7}
        };
    }

    WorkflowCall last;
};

class Tools : public ::testing::Test {
protected:
    Result<ToolReply> call(
        const ToolsConfig& config, const ToolRef& ref, json::object arguments = {{"q", "x"}}
    ) {
        registry_ = make_tool_registry(config, {*client_, real_clock(), &workflows_});
        auto tool = registry_->find(ref);
        if (!tool) {
            return failure(std::move(tool).error());
        }
        if (*tool == nullptr) {
            return failure(unmapped_tool(ref));
        }
        return runtime_.block_on(invoke, tool->get(), std::move(arguments));
    }

    static std::string text_of(const Result<ToolReply>& reply) {
        return reply ? to_model_text(*reply) : "error: " + reply.error().full_text();
    }

    std::unique_ptr<http::HttpClient> client_ = http::make_http_client();
    FakeWorkflows workflows_;
    std::unique_ptr<ToolProvider> registry_;
    async::Runtime runtime_;
};

TEST_F(Tools, PostToTheMappedEndpoint) {
    OneReply server(http_reply("200 OK", "application/json", R"({"answer": 42})"));
    ToolsConfig config;
    config.map.push_back({.provider = "tav*", .url = server.url() + "/t", .api_key = Secret("k1")});
    const auto reply = call(config, {.provider_id = "tavily", .tool = "search"});
    ASSERT_TRUE(reply) << reply.error().full_text();
    ASSERT_EQ(reply->messages.size(), 2U);
    EXPECT_EQ(to_json_text(std::get<JsonMessage>(reply->messages[0]).data), R"({"answer":42})");
    EXPECT_EQ(std::get<TextMessage>(reply->messages[1]).text, R"({"answer": 42})");
    const auto request = server.request();
    EXPECT_TRUE(request.starts_with("POST /t HTTP/1.1\r\n")) << request;
    EXPECT_NE(request.find("Authorization: Bearer k1\r\n"), std::string::npos);
    EXPECT_TRUE(request.ends_with(R"({"provider":"tavily","tool":"search","parameters":{"q":"x"}})")
    ) << request;
}

TEST_F(Tools, TakeABadStatusAsFailure) {
    OneReply server(http_reply("503 No", "text/plain", "later"));
    ToolsConfig config;
    config.map.push_back({.url = server.url()});
    EXPECT_EQ(
        text_of(call(config, {.provider_id = "p", .tool = "t"})),
        "error: Request failed with status code 503: later"
    );
}

TEST_F(Tools, TalkToACommandByItsStandardStreams) {
    ToolsConfig config;
    config.map.push_back({.provider = "cat", .command = {"/bin/cat"}});
    config.map.push_back({.provider = "fail", .command = {"/bin/sh", "-c", "echo no >&2; exit 3"}});
    config.map.push_back({.provider = "gone", .command = {"/nonexistent/program"}});
    config.map.push_back({.provider = "quiet", .command = {"/bin/true"}});
    config.map.push_back(
        {.provider = "slow",
         .command = {"/bin/sh", "-c", "sleep 60 & wait"},
         .timeout = std::chrono::milliseconds(50)}
    );
    config.map.push_back(
        {.provider = "loud", .command = {"/usr/bin/yes"}, .output_bytes_max = 100'000}
    );
    EXPECT_EQ(
        text_of(call(config, {.provider_id = "cat", .tool = "echo"})),
        R"({"provider":"cat","tool":"echo","parameters":{"q":"x"}})"
    );
    EXPECT_EQ(
        text_of(call(config, {.provider_id = "fail", .tool = "t"})),
        "error: `/bin/sh` ended with exit code 3: no"
    );
    EXPECT_EQ(text_of(call(config, {.provider_id = "quiet", .tool = "t"})), "");
    const auto gone = call(config, {.provider_id = "gone", .tool = "t"});
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, ErrorCode::not_found);
    const auto slow = call(config, {.provider_id = "slow", .tool = "t"});
    ASSERT_FALSE(slow);
    EXPECT_EQ(slow.error().code, ErrorCode::timeout);
    const auto loud = call(config, {.provider_id = "loud", .tool = "t"});
    ASSERT_FALSE(loud);
    EXPECT_EQ(loud.error().code, ErrorCode::limit_exceeded);
}

TEST_F(Tools, RunAppsAndHandOnTheirOutputs) {
    ToolsConfig config;
    config.map.push_back({.provider = "1f1d*", .app = "inner.yml"});
    const auto reply =
        call(config, {.provider_type = "workflow", .provider_id = "1f1d0a7c", .tool = "go"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(workflows_.last.app_file, "inner.yml");
    EXPECT_EQ(workflows_.last.context.call_depth, 1);
    ASSERT_EQ(reply->messages.size(), 4U);
    EXPECT_EQ(std::get<VariableMessage>(reply->messages[0]).name, "n");
    EXPECT_FALSE(std::get<FileMessage>(reply->messages[1]).record.empty());
    EXPECT_EQ(std::get<TextMessage>(reply->messages[2]).text, R"({"text": "t", "n": 2})");
    EXPECT_EQ(reply->usage->total_tokens, 7);
}

TEST_F(Tools, SayWhatToAddForAnUnmappedTool) {
    const auto text = text_of(call({}, {.provider_id = "jina", .tool = "reader"}));
    EXPECT_NE(text.find("jina/reader"), std::string::npos) << text;
    EXPECT_NE(text.find("[[tools.map]] provider = \"jina\" tool = \"reader\""), std::string::npos);
}

TEST_F(Tools, RefuseAMappingWithTwoTargets) {
    ToolsConfig config;
    config.map.push_back({.url = "http://h/", .app = "x.yml"});
    EXPECT_NE(
        text_of(call(config, {.provider_id = "p", .tool = "t"})).find("exactly one of"),
        std::string::npos
    );
}

constexpr std::string_view kOpenApi = R"(openapi: 3.0.0
servers: [{url: "http://wrong.invalid"}]
paths:
  /items/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    post:
      operationId: updateItem
      description: Changes an item
      parameters:
        - {name: tags, in: query, schema: {type: array}}
        - {name: X-Mode, in: header, schema: {type: string, default: soft}}
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}
  /generate-audio:
    post: {summary: Speaks}
components:
  schemas:
    Item:
      type: object
      required: [count]
      properties: {count: {type: integer}, note: {$ref: "#/components/schemas/Note"}}
    Note: {type: object, properties: {next: {$ref: "#/components/schemas/Note"}}}
)";

class OpenApiTools : public Tools {
protected:
    OpenApiTools() {
        std::ofstream(path_, std::ios::binary) << kOpenApi;
        config_.openapi.push_back({.provider = "items", .file = path_.string()});
    }

    ~OpenApiTools() override { std::filesystem::remove(path_); }

    std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                  ("flowspan_openapi_" + std::to_string(::getpid()) + ".yml");
    ToolsConfig config_;
};

TEST_F(OpenApiTools, PutArgumentsWhereTheDocumentSays) {
    OneReply server(http_reply("200 OK", "application/json", R"({"text": "plain"})"));
    config_.openapi[0].server = server.url() + "/v1/";
    config_.openapi[0].api_key = Secret("k2");
    const auto reply = call(
        config_,
        {.provider_type = "api", .provider_id = "items", .tool = "updateItem"},
        {{"id", "a b"}, {"tags", json::array{"x", "y"}}, {"count", "3"}}
    );
    ASSERT_TRUE(reply) << reply.error().full_text();
    EXPECT_TRUE(std::holds_alternative<JsonMessage>(reply->messages[0]));
    const auto request = server.request();
    EXPECT_TRUE(request.starts_with("POST /v1/items/a%20b?tags=x&tags=y HTTP/1.1\r\n")) << request;
    EXPECT_NE(request.find("X-Mode: soft\r\n"), std::string::npos) << request;
    EXPECT_NE(request.find("Authorization: Bearer k2\r\n"), std::string::npos);
    EXPECT_TRUE(request.ends_with(R"({"count":3})")) << request;
}

TEST_F(OpenApiTools, NameMissingParametersAndMakeUpNames) {
    EXPECT_EQ(
        text_of(call(config_, {.provider_id = "items", .tool = "updateItem"}, {{"id", "1"}})),
        "error: Missing required parameter count"
    );
    const auto registry = make_tool_registry(config_, {*client_, real_clock(), nullptr});
    EXPECT_NE(*registry->find({.provider_id = "items", .tool = "generate-audio_post"}), nullptr);
    EXPECT_EQ(*registry->find({.provider_id = "items", .tool = "other"}), nullptr);
}

TEST_F(OpenApiTools, ReportAFileThatCannotBeRead) {
    config_.openapi[0].file = "/nonexistent.yml";
    const auto reply = call(config_, {.provider_id = "items", .tool = "updateItem"});
    ASSERT_FALSE(reply);
    EXPECT_NE(reply.error().describe().find("/nonexistent.yml"), std::string::npos);
}

TEST(Glob, MatchesAsPeopleExpect) {
    EXPECT_TRUE(matches_glob("*", ""));
    EXPECT_TRUE(matches_glob("a*c", "abbc"));
    EXPECT_TRUE(matches_glob("a?c", "abc"));
    EXPECT_FALSE(matches_glob("a?c", "ac"));
    EXPECT_FALSE(matches_glob("ab", "abc"));
    EXPECT_TRUE(matches_provider("jina", {.provider_id = "langgenius/jina_tool/jina"}));
    EXPECT_FALSE(matches_provider("jina", {.provider_id = "jina_tool", .provider_name = "J"}));
}

TEST(ToolReply, ReadsTextJsonAndMessages) {
    struct Row {
        std::string_view body;
        std::size_t messages;
        std::string_view text;
    };

    const Row rows[] = {
        {"plain words", 1, "plain words"},
        {"\"quoted\"", 1, "quoted"},
        {"[1, 2]", 2, "[1, 2]"},
        {R"([{"a": 1}, {"a": 2}])", 3, R"([{"a": 1}, {"a": 2}])"},
        {R"({"text": "t", "variables": {"v": 1}})", 2, "t\nv: 1"},
        {R"({"messages": [{"type": "text", "text": "m"}, {"type": "odd"}]})", 1, "m"},
        {"\xff", 1, "\uFFFD"},
        {"", 1, ""},
    };
    for (const auto& row : rows) {
        const auto reply = read_tool_reply(row.body);
        EXPECT_EQ(reply.messages.size(), row.messages) << row.body;
        EXPECT_EQ(to_model_text(reply), row.text) << row.body;
    }
}

}  // namespace
}  // namespace flowspan::tools
