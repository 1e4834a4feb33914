// Mapping, locks and the checks that both ends of a ring file make.
#include "dataplane/export/ring_map.h"

#include <bit>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/contract/frame.h"

namespace seine::exporting {

RingMap::~RingMap() {
    if (header != nullptr) ::munmap(header, kRingHeaderBytes + data_bytes);
    if (fd >= 0) ::close(fd);
}

bool lock_ring(int fd, RingRole role) noexcept {
    struct flock range = {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<int>(role);
    range.l_len = 1;
    return ::fcntl(fd, F_OFD_SETLK, &range) == 0;
}

std::string header_fault(const RingHeader& header, std::uint64_t file_bytes) {
    if (header.header_bytes != kRingHeaderBytes) return "its header has a wrong size";
    if (header.data_bytes < kRingDataBytesMin || !std::has_single_bit(header.data_bytes) ||
        header.data_bytes > file_bytes || file_bytes - header.data_bytes < kRingHeaderBytes) {
        return "its size does not fit the file";
    }
    if (header.current > 1) return "its reader's place is damaged";
    const RingHeader::Slot& slot = header.slots[header.current];
    if (header.head % 64 != 0 || slot.tail % 64 != 0 ||
        header.head - slot.tail > header.data_bytes) {
        return "head and tail contradict each other";
    }
    return {};
}

bool map_ring(RingMap& map, std::uint64_t data_bytes, bool writable, bool populate) noexcept {
    const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void* at = ::mmap(nullptr, kRingHeaderBytes + data_bytes, protection,
                      MAP_SHARED | (populate ? MAP_POPULATE : 0), map.fd, 0);
    if (at == MAP_FAILED) return false;
    map.header = static_cast<RingHeader*>(at);
    map.data = static_cast<std::uint8_t*>(at) + kRingHeaderBytes;
    map.data_bytes = data_bytes;
    if (populate) {
        // MAP_POPULATE maps a shared file for reading alone; each page's first store would still
        // fault.
        volatile std::uint8_t* page = map.data;
        for (std::uint64_t offset = 0; offset < data_bytes; offset += 4096)
            page[offset] = page[offset];
    }
    return true;
}

Parse step_ring(const RingMap& map, std::uint64_t position, std::uint64_t head,
                RingStep& out) noexcept {
    if (position == head) return Parse::need_more;
    if (position % 64 != 0 || head % 64 != 0 || head - position > map.data_bytes)
        return Parse::malformed;
    const std::uint64_t offset = map.offset(position);
    const std::uint8_t* at = map.data + offset;
    const std::uint64_t entry_bytes = load_le32(at);
    const std::uint32_t frame_bytes = load_le32(at + 4);
    const std::uint64_t to_end = map.data_bytes - offset;
    if (entry_bytes == 0 || entry_bytes % 64 != 0 || entry_bytes > to_end ||
        entry_bytes > head - position) {
        return Parse::malformed;
    }
    out.entry_bytes = entry_bytes;
    out.wrap = frame_bytes == kRingWrap;
    if (out.wrap)
        return entry_bytes == to_end && entry_bytes < head - position ? Parse::ok
                                                                      : Parse::malformed;
    if (frame_bytes == 0 || frame_bytes > contract::kRingFrameBytesMax ||
        kRingEntryHeaderBytes + frame_bytes > entry_bytes) {
        return Parse::malformed;
    }
    out.entry.sequence = load_le64(at + 8);
    out.entry.frame = {at + kRingEntryHeaderBytes, frame_bytes};
    return Parse::ok;
}

}  // namespace seine::exporting
