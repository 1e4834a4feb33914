// The field table as a whole: what must hold of every line, now and after additions.
#include "dataplane/contract/fields.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace seine::contract {
namespace {

TEST(FieldTable, NamesAreUniqueAndFitForJsonKeys) {
    std::set<std::string> seen;
    for (const FieldInfo& field : kFields) {
        EXPECT_TRUE(seen.emplace(field.name).second) << field.name;
        EXPECT_EQ(field.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
                  std::string_view::npos);
        EXPECT_FALSE(field.meaning.empty()) << field.name;
    }
}

// interfaces.md section 3 fixes these names.
TEST(FieldTable, HoldsEveryKeyThatTheInterfacesName) {
    std::set<std::string_view> names;
    for (const FieldInfo& field : kFields) names.insert(field.name);
    for (const char* key : {"src",
                            "sport",
                            "dst",
                            "dport",
                            "proto",
                            "ja4",
                            "ja4_r",
                            "ja4_o",
                            "ja4_ro",
                            "ja4s",
                            "ja4s_r",
                            "ja3",
                            "ja3s",
                            "ja4h",
                            "ja4h_r",
                            "ja4x",
                            "ja4l_c",
                            "ja4l_s",
                            "ja4t",
                            "ja4ts",
                            "ja4ssh",
                            "ja4ssh_final",
                            "ja4d",
                            "hassh",
                            "hassh_server",
                            "h2_akamai",
                            "sni",
                            "alpn",
                            "ja4_norm",
                            "hdr_order",
                            "syn",
                            "h2_settings",
                            "rtt_tcp_us",
                            "rtt_tls_us",
                            "rtt_valid",
                            "session_presented",
                            "session_issued",
                            "exchanges",
                            "ech",
                            "proxied_src",
                            "vlan",
                            "tunnel",
                            "seen",
                            "incomplete",
                            "t_first_ns",
                            "t_last_ns"}) {
        EXPECT_EQ(names.count(key), 1u) << key;
    }
}

TEST(FieldTable, ListsThatTheVectorsHaveAsListsAreLists) {
    for (const Field field :
         {Field::alpn, Field::ja4h, Field::ja4h_r, Field::ja4x, Field::ja4ssh, Field::ja4d}) {
        EXPECT_EQ(info(field).type, FieldType::text_list) << info(field).name;
    }
    EXPECT_EQ(info(Field::ja4ssh_final).type, FieldType::text);
}

TEST(FieldTable, FixedFieldsLieSideBySideInTableOrder) {
    std::size_t offset = 0;
    std::size_t bit = 0;
    for (const FieldInfo& field : kFields) {
        const Slot at = slot(static_cast<Field>(field.number));
        if (!is_fixed(field.type)) {
            EXPECT_EQ(at.bit, Slot::kNone);
            continue;
        }
        EXPECT_EQ(at.offset, offset) << field.name;
        EXPECT_EQ(at.bit, bit++) << field.name;
        offset += value_bytes(field.type);
    }
    EXPECT_EQ(kFixedLayout.bytes, offset);
}

// Version 1 as it ships: a change of any of these breaks every ring and reader out there.
TEST(FieldTable, VersionOneStaysWhereItIs) {
    EXPECT_EQ(slot(Field::t_first_ns).offset, 0);
    EXPECT_EQ(slot(Field::src).offset, 16);
    EXPECT_EQ(slot(Field::sport).offset, 32);
    EXPECT_EQ(slot(Field::dst).offset, 34);
    EXPECT_EQ(slot(Field::dport).offset, 50);
    EXPECT_EQ(slot(Field::proto).offset, 52);
    EXPECT_EQ(static_cast<int>(Field::ja4), 12);
    EXPECT_EQ(static_cast<int>(Field::exchanges), 81);
    EXPECT_EQ(static_cast<int>(Field::worker), 92);
}

TEST(FieldTable, ChoicesHaveNamesAndStrangersHaveNone) {
    EXPECT_EQ(choice_name(Field::proto, 6), "tcp");
    EXPECT_EQ(choice_name(Field::proto, 17), "udp");
    EXPECT_EQ(choice_name(Field::seen, static_cast<std::uint64_t>(Seen::client)), "client");
    EXPECT_EQ(choice_name(Field::ech, static_cast<std::uint64_t>(Ech::grease_or_real)),
              "grease_or_real");
    EXPECT_EQ(choice_name(Field::end_reason, static_cast<std::uint64_t>(EndReason::evicted)),
              "evicted");
    EXPECT_EQ(choice_name(Field::app, static_cast<std::uint64_t>(App::dhcp)), "dhcp");
    EXPECT_EQ(choice_name(Field::app, 0), "");
    EXPECT_EQ(choice_name(Field::app, 200), "");
    EXPECT_EQ(choice_name(Field::sport, 6), "");
    for (const FieldInfo& field : kFields) {
        if (field.type != FieldType::choice) continue;
        bool named = false;
        for (unsigned value = 1; value < 256; ++value) {
            named = named || !choice_name(static_cast<Field>(field.number), value).empty();
        }
        EXPECT_TRUE(named) << field.name << " is a choice without values";
    }
}

TEST(Kinds, HaveNamesAndStrangersHaveNone) {
    EXPECT_EQ(name_of(Kind::open), "open");
    EXPECT_EQ(name_of(Kind::close), "close");
    EXPECT_EQ(name_of(Kind::finding), "finding");
    EXPECT_EQ(name_of(static_cast<Kind>(0)), "");
    EXPECT_EQ(name_of(static_cast<Kind>(6)), "");
    EXPECT_EQ(name_of(FieldType::exchange_list), "exchange_list");
    EXPECT_EQ(name_of(Fold::distinct), "distinct");
}

}  // namespace
}  // namespace seine::contract
