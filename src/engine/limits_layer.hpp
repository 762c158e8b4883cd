#pragma once
// Stops a run that takes more steps than it may.

#include "flowspan/engine/layer.hpp"

#include <cstdint>

namespace flowspan::engine {

class LimitsLayer final : public Layer {
public:
    explicit LimitsLayer(std::int64_t steps_max) : steps_max_(steps_max) {}

    std::string_view name() const noexcept override { return "limits"; }

    bool wants_chunks() const noexcept override { return false; }

    void on_event(RunView& run, const Event& event) override;

private:
    std::int64_t steps_max_;
};

}  // namespace flowspan::engine
