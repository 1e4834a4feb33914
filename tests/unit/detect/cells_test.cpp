// Cells against a count by hand, and the sums they rest on.
#include "control/detect/cells.h"

#include <cmath>
#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

TEST(CellMaths, LeavesTheGroupOutOfItsOwnExpectation) {
    // A farm of thirty in a hundred: naively 30 * 30 / 100 = 9 are to be expected, the rest says 0.
    const CellMaths m = cell_maths(3000, 3000, 3100, 10'000);
    EXPECT_NEAR(m.mu, 3000.0 * 100 / 7000, 1e-9);
    EXPECT_GT(m.nats, 4);
}

TEST(CellMaths, SaysNothingOfFewOrExpected) {
    EXPECT_EQ(cell_maths(4, 10, 10, 100'000).nats, 0);        // under five organisations
    EXPECT_EQ(cell_maths(50, 500, 10'000, 100'000).nats, 0);  // as many as chance gives
    EXPECT_EQ(cell_maths(50, 60, 60, 150).nats, 0);           // hardly anybody else
    EXPECT_NEAR(cell_maths(40, 100, 200, 100'000).nats,
                std::min({6.0, std::log(40.5 * (100'000 - 300 + 40.5) / (60.5 * 160.5)),
                          std::log(40 / (100.0 * 160 / 99'900))}),
                1e-9);
}

TEST(CellMaths, SessionWeightGrowsSlowlyAndStops) {
    EXPECT_EQ(session_nats(1), 0);
    EXPECT_NEAR(session_nats(2), 3, 1e-12);
    EXPECT_NEAR(session_nats(20), 3 + 0.6 * std::log(10), 1e-12);
    EXPECT_EQ(session_nats(1e9), 6);
}

TEST(Templates, NameChannelsOfDifferentGroups) {
    EXPECT_TRUE(read_template("prefix.stk").has_value());
    EXPECT_TRUE(read_template("prx.stk.onb").has_value());
    EXPECT_FALSE(read_template("prefix").has_value());
    EXPECT_FALSE(read_template("prefix.ip").has_value());
    EXPECT_NE(read_template("prefix.nothing").error().message().find("nothing"), std::string::npos);
    for (const std::string& name : default_templates()) {
        EXPECT_TRUE(read_template(name).has_value()) << name;
    }
}

TEST(Cells, CountOrganisationsAsAHandWould) {
    Options options;
    options.sessions_max = options.exits_max = 1000;
    Observer observer(options);
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::set<std::uint64_t>> by_hand;
    std::map<std::uint32_t, std::set<std::uint64_t>> with_address;
    std::map<std::uint64_t, std::set<std::uint64_t>> with_stack;
    for (std::uint64_t a = 1; a <= 600; ++a) {
        test::Visit v;
        v.account = a;
        v.org = 5000 + a / 2;  // two accounts to an organisation
        v.address = 10u << 24 | static_cast<std::uint32_t>(a <= 40 ? 7 : 1000 + a % 50);
        v.stack = a <= 40 ? 99 : 1 + test::mixed(a) % 5;
        observer.take(test::sighting(v, a, false));
        by_hand[{v.address, v.stack}].insert(v.org);
        with_address[v.address].insert(v.org);
        with_stack[v.stack].insert(v.org);
    }
    const Population population(observer, {test::kStart + kHour}, kDay, nullptr);
    EXPECT_EQ(population.size(), 600u);
    EXPECT_EQ(population.orgs(), 301);
    const std::vector<Template> templates = {read_template("ip.ja4").value()};
    const Cells cells(population, templates);
    std::size_t checked = 0;
    for (const Cell& cell : cells.cells) {
        if (cell.template_index != 0) continue;
        ++checked;
        const auto address = static_cast<std::uint32_t>(population.tokens[cell.token[0]].value);
        const std::uint64_t stack = population.tokens[cell.token[1]].value;
        EXPECT_EQ(cell.n, (by_hand[{address, stack}].size()));
        const CellMaths m =
            cell_maths(static_cast<double>(by_hand[{address, stack}].size()),
                       static_cast<double>(with_address[address].size()),
                       static_cast<double>(with_stack[stack].size()), population.orgs());
        EXPECT_DOUBLE_EQ(cell.nats, m.nats);
        EXPECT_DOUBLE_EQ(cell.mu, m.mu);
    }
    EXPECT_GE(checked, 1u);
    // And none was missed.
    std::size_t expected = 0;
    for (const auto& [key, orgs] : by_hand) {
        const double n = static_cast<double>(orgs.size());
        const auto& [address, stack] = key;
        expected += cell_maths(n, static_cast<double>(with_address[address].size()),
                               static_cast<double>(with_stack[stack].size()), population.orgs())
                                .nats > 0
                        ? 1
                        : 0;
    }
    EXPECT_EQ(checked, expected);
}

// The formulas again, as plainly as the header states them.
double nats_by_hand(double n, double n_x, double n_y, double n_all) {
    if (n < 5 || n_all - n_x < 100) return 0;
    const double mu = n_x * (n_y - n) / (n_all - n_x);
    const double least = std::max(mu, 0.1 * n_x / (n_all - n_x));
    if (n <= least || n * std::log(n / least) - (n - least) <= 14) return 0;
    const double odds = (n + .5) * (n_all - n_x - n_y + n + .5) / ((n_x - n + .5) * (n_y - n + .5));
    return std::max(0.0, std::min({6.0, std::log(odds), std::log(n / std::max(mu, .05))}));
}

using Tokens = std::vector<std::uint32_t>;

// Organisations among rows, by their numbers alone.
std::size_t orgs_by_hand(const Population& population, const std::set<std::uint32_t>& rows) {
    std::set<std::uint32_t> orgs;
    for (const std::uint32_t row : rows) orgs.insert(population.rows[row].org);
    return orgs.size();
}

// Every cell of a template by going through all accounts and all of their combinations.
std::map<Tokens, double> cells_by_hand(const Population& population, const Template& shape) {
    std::map<Tokens, std::set<std::uint32_t>> whole, pairs, single;
    for (std::uint32_t row = 0; row < population.size(); ++row) {
        const std::function<void(Tokens)> cross = [&](Tokens taken) {
            if (taken.size() == shape.parts) {
                whole[taken].insert(row);
                return;
            }
            if (taken.size() == 2) pairs[taken].insert(row);
            for (const std::uint32_t token : population.tokens_of(row)) {
                if (population.tokens[token].channel != shape.channels[taken.size()]) continue;
                Tokens next = taken;
                next.push_back(token);
                cross(std::move(next));
            }
        };
        cross({});
        for (const std::uint32_t token : population.tokens_of(row)) single[{token}].insert(row);
    }
    std::map<Tokens, double> out;
    for (const auto& [tokens, rows] : whole) {
        const Tokens x = shape.parts == 2 ? Tokens{tokens[0]} : Tokens{tokens[0], tokens[1]};
        const auto& with_x = shape.parts == 2 ? single[x] : pairs[x];
        const double nats =
            nats_by_hand(static_cast<double>(orgs_by_hand(population, rows)),
                         static_cast<double>(orgs_by_hand(population, with_x)),
                         static_cast<double>(orgs_by_hand(population, single[{tokens.back()}])),
                         population.orgs());
        if (nats > 0) out[tokens] = nats;
    }
    return out;
}

// Small worlds of few values, so that all templates have cells: some organisations have several
// accounts, and a group agrees on everything.
TEST(Cells, AgreeWithBruteForceOverEveryTemplate) {
    std::size_t compared = 0, triples = 0;
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        Options options;
        options.sessions_max = options.exits_max = 1000;
        Observer observer(options);
        PrefixTable prefixes;
        for (std::uint32_t i = 0; i < 8; ++i)
            prefixes.add(test::ipv4(20u << 24 | i << 8), 120, {64'000 + i, NetClass::residential});
        observer.set_prefixes(std::move(prefixes));
        std::uint64_t flow = 0;
        for (std::uint64_t a = 1; a <= 400; ++a) {
            const bool group = a <= 40;
            for (std::uint64_t c = 0; c < 12; ++c) {
                test::Visit v;
                v.account = 1000 * seed + a;
                v.org = 5000 + (a % 3 == 0 ? a / 9 : a);
                const std::uint64_t place = test::mixed(seed * a, 60 + c % (group ? 5 : 2));
                v.address =
                    20u << 24 | static_cast<std::uint32_t>(group ? 256 * (place % 5) + place % 3
                                                                 : 256 * (place % 40));
                v.stack = group ? 77 : 1 + test::mixed(seed * a, 2) % 6;
                v.syn = 1 + test::mixed(seed * a, 3) % 2;
                v.at = test::kStart +
                       static_cast<std::int64_t>(c + (group ? 0 : test::mixed(seed * a, 8) % 12)) *
                           kHour;
                v.request_bytes =
                    500u << (group ? 4 + 3 * (c % 2) : test::mixed(seed * a, 4 + c % 2) % 5);
                v.first_seen_day =
                    test::Town::today() -
                    (group ? 9u : 200u + static_cast<std::uint32_t>(test::mixed(seed * a, 5) % 9));
                if (group || test::mixed(seed * a, 6) % 30 == 0) v.rtt_tls_us = 190'000;
                observer.take(test::sighting(v, ++flow, false));
                observer.take(test::sighting(v, flow, true));
            }
        }
        const Population population(observer, {test::kStart + kDay}, 7 * kDay, nullptr);
        std::vector<Template> templates;
        for (const std::string& name : default_templates())
            templates.push_back(read_template(name).value());
        const Cells cells(population, templates);
        for (std::size_t t = 0; t < templates.size(); ++t) {
            std::map<Tokens, double> by_hand = cells_by_hand(population, templates[t]);
            for (const Cell& cell : cells.cells) {
                if (cell.template_index != t) continue;
                const Tokens tokens(
                    cell.token.begin(),
                    cell.token.begin() + static_cast<std::ptrdiff_t>(templates[t].parts));
                ASSERT_TRUE(by_hand.contains(tokens)) << templates[t].name;
                EXPECT_NEAR(cell.nats, by_hand[tokens], 1e-9) << templates[t].name;
                by_hand.erase(tokens);
                ++compared;
                triples += templates[t].parts == 3 ? 1 : 0;
            }
            EXPECT_TRUE(by_hand.empty()) << templates[t].name << " missed " << by_hand.size();
        }
    }
    EXPECT_GE(compared, 100u);
    EXPECT_GE(triples, 12u);
}

}  // namespace
}  // namespace seine::detect
