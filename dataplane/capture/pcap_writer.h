// Writes a classic pcap file, for tests and generators.
#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"
#include "dataplane/wire/link_type.h"

namespace seine::capture {

enum class TimeUnit : std::uint8_t { micros, nanos };

class PcapWriter {
  public:
    // Makes or truncates `path`.
    static Result<PcapWriter> create(const std::string& path,
                                     wire::LinkType link = wire::LinkType::ethernet,
                                     TimeUnit unit = TimeUnit::nanos);

    // `wire_bytes` 0 means the frame is whole.
    Status write(ByteView frame, Nanos time, std::uint32_t wire_bytes = 0);
    // Flushes and says whether everything reached the file; the destructor closes without asking.
    Status close();

  private:
    struct CloseFile {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, CloseFile> file_;
    std::string path_;
    TimeUnit unit_ = TimeUnit::nanos;
};

}  // namespace seine::capture
