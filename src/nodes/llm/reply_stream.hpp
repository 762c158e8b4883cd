#pragma once
// A model's reply on its way to the user: text, and thoughts apart from it if the node wants so.

#include "flowspan/engine/node.hpp"
#include "model/chat_model.hpp"
#include "nodes/think_filter.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace flowspan::nodes::llm {

/// Thoughts stay in the text between think tags, or are cut out.
enum class ReasoningFormat : std::uint8_t { tagged, separated };

/// Streams on the node's `text` while the model writes. Thoughts that a provider sends apart from
/// the text are put into think tags first, so both ways of sending them look alike.
class ReplyStream final : public model::ChatListener {
public:
    ReplyStream(engine::NodeContext& context, ReasoningFormat format)
        : context_(context), format_(format) {}

    void on_text(std::string_view piece) override;
    void on_reasoning(std::string_view piece) override;

    /// Sends what was held back, and the final chunks. `reply` is what was streamed, or fills in if
    /// nothing was.
    void finish(const model::ChatReply& reply);

    /// The `text` and `reasoning_content` outputs.
    [[nodiscard]] SplitAnswer result() const;

    /// Everything that was streamed, thoughts with their tags. After finish().
    [[nodiscard]] const std::string& raw() const noexcept { return raw_; }

private:
    void add(std::string_view piece);
    void send(const std::vector<ThinkFilter::Piece>& pieces);

    engine::NodeContext& context_;
    ReasoningFormat format_;
    ThinkFilter filter_;
    // The reply keeps the text already, so a copy is kept only from where thoughts came apart.
    std::string raw_;
    std::size_t plain_size_ = 0;
    bool is_apart_ = false;
    bool is_in_reasoning_ = false;
    bool has_sent_reasoning_ = false;
};

}  // namespace flowspan::nodes::llm
