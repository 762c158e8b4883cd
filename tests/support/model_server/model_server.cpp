#include "model_server/model_server.hpp"

#include "flowspan/base/json.hpp"
#include "model_server/ranking.hpp"
#include "model_server/worker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

namespace flowspan::model_server {

namespace {

constexpr std::size_t kRecordedMax = 1000;
constexpr int kBacklog = 4096;

Result<int> listen_on(std::uint16_t& port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof(address);
    // The sockets API takes all address families through this one pointer type.
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(fd, generic, size) != 0 || listen(fd, kBacklog) != 0 ||
        getsockname(fd, generic, &size) != 0) {
        ::close(fd);
        return failure(
            ErrorCode::unavailable,
            "cannot listen on 127.0.0.1:" + std::to_string(port) + ": " + strerror(errno)
        );
    }
    port = ntohs(address.sin_port);
    return fd;
}

/// Thousands of connections need as many descriptors.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

std::size_t number_behind(std::string_view path, std::string_view prefix) {
    path.remove_prefix(prefix.size());
    std::size_t number = 0;
    std::from_chars(path.data(), path.data() + path.size(), number);
    return number;
}

std::string echo(const Request& request) {
    json::object headers;
    for (const auto& [name, value] : request.headers) {
        headers[name] = value;
    }
    return to_json_text(json::object{
        {"method", request.method},
        {"target", request.target},
        {"headers", headers},
        {"body", request.body},
    });
}

}  // namespace

struct ModelServer::State final : Responder {
    explicit State(ModelServerConfig settings)
        : config(std::move(settings)), uses(config.script.replies.size(), 0) {}

    std::shared_ptr<const Reply> respond(const Request& request) override {
        const std::scoped_lock lock(mutex);
        ++counts.requests;
        changed.notify_all();
        if (config.should_record && recorded.size() < kRecordedMax) {
            recorded.push_back(request);
        }
        const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
        if (path.ends_with("/completions") && request.method == "POST") {
            return complete(request.body, path.ends_with("/chat/completions"));
        }
        if (path.ends_with("/embeddings")) {
            return understood(answer_embeddings(request.body));
        }
        if (path.ends_with("/rerank")) {
            return understood(answer_rerank(request.body));
        }
        return answer_plain(request, path);
    }

    void on_aborted() override { count(&ServerCounts::aborted); }

    void on_accepted() override { count(&ServerCounts::connections); }

    void on_closed() override { count(&ServerCounts::closed); }

    void count(std::int64_t ServerCounts::* what) {
        const std::scoped_lock lock(mutex);
        ++(counts.*what);
        changed.notify_all();
    }

    std::shared_ptr<const Reply> complete(const std::string& body, bool is_chat) {
        const auto facts = read_chat(body);
        if (!facts) {
            return plain(400, R"({"error":{"message":"the body is no JSON object"}})");
        }
        const auto index = find_entry(*facts);
        static const ScriptedReply kDefault;
        const auto& scripted =
            index < config.script.replies.size() ? config.script.replies[index] : kDefault;
        if (scripted.should_hang) {
            return nullptr;
        }
        // Everything that the bytes of the answer depend on.
        const auto key = std::tuple(
            index,
            facts->model,
            facts->is_stream,
            facts->is_usage_included,
            is_chat,
            facts->word_count
        );
        auto& cached = replies[key];
        if (cached == nullptr) {
            cached =
                std::make_shared<Reply>(make_completion(config.script, scripted, *facts, is_chat));
        }
        return cached;
    }

    std::size_t find_entry(const ChatFacts& facts) {
        const auto& entries = config.script.replies;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const auto& entry = entries[i];
            const bool is_match =
                facts.last_user_message.find(entry.message) != std::string::npos &&
                facts.all_messages.find(entry.any_message) != std::string::npos &&
                facts.model.find(entry.model) != std::string::npos;
            if (is_match && (entry.times == 0 || uses[i] < entry.times)) {
                ++uses[i];
                return i;
            }
        }
        return entries.size();
    }

    static std::shared_ptr<const Reply> plain(int status, std::string_view body) {
        return std::make_shared<Reply>(make_plain(status, {}, "application/json", body));
    }

    static std::shared_ptr<const Reply> understood(const std::optional<std::string>& answer) {
        return answer ? plain(200, *answer)
                      : plain(400, R"({"error":{"message":"the body is no such request"}})");
    }

    static std::shared_ptr<const Reply> redirect(std::string_view target) {
        return std::make_shared<Reply>(
            make_plain(302, {{"Location", std::string(target)}}, "text/plain", "moved")
        );
    }

    static std::shared_ptr<const Reply> answer_plain(
        const Request& request, std::string_view path
    ) {
        if (path == "/echo") {
            return plain(200, echo(request));
        }
        if (path == "/hang") {
            return nullptr;
        }
        if (path.starts_with("/status/")) {
            return plain(static_cast<int>(number_behind(path, "/status/")), "{}");
        }
        if (path.starts_with("/bytes/")) {
            return plain(200, std::string(number_behind(path, "/bytes/"), 'x'));
        }
        if (path.starts_with("/redirect/")) {
            const auto hops = number_behind(path, "/redirect/");
            return redirect(hops > 1 ? "/redirect/" + std::to_string(hops - 1) : "/echo");
        }
        if (path == "/redirect-to") {
            return redirect(std::string_view(request.target).substr(path.size() + 1));
        }
        if (path.ends_with("/models")) {
            return plain(200, R"({"object":"list","data":[{"id":"scripted","object":"model"}]})");
        }
        return plain(404, R"({"error":{"message":"no such path"}})");
    }

    ModelServerConfig config;
    std::uint16_t port = 0;
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::jthread> threads;

    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    ServerCounts counts;
    std::vector<int> uses;
    std::vector<Request> recorded;
    std::map<
        std::tuple<std::size_t, std::string, bool, bool, bool, std::size_t>,
        std::shared_ptr<const Reply>>
        replies;
};

ModelServer::ModelServer(ModelServerConfig config)
    : state_(std::make_unique<State>(std::move(config))) {}

ModelServer::~ModelServer() {
    stop();
}

Result<void> ModelServer::start() {
    raise_descriptor_limit();
    state_->port = state_->config.port;
    for (int i = 0; i < std::max(state_->config.threads, 1); ++i) {
        FLOWSPAN_TRY(const int listener, listen_on(state_->port));
        state_->workers.push_back(std::make_unique<Worker>(*state_, listener));
    }
    for (const auto& worker : state_->workers) {
        state_->threads.emplace_back([&worker = *worker] { worker.run(); });
    }
    return {};
}

void ModelServer::stop() {
    for (const auto& worker : state_->workers) {
        worker->stop();
    }
    state_->threads.clear();
    state_->workers.clear();
}

std::uint16_t ModelServer::port() const noexcept {
    return state_->port;
}

std::string ModelServer::url() const {
    return "http://127.0.0.1:" + std::to_string(state_->port);
}

ServerCounts ModelServer::counts() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->counts;
}

bool ModelServer::wait_for(
    const std::function<bool(const ServerCounts&)>& is_enough, std::chrono::milliseconds limit
) const {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, limit, [&] { return is_enough(state_->counts); });
}

std::vector<Request> ModelServer::requests() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->recorded;
}

}  // namespace flowspan::model_server
