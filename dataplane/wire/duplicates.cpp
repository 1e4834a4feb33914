#include "dataplane/wire/duplicates.h"

namespace seine::wire {

DuplicateFilter::DuplicateFilter(std::uint32_t entry_count, std::uint64_t seed) : seed_(seed) {
    if (entry_count == 0) return;
    const std::size_t rounded = std::bit_ceil(std::size_t{entry_count});
    entries_ = std::make_unique<Entry[]>(rounded);
    mask_ = rounded - 1;
}

bool DuplicateFilter::counts_without_id(const PacketView& packet) noexcept {
    if (packet.transport != Transport::tcp) return packet.payload_wire_bytes > 0;
    if ((packet.tcp_flags & kTcpRst) != 0) return false;
    return packet.payload_wire_bytes > 0 || (packet.tcp_flags & (kTcpSyn | kTcpFin)) != 0;
}

std::uint64_t DuplicateFilter::more_without_id(const PacketView& packet) const noexcept {
    const std::size_t tail_bytes = packet.payload.size() < 16 ? packet.payload.size() : 16;
    const Sample tail = head_of(packet.payload.last(tail_bytes));
    const std::uint64_t more = mix64(tail.first ^ seed_ ^ kOdd0, tail.last ^ kOdd3);
    return packet.transport == Transport::tcp ? more ^ hash64(packet.options, seed_) : more;
}

}  // namespace seine::wire
