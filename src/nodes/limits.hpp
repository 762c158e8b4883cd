#pragma once
// What a node may produce or take in, with the defaults of the app format.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace flowspan::nodes {

/// A node that goes beyond one of these fails with an error that names it.
struct Limits {
    /// Characters (code points) of a text output of a code node.
    std::size_t code_text_length_max = 400'000;
    std::size_t code_text_array_length_max = 30;
    std::size_t code_object_array_length_max = 30;
    std::size_t code_number_array_length_max = 1000;
    std::int64_t code_number_max = 9'223'372'036'854'775'807;
    int code_decimals_max = 20;
    int code_depth_max = 5;
    /// Characters (code points).
    std::size_t template_output_length_max = 400'000;
    /// Bytes of an http-request node's reply, by whether it is kept as a file or as text.
    std::size_t http_file_size_max = std::size_t{10} * 1024 * 1024;
    std::size_t http_text_size_max = std::size_t{1} * 1024 * 1024;
    std::chrono::milliseconds http_connect_timeout{10'000};
    std::chrono::milliseconds http_read_timeout{600'000};
    std::chrono::milliseconds http_write_timeout{600'000};
    /// How often an http-request node without retries of its own sends again when the connection
    /// failed before any byte of a reply came.
    int http_transport_retries_max = 3;
    /// Documents that are read whole into memory.
    std::size_t document_size_max = std::size_t{50} * 1024 * 1024;
    /// Bytes of all that is unpacked of a document that is an archive, and of a document's text.
    std::size_t document_unpacked_size_max = std::size_t{256} * 1024 * 1024;
    std::size_t document_text_size_max = std::size_t{64} * 1024 * 1024;
    /// Messages of a conversation that a prompt may hold.
    std::int64_t memory_messages_max = 500;
    /// Tokens that remembered messages may take when the model's context size is unknown.
    std::int64_t memory_tokens_without_context_size = 2000;
    /// Rounds of an agent's loop and tools it may be given.
    std::int64_t agent_rounds_max = 99;
    std::size_t agent_tools_max = 100;
};

}  // namespace flowspan::nodes
