// The promises of store.h, held by any backend.
#include "tests/unit/store/conformance.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace seine::store {
namespace {

constexpr std::int64_t kDay = 86400 * kSecond;
constexpr Nanos kNow{20000 * kDay + 3600 * kSecond};
constexpr std::uint16_t kField = 12;  // ja4

model::AccountTag tag(unsigned number) {
    model::AccountTag out;
    out.bytes[0] = static_cast<std::uint8_t>(number >> 8);
    out.bytes[1] = static_cast<std::uint8_t>(number);
    for (std::size_t i = 2; i < 16; ++i) out.bytes[i] = static_cast<std::uint8_t>(number * 7 + i);
    return out;
}

std::uint64_t spread(std::uint64_t number) { return mix64(number * 0x9e3779b97f4a7c15u + 1, 0xd6e8feb86659fd93u); }

ValueUse use(std::uint16_t field, model::ValueId value, unsigned first_account, unsigned accounts) {
    ValueUse out;
    out.field = field;
    out.value = value;
    out.first_seen = out.last_seen = kNow;
    out.flows = accounts;
    for (unsigned i = 0; i < accounts; ++i) {
        out.accounts.add(spread(first_account + i));
        out.networks.add(spread(i % 3));
        out.organisations.add(spread(i % 2));
        if (i < kAccountsPerValueMax) out.some_accounts.push_back(tag(first_account + i));
    }
    return out;
}

AccountUse account(unsigned number, std::uint64_t flows) {
    AccountUse out;
    out.row.account = tag(number);
    out.row.first_seen = kNow;
    out.row.last_seen = kNow + static_cast<std::int64_t>(number);
    out.row.flows = flows;
    out.row.requests = 2 * flows;
    out.values.push_back({kField, 77, kNow, kNow, flows});
    return out;
}

FlowRow flow(std::uint64_t counter, unsigned account_number) {
    FlowRow out;
    out.id = {1, 2, counter};
    out.t_open = kNow;
    out.t_close = kNow + static_cast<std::int64_t>(counter);
    static_cast<void>(model::from_text("192.0.2.7", out.tuple.client));
    out.tuple.client[15] = static_cast<std::uint8_t>(counter);
    out.tuple.server_port = 443;
    out.ja4 = 100 + counter % 2;
    if (account_number != 0) out.accounts = {tag(account_number)};
    out.frame = {1, 2, 3};
    return out;
}

Batch at(Nanos time) {
    Batch batch;
    batch.at = time;
    return batch;
}

constexpr std::uint32_t kToday = 20000;

TEST_P(StoreConformance, ABatchIsThereWholeAndAddsUp) {
    for (int round = 0; round < 2; ++round) {
        Batch batch = at(kNow);
        batch.texts = {{kField, 77, "t13d"}};
        batch.values = {use(kField, 77, 1, 10)};
        batch.accounts = {account(5, 3)};
        batch.minutes = {{kNow, 1, 4, 3, 2, 1, 1, 1000}};
        batch.documents = {{"ring", "a", "place " + std::to_string(round)}};
        batch.all_flows = 10;
        batch.all_accounts = batch.values[0].accounts;
        ASSERT_TRUE(store->write(batch).ok());
        if (round == 0) again();
    }
    EXPECT_EQ(store->text(77).value(), "t13d");
    EXPECT_EQ(store->text(78).value(), "");
    const auto value = store->value(kField, 77, kToday, kToday);
    ASSERT_TRUE(value.has_value()) << value.error().message();
    EXPECT_EQ(value->flows, 20u);
    EXPECT_EQ(value->accounts, 10u);  // the same ten, twice
    EXPECT_EQ(value->organisations, 2u);
    EXPECT_EQ(value->networks, 3u);
    EXPECT_EQ(value->some_accounts.size(), 10u);
    const auto row = store->account(tag(5));
    ASSERT_TRUE(row.has_value());
    EXPECT_EQ(row->flows, 6u);
    EXPECT_EQ(row->requests, 12u);
    const auto values = store->account_values(tag(5));
    ASSERT_EQ(values->size(), 1u);
    EXPECT_EQ((*values)[0].flows, 6u);
    const auto minutes = store->minutes(kNow, kNow);
    ASSERT_EQ(minutes->size(), 1u);
    EXPECT_EQ((*minutes)[0].opened, 8u);
    EXPECT_EQ((*minutes)[0].records_lost, 2u);
    EXPECT_EQ(store->kept("ring", "a").value(), "place 1");
    const auto totals = store->totals(kToday, kToday);
    EXPECT_EQ(totals->flows, 20u);
    EXPECT_EQ(totals->accounts, 10u);
    EXPECT_EQ(store->account(tag(6)).error().code(), Code::not_found);
    EXPECT_EQ(store->value(kField, 1, kToday, kToday).error().code(), Code::not_found);
}

TEST_P(StoreConformance, ManyAccountsOfAValueAreCountedWithinTheSketchsError) {
    for (unsigned part = 0; part < 4; ++part) {
        Batch batch = at(kNow + part * kDay);
        batch.values = {use(kField, 9, part * 5000, 10000)};
        ASSERT_TRUE(store->write(batch).ok());
    }
    const auto value = store->value(kField, 9, kToday, kToday + 3);
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(value->flows, 40000u);
    EXPECT_NEAR(static_cast<double>(value->accounts), 25000, 25000 * 0.05);
    EXPECT_EQ(value->some_accounts.size(), kAccountsPerValueMax);
    EXPECT_EQ(value->day, kToday + 3);
}

TEST_P(StoreConformance, ValuesAreRankedAndVisitedOncePerValue) {
    for (int day = 0; day < 2; ++day) {
        Batch batch = at(kNow + day * kDay);
        batch.values = {use(kField, 1, 0, 5), use(kField, 2, 0, 9), use(kField, 3, 0, 1), use(20, 1, 0, 2)};
        batch.values[2].flows = 500;
        ASSERT_TRUE(store->write(batch).ok());
    }
    ValueQuery query;
    query.field = kField;
    query.first_day = kToday;
    query.last_day = kToday + 1;
    query.limit = 2;
    auto rows = store->values(query);
    ASSERT_EQ(rows->size(), 2u);
    EXPECT_EQ((*rows)[0].value, 2u);
    EXPECT_EQ((*rows)[0].flows, 18u);
    EXPECT_EQ((*rows)[1].value, 1u);
    query.by_accounts = false;
    rows = store->values(query);
    EXPECT_EQ((*rows)[0].value, 3u);
    std::vector<std::pair<std::uint16_t, model::ValueId>> visited;
    ASSERT_TRUE(store->each_value(0, kToday, kToday + 1, [&](const ValueRow& row) {
                        visited.emplace_back(row.field, row.value);
                        return true;
                    }).ok());
    EXPECT_EQ(visited.size(), 4u);
    EXPECT_TRUE(std::is_sorted(visited.begin(), visited.end()));
    std::size_t first = 0;
    ASSERT_TRUE(store->each_value(kField, kToday, kToday, [&](const ValueRow&) { return ++first < 2; }).ok());
    EXPECT_EQ(first, 2u);
}

TEST_P(StoreConformance, AnAccountKeepsTheLatestOfManyValues) {
    for (unsigned i = 0; i < 100; ++i) {
        Batch batch = at(kNow);
        AccountUse one = account(1, 1);
        one.values[0].value = i;
        one.values[0].last_seen = kNow + static_cast<std::int64_t>(i);
        batch.accounts = {one};
        ASSERT_TRUE(store->write(batch).ok());
    }
    const auto values = store->account_values(tag(1));
    ASSERT_EQ(values->size(), 32u);
    for (const AccountValueRow& row : *values) EXPECT_GE(row.value, 68u);
    EXPECT_EQ(store->account(tag(1))->flows, 100u);
}

TEST_P(StoreConformance, AccountsAreListedInPagesAndByBeginnings) {
    Batch batch = at(kNow);
    for (unsigned i = 1; i <= 300; ++i) batch.accounts.push_back(account(i, 1));
    ASSERT_TRUE(store->write(batch).ok());
    AccountQuery query;
    query.limit = 120;
    std::size_t seen = 0;
    for (auto page = store->accounts(query); !page->empty(); page = store->accounts(query)) {
        EXPECT_TRUE(page->front().account > query.after);
        seen += page->size();
        query.after = page->back().account;
    }
    EXPECT_EQ(seen, 300u);
    AccountQuery begins;
    begins.beginning = "01";  // numbers 256 to 300
    begins.limit = 1000;
    EXPECT_EQ(store->accounts(begins)->size(), 45u);
    begins.beginning = model::to_text(tag(7)).substr(0, 9);
    ASSERT_EQ(store->accounts(begins)->size(), 1u);
    AccountQuery newest;
    newest.newest = true;
    newest.limit = 1;
    EXPECT_EQ(store->accounts(newest)->front().account, tag(300));
}

TEST_P(StoreConformance, FlowsAreFoundByEveryFilterAndFollowed) {
    Batch batch = at(kNow);
    for (std::uint64_t i = 1; i <= 10; ++i) batch.flows.push_back(flow(i, i == 4 ? 9 : 0));
    ASSERT_TRUE(store->write(batch).ok());
    FlowQuery query;
    auto rows = store->flows(query);
    ASSERT_EQ(rows->size(), 10u);
    EXPECT_EQ((*rows)[0].id.counter, 10u);
    EXPECT_EQ((*rows)[0].frame, (std::vector<std::uint8_t>{1, 2, 3}));
    EXPECT_EQ((*rows)[0].tuple.server_port, 443);
    query.ja4 = 101;
    EXPECT_EQ(store->flows(query)->size(), 5u);
    query = {};
    query.account = tag(9);
    EXPECT_EQ(store->flows(query)->size(), 1u);
    query = {};
    query.client = rows->front().tuple.client;
    EXPECT_EQ(store->flows(query)->size(), 1u);
    query.client_bits = 120;
    EXPECT_EQ(store->flows(query)->size(), 10u);
    query = {};
    query.id = contract::FlowId{1, 2, 3};
    EXPECT_EQ(store->flows(query)->size(), 1u);
    query = {};
    query.after_row = (*rows)[2].row;  // of the eighth
    const auto after = store->flows(query);
    ASSERT_EQ(after->size(), 2u);
    EXPECT_EQ((*after)[0].id.counter, 9u);
}

TEST_P(StoreConformance, AFlowThatComesAgainAfterARestartIsOne) {
    Batch batch = at(kNow);
    batch.flows = {flow(1, 0), flow(2, 0)};
    ASSERT_TRUE(store->write(batch).ok());
    again();
    batch.flows.push_back(flow(3, 0));
    batch.at = kNow + 3600 * kSecond;  // another hour by now
    ASSERT_TRUE(store->write(batch).ok());
    EXPECT_EQ(store->flows({})->size(), 3u);
}

TEST_P(StoreConformance, AccountsOfAFlowMayComeLater) {
    Batch batch = at(kNow);
    batch.flows = {flow(1, 0)};
    ASSERT_TRUE(store->write(batch).ok());
    Batch later = at(kNow + 3600 * kSecond);
    later.flow_accounts = {{{1, 2, 1}, {tag(3), tag(4)}}};
    ASSERT_TRUE(store->write(later).ok());
    EXPECT_EQ(store->flows({})->front().accounts, (std::vector<model::AccountTag>{tag(3), tag(4)}));
}

TEST_P(StoreConformance, ForgettingLeavesNothingOfAnAccount) {
    Batch batch = at(kNow);
    batch.accounts = {account(1, 1), account(2, 1)};
    batch.values = {use(kField, 7, 1, 2)};
    batch.flows = {flow(1, 1), flow(2, 2)};
    ASSERT_TRUE(store->write(batch).ok());
    Finding finding;
    finding.at = kNow;
    finding.account = tag(1);
    ASSERT_TRUE(store->add_finding(finding).has_value());
    ASSERT_GE(store->forget(tag(1)).value(), 4u);
    EXPECT_EQ(store->account(tag(1)).error().code(), Code::not_found);
    EXPECT_TRUE(store->account(tag(2)).has_value());
    EXPECT_EQ(store->value(kField, 7, kToday, kToday)->some_accounts, std::vector<model::AccountTag>{tag(2)});
    EXPECT_EQ(store->flows({})->size(), 1u);
    EXPECT_EQ(store->findings({})->size(), 0u);
}

TEST_P(StoreConformance, FindingsAreNumberedAndFound) {
    for (unsigned i = 1; i <= 5; ++i) {
        Finding finding;
        finding.at = kNow + i;
        finding.kind = static_cast<std::uint8_t>(i % 2 + 1);
        finding.severity = static_cast<std::uint8_t>(i);
        finding.rule = "r" + std::to_string(i);
        finding.account = tag(i);
        finding.farm = i == 3 ? 8 : 0;
        finding.document = "{\"x\":1}";
        EXPECT_EQ(store->add_finding(finding).value(), i);
    }
    again();
    EXPECT_EQ(store->findings({})->front().number, 5u);
    FindingQuery query;
    query.severity_least = 4;
    EXPECT_EQ(store->findings(query)->size(), 2u);
    query = {};
    query.account = tag(2);
    EXPECT_EQ(store->findings(query)->front().rule, "r2");
    query = {};
    query.farm = 8;
    EXPECT_EQ(store->findings(query)->front().rule, "r3");
    query = {};
    query.after = 3;
    EXPECT_EQ(store->findings(query)->front().number, 4u);
    EXPECT_EQ(store->finding(2)->document, "{\"x\":1}");
    EXPECT_EQ(store->finding(99).error().code(), Code::not_found);
}

TEST_P(StoreConformance, FindingsOfABatchAreKeptInItsOrder) {
    Batch batch = at(kNow);
    for (unsigned i = 1; i <= 3; ++i) {
        batch.findings.emplace_back();
        batch.findings.back().at = kNow + i;
        batch.findings.back().rule = "b" + std::to_string(i);
    }
    batch.documents.push_back({"ring", "place", "3"});
    ASSERT_TRUE(store->write(batch).ok());
    again();
    const auto all = store->findings({});
    ASSERT_EQ(all->size(), 3u);
    EXPECT_EQ(all->front().rule, "b3");
    EXPECT_EQ(all->front().number, 3u);
    EXPECT_EQ(store->finding(1)->rule, "b1");
    EXPECT_EQ(store->kept("ring", "place").value(), "3");
}

TEST_P(StoreConformance, AnAccountWithANewTagIsOneRowUnderIt) {
    Batch batch = at(kNow);
    batch.accounts = {account(1, 5)};
    ASSERT_TRUE(store->write(batch).ok());
    batch = at(kNow);
    batch.renames = {{tag(1), tag(2)}};
    batch.accounts = {account(1, 1), account(2, 3)};  // one of them still under the old tag
    ASSERT_TRUE(store->write(batch).ok());
    batch = at(kNow);
    batch.renames = {{tag(2), tag(3)}};
    ASSERT_TRUE(store->write(batch).ok());
    again();
    batch = at(kNow);
    batch.accounts = {account(1, 1)};
    ASSERT_TRUE(store->write(batch).ok());
    EXPECT_EQ(store->accounts({})->size(), 1u);
    EXPECT_EQ(store->health().accounts, 1u);
    for (const unsigned number : {1u, 2u, 3u}) {
        const auto row = store->account(tag(number));
        ASSERT_TRUE(row) << number;
        EXPECT_EQ(row->account, tag(3));
        EXPECT_EQ(row->flows, 10u);
        EXPECT_FALSE(store->account_values(tag(number))->empty());
    }
    ASSERT_TRUE(store->forget(tag(1)));
    EXPECT_TRUE(store->accounts({})->empty());
    EXPECT_EQ(store->account(tag(3)).error().code(), Code::not_found);
}

TEST_P(StoreConformance, DocumentsAndRevisionsStay) {
    ASSERT_TRUE(store->keep({"room", "b", "2"}).ok());
    ASSERT_TRUE(store->keep({"room", "a", std::string("\0x", 2)}).ok());
    ASSERT_TRUE(store->keep({"other", "a", "3"}).ok());
    ASSERT_TRUE(store->keep({"room", "b", ""}).ok());
    EXPECT_EQ(store->revision(0).error().code(), Code::not_found);
    EXPECT_EQ(store->add_revision({0, kNow, "uid 0", "first", "{}"}).value(), 1u);
    EXPECT_EQ(store->add_revision({0, kNow, "uid 0", "second", "{\"a\":1}"}).value(), 2u);
    again();
    const auto kept = store->kept_all("room");
    ASSERT_EQ(kept->size(), 1u);
    EXPECT_EQ((*kept)[0].value, std::string("\0x", 2));
    EXPECT_EQ(store->revision(0)->document, "{\"a\":1}");
    EXPECT_EQ(store->revision(1)->comment, "first");
    EXPECT_EQ(store->revisions(10)->size(), 2u);
}

TEST_P(StoreConformance, WhatIsPastItsTimeGoesAndFindingsStay) {
    Batch batch = at(kNow);
    batch.values = {use(kField, 7, 1, 2)};
    batch.accounts = {account(1, 1)};
    batch.flows = {flow(1, 0)};
    batch.minutes = {{kNow, 1, 1, 0, 0, 0, 0, 0}};
    ASSERT_TRUE(store->write(batch).ok());
    Finding finding;
    finding.at = kNow;
    ASSERT_TRUE(store->add_finding(finding).has_value());
    ASSERT_TRUE(store->sweep(kNow + 2 * kDay).ok());
    EXPECT_EQ(store->flows({})->size(), 0u);  // 24 h
    EXPECT_EQ(store->minutes(kNow, kNow)->size(), 1u);
    ASSERT_TRUE(store->sweep(kNow + 8 * kDay).ok());
    EXPECT_EQ(store->minutes(kNow, kNow)->size(), 0u);  // 7 d
    EXPECT_TRUE(store->value(kField, 7, kToday, kToday).has_value());
    ASSERT_TRUE(store->sweep(kNow + 30 * kDay).ok());
    EXPECT_FALSE(store->value(kField, 7, kToday, kToday).has_value());  // 28 d
    EXPECT_FALSE(store->account(tag(1)).has_value());
    EXPECT_EQ(store->findings({})->size(), 1u);
    ASSERT_TRUE(store->sweep(kNow + 402 * kDay).ok());
    EXPECT_EQ(store->findings({})->size(), 0u);  // 400 d
}

TEST_P(StoreConformance, ReadersRunBesideTheWriter) {
    std::atomic<bool> done{false};
    std::thread reader([&] {
        std::uint64_t before = 0;
        while (!done) {
            const auto row = store->account(tag(1));
            if (!row) continue;
            EXPECT_GE(row->flows, before);
            EXPECT_EQ(row->requests, 2 * row->flows);  // whole transactions only
            before = row->flows;
        }
    });
    for (int i = 0; i < 100; ++i) {
        Batch batch = at(kNow);
        batch.accounts = {account(1, 1)};
        EXPECT_TRUE(store->write(batch).ok());
    }
    done = true;
    reader.join();
    EXPECT_EQ(store->account(tag(1))->flows, 100u);
}

}  // namespace
}  // namespace seine::store
