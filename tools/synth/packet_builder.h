// Frames by layer, for tests, seeds and generators: one line describes one packet.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/bytes.h"

namespace seine::synth {

using Bytes = std::vector<std::uint8_t>;

// The bytes of hex digits; blanks are skipped. For what was seen in the wild.
Bytes from_hex(std::string_view hex);
Bytes bytes_of(std::string_view text);
// `count` bytes 0, 1, 2, ... wrapping.
Bytes counting(std::size_t count, std::uint8_t first = 0);
Bytes operator+(const Bytes& left, const Bytes& right);

// Each layer is a function from what it carries to the whole, so a frame reads from the outside in:
//
//   eth(vlan(7, ipv4({.source = "10.0.0.1"}, tcp({.source_port = 1234, .flags = kSyn}))))
//
// Lengths and checksums are right unless an option says otherwise. A layer that has to name its
// successor is told by Layer::type, which each function sets on what it returns.
struct Layer {
    Bytes bytes{};
    std::uint16_t ether_type = 0;  // what this is inside Ethernet; 0: an Ethernet frame
    std::uint8_t protocol = 0;     // what this is inside IP
    // TCP and UDP checksums cover the addresses: the IP layer fills in the two bytes at this
    // offset.
    int checksum_offset = -1;
};

struct EthOptions {
    std::string_view source = "02:00:00:00:00:01";
    std::string_view target = "02:00:00:00:00:02";
    std::size_t pad_to_bytes = 0;  // with zeros
    Bytes trailer{};               // packet broker trailer or FCS, after padding
};
Layer eth(const Layer& inner, const EthOptions& options = {});
Layer vlan(std::uint16_t id, const Layer& inner, std::uint16_t type = 0x8100);
Layer snap(const Layer& inner);  // 802.3 with LLC and SNAP, from the length on: pass to eth()
Layer mpls(std::initializer_list<std::uint32_t> labels, const Layer& inner);
Layer control_word(const Layer& inner);
Layer pppoe(std::uint16_t session, const Layer& inner);

struct PppOptions {
    bool hdlc = true;         // ff 03 in front
    bool compressed = false;  // protocol in one byte
};
Layer ppp(const Layer& inner, const PppOptions& options = {});

struct Ipv4Options {
    std::string_view source = "192.0.2.1";
    std::string_view target = "198.51.100.2";
    std::uint8_t ttl = 64;
    std::uint16_t id = 1;
    bool dont_fragment = false;
    bool more_fragments = false;
    std::uint16_t offset_bytes = 0;
    Bytes options{};       // padded to words
    int protocol = -1;     // instead of the inner layer's
    int total_bytes = -1;  // instead of the true length
    bool bad_checksum = false;
};
Layer ipv4(const Ipv4Options& options, const Layer& inner);

struct Ipv6Options {
    std::string_view source = "2001:db8::1";
    std::string_view target = "2001:db8::2";
    std::uint8_t hops = 64;
    int protocol = -1;
    int payload_bytes = -1;
};
Layer ipv6(const Ipv6Options& options, const Layer& inner);
// Extension headers; `kind` 0 hop-by-hop, 43 routing, 60 destination; body padded to 8 bytes.
Layer extension(std::uint8_t kind, const Layer& inner, const Bytes& body = {});
Layer fragment6(std::uint32_t id, std::uint16_t offset_bytes, bool more, std::uint8_t next_header,
                const Bytes& piece);
Layer ah(const Layer& inner);  // authentication header with twelve bytes of check value

// IP payload of `whole` (a Layer made by tcp(), udp(), ...) cut into fragments of `piece_bytes` (a
// multiple of eight), in order; TCP and UDP checksums are those of the whole.
std::vector<Layer> fragments4(Ipv4Options options, const Layer& whole, std::size_t piece_bytes);
std::vector<Layer> fragments6(const Ipv6Options& options, std::uint32_t id, const Layer& whole,
                              std::size_t piece_bytes);

inline constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16;
struct TcpFields {
    std::uint16_t source_port = 40000;
    std::uint16_t target_port = 443;
    std::uint32_t seq = 1000;
    std::uint32_t ack = 2000;
    std::uint8_t flags = kAck | kPsh;
    std::uint16_t window = 64240;
    Bytes options{};  // padded to words with kind 0
    bool bad_checksum = false;
};
Layer tcp(const TcpFields& fields, const Bytes& payload = {});

struct UdpFields {
    std::uint16_t source_port = 40000;
    std::uint16_t target_port = 443;
    int length_bytes = -1;  // instead of the true length
    bool no_checksum = false;
};
Layer udp(const UdpFields& fields, const Bytes& payload = {});
Layer raw(std::uint8_t protocol, const Bytes& payload);  // any other IP protocol

// IP in IP needs no function: ipv4(.., ipv6(.., ..)). The outer protocol follows from the inner
// layer.
struct GreOptions {
    bool checksum = false;
    bool has_key = false;
    std::uint32_t key = 0;
    bool has_sequence = false;
    std::uint32_t sequence = 0;
    int protocol = -1;
};
Layer gre(const Layer& inner, const GreOptions& options = {});
Layer nvgre(std::uint32_t vsid, const Layer& frame);
Layer pptp(std::uint16_t call_id, const Layer& ppp_frame, bool sequence = true, bool ack = true);
Layer erspan1(const Layer& frame);
Layer erspan2(std::uint16_t session, const Layer& frame);
Layer erspan3(std::uint16_t session, const Layer& frame, bool platform = false);
Layer etherip(const Layer& frame);

// UDP tunnels: give the result to ipv4() or ipv6().
Layer vxlan(std::uint32_t vni, const Layer& frame, std::uint16_t target_port = 4789);
Layer vxlan_gpe(std::uint32_t vni, const Layer& inner);
Layer geneve(std::uint32_t vni, const Layer& inner, const Bytes& options = {});
// Extensions are PDU session containers (type 0x85) of four bytes each.
Layer gtpu(std::uint32_t teid, const Layer& inner, bool sequence = false, int extension_count = 0);
Layer gre_udp(const Layer& inner);
Layer teredo(const Layer& inner, bool authentication = false, bool origin = false);

// Link layers other than Ethernet.
Bytes linux_sll(const Layer& inner);
Bytes linux_sll2(const Layer& inner);
Bytes loopback(const Layer& inner, bool big_endian = false);
Bytes nflog(const Layer& inner, bool big_endian = false);

// TCP options in wire order, as a Linux SYN has them.
Bytes linux_syn_options(std::uint16_t mss = 1460, std::uint8_t scale = 7);

std::uint16_t internet_checksum(ByteView bytes, std::uint32_t start = 0);

}  // namespace seine::synth
