// Distributions, parameters and fingerprints of the generator.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tools/world/catalog.h"
#include "tools/world/people.h"
#include "tools/world/random.h"

namespace seine::world {
namespace {

constexpr int kDraws = 20000;

TEST(Draw, MomentsAreThoseAskedFor) {
    Draw draw(key_of(1, 2));
    double uniform = 0, exponential = 0, normal = 0, square = 0, poisson = 0, many = 0,
           geometric = 0;
    std::vector<double> log_normal;
    for (int i = 0; i < kDraws; ++i) {
        uniform += draw.unit();
        exponential += draw.exponential(3);
        const double z = draw.normal();
        normal += z;
        square += z * z;
        poisson += static_cast<double>(draw.poisson(2.5));
        many += static_cast<double>(draw.poisson(400));
        geometric += static_cast<double>(draw.geometric(5));
        log_normal.push_back(draw.log_normal(40, 2));
    }
    std::sort(log_normal.begin(), log_normal.end());
    EXPECT_NEAR(uniform / kDraws, 0.5, 0.01);
    EXPECT_NEAR(exponential / kDraws, 3, 0.1);
    EXPECT_NEAR(normal / kDraws, 0, 0.03);
    EXPECT_NEAR(square / kDraws, 1, 0.05);
    EXPECT_NEAR(poisson / kDraws, 2.5, 0.05);
    EXPECT_NEAR(many / kDraws, 400, 1);
    EXPECT_NEAR(geometric / kDraws, 5, 0.15);
    EXPECT_NEAR(std::log(log_normal[kDraws / 2] / 40), 0, 0.06);
    EXPECT_NEAR(std::log(log_normal[kDraws * 84 / 100] / 40), 2, 0.1);  // one sigma up
}

TEST(Draw, ZipfAndWeightsKeepTheirProportions) {
    const Weights weights = zipf(3, 1);  // 1, 1/2, 1/3
    EXPECT_NEAR(weights.share(0), 6.0 / 11, 1e-12);
    int counts[3] = {};
    Draw draw(9);
    for (int i = 0; i < kDraws; ++i) ++counts[draw.pick(weights)];
    EXPECT_NEAR(counts[1], kDraws * 3.0 / 11, kDraws * 0.015);
    EXPECT_EQ(weights.pick(0), 0u);
    EXPECT_EQ(weights.pick(0.9999999), 2u);
}

TEST(Parameters, UnknownNamesAndWrongKindsAreToldByLineAndColumn) {
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("seine-parameters-" + std::to_string(::getpid()) + ".toml"))
                                 .string();
    const auto message = [&](const std::string& text) {
        std::ofstream(path) << text;
        const auto read = read_parameters(path);
        return read ? std::string() : read.error().message();
    };
    EXPECT_EQ(message("[world]\ndays = 3.5\n[level.L4]\ngap = 0.5\n"), "");
    EXPECT_EQ(message("[world]\nday = 3.5\n"), path + ":2:7: there is no parameter `world.day`");
    EXPECT_EQ(message("[farm]\noperators = \"x\"\n"),
              path + ":2:13: `farm.operators` must be a list of values");
    EXPECT_EQ(message("[world]\naccounts = 1.5\n"),
              path + ":2:12: `world.accounts` must be a whole number");
    EXPECT_EQ(message("[world]\naccounts = 10\n"),
              path + ": `world.accounts` must be 200 to 8,000,000");
    EXPECT_NE(message("[world\n"), "");
    std::filesystem::remove(path);
    EXPECT_NE(read_parameters(path).error().message().find("cannot be read"), std::string::npos);
}

TEST(Parameters, ScaleTakesNumbersAndThePublishedOne) {
    auto p = read_parameters("");
    ASSERT_TRUE(p.has_value());
    EXPECT_TRUE(set_scale(*p, "20k").ok());
    EXPECT_EQ(p->world.accounts, 20000);
    EXPECT_TRUE(set_scale(*p, "published").ok());
    EXPECT_EQ(p->world.accounts, 1024000);
    EXPECT_EQ(p->world.days, 30);
    for (const char* bad : {"", "many", "10", "1e9", "20kk"})
        EXPECT_FALSE(set_scale(*p, bad).ok()) << bad;
}

TEST(Catalog, HellosOfGenerationsDifferAndResumptionDoesNotChangeTheNormalForm) {
    const auto p = read_parameters("");
    ASSERT_TRUE(p.has_value());
    const auto catalog = Catalog::make(*p, 1);
    ASSERT_TRUE(catalog.has_value()) << catalog.error().message();
    const std::uint16_t node = catalog->client_named("node-sdk");
    const Build build = catalog->build(node, 0, 1, 0);
    const HelloTexts first = catalog->hello(build, Carrier::tcp, false, false),
                     resumed = catalog->hello(build, Carrier::tcp, true, true);
    EXPECT_NE(first.ja4, resumed.ja4);
    EXPECT_EQ(first.ja4_norm, resumed.ja4_norm);
    EXPECT_EQ(catalog->texts().text(first.ja4).substr(0, 3), "t13");
    Build next = build;
    next.generation = static_cast<std::uint16_t>(build.generation + 1);
    EXPECT_NE(catalog->hello(next, Carrier::tcp, false, false).ja4, first.ja4);
}

TEST(Places, AddressesAreInTheirNetworkAndFarMeansSlow) {
    const auto p = read_parameters("");
    ASSERT_TRUE(p.has_value());
    Places places(*p, 4);
    std::set<model::Address> seen;
    for (std::uint64_t i = 0; i < 500; ++i) {
        const SiteId id = places.add(places.network(Class::hosting, 0, i), 1, 2, i);
        places.site(id).renumbered = 0;
        const model::Address address = places.address(places.site(id), i, 0, 0, false);
        EXPECT_TRUE(model::is_v4(address));
        EXPECT_TRUE(seen.insert(address).second);
        EXPECT_EQ(places.address(places.site(id), i, 86400 * 3, 9, false),
                  address);  // a server keeps it
        const model::Address v6 = places.address(places.site(id), i, 0, 0, true),
                             tomorrow = places.address(places.site(id), i, 90000, 0, true);
        EXPECT_NE(v6, tomorrow);
        EXPECT_EQ(model::prefix_of(v6, 56),
                  model::prefix_of(tomorrow, 56));  // a privacy address moves inside its line
    }
    EXPECT_LT(places.path_ms(p->edge.lat, p->edge.lon + 1), 3);
    EXPECT_GT(places.path_ms(-34, 149), 200);
}

TEST(People, VolumeFollowsTheParameters) {
    const auto p = read_parameters("");
    ASSERT_TRUE(p.has_value());
    const auto catalog = Catalog::make(*p, 1);
    ASSERT_TRUE(catalog.has_value());
    Places places(*p, 1);
    const People people(*p, *catalog, places, 1);
    std::vector<double> monthly;
    double exchanges = 0, connections = 0;
    for (std::uint64_t i = 0; i < kDraws; ++i) {
        const Account a = people.person(Role::dev, key_of(5, i), 0);
        monthly.push_back(30 * static_cast<double>(a.per_day));
        exchanges += static_cast<double>(a.per_day);
        connections += static_cast<double>(a.per_day / a.per_connection);
    }
    std::sort(monthly.begin(), monthly.end());
    EXPECT_NEAR(monthly[kDraws / 2], p->world.exchanges_median, 3);
    EXPECT_NEAR(exchanges / connections, p->world.exchanges_per_connection, 0.8);
}

}  // namespace
}  // namespace seine::world
