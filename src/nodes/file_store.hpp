#pragma once
// Where files live that nodes make or read, and the records that stand for them in variables.

#include "flowspan/async/task.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/json.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace flowspan::http {
class HttpClient;
}

namespace flowspan::nodes {

struct FileContent {
    std::string bytes;
    std::string filename;
    std::string mime_type;  ///< guessed from the name if empty
    std::string transfer_method = "tool_file";
};

/// Safe to call from any task on any loop.
class FileStore {
public:
    virtual ~FileStore() = default;

    /// Keeps the bytes and gives the record that stands for them. Error `limit_exceeded` if the
    /// file, or all files together, are too large; `unavailable` if they cannot be written.
    [[nodiscard]] virtual Task<Result<json::object>> save(FileContent content) = 0;

    /// The bytes of a record that save() gave, or of a `remote_url` one, fetched over HTTP. Errors:
    /// `not_found`, `limit_exceeded`, `unavailable`.
    [[nodiscard]] virtual Task<Result<std::string>> load(json::value record) = 0;
};

struct FileStoreOptions {
    std::filesystem::path folder = {};  ///< empty: files live in memory
    std::size_t file_size_max = std::size_t{100} * 1024 * 1024;
    std::size_t total_size_max = std::size_t{1024} * 1024 * 1024;
};

/// `http_client` fetches remote files; it and `random` must outlive the store.
[[nodiscard]] std::unique_ptr<FileStore> make_file_store(
    FileStoreOptions options, http::HttpClient& http_client, Random& random
);

/// A record with the file mark and all keys of the app format. `reference` is the id in the store.
[[nodiscard]] json::object make_file_record(
    const FileContent& content, std::string_view reference, std::string_view url
);

}  // namespace flowspan::nodes
