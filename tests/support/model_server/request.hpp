#pragma once
// Requests as the scripted server reads them from a connection's bytes.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::model_server {

struct Request {
    std::string method;
    std::string target;                                        ///< path and query as sent
    std::vector<std::pair<std::string, std::string>> headers;  ///< lower-case names
    std::string body;

    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

struct ReadRequest {
    Request request;
    std::size_t size = 0;  ///< bytes used
};

enum class ReadState { complete, partial, bad, expects_continue };

/// Reads one HTTP/1.1 request with a Content-Length from the front of `bytes`.
[[nodiscard]] ReadState read_request(std::string_view bytes, ReadRequest& out);

/// What matters of a completion request.
struct ChatFacts {
    std::string model;
    std::string last_user_message;
    std::string all_messages;
    std::size_t word_count = 0;
    bool is_stream = false;
    bool is_usage_included = false;
};

/// Empty if the body is no completion request.
[[nodiscard]] std::optional<ChatFacts> read_chat(std::string_view body);

}  // namespace flowspan::model_server
