#pragma once
// A real sandbox and a runtime for tests, with calls that block.

#include "flowspan/async/runtime.hpp"
#include "infra/sandbox/sandbox.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace flowspan::infra::sandbox {

class SandboxTest : public testing::Test {
protected:
    explicit SandboxTest(SandboxConfig config = {}) : sandbox_(make_sandbox(std::move(config))) {}

    [[nodiscard]] Result<CodeReply> run(CodeRequest request) {
        return runtime_.block_on(
            [](Sandbox* sandbox, CodeRequest given) { return sandbox->run_code(std::move(given)); },
            sandbox_.get(),
            std::move(request)
        );
    }

    [[nodiscard]] Result<CodeReply> python(
        std::string code, json::object inputs = {}, std::optional<Limits> limits = {}
    ) {
        return run({Language::python3, std::move(code), std::move(inputs), limits});
    }

    [[nodiscard]] Result<CodeReply> javascript(
        std::string code, json::object inputs = {}, std::optional<Limits> limits = {}
    ) {
        return run({Language::javascript, std::move(code), std::move(inputs), limits});
    }

    [[nodiscard]] Result<std::string> jinja2(std::string source, json::object variables = {}) {
        return runtime_.block_on(
            [](Sandbox* sandbox, std::string text, json::object given) {
                return sandbox->render_jinja2(std::move(text), std::move(given));
            },
            sandbox_.get(),
            std::move(source),
            std::move(variables)
        );
    }

    std::unique_ptr<Sandbox> sandbox_;
    async::Runtime runtime_{{.loops = 2}};
};

/// The result as JSON, or the error as users see it.
[[nodiscard]] inline std::string to_text(const Result<CodeReply>& reply) {
    return reply ? to_json_text(reply->result) : "error: " + reply.error().full_text();
}

[[nodiscard]] inline std::string to_text(const Result<std::string>& reply) {
    return reply ? *reply : "error: " + reply.error().full_text();
}

}  // namespace flowspan::infra::sandbox
