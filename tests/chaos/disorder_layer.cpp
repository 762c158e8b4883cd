#include "tests/chaos/disorder_layer.hpp"

#include "flowspan/base/clock.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::chaos {

namespace {

/// A run whose slot is the inner layer's.
class InnerView final : public engine::RunView {
public:
    explicit InnerView(engine::RunView& run, std::shared_ptr<void>& inner_slot)
        : run_(run), slot_(inner_slot) {}

    const engine::RunInfo& info() const noexcept override { return run_.info(); }

    const value::VariablePool& variables() const noexcept override { return run_.variables(); }

    std::int64_t step_count() const noexcept override { return run_.step_count(); }

    std::int64_t total_tokens() const noexcept override { return run_.total_tokens(); }

    double total_price() const noexcept override { return run_.total_price(); }

    SteadyTime started_at() const noexcept override { return run_.started_at(); }

    engine::RunStatus status() const noexcept override { return run_.status(); }

    void request_abort(std::string reason) override { run_.request_abort(std::move(reason)); }

    const engine::RunSnapshot* resumed_from() const noexcept override {
        return run_.resumed_from();
    }

    std::shared_ptr<void>& slot(const engine::Layer& /*layer*/) override { return slot_; }

private:
    engine::RunView& run_;
    std::shared_ptr<void>& slot_;
};

/// A result that owns what it points to.
struct HeldResult {
    HeldResult(const engine::NodeRun& the_node, engine::NodeResult the_result)
        : container(*the_node.container), node(the_node), result(std::move(the_result)) {
        node.container = &container;
    }

    engine::ContainerPosition container;
    engine::NodeRun node;
    engine::NodeResult result;
};

struct ResultEvent {
    const engine::NodeRun* node;
    const engine::NodeResult* result;
};

std::optional<ResultEvent> find_result(const engine::Event& event) {
    if (const auto* succeeded = std::get_if<engine::NodeRunSucceeded>(&event)) {
        return ResultEvent{succeeded->node, succeeded->result};
    }
    if (const auto* failed = std::get_if<engine::NodeRunFailed>(&event)) {
        return ResultEvent{failed->node, failed->result};
    }
    if (const auto* handled = std::get_if<engine::NodeRunException>(&event)) {
        return ResultEvent{handled->node, handled->result};
    }
    return std::nullopt;
}

}  // namespace

struct DisorderLayer::PerRun {
    explicit PerRun(std::uint64_t seed) : random(make_seeded_random(seed)) {}

    bool chance(int percent) { return random->next() % 100 < static_cast<std::uint64_t>(percent); }

    std::unique_ptr<Random> random;
    std::shared_ptr<void> inner_slot;  // owners: this, and the inner layer meanwhile
    std::vector<std::unique_ptr<HeldResult>> held;
};

void DisorderLayer::on_graph_start(engine::RunView& run) {
    auto mine = std::make_shared<PerRun>(options_.seed + runs_.fetch_add(1));
    run.slot(*this) = mine;
    InnerView view(run, mine->inner_slot);
    inner_.on_graph_start(view);
}

void DisorderLayer::on_node_run_start(engine::RunView& run, const engine::NodeRun& node) {
    auto& mine = *static_cast<PerRun*>(run.slot(*this).get());
    InnerView view(run, mine.inner_slot);
    inner_.on_node_run_start(view, node);
    if (!node.is_hidden && mine.chance(options_.doubled_percent)) {
        counts_.doubled_starts.fetch_add(1);
        inner_.on_node_run_start(view, node);
    }
}

void DisorderLayer::on_node_run_end(
    engine::RunView& run, const engine::NodeRun& node, const Error* error
) {
    auto& mine = *static_cast<PerRun*>(run.slot(*this).get());
    InnerView view(run, mine.inner_slot);
    inner_.on_node_run_end(view, node, error);
    if (!node.is_hidden && mine.chance(options_.doubled_percent)) {
        counts_.doubled_ends.fetch_add(1);
        inner_.on_node_run_end(view, node, error);
    }
}

void DisorderLayer::on_event(engine::RunView& run, const engine::Event& event) {
    auto& mine = *static_cast<PerRun*>(run.slot(*this).get());
    InnerView view(run, mine.inner_slot);
    const auto result = find_result(event);
    if (!result || result->node->is_hidden) {
        inner_.on_event(view, event);
        return;
    }
    if (mine.chance(options_.lost_percent)) {
        counts_.lost.fetch_add(1);
        return;
    }
    if (mine.chance(options_.late_percent)) {
        counts_.late.fetch_add(1);
        mine.held.push_back(std::make_unique<HeldResult>(*result->node, *result->result));
        return;
    }
    inner_.on_event(view, event);
    if (mine.chance(options_.repeated_percent)) {
        counts_.repeated.fetch_add(1);
        inner_.on_event(view, event);
    }
}

void DisorderLayer::on_graph_end(engine::RunView& run, const Error* error) {
    auto& mine = *static_cast<PerRun*>(run.slot(*this).get());
    InnerView view(run, mine.inner_slot);
    inner_.on_graph_end(view, error);
    for (const auto& held : mine.held) {
        inner_.on_event(view, engine::NodeRunSucceeded{&held->node, &held->result});
    }
}

}  // namespace flowspan::chaos
