#pragma once
// What an HTTP reply means as a tool's reply.

#include "infra/http/http_types.hpp"
#include "tools/tool.hpp"

#include <cstdint>

namespace flowspan::tools {

/// Whether JSON may be a reply in the form of tool_reply.hpp, or is always the answer itself.
enum class ReplyForm : std::uint8_t { messages, plain };

/// Text and JSON as tool_reply.hpp says; images, audio, video and other binary types become a file.
/// A status from 400 on is an error (`unauthorized`, `rate_limited`, `remote_failure`) with the
/// first 2 KiB of the body as detail.
[[nodiscard]] Result<ToolReply> read_http_reply(http::HttpResponse response, ReplyForm form);

}  // namespace flowspan::tools
