#include "observe/measured.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/trace/names.hpp"
#include "trace/call_timer.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::observe {

namespace names = trace::names;

namespace {

// Datasets are searched by this program itself.
constexpr std::string_view kOwnProvider = "flowspan";

/// Passes pieces on and sorts the gaps between them into buckets.
class GapListener final : public model::ChatListener {
public:
    GapListener(model::ChatListener& listener, const trace::Instrument& gaps)
        : listener_(listener), gaps_(gaps) {}

    void on_text(std::string_view piece) override {
        count();
        listener_.on_text(piece);
    }

    void on_reasoning(std::string_view piece) override {
        count();
        listener_.on_reasoning(piece);
    }

    void on_broken_off(const model::ChatReply& partial) override {
        ChatListener::on_broken_off(partial);
        listener_.on_broken_off(partial);
    }

    trace::Instrument::Batch batch;

private:
    void count() {
        const auto now = real_clock().steady_now();
        const auto before = std::exchange(last_, now);
        if (before == SteadyTime()) {
            return;
        }
        const double gap = std::chrono::duration<double>(now - before).count();
        const bool is_first = batch.buckets.empty();
        if (is_first) {
            batch.buckets.resize(gaps_.info().bounds.size() + 1);
        }
        ++batch.buckets[gaps_.bucket_of(gap)];
        batch.sum += gap;
        batch.min = is_first ? gap : std::min(batch.min, gap);
        batch.max = std::max(batch.max, gap);
    }

    model::ChatListener& listener_;
    const trace::Instrument& gaps_;
    SteadyTime last_;
};

class MeasuredChatModel final : public model::ChatModel {
public:
    MeasuredChatModel(model::ChatModel& inner, Instruments& instruments)
        : inner_(inner), instruments_(instruments) {}

    Task<Result<model::ChatReply>> chat(
        const model::ChatRequest& request, model::ChatListener& listener
    ) override {
        const auto facts = inner_.endpoint(request.model);
        std::vector<trace::Label> labels = {
            {names::kGenAiOperationName,
             std::string_view(request.is_completion ? "text_completion" : "chat")},
            {names::kGenAiProviderName, facts.provider_name},
            {names::kGenAiRequestModel, request.model.name},
        };
        if (!facts.server_address.empty()) {
            labels.push_back({names::kServerAddress, facts.server_address});
            labels.push_back({names::kServerPort, facts.server_port});
        }
        GapListener gaps(listener, instruments_.time_per_chunk);
        trace::CallTimer timer(instruments_.operation_duration, labels);
        auto reply = co_await inner_.chat(request, gaps);
        timer.finish(reply);
        instruments_.time_per_chunk.record_batch(gaps.batch, labels);
        if (reply) {
            record(*reply, std::move(labels));
        }
        co_return reply;
    }

    model::ModelFeatures features(const model::ModelRef& model) const override {
        return inner_.features(model);
    }

    model::EndpointFacts endpoint(const model::ModelRef& model) const override {
        return inner_.endpoint(model);
    }

private:
    void record(const model::ChatReply& reply, std::vector<trace::Label> labels) {
        if (!reply.response_model.empty()) {
            labels.push_back({names::kGenAiResponseModel, reply.response_model});
        }
        instruments_.time_to_first_chunk.record(reply.usage.time_to_first_token, labels);
        labels.push_back({names::kGenAiTokenType, std::string_view("input")});
        instruments_.token_usage.record(static_cast<double>(reply.usage.prompt_tokens), labels);
        labels.back().value = std::string_view("output");
        instruments_.token_usage.record(static_cast<double>(reply.usage.completion_tokens), labels);
    }

    model::ChatModel& inner_;
    Instruments& instruments_;
};

class MeasuredTool final : public tools::Tool {
public:
    MeasuredTool(std::unique_ptr<const tools::Tool> inner, trace::Instrument& duration)
        : inner_(std::move(inner)), duration_(duration) {}

    const tools::ToolDescription& description() const noexcept override {
        return inner_->description();
    }

    Task<Result<tools::ToolReply>> invoke(json::object arguments, const tools::ToolContext& context)
        const override {
        trace::CallTimer timer(duration_, {{names::kGenAiToolName, description().ref.tool}});
        auto reply = co_await inner_->invoke(std::move(arguments), context);
        timer.finish(reply);
        co_return reply;
    }

private:
    std::unique_ptr<const tools::Tool> inner_;
    trace::Instrument& duration_;
};

class MeasuredTools final : public tools::ToolProvider {
public:
    MeasuredTools(tools::ToolProvider& inner, trace::Instrument& duration)
        : inner_(inner), duration_(duration) {}

    Result<std::unique_ptr<const tools::Tool>> find(const tools::ToolRef& ref) const override {
        FLOWSPAN_TRY(auto tool, inner_.find(ref));
        if (tool == nullptr) {
            return nullptr;
        }
        return std::make_unique<MeasuredTool>(std::move(tool), duration_);
    }

private:
    tools::ToolProvider& inner_;
    trace::Instrument& duration_;
};

class MeasuredKnowledge final : public knowledge::KnowledgeStore {
public:
    MeasuredKnowledge(knowledge::KnowledgeStore& inner, trace::Instrument& duration)
        : inner_(inner), duration_(duration) {}

    Task<Result<knowledge::Dataset>> create_dataset(std::string name, std::string description)
        override {
        return inner_.create_dataset(std::move(name), std::move(description));
    }

    Task<Result<std::vector<knowledge::Dataset>>> list_datasets() override {
        return inner_.list_datasets();
    }

    Task<Result<knowledge::AddedDocument>> add_document(knowledge::NewDocument document) override {
        return inner_.add_document(std::move(document));
    }

    Task<Result<knowledge::ResolvedDatasets>> resolve(std::vector<std::string> ids) override {
        return inner_.resolve(std::move(ids));
    }

    Task<Result<std::vector<std::string>>> metadata_fields(std::vector<std::string> dataset_ids
    ) override {
        return inner_.metadata_fields(std::move(dataset_ids));
    }

    Task<Result<knowledge::RetrievalReply>> retrieve(knowledge::RetrievalRequest request) override {
        trace::CallTimer timer(
            duration_,
            {{names::kGenAiOperationName, std::string_view("retrieval")},
             {names::kGenAiProviderName, kOwnProvider}}
        );
        auto reply = co_await inner_.retrieve(std::move(request));
        timer.finish(reply);
        co_return reply;
    }

private:
    knowledge::KnowledgeStore& inner_;
    trace::Instrument& duration_;
};

/// Counts rounds and calls by what the agent tells of them.
class StepCounter final : public agent::AgentListener {
public:
    explicit StepCounter(agent::AgentListener& listener) : listener_(listener) {}

    void on_text(std::string_view piece) override { listener_.on_text(piece); }

    void on_log(const agent::AgentLog& log) override {
        if (log.status == "start") {
            ++(log.parent_id.empty() ? rounds : calls);
        }
        listener_.on_log(log);
    }

    int rounds = 0;
    int calls = 0;

private:
    agent::AgentListener& listener_;
};

class MeasuredAgent final : public agent::Agent {
public:
    MeasuredAgent(agent::Agent& inner, Instruments& instruments)
        : inner_(inner), instruments_(instruments) {}

    Task<Result<agent::AgentResult>> run(
        const agent::AgentRequest& request, agent::AgentListener& listener
    ) override {
        const std::vector<trace::Label> labels = {{names::kGenAiAgentName, request.name}};
        StepCounter steps(listener);
        trace::CallTimer timer(instruments_.agent_duration, labels);
        auto result = co_await inner_.run(request, steps);
        timer.finish(result);
        instruments_.agent_inference_calls.record(steps.rounds, labels);
        instruments_.agent_tool_calls.record(steps.calls, labels);
        co_return result;
    }

private:
    agent::Agent& inner_;
    Instruments& instruments_;
};

}  // namespace

std::unique_ptr<model::ChatModel> measure_chat_model(
    model::ChatModel& inner, Instruments& instruments
) {
    return std::make_unique<MeasuredChatModel>(inner, instruments);
}

std::unique_ptr<tools::ToolProvider> measure_tools(
    tools::ToolProvider& inner, Instruments& instruments
) {
    return std::make_unique<MeasuredTools>(inner, instruments.tool_duration);
}

std::unique_ptr<knowledge::KnowledgeStore> measure_knowledge(
    knowledge::KnowledgeStore& inner, Instruments& instruments
) {
    return std::make_unique<MeasuredKnowledge>(inner, instruments.operation_duration);
}

std::unique_ptr<agent::Agent> measure_agent(agent::Agent& inner, Instruments& instruments) {
    return std::make_unique<MeasuredAgent>(inner, instruments);
}

}  // namespace flowspan::observe
