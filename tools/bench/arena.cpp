#include "tools/bench/arena.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/hash.h"
#include "dataplane/flow/flow_key.h"

namespace seine::bench {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kRandomAt = 11;  // of a hello behind its record and handshake headers
constexpr std::size_t kRandomBytes = 32;
constexpr std::int64_t kPassGapNs = 10 * kMicrosecond;

// Clients move within the low 22 bits of an IPv4 address (the smallest of the mix's networks), within 32 of an
// IPv6 one. Pass 0 moves nobody.
std::uint32_t shift_of(std::uint32_t pass, bool ipv6) noexcept {
    if (pass == 0) return 0;
    const auto mixed = static_cast<std::uint32_t>(mix64(pass + 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u));
    const std::uint32_t moved = ipv6 ? mixed : mixed & 0x003fffff;
    return __builtin_bswap32(moved);
}

std::uint64_t key_of(const wire::PacketView& view, bool& from_low) noexcept {
    const flow::DirectedKey key =
        flow::make_key({{view.source.words[0], view.source.words[1]}, view.source_port},
                       {{view.target.words[0], view.target.words[1]}, view.target_port}, view.protocol);
    from_low = key.from_low;
    return flow::hash_key(key.key, 1);
}

bool begins_hello(ByteView payload) noexcept {
    return payload.size() >= kRandomAt + kRandomBytes && payload[0] == 22 && payload[1] == 3 &&
           (payload[5] == 1 || payload[5] == 2);
}

}  // namespace

Arena::Arena() : decoder_({}, 0) {}

Status Arena::reserve(std::size_t bytes) {
    auto memory = MappedMemory::make(bytes, "packet arena");
    if (!memory) return memory.error();
    memory_ = std::move(*memory);
    return {};
}

// Outermost IP header right behind Ethernet and VLAN tags: where the client's address is written.
void Arena::place_client(const wire::PacketView& view, ByteView frame, Packet& packet) {
    bool low = false;
    const std::uint64_t key = key_of(view, low);
    const auto [found, fresh] = known_.try_emplace(key, Known{low, static_cast<std::uint32_t>(flows_)});
    if (fresh) ++flows_;
    packet.flow = found->second.number;
    const bool plain = packet.link == wire::LinkType::ethernet && !view.fragmented && view.tunnel_count == 0 &&
                       view.mpls_count == 0 && view.pppoe_session == 0 && view.vlan_count <= 2;
    if (!plain) {
        ++fixed_;
        return;
    }
    const std::size_t ip_at = 14 + 4 * std::size_t{view.vlan_count};
    const bool from_client = found->second.from_low == low;
    packet.ipv6 = view.ip_version == 6;
    const std::size_t source_last = ip_at + (packet.ipv6 ? 20 : 12);
    const std::size_t step = packet.ipv6 ? 16 : 4;
    packet.client_at = static_cast<std::uint16_t>(from_client ? source_last : source_last + step);
    std::memcpy(&packet.client_word, frame.data() + packet.client_at, 4);
    if (view.transport == wire::Transport::tcp) {
        packet.seq_at = static_cast<std::uint16_t>(view.transport_header - frame.data() + 4);
        packet.seq = view.seq;
        packet.client_data = from_client && view.payload_wire_bytes > 0;
    }
    if (view.transport == wire::Transport::tcp && begins_hello(view.payload)) {
        packet.random_at = static_cast<std::uint16_t>(view.payload.data() - frame.data() + kRandomAt);
        ++hellos_;
    }
}

bool Arena::add(ByteView frame, std::uint32_t wire_bytes, wire::LinkType link, Nanos time) {
    if (used_ + frame.size() + kLine > memory_.bytes() || frame.size() > 0xffff) return false;
    if (packets_.empty()) first_time_ = time;
    Packet packet;
    packet.at = used_;
    packet.time_ns = time - first_time_;
    packet.wire_bytes = wire_bytes;
    packet.length = static_cast<std::uint16_t>(frame.size());
    packet.link = link;
    std::memcpy(memory_.data() + used_, frame.data(), frame.size());
    wire::PacketView view;
    if (decoder_.decode(frame, wire_bytes, link, time, view) == wire::DecodeResult::ok) {
        place_client(view, frame, packet);
    } else {
        ++fixed_;
    }
    packets_.push_back(packet);
    used_ += (frame.size() + kLine - 1) / kLine * kLine;
    frame_bytes_ += frame.size();
    return true;
}

std::int64_t Arena::pass_ns() const noexcept {
    return packets_.empty() ? 0 : packets_.back().time_ns + kPassGapNs;
}

void Arena::render(std::size_t first, std::uint32_t pass, std::span<runtime::BenchFrame> out) {
    const std::uint32_t shift4 = shift_of(pass, false);
    const std::uint32_t shift6 = shift_of(pass, true);
    const std::int64_t base_ns = first_time_.count + shift_ns_ + static_cast<std::int64_t>(pass) * pass_ns();
    for (std::size_t i = 0; i < out.size(); ++i) {
        const Packet& packet = packets_[first + i];
        std::uint8_t* bytes = memory_.data() + packet.at;
        if (packet.client_at != 0) {
            const std::uint32_t word = packet.client_word ^ (packet.ipv6 ? shift6 : shift4);
            std::memcpy(bytes + packet.client_at, &word, sizeof word);
        }
        if (packet.random_at != 0 && pass != 0) {
            for (std::size_t word = 0; word < kRandomBytes / 8; ++word) {
                const std::uint64_t random = mix64(first + i + 0xa0761d6478bd642fu, pass * 8ull + word + 1);
                std::memcpy(bytes + packet.random_at + 8 * word, &random, sizeof random);
            }
        }
        out[i] = {bytes, packet.length, {{base_ns + packet.time_ns}, packet.wire_bytes, packet.link}};
    }
}

void Arena::render_data(std::size_t first, std::span<const std::uint32_t> passes, std::uint32_t seq_add, Nanos start,
                        std::span<runtime::BenchFrame> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        const Packet& packet = packets_[first + i];
        std::uint8_t* bytes = memory_.data() + packet.at;
        const std::uint32_t word = packet.client_word ^ shift_of(passes[i], packet.ipv6);
        std::memcpy(bytes + packet.client_at, &word, sizeof word);
        const std::uint32_t seq = __builtin_bswap32(packet.seq + seq_add);
        std::memcpy(bytes + packet.seq_at, &seq, sizeof seq);
        out[i] = {bytes, packet.length,
                  {{start.count + static_cast<std::int64_t>(i)}, packet.wire_bytes, packet.link}};
    }
}

void Arena::data_of_flows(Arena& out, unsigned copies) const {
    std::vector<const Packet*> last(flows_, nullptr);
    for (const Packet& packet : packets_)
        if (packet.client_data && packet.client_at != 0) last[packet.flow] = &packet;
    for (unsigned copy = 0; copy < copies; ++copy) {
        for (const Packet* packet : last) {
            if (packet == nullptr) continue;
            static_cast<void>(out.add({memory_.data() + packet->at, packet->length}, packet->wire_bytes, packet->link,
                                      {first_time_.count + packet->time_ns}));
        }
    }
}

}  // namespace seine::bench
