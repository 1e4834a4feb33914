// Farms that must be found, crowds that must not, and what may never change the answer.
#include <cmath>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kDayNs;
using test::kHourNs;
using test::kStart;
using test::mixed;
using test::tag_of;
using test::Town;
using test::Visit;

std::string picture(const Engine& engine) {
    std::ostringstream out;
    engine.results([&](const AccountResult& r) {
        if (!r.alerted) return;
        out << to_text(r.account) << ' ' << r.farm << ' ' << r.first_alert.count << ' '
            << std::hexfloat << r.score_nats << '\n';
    });
    return out.str();
}

TEST(Engine, FindsAFarmBehindRelays) {
    Town town;
    town.people(1, 3000);
    town.relayed_farm(100'000, 60);
    town.play();
    EXPECT_GE(town.alerted(100'000, 60), 59u);
    EXPECT_EQ(town.alerted(1, 3000), 0u);
}

TEST(Engine, FindsAFarmOfThirtyPercent) {
    Town town;
    town.people(1, 2100);
    town.relayed_farm(100'000, 900, 6);
    town.play(1);
    EXPECT_GE(town.alerted(100'000, 900), 890u);
    EXPECT_EQ(town.alerted(1, 2100), 0u);
}

TEST(Engine, FindsAFarmOfFiveThatSharesSessions) {
    Town town;
    town.people(1, 3000);
    town.sharing_farm(200'000);
    town.play();
    EXPECT_EQ(town.alerted(200'000, 5), 5u);
    EXPECT_EQ(town.alerted(1, 3000), 0u);
}

TEST(Engine, ExplanationSumsToTheScore) {
    Town town;
    town.people(1, 3000);
    town.relayed_farm(100'000, 60);
    town.sharing_farm(200'000);
    town.play();
    std::size_t explained = 0;
    town.engine->results([&](const AccountResult& result) {
        const Explanation why = town.engine->why(result.account);
        ASSERT_TRUE(why.known);
        ASSERT_FALSE(why.lines.empty());
        double sum = 0;
        for (const auto& line : why.lines) {
            sum += line.nats;
            EXPECT_FALSE(line.sentence.empty());
        }
        EXPECT_NEAR(sum, why.result.score_nats, 1e-6);
        ++explained;
    });
    EXPECT_EQ(explained, 3065u);
    EXPECT_FALSE(town.engine->why(tag_of<model::AccountTag>(987'654'321)).known);
}

TEST(Engine, ACampusThatSignsUpInOneHourIsNoFarm) {
    Town town;
    town.people(1, 3000);
    for (std::uint64_t a = 300'000; a < 300'035; ++a) {
        for (unsigned c = 0; c < 6; ++c) {
            Visit v;
            v.account = a;
            v.at =
                kStart + kDayNs + c * kDayNs / 2 + static_cast<std::int64_t>(mixed(a, c) % kHourNs);
            v.address = 30u << 24 | static_cast<std::uint32_t>(mixed(a, c) % 4);
            v.stack = 888;
            v.first_seen_day = Town::today() + 1;
            v.tier = 4;
            town.visit(v);
        }
    }
    town.play();
    EXPECT_EQ(town.alerted(300'000, 35), 0u);
}

// A weekend in one hall: strangers sign up within hours, with the client of the handbook, over one
// line, work on one exercise and go home. One such hall is of nobody in particular, one an office.
TEST(Engine, AHackathonIsNoFarm) {
    for (const std::uint32_t hall : {60u << 24 | 9, 10u << 24 | 9}) {
        Town town;
        town.people(1, 3000);
        for (std::uint64_t a = 310'000; a < 310'120; ++a) {
            for (unsigned c = 0; c < 10; ++c) {
                Visit v;
                v.account = a;
                const bool there = c < 8;
                v.at = kStart + 2 * kDayNs + (there ? c * 4 : 30 + c * 8) * kHourNs +
                       static_cast<std::int64_t>(mixed(a, c) % kHourNs);
                v.address =
                    there ? hall : 10u << 24 | static_cast<std::uint32_t>(mixed(a, 2) % (1u << 24));
                v.stack = mixed(a, 3) % 4 == 0 ? 4 + mixed(a, 4) % 9 : 333;
                v.request_bytes = 1500 + static_cast<std::uint32_t>(mixed(a, 40 + c) % 900);
                v.first_seen_day = Town::today() + 2;
                v.tier = 4;
                town.visit(v);
            }
        }
        town.play();
        EXPECT_EQ(town.alerted(310'000, 120), 0u) << hall;
        EXPECT_EQ(town.alerted(1, 3000), 0u);
    }
}

TEST(Engine, ALaunchDayIsNoFarm) {
    Town town;
    town.people(1, 3000);
    town.people(50'000, 400);
    for (Visit& v : town.visits) {
        if (v.account < 50'000) continue;
        v.first_seen_day = Town::today() - 3;
        v.stack = 4;
    }
    town.play();
    EXPECT_EQ(town.alerted(50'000, 400), 0u);
}

TEST(Engine, ACarrierThatSplitsTcpIsNoFarm) {
    Town town;
    town.people(1, 3000);
    town.people(60'000, 300);
    for (Visit& v : town.visits) {
        if (v.account < 60'000) continue;
        v.address = 50u << 24 | static_cast<std::uint32_t>(mixed(v.account, 9) % 64);
        if (mixed(v.account, 8) % 10 < 6) {
            v.rtt_tcp_us = 8000;
            v.rtt_tls_us = 62'000;
        }
    }
    town.play();
    EXPECT_EQ(town.alerted(60'000, 300), 0u);
}

// A platform's customers come through its servers and share its TLS sessions.
void platform(Town& town, std::uint64_t first, std::uint64_t n, std::uint16_t flags) {
    for (std::uint64_t a = first; a < first + n; ++a) {
        for (unsigned c = 0; c < 6; ++c) {
            Visit v;
            v.account = a;
            v.at = kStart + c * 20 * kHourNs + static_cast<std::int64_t>(mixed(a, c) % kHourNs);
            v.address = 40u << 24 | static_cast<std::uint32_t>(500 + a % 3);
            v.stack = 444;
            v.session = 700'000 + c * 64 + a % 50;
            v.first_seen_day = Town::today() - static_cast<std::uint32_t>(mixed(a, 7) % 1400);
            v.flags = flags;
            town.visit(v);
        }
    }
}

TEST(Engine, ADeclaredIntermediaryIsNoFarmAndHidesNone) {
    Town town;
    town.people(1, 3000);
    platform(town, 400'000, 250, 64);
    // A farm whose accounts use the platform too, but are seen through relays as well.
    town.relayed_farm(100'000, 40);
    platform(town, 100'000, 40, 64);
    town.play();
    EXPECT_EQ(town.alerted(400'000, 250), 0u);
    EXPECT_GE(town.alerted(100'000, 40), 39u);
    EXPECT_GT(town.engine->counters().through_intermediary, 0u);
}

TEST(Engine, AnUndeclaredPlatformIsReportedApart) {
    Town town;
    town.people(1, 3000);
    platform(town, 400'000, 250, 0);
    town.play();
    EXPECT_EQ(town.alerted(400'000, 250), 0u);
    ASSERT_FALSE(town.engine->shared_egress().empty());
    EXPECT_EQ(town.engine->shared_egress().front().kind, "intermediary");
}

TEST(Engine, AnyNumberOfThreadsGivesTheSameAnswer) {
    std::string first;
    for (const unsigned threads : {1u, 2u, 8u}) {
        Options options;
        options.threads = threads;
        Town town(options);
        town.people(1, 17'000, 2);  // more than one block of what runs side by side
        town.relayed_farm(100'000, 50);
        town.sharing_farm(200'000);
        town.play(1);
        std::string now = picture(*town.engine);
        EXPECT_FALSE(now.empty());
        for (const std::uint64_t a : {100'003u, 200'002u}) {
            for (const auto& line : town.engine->why(tag_of<model::AccountTag>(a)).lines)
                now += line.sentence + '\n';
        }
        if (first.empty()) first = now;
        EXPECT_EQ(now, first) << threads;
    }
}

TEST(Engine, ARestartInTheMiddleChangesNothing) {
    std::string whole;
    for (const bool restart : {false, true}) {
        Town town;
        town.people(1, 1500);
        town.relayed_farm(100'000, 50);
        std::vector<Visit> all = town.visits;
        std::sort(all.begin(), all.end(),
                  [](const Visit& a, const Visit& b) { return a.at < b.at; });
        for (std::size_t i = 0; i < all.size(); ++i) {
            town.engine->take(test::sighting(all[i], i + 1, false));
            town.engine->take(test::sighting(all[i], i + 1, true));
            if (i != all.size() / 2) continue;
            town.engine->sweep({all[i].at});
            if (!restart) continue;
            std::stringstream saved;
            ASSERT_TRUE(town.engine->save(saved).ok());
            Town fresh;
            ASSERT_TRUE(fresh.engine->load(saved).ok());
            town.engine = std::move(fresh.engine);
        }
        town.engine->tick({all.back().at});
        town.engine->sweep({kStart + 6 * kDayNs});
        std::ostringstream sorted;
        std::vector<std::string> lines;
        std::istringstream in(picture(*town.engine));
        for (std::string line; std::getline(in, line);) lines.push_back(line);
        std::sort(lines.begin(), lines.end());
        for (const auto& line : lines) sorted << line << '\n';
        if (!restart) whole = sorted.str();
        EXPECT_FALSE(whole.empty());
        EXPECT_EQ(sorted.str(), whole);
    }
}

TEST(Engine, ADamagedStateIsRefusedWhole) {
    Town town;
    town.people(1, 200);
    town.play(1);
    std::ostringstream saved;
    ASSERT_TRUE(town.engine->save(saved).ok());
    const std::string good = saved.str();
    for (const std::size_t at : {std::size_t{3}, good.size() / 2, good.size() - 4}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x40);
        std::istringstream in(bad);
        EXPECT_FALSE(town.engine->load(in).ok()) << at;
    }
    std::istringstream cut(good.substr(0, good.size() - 9));
    EXPECT_FALSE(town.engine->load(cut).ok());
    EXPECT_EQ(town.engine->counters().accounts, 200u);
}

TEST(Engine, ATagRotationKeepsIdsAndFarms) {
    Town town;
    town.people(1, 2000);
    town.relayed_farm(100'000, 50);
    town.play();
    const auto before = town.engine->result(tag_of<model::AccountTag>(100'005));
    ASSERT_TRUE(before.alerted);
    model::AccountEvent rekey;
    rekey.kind = model::AccountEvent::Kind::rekey;
    rekey.at = town.end;
    rekey.previous = tag_of<model::AccountTag>(100'005);
    rekey.account = tag_of<model::AccountTag>(777'777);
    town.engine->take(rekey);
    town.engine->sweep({town.end.count + kHourNs});
    const auto after = town.engine->result(rekey.account);
    EXPECT_TRUE(after.alerted);
    EXPECT_EQ(after.farm, before.farm);
    EXPECT_EQ(after.first_alert, before.first_alert);
    EXPECT_FALSE(town.engine->result(rekey.previous).alerted);
}

TEST(Engine, AFloodOfAccountsKeepsTheCapAndTheFarm) {
    Options options;
    options.accounts_max = 4000;
    Town town(options);
    town.people(1, 2000);
    town.relayed_farm(100'000, 60);
    town.play();
    ASSERT_GE(town.alerted(100'000, 60), 59u);
    const std::uint64_t bytes = town.engine->counters().bytes;
    for (std::uint64_t i = 0; i < 200'000; ++i) {
        Visit v;
        v.account = 10'000'000 + i;
        v.at = town.end.count + static_cast<std::int64_t>(i) * kMillisecond;
        v.address = static_cast<std::uint32_t>(mixed(i, 1));
        v.stack = mixed(i, 2) | 1;
        v.session = mixed(i, 3) | 1;
        town.engine->take(test::sighting(v, 10'000'000 + i, false));
    }
    town.engine->sweep({town.end.count + kHourNs});
    const Counters c = town.engine->counters();
    EXPECT_EQ(c.accounts, 4000u);
    EXPECT_GT(c.accounts_evicted, 190'000u);
    EXPECT_LT(c.bytes, 2 * bytes + (std::uint64_t{8} << 20));
    EXPECT_GE(town.alerted(100'000, 60), 59u);
}

TEST(Engine, RepeatedSightingsCountOnce) {
    Town town;
    Visit v;
    v.account = 1;
    for (int i = 0; i < 5; ++i) town.engine->take(test::sighting(v, 42, false));
    EXPECT_EQ(town.engine->counters().connections, 1u);
    EXPECT_EQ(town.engine->counters().sightings, 5u);
}

TEST(Engine, TellsWhenAFarmIsFound) {
    Town town;
    town.people(1, 2000);
    town.relayed_farm(100'000, 50);
    town.play();
    bool found = false;
    for (const model::Event& event : town.engine->events()) {
        found = found || event.farm.kind == model::FarmEvent::Kind::found;
        EXPECT_FALSE(event.message.empty());
    }
    EXPECT_TRUE(found);
    EXPECT_TRUE(town.engine->events().empty());
}

TEST(Engine, RefusesATemplateThatNamesNoChannel) {
    Options options;
    options.templates = {"ip.stk", "ip.colour"};
    const auto made = Engine::make(options);
    ASSERT_FALSE(made.has_value());
    EXPECT_NE(made.error().message().find("colour"), std::string::npos);
}

}  // namespace
}  // namespace seine::detect
