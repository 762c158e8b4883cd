#include "agent/agent.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::agent {

namespace {

// A bound that no app file goes beyond.
constexpr std::int64_t kRoundsMax = 99;

class RoundsAgent final : public Agent {
public:
    explicit RoundsAgent(AgentRound& round) : round_(round) {}

    Task<Result<AgentResult>> run(const AgentRequest& request, AgentListener& listener) override {
        AgentState state{request, listener};
        add_first_messages(state);
        const auto rounds = std::clamp<std::int64_t>(request.rounds_max, 1, kRoundsMax) + 1;
        for (; state.round <= rounds; ++state.round) {
            state.is_last_round = state.round == rounds;
            state.result.rounds = state.round;
            FLOWSPAN_CO_TRY(const bool is_done, co_await round_.run(state));
            if (is_done) {
                co_return std::move(state.result);
            }
        }
        co_return failure(
            ErrorCode::limit_exceeded,
            fmt::format("the model still asked for a tool after {} rounds", rounds)
        );
    }

private:
    static void add_first_messages(AgentState& state) {
        const auto& request = state.request;
        if (request.strategy == Strategy::function_calling && !request.instruction.empty()) {
            state.messages.push_back({.role = "system", .text = request.instruction});
        }
        state.messages.insert(state.messages.end(), request.history.begin(), request.history.end());
        state.messages.push_back({.role = "user", .text = request.query});
    }

    AgentRound& round_;
};

}  // namespace

std::optional<Strategy> parse_strategy(std::string_view name) {
    const auto word = to_lower_ascii(name);
    const auto has = [&](std::string_view part) { return word.find(part) != std::string::npos; };
    if (has("function_call") || has("function-call") || has("function call")) {
        return Strategy::function_calling;
    }
    if (has("react") || word == "cot") {
        return Strategy::react;
    }
    return std::nullopt;
}

std::unique_ptr<Agent> make_agent(AgentRound& round) {
    return std::make_unique<RoundsAgent>(round);
}

}  // namespace flowspan::agent
