// Runs its children once for each item of a list, one after another or several at a time.

#include "flowspan/async/task_group.hpp"
#include "nodes/container_mark.hpp"
#include "nodes/iteration/iteration_state.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::iteration {

namespace {

enum class ErrorMode : std::uint8_t { terminated, continue_on_error, remove_abnormal_output };

struct Config {
    value::Selector iterator;
    value::Selector output;
    std::int64_t parallel_max = 1;
    ErrorMode error_mode = ErrorMode::terminated;
    bool should_flatten = true;
};

/// One execution; lives in the frame of execute() and outlives the tasks that work for it.
class IterationRun final : public engine::StateKeeper {
public:
    /// `list` is a list.
    IterationRun(engine::NodeContext& context, const Config& config, value::Value list)
        : context_(context),
          config_(config),
          list_(std::move(list)),
          items_(list_.json().get_array()),
          results_(items_.size()) {}

    json::object save_state() const override {
        IterationState state;
        state.items = items_;
        state.next = static_cast<std::int64_t>(next_);
        state.open.assign(interrupted_.begin(), interrupted_.end());
        state.open.insert(state.open.end(), open_.begin(), open_.end());
        for (std::size_t i = 0; i < results_.size(); ++i) {
            if (results_[i]) {
                state.results.push_back({static_cast<std::int64_t>(i), json::array{*results_[i]}});
            }
        }
        for (const auto& [index, seconds] : durations_) {
            state.durations.push_back({static_cast<std::int64_t>(index), seconds});
        }
        state.prompt_tokens = usage_.prompt_tokens;
        state.completion_tokens = usage_.completion_tokens;
        state.total_price = usage_.total_price;
        state.error = error_;
        return write_json(state).as_object();
    }

    /// Goes on from there. Errors: `invalid_input` for a state that no iteration has kept.
    Result<void> restore(IterationState state) {
        const auto count = static_cast<std::int64_t>(items_.size());
        const auto is_item = [count](std::int64_t item) { return item >= 0 && item < count; };
        if (!is_item(state.next - 1) && state.next != 0) {
            return failure(ErrorCode::invalid_input, "`next` is no item of the list");
        }
        next_ = static_cast<std::size_t>(state.next);
        if (!std::ranges::all_of(state.open, is_item)) {
            return failure(ErrorCode::invalid_input, "`open` names what is no item of the list");
        }
        interrupted_.assign(state.open.begin(), state.open.end());
        for (auto& result : state.results) {
            if (!is_item(result.item) || result.value.size() != 1) {
                return failure(ErrorCode::invalid_input, "`results` do not fit the list");
            }
            results_[static_cast<std::size_t>(result.item)] = std::move(result.value[0]);
        }
        for (const auto& duration : state.durations) {
            durations_.emplace_back(duration.item, duration.seconds);
        }
        usage_.prompt_tokens = state.prompt_tokens;
        usage_.completion_tokens = state.completion_tokens;
        usage_.total_price = state.total_price;
        error_ = std::move(state.error);
        return {};
    }

    Task<void> run() {
        const auto workers = std::min(
            static_cast<std::size_t>(std::max<std::int64_t>(config_.parallel_max, 1)), items_.size()
        );
        if (workers <= 1) {
            co_await work(this);
            co_return;
        }
        async::TaskGroup group(co_await async::this_executor());
        for (std::size_t i = 0; i < workers; ++i) {
            group.spawn(&IterationRun::work, this);
        }
        co_await group.join();
    }

    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

    /// What the items gave; they are gone afterwards, as there may be a lot of it.
    [[nodiscard]] json::array take_outputs() {
        json::array outputs;
        outputs.reserve(results_.size());
        for (auto& result : results_) {
            if (result) {
                outputs.push_back(std::move(*result));
            }
        }
        if (config_.should_flatten) {
            return flatten(std::move(outputs));
        }
        return outputs;
    }

    [[nodiscard]] json::object metadata() const {
        json::object durations;
        for (const auto& [index, seconds] : durations_) {
            durations[std::to_string(index)] = seconds;
        }
        return {
            {"total_tokens", usage_.total_tokens()},
            {"total_price", usage_.total_price},
            {"currency", usage_.currency},
            {"iteration_duration_map", std::move(durations)},
        };
    }

private:
    // Takes items in order until none is left, or until one has failed and that ends it all.
    static Task<void> work(IterationRun* run) {
        while (const auto item = run->take_item()) {
            co_await run->run_item(*item);
        }
    }

    std::optional<std::size_t> take_item() {
        if (!interrupted_.empty()) {
            const auto item = interrupted_.front();
            interrupted_.erase(interrupted_.begin());
            open_.push_back(item);
            return item;
        }
        if (next_ >= items_.size() || has_ended_early()) {
            return std::nullopt;
        }
        const auto item = next_++;
        open_.push_back(item);
        context_.report_container(
            engine::ContainerEvent::next, static_cast<std::int64_t>(item), {}
        );
        return item;
    }

    [[nodiscard]] bool has_ended_early() const noexcept {
        return error_ && config_.error_mode == ErrorMode::terminated;
    }

    Task<void> run_item(std::size_t index) {
        const auto number = static_cast<std::int64_t>(index);
        engine::FrameRequest request;
        request.index_name = "iteration";
        request.index = number;
        request.merges_outputs = index + 1 == items_.size();
        request.variables.push_back({"index", value::Value::integer(number)});
        request.variables.push_back({"item", list_.part(items_[index])});
        auto frame = co_await context_.run_frame(std::move(request));
        std::erase(open_, index);
        durations_.emplace_back(index, frame.elapsed);
        usage_.prompt_tokens += frame.usage.prompt_tokens;
        usage_.completion_tokens += frame.usage.completion_tokens;
        usage_.total_price += frame.usage.total_price;
        if (!frame.error) {
            const auto value = frame.variables.find(config_.output);
            results_[index] = value ? value->json() : json::value();
            co_return;
        }
        if (config_.error_mode == ErrorMode::continue_on_error) {
            results_[index] = json::value();
        }
        if (!error_) {
            error_ = std::move(*frame.error).while_doing(fmt::format("running item {}", number));
        }
    }

    static json::array flatten(json::array outputs) {
        bool has_list = false;
        for (const auto& output : outputs) {
            if (!output.is_null() && !output.is_array()) {
                return outputs;
            }
            has_list |= output.is_array();
        }
        if (!has_list) {
            return outputs;
        }
        json::array flat;
        for (auto& output : outputs) {
            if (auto* list = output.if_array()) {
                std::ranges::move(*list, std::back_inserter(flat));
            }
        }
        return flat;
    }

    engine::NodeContext& context_;
    const Config& config_;
    value::Value list_;
    const json::array& items_;
    std::size_t next_ = 0;
    std::vector<std::size_t> open_;
    std::vector<std::size_t> interrupted_;  ///< open when an earlier process left the run
    std::vector<std::optional<json::value>> results_;
    std::vector<std::pair<std::size_t, double>> durations_;
    engine::ModelFacts usage_;
    std::optional<Error> error_;
};

class IterationNode final : public engine::Node {
public:
    explicit IterationNode(Config config) : config_(std::move(config)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        if (const auto* kept = context.kept_state()) {
            co_return co_await go_on(context, *kept);
        }
        const auto iterator = context.variables().find(config_.iterator);
        if (!iterator) {
            co_return fail_bare(
                context,
                ErrorCode::not_found,
                fmt::format("iterator variable {} not found", selector_text(config_.iterator))
            );
        }
        if (!iterator->is_none() && !iterator->json().is_array()) {
            co_return fail_bare(
                context,
                Error(
                    ErrorCode::type_mismatch,
                    fmt::format(
                        "invalid iterator value: {}, please provide a list.",
                        value::to_string(iterator->type())
                    )
                )
            );
        }
        const auto list = iterator->is_none() ? value::Value(json::array()) : *iterator;
        const auto count = list.json().get_array().size();
        context.record().inputs["iterator_selector"] = list.json();
        announce(context, count);
        if (count == 0) {
            co_return conclude_empty(context, list);
        }
        IterationRun run(context, config_, list);
        context.keep_state(run);
        co_await run.run();
        co_return conclude(context, run, count);
    }

private:
    Task<Result<engine::NodeOutcome>> go_on(engine::NodeContext& context, const json::object& kept)
        const {
        IterationState state;
        if (auto read = read_json(kept, state); !read) {
            co_return failure(std::move(read).error().while_doing("going on with an iteration"));
        }
        context.record().inputs["iterator_selector"] = state.items;
        const auto count = state.items.size();
        IterationRun run(context, config_, value::Value(std::move(state.items)));
        if (auto restored = run.restore(std::move(state)); !restored) {
            co_return failure(std::move(restored).error().while_doing("going on with an iteration")
            );
        }
        context.keep_state(run);
        co_await run.run();
        co_return conclude(context, run, count);
    }

    static void announce(engine::NodeContext& context, std::size_t count) {
        auto& inputs = context.record().inputs;
        json::object facts;
        facts["inputs"] = std::move(inputs);
        facts["metadata"] = json::object{{"iteration_length", count}};
        context.report_container(engine::ContainerEvent::started, 0, facts);
        inputs = std::move(facts["inputs"].get_object());
    }

    static engine::NodeOutcome conclude_empty(
        engine::NodeContext& context, const value::Value& list
    ) {
        json::array output;
        report_end(context, engine::ContainerEvent::succeeded, output, {{"steps", 0}});
        engine::NodeOutcome outcome;
        outcome.outputs.push_back({"output", list});
        return outcome;
    }

    Result<engine::NodeOutcome> conclude(
        engine::NodeContext& context, IterationRun& run, std::size_t steps
    ) const {
        context.record().metadata = run.metadata();
        auto output = run.take_outputs();
        if (run.error() && config_.error_mode == ErrorMode::terminated) {
            report_end(
                context,
                engine::ContainerEvent::failed,
                output,
                {{"steps", steps}, {"error", run.error()->full_text()}}
            );
            return failure(*run.error());
        }
        report_end(context, engine::ContainerEvent::succeeded, output, {{"steps", steps}});
        engine::NodeOutcome outcome;
        outcome.outputs.push_back({"output", value::Value(std::move(output))});
        return outcome;
    }

    // What the event tells is lent to it: lists and records may be large.
    static void report_end(
        engine::NodeContext& context,
        engine::ContainerEvent event,
        json::array& output,
        const json::object& more
    ) {
        auto& record = context.record();
        json::object facts;
        facts["inputs"] = std::move(record.inputs);
        auto& outputs = facts["outputs"].emplace_object();
        outputs["output"] = std::move(output);
        facts["metadata"] = std::move(record.metadata);
        for (const auto& [key, value] : more) {
            facts[key] = value;
        }
        context.report_container(event, 0, facts);
        record.inputs = std::move(facts["inputs"].get_object());
        record.metadata = std::move(facts["metadata"].get_object());
        output = std::move(facts["outputs"].get_object()["output"].get_array());
    }

    Config config_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    (void)reader.required_text("start_node_id");
    config.iterator = reader.required_selector("iterator_selector");
    config.output = reader.required_selector("output_selector");
    const auto parallel_max = reader.integer("parallel_nums", 10);
    config.parallel_max = reader.boolean("is_parallel", false) ? parallel_max : 1;
    config.error_mode = reader.enumeration(
        "error_handle_mode",
        {{"terminated", ErrorMode::terminated},
         {"continue-on-error", ErrorMode::continue_on_error},
         {"remove-abnormal-output", ErrorMode::remove_abnormal_output}},
        ErrorMode::terminated
    );
    config.should_flatten = reader.boolean("flatten_output", true);
    return reader.is_valid() ? std::make_unique<IterationNode>(std::move(config)) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "iteration",
        .description = "Runs its children once for each item of a list.",
        .traits = {.shape = engine::NodeShape::container},
        .config =
            {{"start_node_id", "text", "The child that each round begins with.", true},
             {"iterator_selector", "selector", "The list.", true},
             {"output_selector", "selector", "What a round gives; null if it has no value.", true},
             {"is_parallel", "bool", "Whether several items are worked on at a time."},
             {"parallel_nums", "number", "How many, at most; 10 by default."},
             {"error_handle_mode",
              "terminated, continue-on-error or remove-abnormal-output",
              "What a failed item means for the others."},
             {"flatten_output", "bool", "Whether lists become one list; true by default."}},
        .build = build,
        .companions =
            {{.type = "iteration-start",
              .description = "Where the children of an iteration begin.",
              .traits = {.is_hidden = true},
              .build = build_container_mark}},
    };
}

}  // namespace flowspan::nodes::iteration
