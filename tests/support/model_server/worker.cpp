#include "model_server/worker.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/base/error.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace flowspan::model_server {

namespace {

constexpr int kEventsPerWake = 512;

std::int64_t clock_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               real_clock().steady_now().time_since_epoch()
    )
        .count();
}

}  // namespace

struct Worker::Connection {
    int fd = -1;
    std::uint32_t generation = 0;
    bool is_watching_writes = false;
    std::string input;
    std::shared_ptr<const Reply> reply;
    std::int64_t start_us = 0;
    std::size_t sent = 0;
};

Worker::Worker(Responder& responder, int listener)
    : responder_(responder),
      listener_(listener),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    FLOWSPAN_ASSERT(epoll_ >= 0 && wake_ >= 0, "no file descriptor is left");
    for (const int fd : {listener_, wake_}) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
}

Worker::~Worker() {
    for (const auto& connection : connections_) {
        if (connection != nullptr) {
            ::close(connection->fd);
        }
    }
    ::close(listener_);
    ::close(wake_);
    ::close(epoll_);
}

void Worker::stop() {
    is_stopping_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof(one));
}

void Worker::run() {
    std::array<epoll_event, kEventsPerWake> events;
    now_us_ = clock_us();
    wheel_ms_ = now_us_ / 1000;
    while (!is_stopping_) {
        const int count = epoll_wait(epoll_, events.data(), kEventsPerWake, wait_ms());
        now_us_ = clock_us();
        for (int i = 0; i < count; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd == listener_) {
                accept_all();
                continue;
            }
            const auto at = static_cast<std::size_t>(event.data.fd);
            if (at >= connections_.size() || connections_[at] == nullptr) {
                continue;
            }
            if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0U) {
                read_from(*connections_[at]);
            }
            if ((event.events & EPOLLOUT) != 0U && connections_[at] != nullptr) {
                advance(*connections_[at]);
            }
        }
        run_due();
    }
}

void Worker::accept_all() {
    for (;;) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        const auto at = static_cast<std::size_t>(fd);
        if (connections_.size() <= at) {
            connections_.resize(at + 1);
        }
        connections_[at] = std::make_unique<Connection>();
        connections_[at]->fd = fd;
        connections_[at]->generation = next_generation_++;
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
        responder_.on_accepted();
        // The request often comes with the connection.
        read_from(*connections_[at]);
    }
}

void Worker::read_from(Connection& connection) {
    std::array<char, 16384> buffer;
    for (;;) {
        const auto size = ::recv(connection.fd, buffer.data(), buffer.size(), 0);
        if (size > 0) {
            connection.input.append(buffer.data(), static_cast<std::size_t>(size));
            if (static_cast<std::size_t>(size) < buffer.size()) {
                break;
            }
            continue;
        }
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        if (connection.reply != nullptr) {
            responder_.on_aborted();
        }
        close(connection);
        return;
    }
    if (connection.reply == nullptr) {
        take_request(connection);
    }
}

void Worker::take_request(Connection& connection) {
    ReadRequest read;
    switch (read_request(connection.input, read)) {
        case ReadState::partial:
            return;
        case ReadState::expects_continue: {
            static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
            ::send(connection.fd, kContinue.data(), kContinue.size(), MSG_NOSIGNAL);
            return;
        }
        case ReadState::bad:
            close(connection);
            return;
        case ReadState::complete:
            break;
    }
    connection.input.erase(0, read.size);
    if (connection.input.empty()) {
        connection.input.shrink_to_fit();
    }
    connection.reply = responder_.respond(read.request);
    connection.start_us = now_us_;
    connection.sent = 0;
    if (connection.reply != nullptr) {
        advance(connection);
    } else {
        // Never answered: an empty reply that hangs.
        static const auto kSilence = [] {
            auto silence = std::make_shared<Reply>();
            silence->end = Reply::End::hang;
            return silence;
        }();
        connection.reply = kSilence;
    }
}

void Worker::advance(Connection& connection) {
    const Reply& reply = *connection.reply;
    const auto gap_us = reply.gap.count();
    const auto since_us = now_us_ - connection.start_us - reply.first_delay.count();
    std::size_t due_steps = 0;
    if (since_us >= 0) {
        due_steps =
            gap_us > 0 ? static_cast<std::size_t>(since_us / gap_us) + 1 : reply.ends.size();
    }
    due_steps = std::min(due_steps, reply.ends.size());
    if (due_steps > 0 && !write_due(connection, reply.ends[due_steps - 1])) {
        return;
    }
    if (due_steps < reply.ends.size()) {
        schedule(
            connection,
            connection.start_us + reply.first_delay.count() +
                gap_us * static_cast<std::int64_t>(due_steps)
        );
        return;
    }
    if (reply.end == Reply::End::hang) {
        return;
    }
    if (reply.end == Reply::End::close) {
        close(connection);
        return;
    }
    connection.reply = nullptr;
    if (!connection.input.empty()) {
        take_request(connection);
    }
}

bool Worker::write_due(Connection& connection, std::size_t end) {
    const Reply& reply = *connection.reply;
    while (connection.sent < end) {
        const auto left = end - connection.sent;
        const auto size = reply.slice == 0 ? left : std::min(left, reply.slice);
        const auto written =
            ::send(connection.fd, reply.bytes.data() + connection.sent, size, MSG_NOSIGNAL);
        if (written >= 0) {
            connection.sent += static_cast<std::size_t>(written);
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno == EAGAIN) {
            watch(connection, true);
            return false;
        }
        responder_.on_aborted();
        close(connection);
        return false;
    }
    if (connection.is_watching_writes) {
        watch(connection, false);
    }
    return true;
}

void Worker::schedule(const Connection& connection, std::int64_t due_us) {
    // Rounded up: a token is never early.
    const auto at_ms = std::max((due_us + 999) / 1000, wheel_ms_ + 1);
    wheel_[static_cast<std::size_t>(at_ms) % kWheelSlots].push_back(
        {.fd = connection.fd, .generation = connection.generation, .at_ms = at_ms}
    );
    ++scheduled_;
}

void Worker::run_due() {
    const auto now_ms = now_us_ / 1000;
    while (wheel_ms_ < now_ms) {
        ++wheel_ms_;
        auto& slot = wheel_[static_cast<std::size_t>(wheel_ms_) % kWheelSlots];
        if (slot.empty()) {
            continue;
        }
        due_now_.swap(slot);
        for (const auto& due : due_now_) {
            if (due.at_ms > wheel_ms_) {
                slot.push_back(due);
                continue;
            }
            --scheduled_;
            const auto& connection = connections_[static_cast<std::size_t>(due.fd)];
            if (connection != nullptr && connection->generation == due.generation &&
                connection->reply != nullptr) {
                advance(*connection);
            }
        }
        due_now_.clear();
        // A round over thousands of connections takes longer than the slots are apart.
        now_us_ = clock_us();
    }
}

int Worker::wait_ms() const {
    if (scheduled_ == 0) {
        return -1;
    }
    for (std::size_t ahead = 1; ahead <= kWheelSlots; ++ahead) {
        if (!wheel_[(static_cast<std::size_t>(wheel_ms_) + ahead) % kWheelSlots].empty()) {
            const auto at_us = (wheel_ms_ + static_cast<std::int64_t>(ahead)) * 1000;
            return static_cast<int>(std::max<std::int64_t>((at_us - clock_us() + 999) / 1000, 0));
        }
    }
    return -1;
}

void Worker::watch(Connection& connection, bool is_writing) {
    if (connection.is_watching_writes == is_writing) {
        return;
    }
    connection.is_watching_writes = is_writing;
    epoll_event event{};
    event.events = EPOLLIN | (is_writing ? EPOLLOUT : 0U);
    event.data.fd = connection.fd;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void Worker::close(Connection& connection) {
    const int fd = connection.fd;
    ::close(fd);
    connections_[static_cast<std::size_t>(fd)] = nullptr;
    responder_.on_closed();
}

}  // namespace flowspan::model_server
