// The JSON reader of seinectl: values, escapes, and everything that is no JSON.
#include "control/command/json_value.h"

#include <gtest/gtest.h>

namespace seine::command {
namespace {

bool is_json(std::string_view text) { return JsonValue::parse(text).has_value(); }

TEST(JsonValue, ReadsEveryType) {
    const auto read = JsonValue::parse(
        " {\"a\": 12, \"b\" : [1, [], {}, null, true,false] "
        ",\"c\":\"x\",\"d\":-1.5e+3,\"e\":{\"f\":18446744073709551615}} ");
    ASSERT_TRUE(read.has_value());
    const JsonValue& value = *read;
    EXPECT_EQ(value["a"].number(), 12u);
    EXPECT_EQ(value["b"].items().size(), 6u);
    EXPECT_TRUE(value["b"].items()[4].boolean());
    EXPECT_FALSE(value["b"].items()[5].boolean());
    EXPECT_EQ(value["b"].items()[3].type(), JsonValue::Type::null);
    EXPECT_EQ(value["c"].text(), "x");
    EXPECT_EQ(value["d"].type(), JsonValue::Type::number);
    EXPECT_EQ(value["d"].number(), 0u);
    EXPECT_EQ(value["e"]["f"].number(), 18446744073709551615u);
    EXPECT_EQ(value["none"]["none"].text(), "");
    EXPECT_EQ(value["a"].text(), "");
    EXPECT_EQ(value.members()[1].first, "b");
}

TEST(JsonValue, DecodesEscapesToBytes) {
    const auto read = JsonValue::parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\"");
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->text(), "\"\\/\b\f\n\r\tA\xe9\xe2\x82\xac");
}

TEST(JsonValue, RefusesWhatIsNotJson) {
    for (const char* text : {"",           " ",         "{",           "}",
                             "[",          "[1",        "[1,",         "[1,]",
                             "{\"a\"",     "{\"a\":",   "{\"a\":1",    "{\"a\":1,",
                             "{\"a\":1,}", "{a:1}",     "{\"a\" 1}",   "01",
                             "-",          "+1",        "1.",          ".5",
                             "1e",         "1e+",       "tru",         "nul",
                             "falsee",     "\"",        "\"a",         "\"\\",
                             "\"\\x\"",    "\"\\u12\"", "\"\\u12g4\"", "\"\n\"",
                             "1 2",        "[1] x",     "{\"a\":1}}",  "'a'"}) {
        EXPECT_FALSE(is_json(text)) << text;
    }
    for (const char* text :
         {"0", "-0", "10", "1.5", "1E5", "1e-5", "[]", "{}", "\"\"", "null", " true "}) {
        EXPECT_TRUE(is_json(text)) << text;
    }
}

TEST(JsonValue, EveryCutOfADocumentIsRefused) {
    const std::string whole = "{\"a\":[1,\"x\\u0041\",{\"b\":true}],\"c\":null}";
    ASSERT_TRUE(is_json(whole));
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(is_json(whole.substr(0, length))) << length;
}

TEST(JsonValue, DepthIsBounded) {
    EXPECT_TRUE(is_json(std::string(30, '[') + std::string(30, ']')));
    EXPECT_FALSE(is_json(std::string(40, '[') + std::string(40, ']')));
    EXPECT_FALSE(is_json(std::string(1000000, '[')));
}

TEST(JsonValue, SaysWhereItStopped) {
    EXPECT_EQ(JsonValue::parse("[1,x]").error().message(), "not JSON at byte 3");
}

}  // namespace
}  // namespace seine::command
