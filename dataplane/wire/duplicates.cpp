#include "dataplane/wire/duplicates.h"

#include <bit>

#include "dataplane/base/hash.h"

namespace seine::wire {
namespace {

constexpr std::uint64_t kOdd0 = 0x9e3779b97f4a7c15u;
constexpr std::uint64_t kOdd1 = 0xd6e8feb86659fd93u;
constexpr std::uint64_t kOdd2 = 0xa0761d6478bd642fu;

// Up to sixteen bytes of each end of `bytes`, mixed.
std::uint64_t sample(ByteView bytes, std::uint64_t seed) noexcept {
    const std::uint8_t* const at = bytes.data();
    const std::size_t count = bytes.size();
    if (count >= 16) {
        return mix64(load_le64(at) ^ seed, load_le64(at + 8) ^ kOdd1) ^
               mix64(load_le64(at + count - 16) ^ kOdd0, load_le64(at + count - 8) ^ seed);
    }
    if (count >= 8) return mix64(load_le64(at) ^ seed, load_le64(at + count - 8) ^ kOdd1);
    if (count >= 4) return mix64(load_le32(at) ^ seed, load_le32(at + count - 4) ^ kOdd1);
    if (count == 0) return 0;
    return mix64((std::uint64_t{at[0]} << 16 | std::uint64_t{at[count / 2]} << 8 | at[count - 1]) ^ seed, kOdd1);
}

}  // namespace

DuplicateFilter::DuplicateFilter(std::uint32_t entry_count, std::uint64_t seed) : seed_(seed) {
    if (entry_count == 0) return;
    const std::size_t rounded = std::bit_ceil(std::size_t{entry_count});
    entries_ = std::make_unique<Entry[]>(rounded);
    mask_ = rounded - 1;
}

bool DuplicateFilter::is_copy(const PacketView& packet, Nanos now) noexcept {
    if (entries_ == nullptr || packet.transport == Transport::other) return false;
    const bool has_id = packet.ip_id != 0;
    const bool is_tcp = packet.transport == Transport::tcp;
    std::uint64_t extra = packet.ip_id;
    if (!has_id) {
        if (is_tcp) {
            if ((packet.tcp_flags & kTcpRst) != 0) return false;
            if (packet.payload_wire_bytes == 0 && (packet.tcp_flags & (kTcpSyn | kTcpFin)) == 0) return false;
            extra = sample(packet.options, seed_);
        } else if (packet.payload_wire_bytes == 0) {
            return false;
        }
    }
    const std::uint64_t ports = (std::uint64_t{packet.source_port} << 48) |
                                (std::uint64_t{packet.target_port} << 32) | packet.payload_wire_bytes;
    const std::uint64_t order = is_tcp ? (std::uint64_t{packet.seq} << 32) | packet.ack : 0;
    const std::uint64_t flags = is_tcp ? (std::uint64_t{packet.tcp_flags} << 16) | packet.window : 0;
    std::uint64_t tag = mix64(packet.source.words[0] ^ packet.target.words[1] ^ kOdd0,
                              packet.source.words[1] ^ std::rotl(packet.target.words[0], 32) ^ seed_);
    tag ^= mix64(ports ^ kOdd1, order ^ seed_);
    tag ^= mix64(extra ^ kOdd2, ((flags << 8) | packet.protocol) ^ seed_);
    tag ^= sample(packet.payload, seed_);
    tag = mix64(tag ^ kOdd0, kOdd2);

    Entry& entry = entries_[tag & mask_];
    // Time to 256 ns, the TTL in the byte below.
    const std::uint64_t time = static_cast<std::uint64_t>(now.count) & ~std::uint64_t{0xff};
    const std::int64_t age = now.count - static_cast<std::int64_t>(entry.time_and_ttl & ~std::uint64_t{0xff});
    const int ttl_step = static_cast<int>(entry.time_and_ttl & 0xff) - packet.ttl;
    const std::int64_t window = has_id ? kWindowNs : kWindowWithoutIdNs;
    if (entry.tag == tag && age >= -window && age <= window && ttl_step >= -1 && ttl_step <= 1) return true;
    entry = {tag, time | packet.ttl};
    return false;
}

}  // namespace seine::wire
