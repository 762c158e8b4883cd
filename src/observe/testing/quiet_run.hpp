#pragma once
// A run in which nothing happens, for whoever calls the hooks of layers by hand.

#include "flowspan/engine/layer.hpp"

#include <memory>
#include <string>

namespace flowspan::observe {

class QuietRun final : public engine::RunView {
public:
    const engine::RunInfo& info() const noexcept override { return info_; }

    const value::VariablePool& variables() const noexcept override { return variables_; }

    std::int64_t step_count() const noexcept override { return 0; }

    std::int64_t total_tokens() const noexcept override { return 0; }

    double total_price() const noexcept override { return 0; }

    SteadyTime started_at() const noexcept override { return {}; }

    engine::RunStatus status() const noexcept override { return engine::RunStatus::succeeded; }

    void request_abort(std::string /*reason*/) override {}

    std::shared_ptr<void>& slot(const engine::Layer& /*layer*/) override { return slot_; }

private:
    engine::RunInfo info_;
    value::VariablePool variables_;
    std::shared_ptr<void> slot_;
};

}  // namespace flowspan::observe
