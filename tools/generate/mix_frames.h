// Frames of one flow: addresses, ports and link are fixed, lengths and checksums are made right.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/base/bytes.h"
#include "tools/generate/mix_random.h"

namespace seine::generate {

enum class From : unsigned { client = 0, server = 1 };

class FrameBuilder {
  public:
    static constexpr std::size_t kFrameBytesMax = 1600;

    FrameBuilder(MixRandom& random, bool ipv6, bool vlan, std::uint8_t protocol, std::uint16_t source_port,
                 std::uint16_t target_port);
    void set_ttl(From from, std::uint8_t ttl) noexcept { ttl_[static_cast<unsigned>(from)] = ttl; }

    struct Tcp {
        std::uint32_t seq = 0;
        std::uint32_t ack = 0;
        std::uint8_t flags = 0;
        std::uint16_t window = 502;
        ByteView options;
    };
    // The frame lies in `out` until the next call.
    ByteView tcp(From from, const Tcp& header, ByteView payload, std::vector<std::uint8_t>& out) noexcept;
    ByteView udp(From from, ByteView payload, std::vector<std::uint8_t>& out) noexcept;

  private:
    std::uint8_t* link_and_ip(From from, std::size_t payload_bytes, std::vector<std::uint8_t>& out) noexcept;

    bool ipv6_;
    bool vlan_;
    std::uint8_t protocol_;
    std::array<std::uint8_t, 2> ttl_{};
    std::uint16_t ports_[2];
    std::uint16_t ip_id_;
    std::uint8_t address_[2][16];  // of client and server; IPv4 in the first four
};

}  // namespace seine::generate
