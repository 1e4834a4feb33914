// Any bytes as a UDP datagram through the QUIC packet header reader.
#include <cstdlib>

#include "dataplane/quic/header.h"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    const ByteView datagram(data, size);
    ByteReader in(datagram);
    quic::Packet packet;
    std::size_t walked = 0;
    std::size_t count = 0;
    bool first_is_long = false;
    while (quic::read_packet(in, packet) == Parse::ok) {
        require(packet.bytes.data() == data + walked && !packet.bytes.empty());
        walked += packet.bytes.size();
        require(walked + in.left() == size);
        const bool numbered = packet.type == quic::PacketType::initial ||
                              packet.type == quic::PacketType::zero_rtt ||
                              packet.type == quic::PacketType::handshake;
        require(numbered == (packet.number_offset != 0));
        if (numbered) require(packet.number_offset + 20 <= packet.bytes.size());
        if (packet.version != 0 && packet.type != quic::PacketType::unknown_version) {
            require(packet.target_id.size() <= quic::kConnectionIdBytesMax);
            require(packet.source_id.size() <= quic::kConnectionIdBytesMax);
        }
        if (count++ == 0) first_is_long = packet.type != quic::PacketType::short_header;
    }
    if (quic::looks_like_quic(datagram)) require(count > 0 && first_is_long);
    return 0;
}
