#pragma once
// Takes secrets out of text before it is buffered, stored or sent.

#include "flowspan/base/json.hpp"
#include "flowspan/base/result.hpp"
#include "flowspan/base/secret.hpp"

#include <bitset>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::trace {

/// What stands where something was taken out.
inline constexpr std::string_view kRedacted = "[redacted]";

struct RedactionRules {
    std::vector<std::string> patterns = {};  ///< RE2; whatever matches goes
    /// JSON keys, header names and query parameters whose values go, besides the built-in ones
    /// (`authorization`, `password`, `api_key`, ...). Case does not matter, `-` and `_` are one.
    std::vector<std::string> keys = {};
    std::vector<Secret> secrets = {};  ///< credentials; go wherever they stand
};

/// Immutable; safe to use from any thread.
class Redactor {
public:
    /// Fails if a pattern is no regular expression.
    [[nodiscard]] static Result<std::shared_ptr<const Redactor>> make(const RedactionRules& rules);

    /// Only what is built in.
    [[nodiscard]] static std::shared_ptr<const Redactor> make_default();

    ~Redactor();
    Redactor(const Redactor&) = delete;
    Redactor& operator=(const Redactor&) = delete;

    /// The same rules and more secrets. Cheap: patterns and keys are shared. Secrets shorter than
    /// `kSecretBytesMin` are left out: they would be found everywhere.
    [[nodiscard]] std::shared_ptr<const Redactor> with_secrets(std::span<const Secret> secrets
    ) const;

    /// The text without what must go, or nothing if it can stay as it is. Secrets are found as they
    /// are, percent-encoded, escaped for JSON once or twice, in Base64 (also within a longer text,
    /// as in Basic authentication), as hexadecimal digits, in the masked form that nodes show, and,
    /// if they have twelve bytes, in upper or lower case.
    [[nodiscard]] std::optional<std::string> redact(std::string_view text) const;

    /// Whether the value of a JSON key or a header must go.
    [[nodiscard]] bool is_secret_key(std::string_view key) const noexcept;

    static constexpr std::size_t kSecretBytesMin = 4;

private:
    struct Rules;
    explicit Redactor(std::shared_ptr<const Rules> rules);

    void add(std::string_view secret);
    [[nodiscard]] std::optional<std::string> redact_secrets(std::string_view text) const;
    void note_runs();
    [[nodiscard]] bool may_hold_secret(std::string_view text) const noexcept;

    std::shared_ptr<const Rules> rules_;  // owners: all redactors made from one set of rules
    std::vector<std::string> needles_;    // longest first, so that no part of a secret is left
    // Which hashes runs of four bytes near the start of needles have. Whoever looks at every
    // `stride_`th place of a text meets one of them in each needle; most texts have none.
    static constexpr std::size_t kRunBits = 12;
    std::bitset<std::size_t{1} << kRunBits> runs_;
    std::size_t stride_ = 1;
};

}  // namespace flowspan::trace
