#include "benches.hpp"
#include "child_process.hpp"
#include "host.hpp"
#include "sample_apps.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace flowspan::bench {

namespace {

/// An app file that is there as long as this object.
class TemporaryApp {
public:
    explicit TemporaryApp(const std::string& text)
        : path_(std::filesystem::temp_directory_path() / fmt::format("flowspan-{}.yml", getpid())) {
        std::ofstream(path_) << text;
    }

    ~TemporaryApp() { std::filesystem::remove(path_); }

    TemporaryApp(const TemporaryApp&) = delete;
    TemporaryApp& operator=(const TemporaryApp&) = delete;

    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

double time_cold_run_ms(const std::string& app_path) {
    const auto program = (program_folder() / "flowspan").string();
    return time_us([&] {
               auto child =
                   ChildProcess::start({program, "run", app_path, "-i", "text=hello", "--json"});
               if (!child) {
                   give_up(child.error().message);
               }
               const auto line = child->read_line();
               if (child->wait() != 0 || line.empty()) {
                   give_up("flowspan run failed");
               }
           }) /
           1000;
}

}  // namespace

std::vector<Measurement> measure_start(const Effort& effort) {
    Measurement cold{
        "cold_start_ms", "cold start: exec to exit of `flowspan run`, 3 nodes", "ms", {}, 40
    };
    const TemporaryApp app(make_chain_app(3));
    time_cold_run_ms(app.path());
    for (int i = 0; i < effort.pick(20, 3); ++i) {
        cold.runs.push_back(time_cold_run_ms(app.path()));
    }
    Measurement idle{"idle_mb", "memory of an idle program", "MB", {}, 25};
    for (int i = 0; i < effort.pick(5, 1); ++i) {
        auto child =
            ChildProcess::start({(program_folder() / "flowspan_bench").string(), "--idle-child"});
        if (!child) {
            give_up(child.error().message);
        }
        idle.runs.push_back(std::strtod(child->read_line().c_str(), nullptr) / 1024);
    }
    return {std::move(cold), std::move(idle)};
}

void run_idle_child() {
    const Host host(Host::Tracing::on);
    fmt::print("{}\n", resident_kb());
}

}  // namespace flowspan::bench
