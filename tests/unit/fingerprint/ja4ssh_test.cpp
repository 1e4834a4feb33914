// JA4SSH windows: counts, modes with their tie rule, reset after 200 packets, the last partial one.
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4ssh.h"

#include <string>

#include <gtest/gtest.h>

namespace {

using namespace seine;
using namespace seine::fingerprint;

std::string take(Ja4ssh& state) {
    FixedString<kJa4sshBytesMax> out;
    return state.take(out) ? std::string(out.view()) : "none";
}

// First window of foxio-ssh-r.pcap, flow from port 46396: c76s76_c104s96_c19s82.
TEST(Ja4ssh, PrintsAFullWindowAsPublished) {
    Ja4ssh state;
    for (int i = 0; i < 19; ++i) state.bare_ack(true);
    state.bare_ack(false, 82);
    for (int i = 0; i < 104; ++i) EXPECT_FALSE(state.packet(true, i < 60 ? 76 : 36));
    for (int i = 0; i < 96; ++i)
        EXPECT_EQ(state.packet(false, i < 50 ? 76 : 100 + static_cast<std::uint32_t>(i)), i == 95);
    EXPECT_EQ(take(state), "c76s76_c104s96_c19s82");
    EXPECT_EQ(take(state), "none");
}

TEST(Ja4ssh, TheSmallerLengthWinsATie) {
    Ja4ssh state;
    for (const std::uint32_t length : {48u, 36u, 36u, 48u, 1000u})
        EXPECT_FALSE(state.packet(true, length));
    EXPECT_EQ(take(state), "c36s0_c5s0_c0s0");
    EXPECT_FALSE(state.packet(false, 70000));
    EXPECT_EQ(take(state), "c0s65535_c0s1_c0s0");
}

TEST(Ja4ssh, OneSideMayFillTheWindow) {
    Ja4ssh state;
    for (int i = 0; i < 199; ++i) EXPECT_FALSE(state.packet(false, 1460));
    EXPECT_TRUE(state.packet(false, 52));
    EXPECT_EQ(state.packet_count(), 200u);
    EXPECT_EQ(take(state), "c0s1460_c0s200_c0s0");
    EXPECT_EQ(state.packet_count(), 0u);
}

TEST(Ja4ssh, AcksAloneAreNoWindow) {
    Ja4ssh state;
    state.bare_ack(true);
    EXPECT_EQ(take(state), "none");
    EXPECT_FALSE(state.packet(true, 21));
    EXPECT_EQ(take(state), "c21s0_c1s0_c1s0");
    EXPECT_LE(sizeof(Ja4ssh), 432u);
}

}  // namespace
#endif
