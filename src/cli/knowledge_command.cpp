#include "cli/knowledge_command.hpp"

#include "cli/config.hpp"
#include "cli/terminal.hpp"
#include "flowspan/async/pools.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/value/mime_types.hpp"
#include "knowledge/knowledge_store.hpp"
#include "nodes/document_extractor/extract_text.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace flowspan::cli {

namespace {

using knowledge::KnowledgeStore;
using Output = Result<std::string>;

Result<std::string> read_document(const std::string& path, const nodes::Limits& limits) {
    namespace extractor = nodes::document_extractor;
    std::error_code code;
    const auto size = std::filesystem::file_size(path, code);
    std::ifstream file(path, std::ios::binary);
    if (code || !file) {
        return failure(ErrorCode::not_found, fmt::format("cannot read `{}`", path));
    }
    if (size > limits.document_size_max) {
        return failure(ErrorCode::limit_exceeded, fmt::format("`{}` is too large", path));
    }
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    FLOWSPAN_TRY(
        const auto kind, extractor::find_document_kind(value::extension_of_name(path), "")
    );
    return extractor::extract_text(kind, bytes, limits);
}

Result<json::object> read_metadata(const std::vector<std::string>& entries) {
    json::object metadata;
    for (const auto& entry : entries) {
        const auto equals = entry.find('=');
        if (equals == 0 || equals == std::string::npos) {
            return failure(
                ErrorCode::invalid_input, fmt::format("metadata `{}` is not KEY=VALUE", entry)
            );
        }
        metadata[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
    return metadata;
}

Task<Output> create(KnowledgeStore& store, const KnowledgeOptions& options) {
    FLOWSPAN_CO_TRY(
        const auto dataset, co_await store.create_dataset(options.dataset, options.description)
    );
    co_return fmt::format("{} {}\n", dataset.id, dataset.name);
}

Task<Output> add(KnowledgeStore& store, const KnowledgeOptions& options) {
    FLOWSPAN_CO_TRY(const auto metadata, read_metadata(options.metadata));
    std::string output;
    for (const auto& path : options.files) {
        FLOWSPAN_CO_TRY(auto text, co_await async::on_blocking([&path] {
                            return read_document(path, nodes::Limits());
                        }));
        knowledge::NewDocument document{
            .dataset = options.dataset,
            .name = std::filesystem::path(path).filename().string(),
            .text = std::move(text),
            .metadata = metadata,
        };
        document.split.size_max = static_cast<std::size_t>(options.segment_size);
        document.split.overlap = static_cast<std::size_t>(options.overlap);
        FLOWSPAN_CO_TRY(const auto added, co_await store.add_document(std::move(document)));
        output +=
            fmt::format("{} {} ({})\n", added.id, path, count_text(added.segment_count, "segment"));
    }
    co_return output;
}

Task<Output> list(KnowledgeStore& store) {
    FLOWSPAN_CO_TRY(const auto datasets, co_await store.list_datasets());
    std::string output;
    for (const auto& dataset : datasets) {
        output += fmt::format(
            "{} {} ({}, {})\n",
            dataset.id,
            dataset.name,
            count_text(dataset.document_count, "document"),
            count_text(dataset.segment_count, "segment")
        );
    }
    co_return output;
}

Task<Output> search(KnowledgeStore& store, const KnowledgeOptions& options) {
    FLOWSPAN_CO_TRY(const auto resolved, co_await store.resolve({options.dataset}));
    if (resolved.datasets.empty()) {
        co_return failure(
            ErrorCode::not_found, fmt::format("there is no dataset `{}`", options.dataset)
        );
    }
    knowledge::RetrievalRequest request;
    request.dataset_ids = {resolved.datasets.front().id};
    request.query = options.query;
    request.top_k = options.top_k;
    FLOWSPAN_CO_TRY(const auto reply, co_await store.retrieve(std::move(request)));
    std::string output;
    for (const auto& segment : reply.segments) {
        output += fmt::format(
            "{:.3f} {} #{}\n{}\n\n",
            segment.score,
            segment.document_name,
            segment.position,
            segment.content
        );
    }
    co_return output;
}

Task<Output> perform(KnowledgeStore* store, const KnowledgeOptions* options) {
    switch (options->action) {
        case KnowledgeAction::create:
            co_return co_await create(*store, *options);
        case KnowledgeAction::add:
            co_return co_await add(*store, *options);
        case KnowledgeAction::list:
            co_return co_await list(*store);
        case KnowledgeAction::search:
            co_return co_await search(*store, *options);
    }
    co_return std::string();
}

}  // namespace

ExitCode run_knowledge(const KnowledgeOptions& options) {
    const auto config = load_config(options.config);
    if (!config) {
        write_error("flowspan: " + config.error().full_text() + "\n");
        return ExitCode::bad_usage;
    }
    const auto store = knowledge::make_sqlite_store(config->knowledge, real_clock(), real_random());
    async::Runtime runtime;
    const auto output = runtime.block_on(perform, store.get(), &options);
    if (!output) {
        write_error("flowspan: " + output.error().full_text() + "\n");
        return ExitCode::run_failed;
    }
    write_output(*output);
    return ExitCode::done;
}

}  // namespace flowspan::cli
