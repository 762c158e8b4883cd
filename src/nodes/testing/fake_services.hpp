#pragma once
// For tests: services that answer from a script and write down what they were asked.

#include "agent/agent.hpp"
#include "infra/http/http_client.hpp"
#include "infra/sandbox/sandbox.hpp"
#include "model/chat_model.hpp"
#include "nodes/conversation_memory.hpp"
#include "nodes/file_store.hpp"
#include "nodes/services.hpp"
#include "tools/tool.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::nodes::testing {

/// Calls in order, as JSON, of all services together.
using CallLog = std::vector<json::value>;

class FakeChatModel final : public model::ChatModel {
public:
    struct Script {
        std::vector<std::string> pieces;
        std::vector<std::string> reasoning;
        model::ChatReply reply;  ///< its text and reasoning are made of the pieces
        std::optional<Error> error;
    };

    explicit FakeChatModel(CallLog& calls) : calls_(calls) {}

    Task<Result<model::ChatReply>> chat(
        const model::ChatRequest& request, model::ChatListener& listener
    ) override;

    model::ModelFeatures features(const model::ModelRef& /*model*/) const override {
        return feature_set;
    }

    model::EndpointFacts endpoint(const model::ModelRef& /*model*/) const override { return {}; }

    std::deque<Script> script;
    model::ModelFeatures feature_set;

private:
    CallLog& calls_;
};

class FakeHttpClient final : public http::HttpClient {
public:
    explicit FakeHttpClient(CallLog& calls) : calls_(calls) {}

    Task<Result<http::HttpResponse>> send(http::HttpRequest request) override;
    Task<Result<http::HttpResponse>> stream(http::HttpRequest request, http::BodyListener& listener)
        override;

    std::deque<Result<http::HttpResponse>> script;

private:
    CallLog& calls_;
};

class FakeSandbox final : public infra::sandbox::Sandbox {
public:
    explicit FakeSandbox(CallLog& calls) : calls_(calls) {}

    Task<Result<infra::sandbox::CodeReply>> run_code(infra::sandbox::CodeRequest request) override;
    Task<Result<std::string>> render_jinja2(std::string source, json::object variables) override;

    /// A rendered text, or the result of code.
    std::deque<Result<json::value>> script;

private:
    CallLog& calls_;
};

class FakeMemory final : public ConversationMemory {
public:
    Task<Result<std::vector<MemoryMessage>>> load(
        std::string conversation_id, std::int64_t messages_max
    ) override;

    std::vector<MemoryMessage> messages;
};

/// Everything a node can be given.
struct FakeServices {
    FakeServices();

    [[nodiscard]] Services services();

    CallLog calls;
    FakeChatModel chat_model;
    FakeHttpClient http_client;
    FakeSandbox sandbox;
    FakeMemory memory;
    std::unique_ptr<Random> random;
    std::unique_ptr<FileStore> file_store;
    /// Providers `stub*` are sent to `http_client` at http://tools/; `time` is built in.
    std::unique_ptr<flowspan::tools::ToolProvider> tool_registry;
    std::unique_ptr<flowspan::agent::AgentRound> agent_round;
    std::unique_ptr<flowspan::agent::Agent> agent_runner;
};

}  // namespace flowspan::nodes::testing
