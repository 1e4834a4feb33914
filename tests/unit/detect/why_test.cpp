// What `farm why` says of three planted farms, one per kind of evidence, word by word.
#include <algorithm>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kHourNs;
using test::kStart;
using test::mixed;
using test::tag_of;
using test::Town;
using test::Visit;

// Accounts at home lines with everybody's clients: a request that fails on one comes back on the
// next one within a second.
void failing_over_farm(Town& town, std::uint64_t first, std::uint64_t n) {
    for (std::uint64_t a = first; a < first + n; ++a) {
        for (unsigned c = 0; c < 10; ++c) {
            Visit v;
            v.account = a;
            v.at = kStart + static_cast<std::int64_t>(mixed(a, 10 + c) % (140 * 3600)) * kSecond;
            v.address = 10u << 24 | static_cast<std::uint32_t>(mixed(a, 2) % (1u << 24));
            v.stack = 1 + mixed(a, 3) % 3;
            v.request_bytes = 30'000 + static_cast<std::uint32_t>(mixed(a, 50 + c) % 60'000);
            v.response_bytes = 300;
            v.first_seen_day = Town::today() - static_cast<std::uint32_t>(mixed(a, 7) % 900);
            town.visit(v);
            v.account = first + (a - first + 1 + c) % n;
            v.at += kSecond / 2;
            v.address = 10u << 24 | static_cast<std::uint32_t>(mixed(v.account, 2) % (1u << 24));
            v.stack = 1 + mixed(v.account, 3) % 3;
            v.first_seen_day =
                Town::today() - static_cast<std::uint32_t>(mixed(v.account, 7) % 900);
            v.response_bytes = 9'000;
            town.visit(v);
        }
    }
}

// Broken at blanks before column 90, so that it reads well here too.
std::string wrapped(const std::string& line) {
    std::string out;
    std::size_t column = 0;
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t end = std::min(line.find(' ', at), line.size());
        if (column > 0 && column + (end - at) > 90) {
            out.back() = '\n';
            column = 0;
        }
        out += line.substr(at, end - at) + ' ';
        column += end - at + 1;
        at = end + 1;
    }
    out.back() = '\n';
    return out;
}

std::string why(const Town& town, std::uint64_t account) {
    const Explanation answer = town.engine->why(tag_of<model::AccountTag>(account));
    std::string text = wrapped(answer.summary);
    for (const model::EvidenceLine& line : answer.lines) {
        char nats[16];
        std::snprintf(nats, sizeof nats, "%+.2f ", line.nats);
        text += wrapped(nats + line.sentence);
    }
    return text;
}

class Why : public testing::Test {
  protected:
    Why() {
        town_.people(1, 3000);
        town_.relayed_farm(100'000, 60);
        town_.sharing_farm(200'000);
        failing_over_farm(town_, 300'000, 20);
        town_.play();
    }
    Town town_;
};

TEST_F(Why, NamesTheRelayAndItsRoundTrips) {
    EXPECT_EQ(why(town_, 100'003),
              R"(This account belongs to farm F-2 with a score of 22.8 nats (odds of e^22.8).
+6.00 It runs the client #f0a4c76d: 59 of the farm's 60 organisations do, 0.01 of as many
others would.
+6.00 It comes through a relay: TLS answers come much later than TCP answers: 59 of the
farm's 60 organisations do, 0.01 of as many others would.
+5.47 It sends requests of few different sizes: 59 of the farm's 60 organisations do, 0.1
of as many others would.
+4.96 It comes from AS64125 (residential): 8 of the farm's 60 organisations do, 0.01 of as
many others would.
+4.39 It signed up on 2026-02-19: 19 of the farm's 60 organisations do, 0.09 of as many
others would.
-0.08 It has no shared session and took over no failed request of the farm so far: 60 of
the farm's 60 organisations do not either, against 60 of as many others.
-3.92 Before any evidence: 60 of 3085 active organisations belong to this farm.
)");
}

TEST_F(Why, NamesTheSharedSession) {
    EXPECT_EQ(why(town_, 200'002),
              R"(This account belongs to farm F-4 with a score of 21.2 nats (odds of e^21.2).
+6.00 It uses the address 40.0.0.77: 4 of the farm's 5 organisations do, 0.00 of as many
others would.
+6.00 It runs the client #7cb43a8a: 4 of the farm's 5 organisations do, 0.00 of as many
others would.
+6.00 It presented a TLS session that another account of the farm presented too: so do 5
of the farm's 5 organisations, and 0.00 of as many others.
+5.65 It works around the clock, hardly at weekends: 4 of the farm's 5 organisations do,
0.00 of as many others would.
+3.96 Its requests are of the sizes that the farm's accounts send, not of one
application's.
-6.42 Before any evidence: 5 of 3085 active organisations belong to this farm.
)");
}

TEST_F(Why, NamesTheRequestsThatWereTakenOver) {
    EXPECT_EQ(why(town_, 300'004),
              R"(This account belongs to farm F-6 with a score of 16.3 nats (odds of e^16.3).
+10.00 Requests that failed came back within a second, just as long, on another account,
three times or more between this account and the farm: so it is with 20 of the farm's 20
organisations and with 0.00 of as many others.
+6.00 It sends requests of many different sizes: 19 of the farm's 20 organisations do,
0.00 of as many others would.
+5.19 It works most often from 06 to 09 UTC, weekends too: 2 of the farm's 20
organisations do, 0.00 of as many others would.
+0.15 It opens TCP as #00000000: 19 of the farm's 20 organisations do, 7.2 of as many
others would.
-5.03 Before any evidence: 20 of 3085 active organisations belong to this farm.
)");
}

}  // namespace
}  // namespace seine::detect
