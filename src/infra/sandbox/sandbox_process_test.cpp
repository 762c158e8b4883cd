#include "flowspan/async/deadline.hpp"
#include "flowspan/async/task_group.hpp"
#include "infra/sandbox/sandbox_test_fixture.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <vector>

namespace flowspan::infra::sandbox {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto* kForEver = "def main():\n    while True: pass";

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
    char state = '?';
    std::string name;
};

/// All processes that this test has started, directly or not.
std::vector<Process> descendants() {
    std::multimap<pid_t, Process> children;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", code)) {
        std::string text;
        if (std::isdigit(entry.path().filename().string().front()) == 0 ||
            !std::getline(std::ifstream(entry.path() / "stat"), text, '\0')) {
            continue;
        }
        Process process;
        const auto open = text.find('(');
        const auto close = text.rfind(')');
        process.pid = std::stoi(text);
        process.name = text.substr(open + 1, close - open - 1);
        process.state = text.at(close + 2);
        process.parent = std::stoi(text.substr(close + 4));
        children.emplace(process.parent, process);
    }
    std::vector<Process> found = {{::getpid(), 0, 'R', ""}};
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto [first, last] = children.equal_range(found[i].pid);
        std::transform(first, last, std::back_inserter(found), [](const auto& item) {
            return item.second;
        });
    }
    found.erase(found.begin());
    return found;
}

/// Ended and not yet reaped counts as ended.
bool is_running(const Process& process) {
    std::string text;
    return static_cast<bool>(std::getline(
               std::ifstream("/proc/" + std::to_string(process.pid) + "/stat"), text, '\0'
           )) &&
           text.at(text.rfind(')') + 2) != 'Z';
}

std::size_t open_descriptors() {
    std::error_code code;
    return static_cast<std::size_t>(std::distance(
        std::filesystem::directory_iterator("/proc/self/fd", code),
        std::filesystem::directory_iterator()
    ));
}

class ProcessTest : public SandboxTest {
protected:
    /// Waits for what the kernel does soon.
    template <class Condition>
    [[nodiscard]] bool becomes_true(Condition condition) {
        return runtime_.block_on(
            [](Condition check) -> Task<bool> {
                const auto end = real_clock().steady_now() + 5s;
                while (!check()) {
                    if (real_clock().steady_now() > end) {
                        co_return false;
                    }
                    co_await async::sleep(2ms);
                }
                co_return true;
            },
            condition
        );
    }
};

TEST_F(ProcessTest, StartsNothingBeforeTheFirstCall) {
    EXPECT_EQ(descendants().size(), 0U);
    ASSERT_TRUE(python("def main(): return {}"));
    EXPECT_GT(descendants().size(), 0U);
}

TEST_F(ProcessTest, LeavesNothingBehind) {
    // Loops open descriptors of their own when they first wait for one.
    ASSERT_TRUE(python("def main(): return {}"));
    ASSERT_TRUE(python("def main(): return {}"));
    sandbox_ = make_sandbox({});
    const auto before = open_descriptors();
    ASSERT_TRUE(python("def main(): return {}"));
    ASSERT_TRUE(javascript("function main() { return {} }"));
    ASSERT_FALSE(python("import os\ndef main(): os._exit(1)"));
    sandbox_.reset();
    EXPECT_EQ(descendants().size(), 0U);
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ProcessTest, ManyRunsLeaveNoDescriptorAndNoZombie) {
    ASSERT_TRUE(python("def main(): return {}"));
    ASSERT_TRUE(python("def main(): return {}"));
    ASSERT_TRUE(becomes_true([] { return descendants().size() == 5; }))
        << "bubblewrap twice, the zygote and two spares";
    const auto before = open_descriptors();
    for (int i = 0; i < 200; ++i) {
        const auto reply = python("def main(i):\n    print(i)\n    return {'i': i}", {{"i", i}});
        ASSERT_TRUE(reply) << to_text(reply);
        ASSERT_EQ(reply->result.at("i"), i);
        ASSERT_EQ(reply->printed, std::to_string(i) + "\n");
    }
    EXPECT_TRUE(becomes_true([] { return descendants().size() == 5; }));
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_TRUE(std::ranges::none_of(descendants(), [](const Process& process) {
        return process.state == 'Z';
    }));
}

TEST_F(ProcessTest, CancellationKillsTheCode) {
    ASSERT_TRUE(python("def main(): return {}"));
    ASSERT_TRUE(becomes_true([] { return descendants().size() == 5; }));
    const bool was_cancelled = runtime_.block_on(
        [](Sandbox* sandbox) -> Task<bool> {
            async::TaskGroup group(co_await async::this_executor());
            bool has_returned = false;
            group.spawn(
                [](Sandbox& box, bool& returned) -> Task<void> {
                    (void)co_await box.run_code({Language::python3, kForEver, {}, {}});
                    returned = true;
                },
                std::ref(*sandbox),
                std::ref(has_returned)
            );
            // Three workers then: the one that runs for ever and its two successors.
            while (descendants().size() < 6) {
                co_await async::sleep(2ms);
            }
            group.cancel();
            co_await group.join();
            co_return !has_returned;
        },
        sandbox_.get()
    );
    EXPECT_TRUE(was_cancelled);
    EXPECT_TRUE(becomes_true([] { return descendants().size() == 5; }));
    EXPECT_TRUE(python("def main(): return {}"));
}

TEST_F(ProcessTest, RunsAtTheSameTimeOnSeveralLoops) {
    // One after the other, the four would take 1.2 s.
    constexpr auto* kCode = "import time\ndef main(n):\n    time.sleep(0.3)\n    return {'n': n}";
    ASSERT_TRUE(python("def main(): return {}"));
    const auto start = real_clock().steady_now();
    const auto run_two = [](Sandbox* sandbox, int base) -> Task<int> {
        async::TaskGroup group(co_await async::this_executor());
        int sum = 0;
        for (int n = base; n < base + 2; ++n) {
            group.spawn(
                [](Sandbox& box, int& total, int number) -> Task<void> {
                    auto reply =
                        co_await box.run_code({Language::python3, kCode, {{"n", number}}, {}});
                    total += reply ? static_cast<int>(reply->result.at("n").to_number<int>()) : -99;
                },
                std::ref(*sandbox),
                std::ref(sum),
                n
            );
        }
        co_await group.join();
        co_return sum;
    };
    std::future<int> other = std::async(std::launch::async, [&] {
        return runtime_.block_on(runtime_.loop_executor(1), run_two, sandbox_.get(), 10);
    });
    const int sum = runtime_.block_on(runtime_.loop_executor(0), run_two, sandbox_.get(), 1);
    EXPECT_EQ(sum, 3);
    EXPECT_EQ(other.get(), 21);
    EXPECT_LT(real_clock().steady_now() - start, 1100ms);
}

TEST_F(ProcessTest, MoreCallsThanPlacesWaitAndTooManyAreRefused) {
    SandboxConfig config;
    config.concurrent_max = 2;
    config.waiting_max = 3;
    sandbox_ = make_sandbox(config);

    struct Count {
        int good = 0;
        int refused = 0;
    };

    const auto count = runtime_.block_on(
        [](Sandbox* sandbox) -> Task<Count> {
            async::TaskGroup group(co_await async::this_executor());
            Count result;
            for (int i = 0; i < 8; ++i) {
                group.spawn(
                    [](Sandbox& box, Count& total) -> Task<void> {
                        auto reply = co_await box.render_jinja2("{{ 1 + 1 }}", {});
                        if (reply) {
                            total.good += *reply == "2" ? 1 : 0;
                        } else if (reply.error().code == ErrorCode::unavailable) {
                            ++total.refused;
                        }
                    },
                    std::ref(*sandbox),
                    std::ref(result)
                );
            }
            co_await group.join();
            co_return result;
        },
        sandbox_.get()
    );
    EXPECT_EQ(count.good, 5);
    EXPECT_EQ(count.refused, 3);
}

TEST_F(ProcessTest, AWaitingCallCanBeCancelledAndHasADeadline) {
    SandboxConfig config;
    config.concurrent_max = 1;
    sandbox_ = make_sandbox(config);
    runtime_.block_on(
        [](Sandbox* sandbox) -> Task<void> {
            async::TaskGroup runner(co_await async::this_executor());
            const auto call = [](Sandbox& box) -> Task<void> {
                (void)co_await box.run_code({Language::python3, kForEver, {}, {}});
            };
            runner.spawn(call, std::ref(*sandbox));
            async::TaskGroup waiter(co_await async::this_executor());
            waiter.spawn(call, std::ref(*sandbox));
            waiter.spawn(
                [](Sandbox& box) -> Task<void> {
                    async::current_task()->tighten_deadline(real_clock().steady_now() + 20ms);
                    const auto reply = co_await box.render_jinja2("x", {});
                    EXPECT_FALSE(reply);
                    EXPECT_EQ(reply.error().code, ErrorCode::timeout);
                },
                std::ref(*sandbox)
            );
            co_await async::sleep(50ms);
            waiter.cancel();
            co_await waiter.join();
            runner.cancel();
            co_await runner.join();
        },
        sandbox_.get()
    );
    EXPECT_EQ(to_text(jinja2("free again")), "free again");
}

TEST_F(ProcessTest, WhateverEndsTheZygoteEndsItsWorkersAndItIsReplaced) {
    ASSERT_TRUE(python("def main(): return {}"));
    ASSERT_TRUE(becomes_true([] { return descendants().size() == 5; }));
    const auto processes = descendants();
    // Outer bubblewrap, inner bubblewrap, zygote, workers: parents come first.
    ASSERT_EQ(processes[2].name, "python3");
    ASSERT_EQ(processes[3].parent, processes[2].pid);
    ::kill(processes[2].pid, SIGKILL);
    EXPECT_TRUE(becomes_true([&] { return std::ranges::none_of(processes, is_running); }));
    EXPECT_EQ(to_text(python("def main(): return {'again': 1}")), R"({"again":1})");
    EXPECT_EQ(to_text(javascript("function main() { return {again: 1} }")), R"({"again":1})");
}

TEST_F(ProcessTest, WorkersDoNotOutliveTheSandboxEvenWhenTheyRun) {
    std::vector<Process> processes;
    runtime_.block_on(
        [](std::unique_ptr<Sandbox>* sandbox, std::vector<Process>* seen) -> Task<void> {
            async::TaskGroup group(co_await async::this_executor());
            group.spawn(
                [](Sandbox& box) -> Task<void> {
                    (void)co_await box.run_code({Language::python3, kForEver, {}, {}});
                },
                std::ref(**sandbox)
            );
            while (descendants().size() < 6) {
                co_await async::sleep(2ms);
            }
            *seen = descendants();
            group.cancel();
            co_await group.join();
            sandbox->reset();
        },
        &sandbox_,
        &processes
    );
    EXPECT_GE(processes.size(), 6U);
    EXPECT_TRUE(becomes_true([&] { return std::ranges::none_of(processes, is_running); }));
}

TEST_F(ProcessTest, SaysWhatIsMissing) {
    SandboxConfig config;
    config.bwrap = "/no/such/bwrap";
    sandbox_ = make_sandbox(config);
    EXPECT_THAT(to_text(jinja2("x")), HasSubstr("apt install bubblewrap"));
    config = {};
    config.python = "/usr/bin/no-such-python";
    sandbox_ = make_sandbox(config);
    EXPECT_THAT(to_text(jinja2("x")), HasSubstr("no-such-python: No such file or directory"));
    EXPECT_EQ(jinja2("x").error().code, ErrorCode::unsupported);
    config = {};
    config.node = "/usr/bin/no-such-node";
    sandbox_ = make_sandbox(config);
    const auto reply = javascript("function main() { return {} }");
    EXPECT_THAT(to_text(reply), HasSubstr("could not start /usr/bin/no-such-node"));
    EXPECT_EQ(to_text(jinja2("x")), "x");
    sandbox_.reset();
    EXPECT_EQ(descendants().size(), 0U);
}

}  // namespace
}  // namespace flowspan::infra::sandbox
