#include "dataplane/wire/steering.h"

#include "dataplane/base/hash.h"
#include "dataplane/wire/decode.h"
#include "dataplane/wire/walk.h"

namespace seine::wire {
namespace {

constexpr std::uint64_t kOdd0 = 0x9e3779b97f4a7c15u;
constexpr std::uint64_t kOdd1 = 0xd6e8feb86659fd93u;

// Sums and xors of both ends are the same whichever way the packet goes.
std::uint64_t flow_hash(const PacketView& view, bool ports, std::uint64_t seed) noexcept {
    const auto end_hash = [seed](const Address& address, std::uint16_t port) {
        return mix64(address.words[0] ^ kOdd0 ^ port, address.words[1] ^ kOdd1 ^ seed);
    };
    const std::uint64_t source = end_hash(view.source, ports ? view.source_port : std::uint16_t{0});
    const std::uint64_t target = end_hash(view.target, ports ? view.target_port : std::uint16_t{0});
    return mix64((source + target) ^ kOdd0, (source ^ target) ^ kOdd1 ^ view.protocol);
}

std::uint64_t key_hash(const FragmentKey& key, std::uint64_t seed) noexcept {
    std::uint64_t hash = mix64(key.source.words[0] ^ seed, key.source.words[1] ^ kOdd0);
    hash = mix64(key.target.words[0] ^ hash, key.target.words[1] ^ kOdd1);
    return mix64(hash ^ ((std::uint64_t{key.id} << 16) | (std::uint64_t{key.protocol} << 8) |
                         key.ip_version),
                 kOdd0);
}

}  // namespace

Steering peek(ByteView frame, LinkType link, std::uint64_t seed) noexcept {
    PacketView view;
    if (link == LinkType::ethernet && decode_common(frame, view)) {
        return {SteerBy::flow, flow_hash(view, true, seed), 0};
    }
    // How long the frame was is not asked: the length in the IP header says how much of it is
    // missing.
    Walk walk(frame, static_cast<std::uint32_t>(frame.size()), nullptr, Nanos{}, view);
    const DecodeResult result = walk.run(link);
    if (!walk.saw_ip()) return {};
    Steering steering;
    const bool has_ports = result == DecodeResult::ok;
    steering.flow_hash = flow_hash(view, has_ports, seed);
    steering.by = has_ports ? SteerBy::flow : SteerBy::addresses;
    if (walk.saw_fragment()) {
        steering.by = walk.saw_later_fragment() ? SteerBy::later_fragment : SteerBy::first_fragment;
        steering.fragment_key = key_hash(walk.fragment_key(), seed);
    }
    return steering;
}

}  // namespace seine::wire
