#include "cli/run_channel.hpp"

#include "flowspan/base/json.hpp"

#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <system_error>
#include <utility>

namespace flowspan::cli {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Protocol = asio::local::stream_protocol;

namespace {

constexpr std::size_t kMessageMax = 64 * 1024;
constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};
constexpr std::string_view kExtension = ".sock";

/// Ours alone: a folder that others can write to could hold others' sockets.
bool make_private_folder(const fs::path& folder) {
    std::error_code code;
    fs::create_directories(folder, code);
    struct stat status{};
    if (lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != geteuid()) {
        return false;
    }
    return chmod(folder.c_str(), S_IRWXU) == 0;
}

class Connection final : public std::enable_shared_from_this<Connection> {
public:
    using Answer = std::function<json::object(const json::value&)>;

    Connection(Protocol::socket socket, Answer answer)
        : socket_(std::move(socket)), answer_(std::move(answer)) {}

    void start() {
        asio::async_read_until(
            socket_,
            received_,
            '\n',
            [self = shared_from_this()](const boost::system::error_code& code, std::size_t size) {
                if (!code) {
                    self->reply(size);
                }
            }
        );
    }

private:
    void reply(std::size_t size) {
        const auto begin = asio::buffers_begin(received_.data());
        const std::string line(begin, begin + static_cast<std::ptrdiff_t>(size));
        const auto message = parse_json(line);
        const auto answer =
            message ? answer_(*message) : json::object{{"error", message.error().message}};
        text_ = to_json_text(answer) + "\n";
        asio::async_write(
            socket_,
            asio::buffer(text_),
            [self = shared_from_this()](const boost::system::error_code&, std::size_t) {}
        );
    }

    Protocol::socket socket_;
    Answer answer_;
    asio::streambuf received_{kMessageMax};
    std::string text_;
};

}  // namespace

fs::path run_channel_folder() {
    const auto* runtime = std::getenv("XDG_RUNTIME_DIR");
    if (runtime != nullptr && *runtime != '\0') {
        return fs::path(runtime) / "flowspan";
    }
    return fs::temp_directory_path() / fmt::format("flowspan-{}", geteuid());
}

struct RunChannel::State : std::enable_shared_from_this<State> {
    State(
        const async::TaskExecutor& executor,
        engine::RunControl run_control,
        std::string name,
        const RunIdLayer& id_layer
    )
        : loop(executor),
          acceptor(executor.inner()),
          control(std::move(run_control)),
          app(std::move(name)),
          run_id(id_layer) {}

    void listen() {
        const auto folder = run_channel_folder();
        if (!make_private_folder(folder)) {
            return;
        }
        path = folder / (std::to_string(getpid()) + std::string(kExtension));
        if (path.native().size() >= sizeof(sockaddr_un::sun_path)) {
            path.clear();
            return;
        }
        unlink(path.c_str());
        boost::system::error_code code;
        acceptor.open(Protocol(), code);
        if (!code) {
            acceptor.bind(Protocol::endpoint(path.native()), code);
        }
        if (!code) {
            acceptor.listen(asio::socket_base::max_listen_connections, code);
        }
        if (!code) {
            accept();
        }
    }

    void accept() {
        acceptor.async_accept([self = shared_from_this(
                               )](const boost::system::error_code& code, Protocol::socket socket) {
            if (code) {
                return;
            }
            std::make_shared<Connection>(std::move(socket), [self](const json::value& message) {
                return self->obey(message);
            })->start();
            self->accept();
        });
    }

    json::object obey(const json::value& message) {
        const auto type = string_member(message, "command_type");
        const auto reason = string_member(message, "reason");
        if (type == "abort") {
            has_stopped = true;
            control.abort(std::string(reason.empty() ? "User requested stop" : reason));
        } else if (type == "pause") {
            control.pause(std::string(reason.empty() ? "User requested pause" : reason));
        } else if (type != "describe") {
            return {{"error", fmt::format("unknown command `{}`", type)}};
        }
        return {{"run_id", run_id.run_id()}, {"app", app}};
    }

    async::TaskExecutor loop;
    Protocol::acceptor acceptor;
    engine::RunControl control;
    std::string app;
    fs::path path;
    const RunIdLayer& run_id;
    std::atomic<bool> has_stopped = false;  // written on the loop, read by the owner
};

void RunIdLayer::on_graph_start(engine::RunView& run) {
    // Workflows that the run uses as tools have ids of their own.
    if (run.info().call_depth == 0) {
        const std::scoped_lock lock(mutex_);
        run_id_ = run.info().run_id;
    }
}

std::string RunIdLayer::run_id() const {
    const std::scoped_lock lock(mutex_);
    return run_id_;
}

RunChannel::RunChannel(
    const async::TaskExecutor& executor,
    engine::RunControl control,
    std::string app,
    const RunIdLayer& run_id
)
    : state_(std::make_shared<State>(executor, std::move(control), std::move(app), run_id)) {
    state_->listen();
}

RunChannel::~RunChannel() {
    if (!state_->path.empty()) {
        unlink(state_->path.c_str());
    }
    asio::post(state_->loop, [state = state_] {
        boost::system::error_code ignored;
        state->acceptor.close(ignored);
    });
}

bool RunChannel::has_stopped() const noexcept {
    return state_->has_stopped;
}

namespace {

/// One question and its answer. A program that does not listen any more is `unavailable`.
Result<json::value> ask(const fs::path& path, const json::object& message) {
    const auto gone = [&] {
        return failure(ErrorCode::unavailable, "the program that runs it does not answer");
    };

    struct Descriptor {
        ~Descriptor() { close(number); }

        int number;
    };

    const Descriptor client{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (client.number < 0 || path.native().size() >= sizeof(address.sun_path)) {
        return gone();
    }
    std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
    setsockopt(client.number, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
    const auto text = to_json_text(message) + "\n";
    if (connect(client.number, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        send(client.number, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
        return gone();
    }
    std::string answer;
    char buffer[1024];
    while (!answer.ends_with('\n')) {
        const auto size = recv(client.number, buffer, sizeof(buffer), 0);
        if (size <= 0) {
            return gone();
        }
        answer.append(buffer, static_cast<std::size_t>(size));
    }
    return parse_json(answer);
}

}  // namespace

std::vector<ListedRun> list_runs() {
    std::vector<ListedRun> runs;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(run_channel_folder(), code)) {
        if (entry.path().extension() != kExtension) {
            continue;
        }
        const auto described = ask(entry.path(), {{"command_type", "describe"}});
        if (!described) {
            unlink(entry.path().c_str());
            continue;
        }
        runs.push_back(
            {std::string(string_member(*described, "run_id")),
             std::string(string_member(*described, "app")),
             entry.path()}
        );
    }
    return runs;
}

Result<void> send_command(
    const ListedRun& run, std::string_view command_type, std::string_view reason
) {
    FLOWSPAN_TRY(
        const auto answer, ask(run.socket, {{"command_type", command_type}, {"reason", reason}})
    );
    if (const auto error = string_member(answer, "error"); !error.empty()) {
        return failure(ErrorCode::remote_failure, std::string(error));
    }
    return {};
}

}  // namespace flowspan::cli
