// Cells against a count by hand, and the sums they rest on.
#include "control/detect/cells.h"

#include <cmath>
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

}  // namespace
}  // namespace seine::detect
