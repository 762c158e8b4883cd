#pragma once
// The scripted model server, in this process: for tests, benches and the flowspan_model_server
// program.

#include "model_server/request.hpp"
#include "model_server/script.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace flowspan::model_server {

struct ModelServerConfig {
    std::uint16_t port = 0;  ///< 0: any free one
    int threads = 1;         ///< share the port; the kernel spreads connections over them
    bool should_record = false;
    Script script = {};
};

struct ServerCounts {
    std::int64_t connections = 0;  ///< accepted
    std::int64_t closed = 0;
    std::int64_t requests = 0;
    std::int64_t aborted = 0;  ///< closed by the client before the reply was complete
};

/// Speaks HTTP/1.1 with keep-alive on 127.0.0.1: OpenAI chat and plain completions below any path,
/// `/models`, `/embeddings` and `/rerank` (made of the texts' words), and for HTTP tests `/echo`
/// (the request as JSON), `/status/<code>`, `/bytes/<count>`,
/// `/redirect/<count>` (that many hops, then `/echo`), `/redirect-to?<url>`, `/hang`.
class ModelServer {
public:
    explicit ModelServer(ModelServerConfig config = {});
    ~ModelServer();
    ModelServer(const ModelServer&) = delete;
    ModelServer& operator=(const ModelServer&) = delete;

    /// Binds and starts the threads. Error if the port is taken.
    [[nodiscard]] Result<void> start();

    /// Closes all connections. Also done by the destructor.
    void stop();

    [[nodiscard]] std::uint16_t port() const noexcept;

    /// `http://127.0.0.1:<port>`
    [[nodiscard]] std::string url() const;

    [[nodiscard]] ServerCounts counts() const;

    /// Waits until `is_enough` holds for the counts; false after `limit`.
    [[nodiscard]] bool wait_for(
        const std::function<bool(const ServerCounts&)>& is_enough,
        std::chrono::milliseconds limit = std::chrono::seconds(10)
    ) const;

    /// What came in, oldest first, if recording; at most 1000.
    [[nodiscard]] std::vector<Request> requests() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace flowspan::model_server
