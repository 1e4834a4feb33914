// PROXY protocol headers of both versions: known headers, every truncation, every flipped byte.
#include "dataplane/preface/proxy_protocol.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace {

using namespace seine;
using namespace seine::preface;

Parse parse(std::string_view text, ProxyHeader& out, std::size_t& consumed) {
    const auto exact = std::make_unique<std::uint8_t[]>(text.size());
    std::copy(text.begin(), text.end(), exact.get());
    return parse_proxy_header({exact.get(), text.size()}, out, consumed);
}
Parse parse(std::string_view text) {
    ProxyHeader out;
    std::size_t consumed = 0;
    return parse(text, out, consumed);
}
std::string be16(std::size_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
std::string tlv(int type, std::string_view value) {
    return std::string(1, static_cast<char>(type)) + be16(value.size()) + std::string(value);
}
std::string v2(int command, int family, std::string_view rest) {
    return std::string("\r\n\r\n\0\r\nQUIT\n", 12) + static_cast<char>(0x20 | command) +
           static_cast<char>(family) + be16(rest.size()) + std::string(rest);
}
const std::string kIpv4 =
    std::string("\xc0\x00\x02\x01\xc6\x33\x64\x07", 8) + be16(51234) + be16(443);

TEST(ProxyV1, ReadsIpv4) {
    ProxyHeader out;
    std::size_t consumed = 0;
    constexpr std::string_view kLine = "PROXY TCP4 192.0.2.1 198.51.100.7 51234 443\r\n";
    ASSERT_EQ(parse(std::string(kLine) + "GET /", out, consumed), Parse::ok);
    EXPECT_EQ(consumed, kLine.size());
    EXPECT_EQ(out.version, 1);
    EXPECT_EQ(out.source.family, 4);
    EXPECT_EQ(out.source.ip[0], 192);
    EXPECT_EQ(out.source.ip[3], 1);
    EXPECT_EQ(out.source.port, 51234);
    EXPECT_EQ(out.target.ip[3], 7);
    EXPECT_EQ(out.target.port, 443);
    for (std::size_t cut = 0; cut < kLine.size(); ++cut)
        EXPECT_EQ(parse(kLine.substr(0, cut)), Parse::need_more) << cut;
}

TEST(ProxyV1, ReadsIpv6InEveryForm) {
    ProxyHeader out;
    std::size_t consumed = 0;
    const auto source = [&](std::string_view text) {
        const std::string line = "PROXY TCP6 " + std::string(text) + " ::1 1 2\r\n";
        if (parse(line, out, consumed) != Parse::ok) return std::string("refused");
        std::string hex;
        for (const std::uint8_t b : out.source.ip) {
            hex.push_back(kHexDigits[b >> 4]);
            hex.push_back(kHexDigits[b & 15]);
        }
        return hex;
    };
    EXPECT_EQ(source("2001:db8:0:1:2:3:4:5"), "20010db8000000010002000300040005");
    EXPECT_EQ(source("2001:db8::5"), "20010db8000000000000000000000005");
    EXPECT_EQ(source("::"), "00000000000000000000000000000000");
    EXPECT_EQ(source("fe80::"), "fe800000000000000000000000000000");
    EXPECT_EQ(source("::ffff:192.0.2.1"), "00000000000000000000ffffc0000201");
    EXPECT_EQ(out.target.ip[15], 1);
    for (const char* bad : {"1:2:3", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "g::", "1:", ":1",
                            "1.2.3.4", "::1.2.3", "1:2:3:4:5:6:7::8:9"})
        EXPECT_EQ(source(bad), "refused") << bad;
}

TEST(ProxyV1, RefusesWhatIsNotSound) {
    EXPECT_EQ(parse("PROXY UNKNOWN whatever\r\n"), Parse::ok);
    EXPECT_EQ(parse("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"), Parse::malformed);
    EXPECT_EQ(parse("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"), Parse::malformed);
    EXPECT_EQ(parse("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), Parse::malformed);
    EXPECT_EQ(parse("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n"), Parse::malformed);
    EXPECT_EQ(parse("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"), Parse::malformed);
    EXPECT_EQ(parse("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), Parse::malformed);
    EXPECT_EQ(parse("PROXY " + std::string(200, 'x')), Parse::malformed);
    EXPECT_EQ(parse("PROPFIND / HTTP/1.1\r\n"), Parse::not_this);
    EXPECT_EQ(parse("\r\n\r\nGET"), Parse::not_this);
}

TEST(ProxyV2, ReadsAddressesAndTlvs) {
    const std::string ssl =
        std::string("\x01\0\0\0\0", 5) + tlv(0x21, "TLSv1.3") + tlv(0x22, "client cn");
    const std::string header = v2(1, 0x11,
                                  kIpv4 + tlv(0x05, "unique-1") + tlv(0x02, "api.example") +
                                      tlv(0x01, "h2") + tlv(0x20, ssl) + tlv(0x04, "padding"));
    ProxyHeader out;
    std::size_t consumed = 0;
    ASSERT_EQ(parse(header + "\x16\x03", out, consumed), Parse::ok);
    EXPECT_EQ(consumed, header.size());
    EXPECT_EQ(out.version, 2);
    EXPECT_FALSE(out.local);
    EXPECT_EQ(out.source.family, 4);
    EXPECT_EQ(out.source.ip[0], 192);
    EXPECT_EQ(out.source.port, 51234);
    EXPECT_EQ(out.target.ip[0], 198);
    EXPECT_EQ(out.target.port, 443);
    EXPECT_EQ(out.unique_id.view(), "unique-1");
    EXPECT_EQ(out.authority.view(), "api.example");
    EXPECT_EQ(out.alpn.view(), "h2");
    EXPECT_EQ(out.tls_version.view(), "TLSv1.3");
    EXPECT_TRUE(out.tls);
    for (std::size_t cut = 0; cut < header.size(); ++cut)
        EXPECT_EQ(parse(std::string_view(header).substr(0, cut)), Parse::need_more) << cut;
    for (std::size_t at = 0; at < header.size(); ++at) {
        std::string broken = header;
        broken[at] = static_cast<char>(broken[at] ^ 0xff);
        const Parse answer = parse(broken, out, consumed);
        EXPECT_LE(answer == Parse::ok ? consumed : 0, broken.size());
    }
}

TEST(ProxyV2, ReadsOtherFamilies) {
    ProxyHeader out;
    std::size_t consumed = 0;
    ASSERT_EQ(parse(v2(1, 0x21, std::string(32, '\x20') + be16(1) + be16(2)), out, consumed),
              Parse::ok);
    EXPECT_EQ(out.source.family, 6);
    EXPECT_EQ(out.target.port, 2);
    ASSERT_EQ(parse(v2(1, 0x12, kIpv4), out, consumed), Parse::ok);
    EXPECT_TRUE(out.udp);
    ASSERT_EQ(parse(v2(0, 0x00, ""), out, consumed), Parse::ok);
    EXPECT_TRUE(out.local);
    EXPECT_EQ(out.source.family, 0);
    EXPECT_EQ(parse(v2(1, 0x31, std::string(216, 'u'))), Parse::ok);
    EXPECT_EQ(parse(v2(1, 0x31, std::string(215, 'u'))), Parse::malformed);
    EXPECT_EQ(parse(v2(1, 0x41, kIpv4)), Parse::malformed);
    EXPECT_EQ(parse(v2(2, 0x11, kIpv4)), Parse::malformed);
    EXPECT_EQ(parse(v2(1, 0x11, kIpv4.substr(1))), Parse::malformed);
    EXPECT_EQ(parse(v2(1, 0x11, kIpv4 + "\x05")), Parse::malformed);
}

TEST(ProxyV2, BoundsLengthAndTlvs) {
    EXPECT_EQ(parse(v2(1, 0x11, kIpv4 + std::string(5000, '\0'))), Parse::limit);
    std::string many;
    for (std::size_t i = 0; i <= ProxyHeader::kTlvsMax; ++i) many += tlv(0x04, "");
    EXPECT_EQ(parse(v2(1, 0x11, kIpv4 + many)), Parse::limit);
    ProxyHeader out;
    std::size_t consumed = 0;
    ASSERT_EQ(parse(v2(1, 0x11, kIpv4 + tlv(0x05, std::string(300, 'u'))), out, consumed),
              Parse::ok);
    EXPECT_EQ(out.unique_id.size(), 128u);
    EXPECT_TRUE(out.unique_id.truncated());
}

}  // namespace
