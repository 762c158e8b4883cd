#include "export/scrape_endpoint.hpp"

#include "export/prometheus_text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>

namespace flowspan::exporting {

namespace {

constexpr std::size_t kRequestBytesMax = 8192;

std::string words(int error_number) {
    return std::system_category().message(error_number);
}

Error cannot_serve(const ScrapeConfig& config, int error_number) {
    return {
        ErrorCode::invalid_input,
        fmt::format(
            "metrics cannot be served on {}:{}: {}", config.host, config.port, words(error_number)
        )
    };
}

void send_all(int connection, std::string_view text) {
    while (!text.empty()) {
        const auto sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

// Up to the empty line; a GET has nothing behind it.
std::string read_head(int connection) {
    std::string head;
    std::array<char, 1024> buffer{};
    while (head.size() < kRequestBytesMax && head.find("\r\n\r\n") == std::string::npos) {
        const auto size = ::recv(connection, buffer.data(), buffer.size(), 0);
        if (size <= 0) {
            break;
        }
        head.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return head;
}

}  // namespace

Result<std::unique_ptr<ScrapeEndpoint>> ScrapeEndpoint::start(
    const ScrapeConfig& config, Text text
) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(config.port);
    const auto host = config.host == "localhost" ? std::string("127.0.0.1") : config.host;
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
        return failure(cannot_serve(config, EINVAL));
    }
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    socklen_t size = sizeof(address);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener, 16) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        const int error_number = errno;
        ::close(listener);
        return failure(cannot_serve(config, error_number));
    }
    return std::unique_ptr<ScrapeEndpoint>(new ScrapeEndpoint(
        listener, ::eventfd(0, EFD_CLOEXEC), ntohs(address.sin_port), std::move(text)
    ));
}

ScrapeEndpoint::ScrapeEndpoint(int listener, int wake, std::uint16_t port, Text text)
    : listener_(listener), wake_(wake), port_(port), text_(std::move(text)) {
    // Signals belong to the threads of the program.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { serve(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ScrapeEndpoint::~ScrapeEndpoint() {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_, &one, sizeof(one)));
    thread_.join();
    ::close(wake_);
    ::close(listener_);
}

void ScrapeEndpoint::serve() const {
    while (true) {
        std::array<pollfd, 2> events{{{listener_, POLLIN, 0}, {wake_, POLLIN, 0}}};
        if (::poll(events.data(), events.size(), -1) < 0) {
            continue;
        }
        if (events[1].revents != 0) {
            return;
        }
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection >= 0) {
            answer(connection);
            ::close(connection);
        }
    }
}

void ScrapeEndpoint::answer(int connection) const {
    const timeval second{1, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
    ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
    const auto head = read_head(connection);
    const std::string_view line = std::string_view(head).substr(0, head.find("\r\n"));
    const bool is_known = line.starts_with("GET /metrics ") || line.starts_with("GET /metrics?");
    const bool is_openmetrics = head.find("application/openmetrics-text") != std::string::npos;
    const auto format = is_openmetrics ? ScrapeFormat::openmetrics : ScrapeFormat::text;
    const auto body = is_known ? text_(is_openmetrics) : std::string("not found\n");
    send_all(
        connection,
        fmt::format(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
            is_known ? "200 OK" : "404 Not Found",
            is_known ? content_type(format) : "text/plain",
            body.size(),
            body
        )
    );
}

}  // namespace flowspan::exporting
