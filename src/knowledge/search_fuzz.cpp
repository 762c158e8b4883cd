// Asks a real index arbitrary questions: none may be taken for the query language of the index, and
// segments keep to their size.

#include "flowspan/async/runtime.hpp"
#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"
#include "knowledge/knowledge_store.hpp"
#include "knowledge/search_words.hpp"
#include "knowledge/splitter.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace {

using namespace flowspan;

Task<Result<std::string>> fill(knowledge::KnowledgeStore* store) {
    FLOWSPAN_CO_TRY(const auto dataset, co_await store->create_dataset("docs", ""));
    FLOWSPAN_CO_TRY(
        const auto added,
        co_await store->add_document(
            {.dataset = "docs", .name = "a", .text = "Refunds or shoes.\n\n报销流程", .metadata = {}
            }
        )
    );
    FLOWSPAN_ASSERT(added.segment_count > 0, "nothing was indexed");
    co_return dataset.id;
}

Task<Result<knowledge::RetrievalReply>> search(
    knowledge::KnowledgeStore* store, knowledge::RetrievalRequest request
) {
    co_return co_await store->retrieve(std::move(request));
}

struct Index {
    Index() : dataset(*runtime.block_on(fill, store.get())) {}

    std::unique_ptr<Random> random = make_seeded_random(1);
    std::unique_ptr<knowledge::KnowledgeStore> store =
        knowledge::make_sqlite_store({":memory:", {}}, real_clock(), *random);
    async::Runtime runtime;
    std::string dataset;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Index index;
    const auto text = to_valid_utf8({reinterpret_cast<const char*>(data), size});
    knowledge::RetrievalRequest request;
    request.dataset_ids = {index.dataset};
    request.query = text;
    const auto found = index.runtime.block_on(search, index.store.get(), std::move(request));
    FLOWSPAN_ASSERT(found.has_value(), "a question was refused");

    const auto words = knowledge::index_words(text);
    FLOWSPAN_ASSERT(is_valid_utf8(words), "the words are no valid UTF-8");
    const auto terms = knowledge::query_terms(text);
    FLOWSPAN_ASSERT(terms.size() <= 64, "too many terms");
    const auto share = knowledge::coverage(terms, words);
    FLOWSPAN_ASSERT(share >= 0 && share <= 1, "a share beyond all");
    for (const auto& piece : knowledge::split_text(text, {.size_max = 20, .overlap = 5})) {
        FLOWSPAN_ASSERT(!piece.empty() && is_valid_utf8(piece), "a bad segment");
        FLOWSPAN_ASSERT(count_code_points(piece) <= 20, "a segment is too long");
    }
    return 0;
}
