// Without tracing, observing costs no memory. This program counts every allocation.

#include "flowspan/async/runtime.hpp"
#include "observe/observability_layer.hpp"
#include "observe/testing/quiet_run.hpp"
#include "observe/traced_chat_model.hpp"
#include "observe/traced_search_models.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

namespace {

std::atomic<std::size_t> allocation_count{0};

}  // namespace

void* operator new(std::size_t size) {
    allocation_count.fetch_add(1, std::memory_order_relaxed);
    void* memory = std::malloc(size);
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}

void operator delete(void* memory) noexcept {
    // The analyzer takes the operators for those that they replace.
    std::free(memory);  // NOLINT(clang-analyzer-cplusplus.NewDelete)
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);  // NOLINT(clang-analyzer-cplusplus.NewDelete)
}

namespace flowspan::observe {
namespace {

/// Allocations of `count` calls, after one that may fill caches.
template <class Call>
std::size_t allocations_of(int count, Call call) {
    call();
    const auto before = allocation_count.load();
    for (int i = 0; i < count; ++i) {
        call();
    }
    return allocation_count.load() - before;
}

TEST(Off, TheCountCounts) {
    EXPECT_EQ(allocations_of(3, [] { std::make_unique<int>(1); }), 3U);
}

TEST(Off, HooksOfTheLayerAllocateNothing) {
    const trace::CapturePolicy policy;
    ObservabilityLayer layer(policy);
    QuietRun run;
    const engine::ContainerPosition top;
    engine::NodeRun node;
    node.node_id = "n";
    node.node_type = "work";
    node.container = &top;
    engine::NodeResult result;
    result.status = engine::NodeStatus::succeeded;
    const auto allocations = allocations_of(10, [&] {
        layer.on_graph_start(run);
        layer.on_node_run_start(run, node);
        layer.on_event(run, engine::NodeRunSucceeded{&node, &result});
        layer.on_node_run_end(run, node, nullptr);
        layer.on_graph_end(run, nullptr);
    });
    EXPECT_EQ(allocations, 0U);
    EXPECT_EQ(layer.counts(), LayerCounts());
}

class EmptyModel final : public model::ChatModel, public model::RerankModel {
public:
    Task<Result<model::ChatReply>> chat(const model::ChatRequest&, model::ChatListener&) override {
        co_return model::ChatReply();
    }

    Task<Result<model::RerankReply>> rerank(const model::RerankRequest&) override {
        co_return model::RerankReply();
    }

    model::ModelFeatures features(const model::ModelRef&) const override { return {}; }

    bool has_endpoint(const model::ModelRef&) const override { return true; }

    model::EndpointFacts endpoint(const model::ModelRef&) const override { return {}; }
};

class NobodyListens final : public model::ChatListener {
public:
    void on_text(std::string_view /*piece*/) override {}
};

Task<std::size_t> chat_ten_times(model::ChatModel* model, const model::ChatRequest* request) {
    NobodyListens listener;
    static_cast<void>(co_await model->chat(*request, listener));
    const auto before = allocation_count.load();
    for (int i = 0; i < 10; ++i) {
        static_cast<void>(co_await model->chat(*request, listener));
    }
    co_return allocation_count.load() - before;
}

Task<std::size_t> rerank_ten_times(model::RerankModel* model, const model::RerankRequest* request) {
    static_cast<void>(co_await model->rerank(*request));
    const auto before = allocation_count.load();
    for (int i = 0; i < 10; ++i) {
        static_cast<void>(co_await model->rerank(*request));
    }
    co_return allocation_count.load() - before;
}

TEST(Off, TracedCallsAllocateNoMoreThanPlainOnes) {
    const trace::CapturePolicy policy;
    EmptyModel plain;
    const auto traced_chat = trace_chat_model(plain, policy);
    const auto traced_rerank = trace_rerank_model(plain, policy);
    const model::ChatRequest chat{.model = {"openai", "a model with a long name, never looked at"}};
    const model::RerankRequest rerank{{"jina", "a model with a long name"}, "why?", {"a"}, 1};
    async::Runtime runtime;
    const auto executor = runtime.next_executor();
    EXPECT_EQ(
        runtime.block_on(executor, chat_ten_times, traced_chat.get(), &chat),
        runtime.block_on(executor, chat_ten_times, static_cast<model::ChatModel*>(&plain), &chat)
    );
    EXPECT_EQ(
        runtime.block_on(executor, rerank_ten_times, traced_rerank.get(), &rerank),
        runtime.block_on(
            executor, rerank_ten_times, static_cast<model::RerankModel*>(&plain), &rerank
        )
    );
}

}  // namespace
}  // namespace flowspan::observe
