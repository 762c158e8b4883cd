#pragma once
// The files in a ZIP archive that is in memory, with a limit on all that is unpacked of it.

#include "flowspan/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct zip;

namespace flowspan::nodes::document_extractor {

class ZipArchive {
public:
    /// `bytes` must outlive the archive. Errors: `invalid_input`, `limit_exceeded` for too many
    /// entries.
    [[nodiscard]] static Result<ZipArchive> open(std::string_view bytes, std::size_t unpacked_max);

    /// Names of all entries, in the archive's order.
    [[nodiscard]] std::vector<std::string> names() const;

    [[nodiscard]] bool contains(const std::string& name) const;

    /// Errors: `not_found`, `invalid_input` (broken or encrypted), `limit_exceeded`.
    [[nodiscard]] Result<std::string> read(const std::string& name);

private:
    struct Close {
        void operator()(zip* archive) const noexcept;
    };

    ZipArchive(std::unique_ptr<zip, Close> archive, std::size_t unpacked_max)
        : archive_(std::move(archive)), unpacked_left_(unpacked_max) {}

    std::unique_ptr<zip, Close> archive_;
    std::size_t unpacked_left_;
};

}  // namespace flowspan::nodes::document_extractor
