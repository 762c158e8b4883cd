#pragma once
// One thread of the scripted server: its own listening socket, epoll set and timing wheel.

#include "model_server/reply.hpp"
#include "model_server/request.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::model_server {

/// Decides what a request gets; called by all workers, so it must be thread-safe.
class Responder {
public:
    virtual ~Responder() = default;
    [[nodiscard]] virtual std::shared_ptr<const Reply> respond(const Request& request) = 0;

    /// The client closed a connection before its reply had been sent.
    virtual void on_aborted() = 0;
    virtual void on_accepted() = 0;
    virtual void on_closed() = 0;
};

class Worker {
public:
    /// Takes over `listener`, a non-blocking listening socket.
    Worker(Responder& responder, int listener);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Serves until stop(), which any thread may call.
    void run();
    void stop();

private:
    struct Connection;
    // One slot a millisecond; what is due later is put back when its slot comes by.
    static constexpr std::size_t kWheelSlots = 4096;

    struct Due {
        int fd;
        std::uint32_t generation;
        std::int64_t at_ms;
    };

    void accept_all();
    void read_from(Connection& connection);
    void take_request(Connection& connection);
    void advance(Connection& connection);
    bool write_due(Connection& connection, std::size_t end);
    void schedule(const Connection& connection, std::int64_t due_us);
    void run_due();
    [[nodiscard]] int wait_ms() const;
    void watch(Connection& connection, bool is_writing);
    void close(Connection& connection);

    Responder& responder_;
    int listener_;
    int epoll_;
    int wake_;
    std::atomic<bool> is_stopping_ = false;
    std::uint32_t next_generation_ = 1;
    std::int64_t now_us_ = 0;
    std::int64_t wheel_ms_ = 0;
    std::size_t scheduled_ = 0;
    std::array<std::vector<Due>, kWheelSlots> wheel_;
    std::vector<Due> due_now_;
    std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
};

}  // namespace flowspan::model_server
