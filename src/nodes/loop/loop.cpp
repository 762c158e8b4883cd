// Runs its children again and again, with variables that go from round to round.

#include "flowspan/value/condition.hpp"
#include "nodes/container_mark.hpp"
#include "nodes/loop/loop_state.hpp"
#include "nodes/loop/loop_variables.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::loop {

namespace {

// Rounds beyond this are refused when the app is loaded; a run's own step limit is far lower.
constexpr std::int64_t kRoundsMax = 100'000;

struct Config {
    std::int64_t rounds_max = 1;
    value::LogicalOperator logical_operator = value::LogicalOperator::and_;
    std::vector<value::Condition> break_conditions;
    std::vector<LoopVariable> variables;
};

/// One execution; lives in the frame of execute().
class LoopRun final : public engine::StateKeeper {
public:
    LoopRun(engine::NodeContext& context, const Config& config)
        : context_(context), config_(config) {}

    Task<Result<engine::NodeOutcome>> run() {
        if (auto begun = begin(); !begun) {
            co_return fail_bare(context_, std::move(begun).error());
        }
        context_.keep_state(*this);
        if (is_broken_from_the_start()) {
            keep_initial_variables();
            report(engine::ContainerEvent::succeeded, "loop_break", 0);
            co_return engine::NodeOutcome();
        }
        while (state_.round < config_.rounds_max && !state_.is_broken) {
            if (auto ended = co_await run_round(); !ended) {
                error_text_ = ended.error().full_text();
                context_.record().metadata = take_metadata();
                report(engine::ContainerEvent::failed, "error", config_.rounds_max);
                co_return failure(std::move(ended).error());
            }
        }
        context_.record().metadata = take_metadata();
        report(
            engine::ContainerEvent::succeeded,
            state_.is_broken ? "loop_break" : "loop_completed",
            config_.rounds_max
        );
        engine::NodeOutcome outcome;
        for (const auto& output : state_.outputs) {
            outcome.outputs.push_back({std::string(output.key()), value::Value(output.value())});
        }
        co_return outcome;
    }

    json::object save_state() const override { return write_json(state_).as_object(); }

private:
    /// From the beginning, or from where an interrupted execution of this node stood.
    Result<void> begin() {
        if (const auto* kept = context_.kept_state()) {
            if (auto read = read_json(*kept, state_); !read) {
                return failure(std::move(read).error().while_doing("going on with a loop"));
            }
            context_.record().inputs = state_.inputs;
            return is_before_first_round() ? prepare() : Result<void>();
        }
        if (auto prepared = prepare(); !prepared) {
            return prepared;
        }
        state_.inputs = context_.record().inputs;
        context_.report_container(
            engine::ContainerEvent::started,
            0,
            {{"inputs", state_.inputs}, {"metadata", {{"loop_length", config_.rounds_max}}}}
        );
        return {};
    }

    Result<void> prepare() {
        auto& inputs = context_.record().inputs;
        inputs["loop_count"] = config_.rounds_max;
        for (const auto& variable : config_.variables) {
            FLOWSPAN_TRY(auto value, initial_value(context_, variable));
            inputs[variable.label] = for_record(value);
            initial_.push_back({variable.label, std::move(value)});
        }
        return {};
    }

    [[nodiscard]] bool is_before_first_round() const noexcept {
        return state_.round == 0 && !state_.is_round_open;
    }

    // Errors do not count yet: conditions may name what only a round brings about.
    [[nodiscard]] bool is_broken_from_the_start() const {
        if (!is_before_first_round()) {
            return false;
        }
        auto pool = context_.variables();
        for (const auto& [label, value] : initial_) {
            pool.set(context_.node_id(), label, value);
        }
        return is_break_reached(pool).value_or(false);
    }

    // No frame brings them into the pool, yet later nodes may read them.
    void keep_initial_variables() {
        for (auto& [label, value] : std::exchange(initial_, {})) {
            context_.update_variable(context_.node_id(), label, std::move(value));
        }
    }

    [[nodiscard]] Result<bool> is_break_reached(const value::VariablePool& pool) const {
        if (config_.break_conditions.empty()) {
            return false;
        }
        FLOWSPAN_TRY(
            const auto outcome,
            value::evaluate_conditions(pool, config_.break_conditions, config_.logical_operator)
        );
        return outcome.is_met;
    }

    void announce_round() {
        if (state_.round > 0) {
            context_.report_container(
                engine::ContainerEvent::next, state_.round, {{"pre_loop_output", state_.outputs}}
            );
        }
        context_.erase_child_outputs();
    }

    Task<Result<void>> run_round() {
        if (!state_.is_round_open) {
            announce_round();
        }
        state_.is_round_open = true;
        engine::FrameRequest request;
        request.index_name = "loop";
        request.index = state_.round;
        request.shares_variables = true;
        request.merges_outputs = true;
        request.variables = std::exchange(initial_, {});
        const auto frame = co_await context_.run_frame(std::move(request));
        co_return conclude_round(frame);
    }

    Result<void> conclude_round(const engine::FrameResult& frame) {
        state_.durations[std::to_string(state_.round)] = frame.elapsed;
        state_.prompt_tokens += frame.usage.prompt_tokens;
        state_.completion_tokens += frame.usage.completion_tokens;
        state_.total_price += frame.usage.total_price;
        if (frame.error) {
            return failure(
                Error(*frame.error).while_doing(fmt::format("running round {}", state_.round))
            );
        }
        if (auto collected = collect(frame.variables); !collected) {
            return collected;
        }
        if (frame.has_reached_loop_end) {
            state_.is_broken = true;
        } else {
            FLOWSPAN_TRY(state_.is_broken, is_break_reached(frame.variables));
        }
        ++state_.round;
        state_.is_round_open = false;
        return {};
    }

    Result<void> collect(const value::VariablePool& pool) {
        json::object values;
        for (const auto& variable : config_.variables) {
            const auto* value = pool.find(context_.node_id(), variable.label);
            if (value == nullptr) {
                return failure(
                    ErrorCode::not_found, fmt::format("loop variable {} is missing", variable.label)
                );
            }
            values[variable.label] = value->json();
        }
        state_.round_values[std::to_string(state_.round)] = values;
        state_.outputs = std::move(values);
        state_.outputs["loop_round"] = state_.round + 1;
        return {};
    }

    // Called once, at the end: there is an entry for every round.
    [[nodiscard]] json::object take_metadata() {
        json::object metadata;
        metadata["total_tokens"] = state_.prompt_tokens + state_.completion_tokens;
        metadata["total_price"] = state_.total_price;
        metadata["currency"] = state_.currency;
        metadata["loop_duration_map"] = std::move(state_.durations);
        metadata["loop_variable_map"] = std::move(state_.round_values);
        return metadata;
    }

    // What the event tells is lent to it: the metadata of many rounds is large.
    void report(engine::ContainerEvent event, std::string_view reason, std::int64_t steps) {
        auto& record = context_.record();
        json::object facts;
        facts["inputs"] = std::move(record.inputs);
        facts["outputs"] = state_.outputs;
        auto& metadata = facts["metadata"].emplace_object();
        metadata = std::move(record.metadata);
        metadata["completed_reason"] = reason;
        facts["steps"] = steps;
        if (!error_text_.empty()) {
            facts["error"] = error_text_;
        }
        context_.report_container(event, 0, facts);
        record.inputs = std::move(facts["inputs"].get_object());
        record.metadata = std::move(facts["metadata"].get_object());
        record.metadata.erase("completed_reason");
    }

    engine::NodeContext& context_;
    const Config& config_;
    std::vector<engine::NodeOutput> initial_;
    LoopState state_;
    std::string error_text_;
};

class LoopNode final : public engine::Node {
public:
    explicit LoopNode(Config config) : config_(std::move(config)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        LoopRun run(context, config_);
        co_return co_await run.run();
    }

private:
    Config config_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    (void)reader.required_text("start_node_id");
    config.rounds_max = reader.required_integer("loop_count");
    if (reader.has("loop_count") && (config.rounds_max < 1 || config.rounds_max > kRoundsMax)) {
        reader.report("loop_count", fmt::format("must be from 1 to {}", kRoundsMax));
    }
    config.logical_operator = reader.logical_operator("logical_operator");
    config.break_conditions = reader.conditions("break_conditions");
    config.variables = read_loop_variables(reader, "loop_variables");
    return reader.is_valid() ? std::make_unique<LoopNode>(std::move(config)) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "loop",
        .description = "Runs its children again and again until a condition holds.",
        .traits = {.shape = engine::NodeShape::container},
        .config =
            {{"start_node_id", "text", "The child that each round begins with.", true},
             {"loop_count", "number", "How many rounds at most.", true},
             {"break_conditions", "list of conditions", "What ends the loop after a round."},
             {"logical_operator", "and or or", "How the conditions combine."},
             {"loop_variables",
              "list of {label, var_type, value_type, value}",
              "What goes from round to round; children write it with an assigner."}},
        .build = build,
        .companions =
            {{.type = "loop-start",
              .description = "Where the children of a loop begin.",
              .traits = {.is_hidden = true},
              .build = build_container_mark},
             {.type = "loop-end",
              .description = "Ends the loop after the round in which it is reached.",
              .build = build_container_mark}},
    };
}

}  // namespace flowspan::nodes::loop
