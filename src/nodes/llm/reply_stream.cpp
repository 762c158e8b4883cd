#include "nodes/llm/reply_stream.hpp"

namespace flowspan::nodes::llm {

void ReplyStream::on_text(std::string_view piece) {
    if (piece.empty()) {
        return;
    }
    if (is_in_reasoning_) {
        is_in_reasoning_ = false;
        add("\n</think>");
    }
    add(piece);
}

void ReplyStream::on_reasoning(std::string_view piece) {
    if (piece.empty()) {
        return;
    }
    is_apart_ = true;
    if (!is_in_reasoning_) {
        is_in_reasoning_ = true;
        add("<think>\n");
    }
    add(piece);
}

void ReplyStream::add(std::string_view piece) {
    if (is_apart_) {
        raw_ += piece;
    } else {
        plain_size_ += piece.size();
    }
    if (format_ == ReasoningFormat::tagged) {
        context_.stream_text("text", piece, false);
    } else {
        send(filter_.push(piece));
    }
}

void ReplyStream::send(const std::vector<ThinkFilter::Piece>& pieces) {
    for (const auto& piece : pieces) {
        if (piece.is_thought) {
            has_sent_reasoning_ = true;
            context_.stream_reasoning(piece.text, false);
        } else {
            context_.stream_text("text", piece.text, false);
        }
    }
}

void ReplyStream::finish(const model::ChatReply& reply) {
    if (raw_.empty() && plain_size_ == 0) {
        on_reasoning(reply.reasoning);
        on_text(reply.text);
    }
    if (is_in_reasoning_) {
        is_in_reasoning_ = false;
        add("\n</think>");
    }
    raw_.insert(0, reply.text, 0, plain_size_);
    if (format_ == ReasoningFormat::separated) {
        send(filter_.finish());
    }
    if (has_sent_reasoning_) {
        context_.stream_reasoning("", true);
    }
    context_.stream_text("text", "", true);
}

SplitAnswer ReplyStream::result() const {
    return format_ == ReasoningFormat::tagged ? SplitAnswer{raw_, ""} : split_answer(filter_);
}

}  // namespace flowspan::nodes::llm
