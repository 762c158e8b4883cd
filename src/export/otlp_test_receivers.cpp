#include "export/otlp_test_receivers.hpp"

#include "export/otlp_test_certificate.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace flowspan::exporting {

namespace {

HttpRequest to_request(const http::request<http::string_body>& message) {
    HttpRequest request;
    request.target = message.target();
    for (const auto& field : message) {
        std::string name = field.name_string();
        std::ranges::transform(name, name.begin(), [](unsigned char c) {
            return static_cast<char>(std::tolower(c));
        });
        request.headers[name] = field.value();
    }
    request.body = message.body();
    return request;
}

}  // namespace

HttpReceiver::HttpReceiver(Handler handler)
    : handler_(std::move(handler)),
      acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    accepting_ = std::jthread([this] {
        while (true) {
            boost::system::error_code ec;
            tcp::socket socket(context_);
            acceptor_.accept(socket, ec);
            const std::scoped_lock lock(mutex_);
            if (ec || is_stopping_) {
                return;
            }
            sockets_.push_back(std::make_shared<tcp::socket>(std::move(socket)));
            connections_.emplace_back([this, shared = sockets_.back()] {
                serve(std::move(*shared));
            });
        }
    });
}

HttpReceiver::~HttpReceiver() {
    {
        const std::scoped_lock lock(mutex_);
        is_stopping_ = true;
    }
    stopped_.notify_all();
    boost::system::error_code ec;
    // A blocking accept is only woken by a connection.
    tcp::socket waker(context_);
    waker.connect(acceptor_.local_endpoint(), ec);
    accepting_.join();
    connections_.clear();
}

std::string HttpReceiver::url() const {
    return fmt::format("http://127.0.0.1:{}", acceptor_.local_endpoint().port());
}

std::vector<HttpRequest> HttpReceiver::requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
}

void HttpReceiver::serve(tcp::socket socket) {
    boost::beast::flat_buffer buffer;
    boost::system::error_code ec;
    while (true) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(std::numeric_limits<std::uint64_t>::max());
        http::read(socket, buffer, parser, ec);
        if (ec) {
            return;
        }
        const auto request = to_request(parser.get());
        {
            const std::scoped_lock lock(mutex_);
            requests_.push_back(request);
        }
        const auto answer = handler_(request);
        if (!answer) {
            std::unique_lock lock(mutex_);
            stopped_.wait(lock, [this] { return is_stopping_; });
            return;
        }
        http::response<http::string_body> response(static_cast<http::status>(answer->status), 11);
        for (const auto& [name, value] : answer->headers) {
            response.set(name, value);
        }
        response.body() = answer->body;
        response.keep_alive(false);
        response.prepare_payload();
        http::write(socket, response, ec);
        return;
    }
}

class GrpcReceiver::Service final
    : public opentelemetry::proto::collector::trace::v1::TraceService::Service {
public:
    explicit Service(Handler handler) : handler_(std::move(handler)) {}

    grpc::Status Export(
        grpc::ServerContext* context, const TraceRequest* request, TraceResponse* response
    ) override {
        {
            const std::scoped_lock lock(mutex_);
            requests_.push_back(*request);
            for (const auto& [name, value] : context->client_metadata()) {
                metadata_[{name.data(), name.size()}] = {value.data(), value.size()};
            }
        }
        return handler_(*request, *response, *context);
    }

    [[nodiscard]] std::vector<TraceRequest> requests() const {
        const std::scoped_lock lock(mutex_);
        return requests_;
    }

    [[nodiscard]] std::map<std::string, std::string> metadata() const {
        const std::scoped_lock lock(mutex_);
        return metadata_;
    }

private:
    Handler handler_;
    mutable std::mutex mutex_;
    std::vector<TraceRequest> requests_;
    std::map<std::string, std::string> metadata_;
};

GrpcReceiver::GrpcReceiver(Handler handler, bool is_tls)
    : service_(std::make_unique<Service>(std::move(handler))), is_tls_(is_tls) {
    grpc::ServerBuilder builder;
    auto credentials = grpc::InsecureServerCredentials();
    if (is_tls_) {
        grpc::SslServerCredentialsOptions options;
        options.pem_key_cert_pairs.push_back({std::string(kTestKey), std::string(kTestCertificate)}
        );
        credentials = grpc::SslServerCredentials(options);
    }
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
}

GrpcReceiver::~GrpcReceiver() {
    server_->Shutdown(std::chrono::system_clock::time_point::min());
    server_->Wait();
}

std::string GrpcReceiver::url() const {
    return fmt::format("{}://127.0.0.1:{}", is_tls_ ? "https" : "http", port_);
}

std::vector<TraceRequest> GrpcReceiver::requests() const {
    return service_->requests();
}

std::map<std::string, std::string> GrpcReceiver::last_metadata() const {
    return service_->metadata();
}

}  // namespace flowspan::exporting
