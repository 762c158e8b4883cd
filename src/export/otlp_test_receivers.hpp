#pragma once
// For tests of this room: receivers on loopback that decode what arrives with the stock libraries.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <grpcpp/grpcpp.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::exporting {

using TraceRequest = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using TraceResponse = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;

/// A request as it came over HTTP; header names in lower case, the body as sent.
struct HttpRequest {
    std::string target;
    std::map<std::string, std::string> headers;
    std::string body;
};

struct HttpAnswer {
    unsigned status = 200;
    std::map<std::string, std::string> headers;
    std::string body;
};

/// Answers each request by a function; a function that returns nothing leaves the client waiting.
class HttpReceiver {
public:
    using Handler = std::function<std::optional<HttpAnswer>(const HttpRequest&)>;

    explicit HttpReceiver(Handler handler);
    ~HttpReceiver();
    HttpReceiver(const HttpReceiver&) = delete;
    HttpReceiver& operator=(const HttpReceiver&) = delete;

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::vector<HttpRequest> requests() const;

private:
    void serve(boost::asio::ip::tcp::socket socket);

    Handler handler_;
    mutable std::mutex mutex_;
    std::condition_variable stopped_;
    bool is_stopping_ = false;
    std::vector<HttpRequest> requests_;
    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::vector<std::shared_ptr<boost::asio::ip::tcp::socket>> sockets_;
    std::vector<std::jthread> connections_;
    std::jthread accepting_;
};

/// A real gRPC server of the collector's TraceService.
class GrpcReceiver {
public:
    using Handler = std::function<
        grpc::Status(const TraceRequest&, TraceResponse&, grpc::ServerContext& context)>;

    /// With TLS the certificate is kTestCertificate.
    explicit GrpcReceiver(Handler handler, bool is_tls = false);
    ~GrpcReceiver();
    GrpcReceiver(const GrpcReceiver&) = delete;
    GrpcReceiver& operator=(const GrpcReceiver&) = delete;

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::vector<TraceRequest> requests() const;
    [[nodiscard]] std::map<std::string, std::string> last_metadata() const;

private:
    class Service;
    std::unique_ptr<Service> service_;
    const bool is_tls_;
    int port_ = 0;
    std::unique_ptr<grpc::Server> server_;
};

}  // namespace flowspan::exporting
