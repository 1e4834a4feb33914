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

std::uint64_t DuplicateFilter::addresses_of(const PacketView& packet) const noexcept {
    // Folded: within one flow they are the same anyway.
    return mix64(packet.source.words[0] ^ std::rotl(packet.target.words[0], 32) ^ seed_ ^ kOdd2,
                 packet.source.words[1] ^ std::rotl(packet.target.words[1], 32) ^ kOdd0);
}

std::uint64_t DuplicateFilter::payload_of(const PacketView& packet) const noexcept {
    constexpr std::size_t kSampleBytes = 16;
    const std::size_t count = packet.payload.size() < kSampleBytes ? packet.payload.size() : kSampleBytes;
    return mix64(hash64(packet.payload.first(count), seed_) ^ kOdd0, hash64(packet.payload.last(count), seed_) ^ kOdd3);
}

}  // namespace seine::wire
