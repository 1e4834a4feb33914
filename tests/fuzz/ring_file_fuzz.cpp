// A ring file of any bytes: it is refused, or read to its end with every entry inside it, and the writer carries it
// on or sets it aside. The first byte says where the rest goes.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_file.h"
#include "dataplane/export/ring_map.h"
#include "dataplane/export/ring_reader.h"

namespace {

using namespace seine;
using namespace seine::exporting;

constexpr std::size_t kFileBytes = kRingHeaderBytes + kRingDataBytesMin;

void put(int fd, std::size_t at, const void* bytes, std::size_t count) {
    if (::pwrite(fd, bytes, count, static_cast<off_t>(at)) != static_cast<ssize_t>(count)) std::abort();
}

// A sound header whose ends come from the input.
void put_header(int fd, std::uint64_t head, std::uint64_t tail, std::uint64_t next) {
    static RingHeader header;
    header = {};
    header.magic = kRingMagic;
    header.version = kRingVersion;
    header.header_bytes = kRingHeaderBytes;
    header.data_bytes = kRingDataBytesMin;
    header.state = kRingOpen;
    header.head = head * 64;
    header.next_sequence = next;
    header.slots[0].tail = tail * 64;
    put(fd, 0, &header, 512);
}

void read_all(const std::string& path, bool look) {
    auto reader = look ? RingReader::open_to_look(path) : RingReader::open(path);
    if (!reader.has_value()) return;
    RingEntry entry;
    Parse parse = Parse::ok;
    std::size_t entries = 0;
    while ((parse = (*reader)->next(entry)) == Parse::ok) {
        if (++entries > kRingDataBytesMin / 64) std::abort();
        contract::RecordView record;
        static_cast<void>(contract::read_frame(entry.frame, record));
    }
    if (parse == Parse::malformed && !look) {
        (*reader)->skip_damage();
        if ((*reader)->next(entry) != Parse::need_more) std::abort();
    }
    static_cast<void>((*reader)->lost_at_end());
}

void carry_on(const std::string& path) {
    RingWriterConfig config;
    config.path = path;
    config.data_bytes = kRingDataBytesMin;
    auto writer = RingWriter::open(config);
    if (!writer.has_value()) return;
    static constexpr std::uint8_t kFrame[300] = {};
    for (int i = 0; i < 10; ++i) static_cast<void>((*writer)->write(kFrame, 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 8) return 0;
    const int fd = ::memfd_create("ring", MFD_CLOEXEC);
    if (fd < 0 || ::ftruncate(fd, kFileBytes) != 0) std::abort();
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    const std::size_t rest = std::min(size - 8, kRingDataBytesMin);
    if (data[0] % 2 == 0) {
        put(fd, 0, data + 8, std::min(rest, kRingHeaderBytes));
    } else {
        put_header(fd, load_le16(data + 1), load_le16(data + 3), load_le16(data + 5));
        // Starts where the tail is, as far as it fits.
        const std::size_t at = std::size_t{load_le16(data + 3)} * 64 % kRingDataBytesMin;
        put(fd, kRingHeaderBytes + at, data + 8, std::min(rest, kRingDataBytesMin - at));
    }
    read_all(path, true);
    if (data[7] % 2 == 0) carry_on(path);
    read_all(path, false);
    ::close(fd);
    return 0;
}
