// DHCP messages of the tests: made here, and seen in the captures they are named after.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/bytes.h"
#include "tests/unit/hex.h"

namespace seine::dhcp {

using Bytes = std::vector<std::uint8_t>;

// A BOOTP header, the cookie and these options.
inline Bytes message_v4(std::uint8_t op, std::string_view options_hex) {
    Bytes out(236);
    out[0] = op;
    out[1] = 1;
    out[2] = 6;
    const Bytes rest = unhex(std::string("63825363") + std::string(options_hex));
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
}

struct Sample {
    std::uint8_t op;  // 0: DHCPv6, `hex` is the whole message; else `hex` is the options
    const char* hex;
    const char* ja4d;
};

// Bytes and expected values of foxio-dhcp.pcapng, sv-dhcp-request-flood-test.pcap,
// foxio-dhcpv6.pcap, sv-base64-decode-5885-input.pcap and zeek-pppoe.pcap in the shared vectors.
inline constexpr Sample kSamples[] = {
    {1, "3501013d0701000b8201fc4232040000000037040103062aff00000000000000",
     "disco0000in_61-55_1-3-6-42"},
    {2,
     "3501020104ffffff003a04000007083b0400000c4e330400000e103604c0a80001ff0000000000000000000000000"
     "00000"
     "0000000000000000000000",
     "offer0000nn_1-58-59-51-54_00"},
    {1, "3501033d0701000b8201fc423204c0a8000a3604c0a8000137040103062aff00",
     "reqst0000in_61-54-55_1-3-6-42"},
    {2,
     "3501053a04000007083b0400000c4e330400000e103604c0a800010104ffffff00ff0000000000000000000000000"
     "00000"
     "0000000000000000000000",
     "dpack0000nn_58-59-51-54-1_00"},
    {1, "350101ff", "disco0000nn_00_00"},
    {0,
     "011008740001000e000100011c39cf88080027fe8f9500060004001700180008000200000019000c27fe8f9500000"
     "e10000015"
     "18",
     "solct0014nn_1-6-8-25_23-24"},
    {0,
     "021008740019002927fe8f950000000000000000001a00190000119400001c2040200100000000fe0000000000000"
     "000000001"
     "000e000100011c39cf88080027fe8f950002000e000100011c3825e8080027d410bb",
     "advrt0014nn_25-26-1-2_00"},
    {0,
     "0349174e0001000e000100011c39cf88080027fe8f950002000e000100011c3825e8080027d410bb0006000400170"
     "018000800"
     "0200000019002927fe8f9500000e1000001518001a001900001c2000001d4c40200100000000fe000000000000000"
     "000",
     "reqst0014nn_1-2-6-8-25-26_23-24"},
    {0,
     "07c789b00001000e000100011c39cf88080027fe8f950002000e000100011c3825e8080027d410bb000d001300005"
     "2656c6561"
     "73652072656365697665642e",
     "reply0014nn_1-2-13_00"},
    {0,
     "01dec4ce000800020c1c0001000e00010001273187e312a9866c77de0003000c0e525400000000000000000000270"
     "009000755"
     "7365722d50430010000e0000013700084d53465420352e30000600080018001700110027",
     "solct0014nd_8-1-3-39-16-6_24-23-17-39"},
    {0,
     "02fc24ab0002000a00030001ca010e8800080001000a00030001cc050e8800000018000f046970763604746573740"
     "3636f6d00"
     "00190029000900010000003e0000007a001a00190000007d0000007d38fc000000000201000000000000000000",
     "advrt0010nn_2-1-24-25-26_00"},
};

inline Bytes message_of(const Sample& sample) {
    return sample.op == 0 ? unhex(sample.hex) : message_v4(sample.op, sample.hex);
}

}  // namespace seine::dhcp
