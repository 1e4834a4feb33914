#include "dataplane/capture/pcap_writer.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace seine::capture {
namespace {

void store_le32(std::uint8_t* at, std::uint32_t value) noexcept {
    for (int i = 0; i < 4; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace

//  magic (4), version 2.4 (4), zone and accuracy (8, zero), snapshot bytes (4), link type (4)
Result<PcapWriter> PcapWriter::create(const std::string& path, wire::LinkType link, TimeUnit unit) {
    PcapWriter writer;
    writer.file_.reset(std::fopen(path.c_str(), "wb"));
    if (writer.file_ == nullptr)
        return failed(path + ": cannot be written: " + std::strerror(errno));
    writer.path_ = path;
    writer.unit_ = unit;
    std::array<std::uint8_t, 24> header{};
    store_le32(header.data(), unit == TimeUnit::nanos ? 0xa1b23c4d : 0xa1b2c3d4);
    header[4] = 2;
    header[6] = 4;
    store_le32(header.data() + 16, 262144);
    store_le32(header.data() + 20, wire::link_type_number(link));
    if (std::fwrite(header.data(), header.size(), 1, writer.file_.get()) != 1) {
        return failed(path + ": cannot be written: " + std::strerror(errno));
    }
    return writer;
}

//  seconds (4), micro- or nanoseconds (4), captured bytes (4), wire bytes (4), the frame
Status PcapWriter::write(ByteView frame, Nanos time, std::uint32_t wire_bytes) {
    std::array<std::uint8_t, 16> header{};
    const std::int64_t rest = time.count % kSecond;
    const auto captured = static_cast<std::uint32_t>(frame.size());
    store_le32(header.data(), static_cast<std::uint32_t>(time.count / kSecond));
    store_le32(header.data() + 4,
               static_cast<std::uint32_t>(unit_ == TimeUnit::nanos ? rest : rest / 1000));
    store_le32(header.data() + 8, captured);
    store_le32(header.data() + 12, wire_bytes > captured ? wire_bytes : captured);
    const bool written =
        std::fwrite(header.data(), header.size(), 1, file_.get()) == 1 &&
        (frame.empty() || std::fwrite(frame.data(), frame.size(), 1, file_.get()) == 1);
    return written ? Status{} : failed(path_ + ": cannot be written: " + std::strerror(errno));
}

Status PcapWriter::close() {
    std::FILE* const file = file_.release();
    if (file == nullptr) return {};
    if (std::fclose(file) != 0)
        return failed(path_ + ": cannot be written: " + std::strerror(errno));
    return {};
}

}  // namespace seine::capture
