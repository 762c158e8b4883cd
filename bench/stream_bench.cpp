#include "benches.hpp"
#include "child_process.hpp"
#include "host.hpp"
#include "sample_apps.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <string>
#include <utility>

namespace flowspan::bench {

namespace {

constexpr int kTokens = 64;

/// The same POST with nothing around it: one easy handle that keeps its connection.
class BareClient {
public:
    explicit BareClient(const std::string& base_url)
        : easy_(curl_easy_init()), url_(base_url + "/chat/completions") {
        headers_ = curl_slist_append(headers_, "Content-Type: application/json");
        curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str());
        curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
        curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, kBody);
        curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &BareClient::on_body);
        curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
        curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    }

    ~BareClient() {
        curl_slist_free_all(headers_);
        curl_easy_cleanup(easy_);
    }

    BareClient(const BareClient&) = delete;
    BareClient& operator=(const BareClient&) = delete;

    double time_call_us() {
        size_ = 0;
        const double elapsed = time_us([this] {
            if (const auto code = curl_easy_perform(easy_); code != CURLE_OK) {
                give_up(fmt::format("bare call: {}", curl_easy_strerror(code)));
            }
        });
        if (size_ < kTokens) {
            give_up("bare call: the answer is too short");
        }
        return elapsed;
    }

private:
    static constexpr const char* kBody =
        R"({"model":"scripted","messages":[{"role":"system","content":"You are brief."},)"
        R"({"role":"user","content":"Say something of some length."}],"stream":true,)"
        R"("stream_options":{"include_usage":true}})";

    static std::size_t on_body(char* /*data*/, std::size_t size, std::size_t count, void* self) {
        static_cast<BareClient*>(self)->size_ += size * count;
        return size * count;
    }

    CURL* easy_;
    std::string url_;
    curl_slist* headers_ = nullptr;
    std::size_t size_ = 0;
};

struct Pairs {
    std::vector<double> bare_us;
    std::vector<double> added_us;
};

Pairs time_pairs(
    Host& host, const std::shared_ptr<const service::LoadedApp>& app, BareClient& bare, int count
) {
    Pairs pairs;
    for (int i = 0; i < count; ++i) {
        // Whoever comes second finds warmer caches; both take turns.
        const bool is_bare_first = i % 2 == 0;
        double bare_us = is_bare_first ? bare.time_call_us() : 0;
        const double run_us = host.time_runs(app, 1);
        if (!is_bare_first) {
            bare_us = bare.time_call_us();
        }
        pairs.bare_us.push_back(bare_us);
        pairs.added_us.push_back(run_us - bare_us);
    }
    return pairs;
}

void measure(
    const Effort& effort,
    Host::Tracing tracing,
    const std::string& url,
    Measurement& added,
    Measurement& bare_call
) {
    Host host(tracing, url);
    const auto app = host.load(make_chat_app());
    BareClient bare(url);
    const int count = effort.pick(200, 10);
    time_pairs(host, app, bare, count);
    for (int round = 0; round < effort.pick(9, 2); ++round) {
        const auto pairs = time_pairs(host, app, bare, count);
        added.runs.push_back(quantile(pairs.added_us, 0.5) / 1000);
        bare_call.runs.push_back(quantile(pairs.bare_us, 0.5) / 1000);
    }
}

}  // namespace

std::vector<Measurement> measure_streams(const Effort& effort) {
    const auto cores = choose_cores();
    const auto server = ModelServerProcess::start({.tokens = kTokens}, cores.server);
    if (!server) {
        give_up(server.error().message);
    }
    Measurement traced{
        "stream_added_ms", "64-token stream, added to bare libcurl, tracing on", "ms", {}, 0.15
    };
    Measurement untraced{
        "stream_added_untraced_ms",
        "64-token stream, added to bare libcurl, tracing off",
        "ms",
        {},
        0.15
    };
    Measurement bare{"stream_bare_ms", "64-token stream with bare libcurl", "ms", {}, {}};
    pin_to_core(cores.program);
    measure(effort, Host::Tracing::off, server->base_url(), untraced, bare);
    bare.runs.clear();
    measure(effort, Host::Tracing::on, server->base_url(), traced, bare);
    unpin();
    return {std::move(bare), std::move(untraced), std::move(traced)};
}

}  // namespace flowspan::bench
