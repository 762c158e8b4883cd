#include "flowspan/async/deadline.hpp"
#include "infra/sandbox/sandbox_test_fixture.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace flowspan::infra::sandbox {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kPython = Language::python3;
constexpr auto kJavascript = Language::javascript;

/// Small enough that breaking one takes a moment only.
SandboxConfig small_limits() {
    SandboxConfig config;
    config.limits.memory_bytes = 160UL << 20U;
    // Far beyond what breaking one takes, also on a machine that does much else meanwhile.
    config.limits.wall_time = 60s;
    config.limits.output_bytes = 1UL << 20U;
    config.temp_bytes = 1UL << 20U;
    return config;
}

struct LimitCase {
    const char* name;
    Language language;
    const char* code;
    const char* expected;
};

class LimitsTest : public SandboxTest {
protected:
    LimitsTest() : SandboxTest(small_limits()) {}

    void expect(const std::vector<LimitCase>& cases) {
        for (const auto& test : cases) {
            const auto reply = run({test.language, test.code, {}, {}});
            EXPECT_EQ(to_text(reply), std::string("error: ") + test.expected) << test.name;
        }
        EXPECT_EQ(to_text(python("def main(): return {'still': 'there'}")), R"({"still":"there"})");
    }
};

TEST_F(LimitsTest, StopsWhatUsesTooMuchMemory) {
    constexpr auto* kExpected = "the code used more than 160 MiB of memory and was stopped";
    expect({
        {"one block", kPython, "def main(): return {'n': len(bytearray(10**9))}", kExpected},
        {"growing",
         kPython,
         "def main():\n    a = []\n    while True: a.append(bytearray(2**20))",
         kExpected},
        {"shared",
         kPython,
         "import mmap\ndef main():\n    m = mmap.mmap(-1, 300 << 20)\n"
         "    while True:\n        m.seek(0)\n        for _ in range(300): m.write(b'x' * 2**20)",
         kExpected},
        {"objects",
         kJavascript,
         "function main() { const a = []; for (;;) a.push({i: a.length, s: [1, 2, 3]}) }",
         kExpected},
        {"buffers",
         kJavascript,
         "function main() { const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1)) }",
         kExpected},
        {"one string",
         kJavascript,
         "function main() { return {s: 'x'.repeat(2 ** 28).split('')} }",
         kExpected},
    });
}

TEST_F(LimitsTest, StopsWhatRunsTooLong) {
    Limits limits = small_limits().limits;
    limits.wall_time = 200ms;
    for (const auto& [language, code] : std::vector<std::pair<Language, const char*>>{
             {kPython, "def main():\n    while True: pass"},
             {kPython,
              "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
              "def main():\n    time.sleep(100)"},
             {kPython,
              "import sys\ndef main():\n    try:\n        while True: pass\n"
              "    except BaseException: pass\n    finally:\n        while True: pass"},
             {kJavascript, "function main() { for (;;); }"},
             {kJavascript, "for (;;); function main() {}"},
             {kJavascript,
              "function main() { Atomics.wait(new Int32Array(new "
              "SharedArrayBuffer(4)), 0, 0) }"},
         }) {
        const auto reply = run({language, code, {}, limits});
        EXPECT_EQ(to_text(reply), "error: the code ran longer than 200 ms and was stopped") << code;
        EXPECT_EQ(reply.error().code, ErrorCode::timeout);
        EXPECT_EQ(reply.error().type, "CodeExecutionError");
    }
}

TEST_F(LimitsTest, StopsWhatComputesTooLong) {
    Limits limits = small_limits().limits;
    limits.processor_time = 100ms;
    EXPECT_EQ(
        to_text(python("def main():\n    while True: pass", {}, limits)),
        "error: the code used more than 100 ms of processor time and was stopped"
    );
}

TEST_F(LimitsTest, StopsWhatStartsTooManyThreads) {
    expect({
        {"python",
         kPython,
         "import threading, time\nthreading.stack_size(65536)\ndef main():\n"
         "    while True: threading.Thread(target=time.sleep, args=(100,)).start()",
         "the code started more than 64 threads and was stopped"},
    });
}

TEST_F(LimitsTest, StopsWhatPrintsTooMuchAndNeverBlocksIt) {
    expect({
        {"python",
         kPython,
         "def main():\n    for _ in range(100): print('x' * 10**6)",
         "the code printed more than 1 MiB and was stopped"},
        {"javascript",
         kJavascript,
         "function main() { for (let i = 0; i < 100; i++) console.log('x'.repeat(1e6)); return {} "
         "}",
         "the code printed more than 1 MiB and was stopped"},
    });
    const auto reply = python("def main():\n    print('y' * 500000)\n    return {}");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->printed, std::string(64UL << 10U, 'y'));
}

TEST_F(LimitsTest, RefusesResultsAndFilesThatAreTooLarge) {
    expect({
        {"python",
         kPython,
         "def main(): return {'x': 'x' * 2**20}",
         "the code returned more than 1 MiB"},
        {"javascript",
         kJavascript,
         "function main() { return {x: 'x'.repeat(2 ** 21)} }",
         "the code returned more than 1 MiB"},
    });
    EXPECT_THAT(
        to_text(python("def main():\n    open('/tmp/x', 'wb').write(bytes(2**21))")),
        testing::AnyOf(HasSubstr("File too large"), HasSubstr("No space left on device"))
    );
    EXPECT_THAT(
        to_text(python("def main():\n    for i in range(9):\n"
                       "        open(f'/tmp/{i}', 'wb').write(bytes(2**18))")),
        HasSubstr("No space left on device")
    );
}

TEST_F(LimitsTest, HoldForTemplatesToo) {
    EXPECT_EQ(
        to_text(jinja2("{{ 'x' * 10 ** 9 }}")),
        "error: the template used more than 160 MiB of memory and was stopped"
    );
    EXPECT_EQ(
        to_text(jinja2("{% for i in range(2 ** 20) %}xx{% endfor %}")),
        "error: the template returned more than 1 MiB"
    );
}

TEST_F(LimitsTest, TheDeadlineOfTheTaskAppliesAsWell) {
    const auto reply = runtime_.block_on(
        [](Sandbox* sandbox) -> Task<Result<CodeReply>> {
            async::current_task()->tighten_deadline(real_clock().steady_now() + 300ms);
            co_return co_await sandbox->run_code({kPython, "def main():\n while True: pass", {}, {}}
            );
        },
        sandbox_.get()
    );
    EXPECT_EQ(to_text(reply), "error: the code was stopped because the run's deadline passed");
    EXPECT_EQ(reply.error().code, ErrorCode::timeout);
}

TEST_F(LimitsTest, RefusesRequestsThatAreTooLarge) {
    auto config = small_limits();
    config.request_bytes = 1000;
    sandbox_ = make_sandbox(config);
    const auto reply = python("def main(t): return {}", {{"t", std::string(1000, 'x')}});
    EXPECT_EQ(to_text(reply), "error: code and inputs are larger than 1000 bytes");
}

}  // namespace
}  // namespace flowspan::infra::sandbox
