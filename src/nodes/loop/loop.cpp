// Runs its children again and again, with variables that go from round to round.

#include "flowspan/value/condition.hpp"
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
class LoopRun {
public:
    LoopRun(engine::NodeContext& context, const Config& config)
        : context_(context), config_(config) {}

    Task<Result<engine::NodeOutcome>> run() {
        if (auto prepared = prepare(); !prepared) {
            co_return fail_bare(context_, std::move(prepared).error());
        }
        context_.report_container(
            engine::ContainerEvent::started,
            0,
            {{"inputs", context_.record().inputs},
             {"metadata", {{"loop_length", config_.rounds_max}}}}
        );
        if (is_broken_from_the_start()) {
            report(engine::ContainerEvent::succeeded, "loop_break", 0);
            co_return engine::NodeOutcome();
        }
        std::string_view reason = "loop_completed";
        for (std::int64_t round = 0; round < config_.rounds_max; ++round) {
            if (round > 0) {
                context_.report_container(
                    engine::ContainerEvent::next, round, {{"pre_loop_output", outputs_}}
                );
            }
            auto ended = co_await run_round(round);
            if (!ended) {
                error_text_ = ended.error().full_text();
                context_.record().metadata = metadata();
                report(engine::ContainerEvent::failed, "error", config_.rounds_max);
                co_return failure(std::move(ended).error());
            }
            if (*ended) {
                reason = "loop_break";
                break;
            }
        }
        context_.record().metadata = metadata();
        report(engine::ContainerEvent::succeeded, reason, config_.rounds_max);
        engine::NodeOutcome outcome;
        for (const auto& output : outputs_) {
            outcome.outputs.push_back({std::string(output.key()), value::Value(output.value())});
        }
        co_return outcome;
    }

private:
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

    // Errors do not count yet: conditions may name what only a round brings about.
    [[nodiscard]] bool is_broken_from_the_start() const {
        auto pool = context_.variables();
        for (const auto& [label, value] : initial_) {
            pool.set(context_.node_id(), label, value);
        }
        return is_break_reached(pool).value_or(false);
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

    /// True if the loop is over after this round.
    Task<Result<bool>> run_round(std::int64_t round) {
        context_.erase_child_outputs();
        engine::FrameRequest request;
        request.index_name = "loop";
        request.index = round;
        request.shares_variables = true;
        request.merges_outputs = true;
        if (round == 0) {
            request.variables = std::move(initial_);
        }
        auto frame = co_await context_.run_frame(std::move(request));
        durations_[std::to_string(round)] = frame.elapsed;
        usage_.prompt_tokens += frame.usage.prompt_tokens;
        usage_.completion_tokens += frame.usage.completion_tokens;
        usage_.total_price += frame.usage.total_price;
        if (frame.error) {
            co_return failure(
                std::move(*frame.error).while_doing(fmt::format("running round {}", round))
            );
        }
        if (auto collected = collect(frame.variables, round); !collected) {
            co_return failure(std::move(collected).error());
        }
        if (frame.has_reached_loop_end) {
            co_return true;
        }
        co_return is_break_reached(frame.variables);
    }

    Result<void> collect(const value::VariablePool& pool, std::int64_t round) {
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
        round_values_[std::to_string(round)] = values;
        outputs_ = std::move(values);
        outputs_["loop_round"] = round + 1;
        return {};
    }

    [[nodiscard]] json::object metadata() const {
        return {
            {"total_tokens", usage_.total_tokens()},
            {"total_price", usage_.total_price},
            {"currency", usage_.currency},
            {"loop_duration_map", durations_},
            {"loop_variable_map", round_values_},
        };
    }

    void report(engine::ContainerEvent event, std::string_view reason, std::int64_t steps) {
        auto details = context_.record().metadata;
        details["completed_reason"] = reason;
        json::object facts = {
            {"inputs", context_.record().inputs},
            {"outputs", outputs_},
            {"metadata", std::move(details)},
            {"steps", steps},
        };
        if (!error_text_.empty()) {
            facts["error"] = error_text_;
        }
        context_.report_container(event, 0, std::move(facts));
    }

    engine::NodeContext& context_;
    const Config& config_;
    std::vector<engine::NodeOutput> initial_;
    json::object outputs_;
    json::object durations_;
    json::object round_values_;
    engine::ModelFacts usage_;
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

/// Where the children begin, or where one of them ends the loop; the engine knows the type.
class LoopMarkNode final : public engine::Node {
public:
    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& /*context*/) const override {
        co_return engine::NodeOutcome();
    }
};

std::unique_ptr<engine::Node> build_mark(
    const dsl::NodeSpec& /*spec*/, const Services& /*services*/, Problems& /*problems*/
) {
    return std::make_unique<LoopMarkNode>();
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
              .build = build_mark},
             {.type = "loop-end",
              .description = "Ends the loop after the round in which it is reached.",
              .build = build_mark}},
    };
}

}  // namespace flowspan::nodes::loop
