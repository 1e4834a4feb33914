// Formats: known values arrive under their keys, and no byte of an attacker leaves its value.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "control/export/address_text.h"
#include "control/export/community_id.h"
#include "control/export/escape.h"
#include "control/export/export_section.h"
#include "control/export/ipfix.h"
#include "control/export/render.h"
#include "tests/siem/readers.h"
#include "tests/siem/sample_events.h"

namespace seine::siem {
namespace {

using tests::hostile_event;
using tests::sample_event;

std::string rendered(const Format& format, const model::Event& event,
                     Envelope envelope = Envelope::none, RenderOptions options = {}) {
    Renderer renderer(format, envelope, std::move(options));
    return std::string(renderer.render(event));
}

// What a reader of the format says of one message.
bool reads(const Format& format, std::string_view message) {
    if (format.is_json()) return tests::is_json(message);
    if (format.name() == "cef") return tests::read_cef(message).has_value();
    if (format.name() == "leef") return tests::read_leef(message).has_value();
    if (format.name() == "sd") return tests::read_structured_data(message).has_value();
    return message.size() >= 4 && load_be16(as_bytes(message).data() + 2) == message.size();
}

TEST(Formats, AreFoundByName) {
    for (const Format* format : formats()) EXPECT_EQ(find_format(format->name()), format);
    EXPECT_EQ(find_format("xml"), nullptr);
    EXPECT_EQ(formats().size(), 7u);
}

TEST(Formats, EveryKindGivesOneMessageInEveryFormat) {
    for (const Format* format : formats()) {
        for (const model::EventKind kind : tests::kEventKinds) {
            const std::string message = rendered(*format, sample_event(kind));
            EXPECT_TRUE(reads(*format, message)) << format->name() << ' ' << message;
        }
        EXPECT_TRUE(reads(*format, rendered(*format, tests::sample_http_event())))
            << format->name();
    }
}

TEST(Formats, HostileBytesNeverLeaveTheirValue) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 60; ++round) {
        for (const model::EventKind kind : tests::kEventKinds) {
            const model::Event event = hostile_event(kind, random);
            for (const Format* format : formats()) {
                for (const std::size_t bytes_max : {kMessageBytesMin, std::size_t{65000}}) {
                    RenderOptions options;
                    options.bytes_max = bytes_max;
                    const std::string message = rendered(*format, event, Envelope::none, options);
                    ASSERT_FALSE(message.empty()) << format->name() << ' ' << bytes_max;
                    ASSERT_LE(message.size(), bytes_max);
                    ASSERT_TRUE(reads(*format, message)) << format->name() << ' ' << message;
                    if (format->is_binary()) continue;
                    ASSERT_TRUE(tests::is_utf8(message));
                    ASSERT_EQ(message.find_first_of(std::string_view("\n\r\0", 3)),
                              std::string::npos);
                }
            }
        }
    }
}

TEST(Formats, HostileValueComesBackWholeFromCef) {
    model::Event event = sample_event(model::EventKind::signature_alert);
    event.message = "a=b|c\\d\ne \"f\" externalId=forged";
    event.title = "x|y\\z";
    const auto record = tests::read_cef(rendered(cef_format(), event));
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->values.at("msg"), event.message);
    EXPECT_EQ(record->header[5], event.title);
    EXPECT_EQ(record->header[4], "relay-kit-7");
    EXPECT_EQ(record->header[6], "8");
    EXPECT_EQ(record->values.at("externalId"), "seine-4242");
    EXPECT_EQ(record->values.at("cs1Label"), "ja4");
    EXPECT_EQ(record->values.at("cs1"), "t13d1516h2_8daaf6152771_b186095e22b6");
    EXPECT_EQ(record->values.at("src"), "198.51.100.7");
    EXPECT_EQ(record->values.at("dpt"), "443");
}

TEST(Formats, LeefKeepsItsDelimiterToItself) {
    model::Event event = sample_event(model::EventKind::farm);
    event.message = "one^two\tthree\nfour|five";
    const auto record = tests::read_leef(rendered(leef_format(), event));
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->values.at("msg"), "one\\x5etwo\\tthree\\nfour|five");
    EXPECT_EQ(record->values.at("farm"), "F-17");
    EXPECT_EQ(record->values.at("accountsNow"), "14");
    EXPECT_EQ(record->header[4], "farm");
}

TEST(Formats, StructuredDataUnescapesToTheValue) {
    model::Event event = sample_event(model::EventKind::signature_alert);
    event.rule.value = "q\"b\\c]d";
    const auto record = tests::read_structured_data(rendered(sd_format(), event));
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->header[0], "seine@32473");
    EXPECT_EQ(record->values.at("rule_value"), event.rule.value);
    EXPECT_EQ(record->values.at("severity_name"), "high");
}

TEST(Formats, ASiteHasItsOwnEnterpriseNumber) {
    RenderOptions options;
    options.items.pen = 64999;
    const std::string message =
        rendered(sd_format(), sample_event(model::EventKind::health), Envelope::none, options);
    EXPECT_TRUE(message.starts_with("[seine@64999 ")) << message;
    TextBuffer templates;
    append_ipfix_templates(templates, 64999);
    const std::string_view own("\0\0\xfd\xe7", 4);
    EXPECT_NE(templates.view().find(own), std::string_view::npos);
    EXPECT_EQ(templates.view().find(std::string_view("\0\0\x7e\xd9", 4)), std::string_view::npos);
}

TEST(Formats, EveGoldenHealthEvent) {
    model::Event event = sample_event(model::EventKind::health);
    event.title = "export";
    event.message = "destination \"soc\" answers again";
    EXPECT_EQ(rendered(eve_format(), event),
              "{\"timestamp\":\"2026-09-21T14:13:20.123456+0000\",\"event_type\":\"engine\","
              "\"host\":\"seine\","
              "\"log_level\":\"Error\",\"engine\":{\"message\":\"destination \\\"soc\\\" answers "
              "again\",\"module\":\"export\"}}");
}

TEST(Formats, CuttingIsCountedAndKeepsCharactersWhole) {
    model::Event event = sample_event(model::EventKind::health);
    std::string text;
    while (text.size() < 3000) text += "\xf0\x9f\x98\x80";
    event.message = text;
    EventItems items;
    items.gather(event, {});
    EXPECT_EQ(items.text(Item::message).size(), kItemBytesMax);
    EXPECT_TRUE(tests::is_utf8(items.text(Item::message)));
    EXPECT_EQ(items.number(Item::cut_values), 1u);
}

TEST(Formats, AnEventWithoutAKindGivesNothing) {
    model::Event event = sample_event(model::EventKind::health);
    event.kind = static_cast<model::EventKind>(77);
    EXPECT_TRUE(rendered(eve_format(), event).empty());
}

TEST(Formats, AFrameCutAnywhereIsAnEventWithoutFlow) {
    const model::Event whole = sample_event(model::EventKind::signature_alert);
    model::Event event = whole;
    for (std::size_t bytes = 0; bytes < whole.flow.size(); bytes += 7) {
        event.flow.assign(whole.flow.begin(),
                          whole.flow.begin() + static_cast<std::ptrdiff_t>(bytes));
        ASSERT_TRUE(tests::is_json(rendered(eve_format(), event))) << bytes;
    }
}

TEST(Envelopes, SyslogHeaderIsRfc5424) {
    const std::string message =
        rendered(cef_format(), sample_event(model::EventKind::farm), Envelope::syslog);
    EXPECT_TRUE(
        message.starts_with("<107>1 2026-09-21T14:13:20.123456Z seine seine - farm - CEF:0|Seine|"))
        << message;
    const std::string data =
        rendered(sd_format(), sample_event(model::EventKind::farm), Envelope::syslog);
    EXPECT_TRUE(
        data.starts_with("<107>1 2026-09-21T14:13:20.123456Z seine seine - farm [seine@32473 uid="))
        << data;
}

TEST(Envelopes, HostileSensorNameStaysOneToken) {
    RenderOptions options;
    options.items.sensor = "a b\n\x80\xff<0>";
    const std::string message =
        rendered(eve_format(), sample_event(model::EventKind::health), Envelope::syslog, options);
    EXPECT_NE(message.find("Z ab<0> seine - health - {"), std::string::npos) << message;
}

TEST(Envelopes, HecWrapsTextAndJson) {
    for (const Format* format : formats()) {
        if (format->is_binary()) continue;
        const std::string message =
            rendered(*format, sample_event(model::EventKind::signature_alert), Envelope::hec);
        EXPECT_TRUE(tests::is_json(message)) << message;
        EXPECT_TRUE(
            message.starts_with("{\"time\":1790000000.123,\"host\":\"seine\",\"source\":\"seine\""))
            << message;
    }
}

TEST(Envelopes, BulkNamesTheEventSoThatARetryIsNoSecondDocument) {
    const std::string message =
        rendered(ecs_format(), sample_event(model::EventKind::health), Envelope::bulk);
    EXPECT_TRUE(message.starts_with("{\"create\":{\"_id\":\"seine-4242\"}}\n{\"@timestamp\":"));
}

TEST(Privacy, TruncationReachesAddressesInProse) {
    RenderOptions options;
    options.items.v4_bits = 24;
    options.items.v6_bits = 48;
    for (const Format* format : formats()) {
        for (const model::EventKind kind : tests::kEventKinds) {
            const std::string message =
                rendered(*format, sample_event(kind), Envelope::none, options);
            EXPECT_EQ(message.find("198.51.100.7"), std::string::npos) << format->name() << message;
            EXPECT_EQ(message.find("203.0.113.9"), std::string::npos) << format->name();
        }
    }
    EXPECT_EQ(truncate_addresses("from 198.51.100.7:443, 2001:db8:1:2::3 and 10.1.2.3.", 24, 48),
              "from 198.51.100.0:443, 2001:db8:1:: and 10.1.2.0.");
    EXPECT_EQ(truncate_addresses("12:30:55 deadbeef 1.2 v1.2.3.4.5", 24, 48).substr(0, 17),
              "12:30:55 deadbeef");
}

TEST(CommunityId, PublishedPairs) {
    // github.com/corelight/community-id-spec, baseline/baseline_deflt.json: 128.232.110.120:34855
    // to 66.35.250.204:80.
    model::Address a{};
    model::Address b{};
    ASSERT_TRUE(model::from_text("128.232.110.120", a) && model::from_text("66.35.250.204", b));
    EXPECT_EQ(community_id(a, b, 34855, 80, 6), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    EXPECT_EQ(community_id(b, a, 80, 34855, 6), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
}

TEST(Times, AreCivilDates) {
    const auto text = [](std::int64_t seconds) {
        return time_text(seconds * 1'000'000'000 + 7, 9, "Z");
    };
    EXPECT_EQ(text(0), "1970-01-01T00:00:00.000000007Z");
    EXPECT_EQ(text(951782399), "2000-02-28T23:59:59.000000007Z");
    EXPECT_EQ(text(951782400), "2000-02-29T00:00:00.000000007Z");
    EXPECT_EQ(text(4102444799), "2099-12-31T23:59:59.000000007Z");
}

TEST(Docs, TablesAreThoseOfTheCode) {
    std::ifstream file(SEINE_SOURCE_DIR "/docs/siem.md");
    std::stringstream text;
    text << file.rdbuf();
    const std::string document = text.str();
    const auto between = [&document](const std::string& mark) {
        const std::size_t begin = document.find(mark);
        if (begin == std::string::npos) return std::string("no mark");
        const std::size_t end = document.find("<!-- end of tables -->", begin);
        return document.substr(begin + mark.size(), end - begin - mark.size());
    };
    ExportSection section(nullptr);
    config::Section* sections[] = {&section};
    EXPECT_EQ(between("<!-- field tables: generated, `seine-test-events --docs` -->\n"),
              field_tables())
        << "run build/dev/bin/seine-test-events --docs docs/siem.md";
    EXPECT_EQ(between("<!-- setting tables: generated, `seine-test-events --docs` -->\n"),
              config::setting_tables(sections))
        << "run build/dev/bin/seine-test-events --docs docs/siem.md";
}

}  // namespace
}  // namespace seine::siem
