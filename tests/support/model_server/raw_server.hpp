#pragma once
// A server for odd behaviour: one connection after another, answered by a function on the socket.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace flowspan::model_server {

/// One accepted connection; blocking.
class RawConnection {
public:
    explicit RawConnection(int fd) : fd_(fd) {}

    /// Reads until a request's head and, by its Content-Length, its body are there. Empty if the
    /// client closed.
    [[nodiscard]] std::string read_request();
    void write(std::string_view bytes);

    /// Blocks until the client closes, and returns what it sent meanwhile.
    std::string read_to_end();

    /// Ends with a reset instead of a regular close.
    void reset();

private:
    int fd_;
};

/// Serves on its own thread until destroyed.
class RawServer {
public:
    explicit RawServer(std::function<void(RawConnection&)> serve);
    ~RawServer();
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    [[nodiscard]] std::string url() const;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    void run();

    std::function<void(RawConnection&)> serve_;
    std::uint16_t port_ = 0;
    int listener_;
    std::jthread thread_;
};

/// A loopback port on which nobody listens.
[[nodiscard]] std::uint16_t closed_port();

}  // namespace flowspan::model_server
