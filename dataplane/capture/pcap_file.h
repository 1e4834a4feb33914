// A capture file, frame by frame: pcap and pcapng of any byte order and time unit.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"
#include "dataplane/wire/link_type.h"

namespace seine::capture {

struct CapturedFrame {
    ByteView bytes;                // borrowed until the next call of next()
    std::uint32_t wire_bytes = 0;  // at least bytes.size()
    wire::LinkType link{};
    Nanos time;
};

enum class [[nodiscard]] Next : std::uint8_t {
    frame,  // `out` is set
    end,    // the file ended where a packet ends
    error,  // error() says what; no further frame will come, those before it were good
};

// Not for the packet path: reading allocates inside libpcap.
class PcapFile {
  public:
    // `path` "-" is standard input. The error is one line: the file cannot be read, is empty, is no
    // capture file, or has a link type that is not read.
    static Result<PcapFile> open(const std::string& path);
    PcapFile(PcapFile&&) noexcept;
    PcapFile& operator=(PcapFile&&) noexcept;
    ~PcapFile();

    Next next(CapturedFrame& out) noexcept;

    // After Next::error: one line with the file, the packet and what is wrong.
    [[nodiscard]] const std::string& error() const noexcept;
    [[nodiscard]] std::uint64_t frame_count() const noexcept;  // given out so far
    [[nodiscard]] wire::LinkType link() const noexcept;
    [[nodiscard]] const std::string& path() const noexcept;
    // Bytes a frame may hold by the file header; a frame this long was probably cut.
    [[nodiscard]] std::uint32_t snapshot_bytes() const noexcept;

  private:
    struct Handle;
    explicit PcapFile(std::unique_ptr<Handle> handle) noexcept;
    std::unique_ptr<Handle> handle_;
};

}  // namespace seine::capture
