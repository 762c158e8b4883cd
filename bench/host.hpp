#pragma once
// The program as users run it, inside a bench: every object of `flowspan run`, spans to nowhere.

#include "cli/program.hpp"
#include "flowspan/export/provider.hpp"
#include "service/loaded_app.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace flowspan::bench {

/// Ends the process with a message; a bench that cannot run has no result.
[[noreturn]] void give_up(std::string_view message);

class Host {
public:
    enum class Tracing : std::uint8_t {
        off,
        on,  ///< every span recorded, queued, batched and given to a sink that drops it
    };

    /// `model_url`: base URL of the default endpoint; empty for apps without a model.
    /// `otlp_endpoint`: where spans go instead of nowhere. Only one host at a time can trace.
    explicit Host(
        Tracing tracing, const std::string& model_url = {}, const std::string& otlp_endpoint = {}
    );
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    [[nodiscard]] cli::Program& program() noexcept { return program_; }

    [[nodiscard]] exporting::Telemetry& telemetry() noexcept { return *telemetry_; }

    [[nodiscard]] std::shared_ptr<const service::LoadedApp> load(const std::string& app_text) const;

    /// Runs `app` `count` times, one after the other, on the loop; microseconds each. Gives up if a
    /// run does not succeed.
    double time_runs(const std::shared_ptr<const service::LoadedApp>& app, int count);

private:
    std::unique_ptr<exporting::Telemetry> telemetry_;
    cli::Program program_;
};

/// A request as the service would get it, with fresh copies of everything.
[[nodiscard]] service::GenerateRequest make_request(
    const std::shared_ptr<const service::LoadedApp>& app
);

/// Takes a run's events and keeps only counts.
class CountingSink final : public engine::EventSink {
public:
    void on_event(const engine::Event& event) override;

    [[nodiscard]] std::int64_t chunk_count() const noexcept { return chunks_; }

private:
    std::int64_t chunks_ = 0;
};

}  // namespace flowspan::bench
