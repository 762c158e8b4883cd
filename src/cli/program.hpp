#pragma once
// The one place where every object is built and plugged together.

#include "cli/config.hpp"
#include "engine/graph.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/engine/layer.hpp"
#include "flowspan/trace/capture_policy.hpp"
#include "flowspan/trace/metrics.hpp"
#include "nodes/file_store.hpp"
#include "service/app_generate_service.hpp"

#include <memory>
#include <vector>

namespace flowspan::cli {

/// A program that can run apps. Construction starts one thread and opens nothing; clients, sandbox
/// and pools start on first use.
class Program {
public:
    /// `policy` says what is recorded of content; `layers` see every run after the built-in ones
    /// and must outlive the program, as must `metrics`; null: nothing is measured.
    explicit Program(
        const Config& config,
        std::vector<engine::Layer*> layers = {},
        trace::CapturePolicy policy = {},
        trace::MetricRegistry* metrics = nullptr
    );
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    [[nodiscard]] async::Runtime& runtime() noexcept;
    [[nodiscard]] service::AppGenerateService& generate_service() noexcept;
    [[nodiscard]] const engine::NodeFactory& factory() const noexcept;
    [[nodiscard]] nodes::FileStore& file_store() noexcept;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// Node kinds for checking files; nothing built from it is ever run.
class OfflineRegistry {
public:
    explicit OfflineRegistry(const Config& config);
    ~OfflineRegistry();
    OfflineRegistry(const OfflineRegistry&) = delete;
    OfflineRegistry& operator=(const OfflineRegistry&) = delete;

    [[nodiscard]] const engine::NodeFactory& factory() const noexcept;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace flowspan::cli
