// A sequence of frames of all link types through decoder, duplicate filter and steering.
//
// Input: frames of [link type and flags (1)] [time step in ms (1)] [length (2, big endian)]
// [bytes]. Flag 0x40 of the first byte says that 1,000 more bytes were on the wire; 0x80 makes the
// decoder's bounds small.
#include <cstdint>
#include <cstring>
#include <memory>

#include "dataplane/base/assert.h"
#include "dataplane/base/byte_reader.h"
#include "dataplane/wire/decode.h"
#include "dataplane/wire/duplicates.h"
#include "dataplane/wire/steering.h"

namespace {

using seine::ByteView;
using namespace seine::wire;

// Reads every byte a view promises.
unsigned touch(ByteView bytes) {
    unsigned sum = 0;
    for (const std::uint8_t byte : bytes) sum += byte;
    return sum;
}

void check(const PacketView& packet) {
    SEINE_CHECK(packet.payload.size() <= packet.payload_wire_bytes);
    SEINE_CHECK(packet.cut == (packet.payload.size() < packet.payload_wire_bytes));
    SEINE_CHECK(packet.vlan_count <= kVlanTagsMax && packet.mpls_count <= kMplsLabelsMax);
    SEINE_CHECK(packet.tunnel_count <= kTunnelsMax);
    SEINE_CHECK(packet.transport == Transport::tcp || packet.transport == Transport::udp);
    SEINE_CHECK(packet.ip_version == 4 || packet.ip_version == 6);
    SEINE_CHECK(packet.options.size() <= 40);
    volatile unsigned sum = touch(packet.payload) + touch(packet.options);
    static_cast<void>(sum);
    TcpOptions options(packet.options);
    TcpOption option{};
    for (int i = 0; options.next(option) == seine::Parse::ok; ++i) SEINE_CHECK(i < 40);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    seine::ByteReader in({data, size});
    const bool small = size > 0 && (data[0] & 0x80) != 0;
    const FragmentLimits limits =
        small ? FragmentLimits{.datagrams_max = 3, .pieces_max = 8, .pool_bytes = 12288}
              : FragmentLimits{.datagrams_max = 64, .pool_bytes = 1 << 18};
    Decoder decoder(limits, 1);
    DuplicateFilter copies(64, 2);
    seine::Nanos now{1'700'000'000'000'000'000};
    for (int frames = 0; frames < 200 && !in.empty(); ++frames) {
        const std::uint8_t kind = in.u8();
        now = now + in.u8() * seine::kMillisecond;
        const std::size_t wanted = in.be16();
        const ByteView bytes = in.take(wanted < in.left() ? wanted : in.left());
        // Each frame alone in a heap block of its own size.
        const auto exact = std::make_unique<std::uint8_t[]>(bytes.size());
        if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
        const ByteView frame{exact.get(), bytes.size()};
        const auto link = static_cast<LinkType>((kind & 0x1f) % kLinkTypeCount);
        const auto wire_bytes =
            static_cast<std::uint32_t>(frame.size() + ((kind & 0x40) != 0 ? 1000 : 0));
        const Steering steering = peek(frame, link);

        PacketView packet;
        const DecodeResult result = decoder.decode(frame, wire_bytes, link, now, packet);
        SEINE_CHECK(decoder.fragments().datagram_count() <= limits.datagrams_max);
        SEINE_CHECK(decoder.fragments().pool_bytes_used() <= limits.pool_bytes);
        if (result != DecodeResult::ok) continue;
        check(packet);
        static_cast<void>(copies.is_copy(packet, now));
        if (packet.fragmented) continue;
        // Steering is not told how long a frame was, and asks the IP length, which may be 0.
        SEINE_CHECK(steering.by == SteerBy::flow || wire_bytes > frame.size());
        // The common path and the general walk say the same of a frame without fragments.
        PacketView general;
        SEINE_CHECK(decoder.decode_general(frame, wire_bytes, link, now, general) ==
                    DecodeResult::ok);
        SEINE_CHECK(general.source == packet.source && general.target == packet.target);
        SEINE_CHECK(general.source_port == packet.source_port &&
                    general.target_port == packet.target_port);
        SEINE_CHECK(general.payload.data() == packet.payload.data());
        SEINE_CHECK(general.payload.size() == packet.payload.size() && general.ttl == packet.ttl);
        SEINE_CHECK(general.payload_wire_bytes == packet.payload_wire_bytes);
        SEINE_CHECK(general.options.size() == packet.options.size() ||
                    packet.transport == Transport::udp);
    }
    return 0;
}
