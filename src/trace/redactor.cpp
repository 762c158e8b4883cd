#include "flowspan/trace/redactor.hpp"

#include "flowspan/base/text.hpp"
#include "trace/keyed_secrets.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace flowspan::trace {

namespace {

// Bounds the automaton of each pattern; RE2 then falls back to a slower one, still linear.
constexpr std::int64_t kPatternBytesMax = std::int64_t{8} * 1024 * 1024;

std::string json_escaped(std::string_view text) {
    std::string quoted;
    append_json_string(quoted, to_valid_utf8(text));
    return quoted.substr(1, quoted.size() - 2);
}

/// Of four bytes; the upper bits are the good ones.
std::uint32_t hash_run(const char* bytes) noexcept {
    static_assert(Redactor::kSecretBytesMin == sizeof(std::uint32_t));
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    return word * 2'654'435'761U;  // Knuth's multiplicative hash
}

/// What is not ASCII as `\uXXXX`, as many JSON writers do. `text` is valid UTF-8.
std::string ascii_escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text.front());
        const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (size == 1) {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        std::uint32_t point = first & (0x7FU >> size);
        for (std::size_t i = 1; i < size; ++i) {
            point = (point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
        }
        constexpr std::uint32_t kBeyondOneUnit = 0x10000;
        if (point < kBeyondOneUnit) {
            out += fmt::format("\\u{:04x}", point);
        } else {
            point -= kBeyondOneUnit;
            out += fmt::format(
                "\\u{:04x}\\u{:04x}", 0xD800U + (point >> 10U), 0xDC00U + (point & 0x3FFU)
            );
        }
        text.remove_prefix(size);
    }
    return out;
}

/// As nodes show secrets among their inputs: the first six characters, stars, the last two.
std::string masked(std::string_view secret) {
    constexpr std::size_t kShown = 8;
    const auto text = to_valid_utf8(secret);
    const auto length = count_code_points(text);
    if (length <= kShown) {
        return std::string(secret);
    }
    std::string form(code_point_prefix(text, 6));
    form.append(12, '*');
    return form.append(text, code_point_prefix(text, length - 2).size());
}

/// The digits that a secret makes in Base64, whatever stands around it: for each place in a group
/// of three bytes those that no neighbour has a share in.
std::vector<std::string> base64_forms(std::string_view secret) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // Fewer digits are found by chance.
    constexpr std::size_t kDigitsMin = 10;
    std::vector<std::string> forms;
    for (std::size_t before = 0; before < 3; ++before) {
        const auto first = (8 * before + 5) / 6;
        const auto last = 8 * (before + secret.size()) / 6;
        std::string form;
        for (auto digit = first; digit < last; ++digit) {
            unsigned value = 0;
            for (auto bit = 6 * digit; bit < 6 * digit + 6; ++bit) {
                const auto byte = static_cast<unsigned char>(secret[bit / 8 - before]);
                value = (value << 1U) | ((byte >> (7 - bit % 8)) & 1U);
            }
            form += kDigits[value];
        }
        if (form.size() < kDigitsMin) {
            continue;
        }
        auto for_urls = form;
        std::ranges::replace(for_urls, '+', '-');
        std::ranges::replace(for_urls, '/', '_');
        forms.push_back(std::move(form));
        forms.push_back(std::move(for_urls));
    }
    return forms;
}

/// Hexadecimal digits, as programs print bytes.
std::vector<std::string> hex_forms(std::string_view secret) {
    // Fewer digits are found by chance.
    constexpr std::size_t kBytesMin = 5;
    if (secret.size() < kBytesMin) {
        return {};
    }
    std::string lower;
    std::string upper;
    for (const char byte : secret) {
        lower += fmt::format("{:02x}", static_cast<unsigned char>(byte));
        upper += fmt::format("{:02X}", static_cast<unsigned char>(byte));
    }
    return {std::move(lower), std::move(upper)};
}

/// As in text that somebody put into one case.
std::vector<std::string> case_forms(std::string_view secret) {
    // Shorter ones may be ordinary words.
    constexpr std::size_t kBytesMin = 12;
    if (secret.size() < kBytesMin) {
        return {};
    }
    std::string lower(secret);
    std::string upper(secret);
    for (std::size_t i = 0; i < secret.size(); ++i) {
        const char byte = secret[i];
        if (byte >= 'A' && byte <= 'Z') {
            lower[i] = static_cast<char>(byte - 'A' + 'a');
        } else if (byte >= 'a' && byte <= 'z') {
            upper[i] = static_cast<char>(byte - 'a' + 'A');
        }
    }
    return {std::move(lower), std::move(upper)};
}

int hex_digit(char byte) noexcept {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    const char lower = byte >= 'A' && byte <= 'F' ? static_cast<char>(byte - 'A' + 'a') : byte;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// A text with its percent escapes decoded, and where each byte came from. URLs are encoded more or
/// less: a secret may come with some of its bytes escaped.
class Decoded {
public:
    explicit Decoded(std::string_view text) {
        bytes_.reserve(text.size());
        origins_.reserve(text.size() + 1);
        for (std::size_t at = 0; at < text.size();) {
            const int high = at + 2 < text.size() && text[at] == '%' ? hex_digit(text[at + 1]) : -1;
            const int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
            origins_.push_back(at);
            bytes_ += low >= 0 ? static_cast<char>(high * 16 + low) : text[at];
            at += low >= 0 ? 3 : 1;
        }
        origins_.push_back(text.size());
    }

    [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }

    [[nodiscard]] std::size_t origin(std::size_t at) const noexcept { return origins_[at]; }

private:
    std::string bytes_;
    std::vector<std::size_t> origins_;
};

bool replace_all(std::string& text, std::string_view needle) {
    auto at = text.find(needle);
    if (at == std::string::npos) {
        return false;
    }
    std::string out;
    std::size_t done = 0;
    for (; at != std::string::npos; at = text.find(needle, done)) {
        out.append(text, done, at - done).append(kRedacted);
        done = at + needle.size();
    }
    text = std::move(out.append(text, done));
    return true;
}

/// The same for a needle that stands there percent-encoded.
bool replace_encoded(std::string& text, std::string_view needle) {
    const Decoded decoded(text);
    auto at = decoded.bytes().find(needle);
    if (at == std::string::npos) {
        return false;
    }
    std::string out;
    std::size_t done = 0;
    for (; at != std::string::npos; at = decoded.bytes().find(needle, at + needle.size())) {
        out.append(text, done, decoded.origin(at) - done).append(kRedacted);
        done = decoded.origin(at + needle.size());
    }
    text = std::move(out.append(text, done));
    return true;
}

}  // namespace

struct Redactor::Rules {
    std::vector<std::unique_ptr<re2::RE2>> patterns;
    SecretKeys keys;
};

Redactor::Redactor(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

Redactor::~Redactor() = default;

Result<std::shared_ptr<const Redactor>> Redactor::make(const RedactionRules& rules) {
    auto compiled = std::make_shared<Rules>();
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kPatternBytesMax);
    for (const auto& pattern : rules.patterns) {
        auto regex = std::make_unique<re2::RE2>(pattern, options);
        if (!regex->ok()) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format("`{}` is no regular expression: {}", pattern, regex->error())
            );
        }
        if (regex->Match("", 0, 0, re2::RE2::UNANCHORED, nullptr, 0)) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format("the pattern `{}` also matches nothing at all", pattern)
            );
        }
        compiled->patterns.push_back(std::move(regex));
    }
    for (const auto& key : rules.keys) {
        compiled->keys.add(key);
    }
    return Redactor(std::move(compiled)).with_secrets(rules.secrets);
}

std::shared_ptr<const Redactor> Redactor::make_default() {
    return std::shared_ptr<const Redactor>(new Redactor(std::make_shared<Rules>()));
}

std::shared_ptr<const Redactor> Redactor::with_secrets(std::span<const Secret> secrets) const {
    const std::shared_ptr<Redactor> made(new Redactor(rules_));
    made->needles_ = needles_;
    for (const auto& secret : secrets) {
        made->add(trim(secret.reveal()));
    }
    std::ranges::sort(made->needles_, std::ranges::greater(), &std::string::size);
    made->note_runs();
    return made;
}

void Redactor::add(std::string_view secret) {
    if (secret.size() < kSecretBytesMin) {
        return;
    }
    const auto add_new = [this](std::string form) {
        if (std::ranges::find(needles_, form) == needles_.end()) {
            needles_.push_back(std::move(form));
        }
    };
    add_new(std::string(secret));
    add_new(json_escaped(secret));
    add_new(json_escaped(json_escaped(secret)));
    const auto ascii = ascii_escaped(json_escaped(secret));
    add_new(ascii);
    add_new(json_escaped(ascii));
    // As forms encode it.
    std::string form(secret);
    std::ranges::replace(form, ' ', '+');
    add_new(std::move(form));
    add_new(masked(secret));
    for (auto* const make : {base64_forms, hex_forms, case_forms}) {
        for (auto& other : make(secret)) {
            add_new(std::move(other));
        }
    }
}

std::optional<std::string> Redactor::redact_secrets(std::string_view text) const {
    std::optional<std::string> changed;
    if (needles_.empty()) {
        return changed;
    }
    const bool is_encoded = text.find('%') != std::string_view::npos;
    if (!is_encoded && !may_hold_secret(text)) {
        return changed;
    }
    for (const auto& needle : needles_) {
        if (needle.size() > text.size()) {
            continue;
        }
        if (!changed && !is_encoded && text.find(needle) == std::string_view::npos) {
            continue;
        }
        auto cleaned = changed ? *changed : std::string(text);
        const bool was_there = replace_all(cleaned, needle);
        const bool was_encoded = is_encoded && replace_encoded(cleaned, needle);
        if (was_there || was_encoded) {
            changed = std::move(cleaned);
        }
    }
    return changed;
}

void Redactor::note_runs() {
    runs_.reset();
    if (needles_.empty()) {
        return;
    }
    // The shortest is the last.
    stride_ = needles_.back().size() - kSecretBytesMin + 1;
    for (const auto& needle : needles_) {
        for (std::size_t at = 0; at < stride_; ++at) {
            runs_.set(hash_run(needle.data() + at) >> (32 - kRunBits));
        }
    }
}

bool Redactor::may_hold_secret(std::string_view text) const noexcept {
    for (std::size_t at = 0; at + kSecretBytesMin <= text.size(); at += stride_) {
        if (runs_.test(hash_run(text.data() + at) >> (32 - kRunBits))) {
            return true;
        }
    }
    return false;
}

std::optional<std::string> Redactor::redact(std::string_view text) const {
    auto changed = redact_secrets(text);
    if (auto cleaned = rules_->keys.redact(changed ? std::string_view(*changed) : text)) {
        changed = std::move(cleaned);
    }
    for (const auto& pattern : rules_->patterns) {
        const std::string_view now = changed ? std::string_view(*changed) : text;
        if (re2::RE2::PartialMatch({now.data(), now.size()}, *pattern)) {
            if (!changed) {
                changed.emplace(text);
            }
            re2::RE2::GlobalReplace(
                &*changed, *pattern, re2::StringPiece(kRedacted.data(), kRedacted.size())
            );
        }
    }
    return changed;
}

bool Redactor::is_secret_key(std::string_view key) const noexcept {
    return rules_->keys.has(key);
}

}  // namespace flowspan::trace
