#include "infra/sandbox/sandbox.hpp"

#include "flowspan/async/runtime.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace flowspan::infra::sandbox {
namespace {
TEST(Sandbox, RunsPython) {
    const auto sandbox = make_sandbox({});
    async::Runtime runtime;
    for (int i = 0; i < 3; ++i) {
        for (auto language : {Language::python3, Language::javascript}) {
            const auto start = real_clock().steady_now();
            const auto reply = runtime.block_on(
                [](Sandbox* box, Language lang) {
                    return box->run_code(
                        {lang,
                         lang == Language::python3
                             ? "def main(x):\n  print('hi')\n  return {'y': x + 1}"
                             : "function main({x}) { console.log('hi'); return {y: x + 1} }",
                         {{"x", 1}},
                         {}}
                    );
                },
                sandbox.get(),
                language
            );
            fmt::print(
                "{} {} us {}\n",
                int(language),
                (real_clock().steady_now() - start).count() / 1000,
                reply ? to_json_text(reply->result) + reply->printed : reply.error().full_text()
            );
        }
    }
}
}  // namespace
}  // namespace flowspan::infra::sandbox
