#include "nodes/document_extractor/zip_archive.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <array>
#include <utility>

namespace flowspan::nodes::document_extractor {

namespace {

constexpr std::int64_t kEntriesMax = 20'000;

std::unexpected<Error> fail_broken() {
    return failure(ErrorCode::invalid_input, "the document is broken");
}

}  // namespace

void ZipArchive::Close::operator()(zip* archive) const noexcept {
    zip_discard(archive);
}

Result<ZipArchive> ZipArchive::open(std::string_view bytes, std::size_t unpacked_max) {
    auto* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, nullptr);
    if (source == nullptr) {
        return fail_broken();
    }
    auto* opened = zip_open_from_source(source, ZIP_RDONLY, nullptr);
    if (opened == nullptr) {
        zip_source_free(source);
        return fail_broken();
    }
    ZipArchive archive(std::unique_ptr<zip, Close>(opened), unpacked_max);
    if (zip_get_num_entries(opened, 0) > kEntriesMax) {
        return failure(
            ErrorCode::limit_exceeded,
            fmt::format("the document has more than {} parts", kEntriesMax)
        );
    }
    return archive;
}

std::vector<std::string> ZipArchive::names() const {
    std::vector<std::string> names;
    const auto count = zip_get_num_entries(archive_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
        const auto* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
        names.emplace_back(name == nullptr ? "" : name);
    }
    return names;
}

bool ZipArchive::contains(const std::string& name) const {
    return zip_name_locate(archive_.get(), name.c_str(), 0) >= 0;
}

Result<std::string> ZipArchive::read(const std::string& name) {
    zip_stat_t stat;
    if (zip_stat(archive_.get(), name.c_str(), 0, &stat) != 0) {
        return failure(ErrorCode::not_found, "the document lacks a part that its kind has");
    }
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE) {
        return failure(ErrorCode::invalid_input, "the document is encrypted");
    }
    const auto close = [](zip_file_t* file) { zip_fclose(file); };
    const std::unique_ptr<zip_file_t, decltype(close)> file(
        zip_fopen(archive_.get(), name.c_str(), 0), close
    );
    if (file == nullptr) {
        return fail_broken();
    }
    // The size that an entry declares may be a lie, so what counts is what comes out.
    std::string content;
    std::array<char, 65536> buffer{};
    while (true) {
        const auto size = zip_fread(file.get(), buffer.data(), buffer.size());
        if (size < 0) {
            return fail_broken();
        }
        if (size == 0) {
            return content;
        }
        const auto count = static_cast<std::size_t>(size);
        if (count > unpacked_left_) {
            return failure(ErrorCode::limit_exceeded, "the document is too large when unpacked");
        }
        unpacked_left_ -= count;
        content.append(buffer.data(), count);
    }
}

}  // namespace flowspan::nodes::document_extractor
