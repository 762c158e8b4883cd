#pragma once
// Serves `/metrics` to a scraper on one machine's own address.

#include "flowspan/base/result.hpp"
#include "flowspan/export/signals_config.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace flowspan::exporting {

/// One request at a time, answered from its own thread; a slow client is cut off after a second.
class ScrapeEndpoint {
public:
    /// `text` gives the reply's body; it is called on the endpoint's thread.
    using Text = std::function<std::string(bool is_openmetrics)>;

    /// Fails if the address cannot be listened on.
    [[nodiscard]] static Result<std::unique_ptr<ScrapeEndpoint>> start(
        const ScrapeConfig& config, Text text
    );

    ~ScrapeEndpoint();
    ScrapeEndpoint(const ScrapeEndpoint&) = delete;
    ScrapeEndpoint& operator=(const ScrapeEndpoint&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    ScrapeEndpoint(int listener, int wake, std::uint16_t port, Text text);
    void serve() const;
    void answer(int connection) const;

    const int listener_;
    const int wake_;  ///< an eventfd that ends the thread
    const std::uint16_t port_;
    const Text text_;
    std::thread thread_;
};

}  // namespace flowspan::exporting
