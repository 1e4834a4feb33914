// Pictures of farms: everything is in them, and nothing can break out of its place.
#include "control/cli/farm_picture.h"

#include <gtest/gtest.h>

namespace seine::cli {
namespace {

using command::JsonValue;

JsonValue answer(const std::string& ties, const std::string& members) {
    auto parsed = JsonValue::parse(R"({"farm":"F-12","accounts":5,"organisations":4,"ties":[)" + ties +
                                   R"(],"members":[)" + members +
                                   R"(],"evidence":["3 of its 4 organisations: each runs <x> & \"y\""]})");
    EXPECT_TRUE(parsed.has_value());
    return std::move(*parsed);
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++n;
    return n;
}

constexpr char kHostile[] =
    R"x({"network":"AS64500 (residential)","client":"</text><script>x</script>","accounts":3},)x"
    R"({"network":"AS64501 \"quoted\\","client":"plain","accounts":2})";

TEST(FarmPicture, DrawsSmallFarmsAccountByAccount) {
    const JsonValue farm = answer(
        R"({"network":"AS1","client":"a","accounts":1},{"network":"AS2","client":"a","accounts":1})",
        R"({"account":"aabbccddeeff00112233445566778899","network":"AS1","client":"a","closed":false},)"
        R"({"account":"00112233445566778899aabbccddeeff","network":"AS2","client":"a","closed":true})");
    const std::string svg = farm_svg(farm);
    EXPECT_EQ(count(svg, "<circle"), 2u);
    EXPECT_NE(svg.find(">aabbccdd<"), std::string::npos);
    EXPECT_NE(svg.find("AS2 (1)"), std::string::npos);
    EXPECT_NE(svg.find("a (2)"), std::string::npos);
    EXPECT_EQ(svg.find("</svg>\n"), svg.size() - 7);
    const std::string dot = farm_dot(farm);
    EXPECT_EQ(count(dot, " -- a"), 2u);
    EXPECT_NE(dot.find("graph \"F-12\" {"), std::string::npos);
}

TEST(FarmPicture, DrawsLargeFarmsAsBands) {
    std::string ties;
    for (int i = 0; i < 40; ++i)
        ties += (i > 0 ? "," : "") + std::string(R"({"network":"AS)") + std::to_string(100 + i) + R"(","client":"c)" +
                std::to_string(i % 9) + R"(","accounts":)" + std::to_string(1 + i) + "}";
    const JsonValue farm = answer(ties, "");
    const std::string svg = farm_svg(farm);
    EXPECT_EQ(count(svg, "<circle"), 0u);
    EXPECT_NE(svg.find("31 more networks"), std::string::npos);
    EXPECT_NE(svg.find("3 more clients"), std::string::npos);
    EXPECT_EQ(count(svg, "<rect"), 1u + 10u + 7u);
    EXPECT_NE(farm_dot(farm).find("n0 -- c"), std::string::npos);
}

TEST(FarmPicture, EscapesWhatComesFromTheNetwork) {
    const JsonValue farm = answer(kHostile, "");
    const std::string svg = farm_svg(farm);
    EXPECT_EQ(svg.find("<script"), std::string::npos);
    EXPECT_NE(svg.find("&lt;script&gt;"), std::string::npos);
    EXPECT_NE(svg.find("&lt;x&gt; &amp; &quot;y&quot;"), std::string::npos);
    EXPECT_EQ(count(svg, "<text"), count(svg, "</text>"));
    EXPECT_NE(farm_dot(farm).find(R"(AS64501 \"quoted\\ (2))"), std::string::npos);
}

TEST(FarmPicture, AnEmptyFarmIsStillAPicture) {
    const std::string svg = farm_svg(answer("", ""));
    EXPECT_NE(svg.find("</svg>"), std::string::npos);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
}

}  // namespace
}  // namespace seine::cli
