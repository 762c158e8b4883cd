#include "model_server/raw_server.hpp"

#include "flowspan/base/error.hpp"
#include "model_server/request.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace flowspan::model_server {

namespace {

int listen_anywhere(std::uint16_t& port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const bool is_ready =
        bind(fd, generic, size) == 0 && listen(fd, 16) == 0 && getsockname(fd, generic, &size) == 0;
    FLOWSPAN_ASSERT(is_ready, "no loopback port is free");
    port = ntohs(address.sin_port);
    return fd;
}

}  // namespace

std::string RawConnection::read_request() {
    std::string bytes;
    std::array<char, 4096> buffer;
    ReadRequest read;
    while (model_server::read_request(bytes, read) != ReadState::complete) {
        const auto size = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (size <= 0) {
            return {};
        }
        bytes.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return bytes;
}

void RawConnection::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (written <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string RawConnection::read_to_end() {
    std::string bytes;
    std::array<char, 4096> buffer;
    for (;;) {
        const auto size = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (size <= 0) {
            return bytes;
        }
        bytes.append(buffer.data(), static_cast<std::size_t>(size));
    }
}

void RawConnection::reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

RawServer::RawServer(std::function<void(RawConnection&)> serve)
    : serve_(std::move(serve)), listener_(listen_anywhere(port_)), thread_([this] { run(); }) {}

RawServer::~RawServer() {
    // Wakes the accept() of the thread.
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
}

std::string RawServer::url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
}

void RawServer::run() {
    for (;;) {
        const int fd = ::accept(listener_, nullptr, nullptr);
        if (fd < 0) {
            return;
        }
        RawConnection connection(fd);
        serve_(connection);
        ::close(fd);
    }
}

std::uint16_t closed_port() {
    std::uint16_t port = 0;
    ::close(listen_anywhere(port));
    return port;
}

}  // namespace flowspan::model_server
