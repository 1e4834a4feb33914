#include "control/signature/cost.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "dataplane/signature/compile.h"
#include "dataplane/signature/matcher.h"

namespace seine::control_signature {
namespace {

using signature::Field;
using signature::Group;

struct Sample {
    Field field;
    std::string_view value;
};
// As a client of an API sends them; lengths matter here, not what they say.
constexpr Sample kHello[] = {
    {Field::tls_sni, "api.example.com"},
    {Field::tls_alpn, "h2"},
    {Field::tls_alpn, "http/1.1"},
    {Field::tls_ja4, "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6"},
    {Field::tls_ja4_norm, "t13d3110h2_e8f1e7e78f70_aabbccddeeff"},
    {Field::tls_ja4_o, "t13d3112h2_0a1b2c3d4e5f_112233445566"},
    {Field::tls_ja3, "e7d705a3286e19ea42f587b344ee6865"},
    {Field::tls_traits, "231f/001d/PEetmSa58"},
    {Field::tcp_syn, "4/64/x44/M1460.S.T.N.W7/de"},
    {Field::tcp_ja4t, "64240_2-4-8-1-3_1460_7"},
};
constexpr Sample kRequest[] = {
    {Field::http_method, "POST"},
    {Field::http_host, "api.example.com"},
    {Field::http_path, "/v1/chat/completions"},
    {Field::http_version, "1.1"},
    {Field::http_user_agent,
     "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
     "Safari/537.36"},
    {Field::http_header_names,
     "Host,User-Agent,Accept,Accept-Encoding,Authorization,Content-Type,Content-Length"},
    {Field::http_header_order, "11/host,user-agent,accept,accept-encoding/0123456789ab"},
    {Field::http_ja4h, "po11nn070000_8c54617ec1e0_000000000000_000000000000"},
};
struct Header {
    std::string_view name;
    std::string_view value;
};
constexpr Header kHeaders[] = {{"Accept", "application/json"},
                               {"Accept-Encoding", "gzip, deflate, br"},
                               {"Accept-Language", "en-US,en;q=0.9"},
                               {"Content-Type", "application/json"},
                               {"Content-Length", "412"},
                               {"Connection", "keep-alive"}};

constexpr int kRounds = 7;
constexpr int kTimes = 2000;

// The least of several rounds: what else runs here can only add.
template <typename Work>
double nanoseconds(Work&& work) {
    double best = 1e18;
    for (int round = 0; round < kRounds; ++round) {
        const auto begun = std::chrono::steady_clock::now();
        for (int i = 0; i < kTimes; ++i) work();
        const std::chrono::duration<double, std::nano> spent =
            std::chrono::steady_clock::now() - begun;
        best = std::min(best, spent.count() / kTimes);
    }
    return best;
}

}  // namespace

SetCost cost_of_set(const signature::Generation& generation) {
    SetCost out;
    signature::Matcher matcher(0);
    matcher.adopt(&generation);
    signature::MatchState state;
    const auto request = [&] {
        matcher.begin_request(state);
        for (const Sample& sample : kRequest) matcher.feed(sample.field, sample.value);
        for (const Header& header : kHeaders) matcher.feed_header(header.name, header.value);
        static_cast<void>(matcher.end(bit(Group::http) | bit(Group::http_headers)));
    };
    const auto hello = [&] {
        signature::MatchState fresh;
        matcher.begin(fresh);
        for (const Sample& sample : kHello) matcher.feed(sample.field, sample.value);
        static_cast<void>(matcher.end(bit(Group::tls_client) | bit(Group::tcp_client)));
    };
    const auto empty = [&] {
        signature::MatchState fresh;
        matcher.begin(fresh);
        static_cast<void>(matcher.end(0));
    };
    const double base = nanoseconds(empty);
    out.hello_nanoseconds = nanoseconds(hello);
    out.request_nanoseconds = nanoseconds(request);
    std::vector<std::size_t> comparisons(generation.rules().slots.size());
    for (const signature::Fact& fact : generation.rules().facts) ++comparisons[fact.slot];
    for (std::size_t i = 0; i < generation.rules().slots.size(); ++i) {
        const signature::Slot& slot = generation.rules().slots[i];
        FieldCost cost{signature::name_of(slot.field), comparisons[i], slot.database.size(), 0};
        std::string_view value = "application/json";
        for (const auto* samples : {&kHello[0], &kRequest[0]})
            for (std::size_t j = 0;
                 j < (samples == kHello ? std::size(kHello) : std::size(kRequest)); ++j)
                if (samples[j].field == slot.field.field) value = samples[j].value;
        const bool header = slot.field.field == Field::http_header;
        if (!is_body(slot.field.field))
            cost.nanoseconds = std::max(0.0, nanoseconds([&] {
                                                 signature::MatchState fresh;
                                                 matcher.begin(fresh);
                                                 header
                                                     ? matcher.feed_header(slot.field.header, value)
                                                     : matcher.feed(slot.field.field, value);
                                                 static_cast<void>(matcher.end(0));
                                             }) - base);
        out.database_bytes += cost.database_bytes;
        out.fields.push_back(std::move(cost));
    }
    std::sort(out.fields.begin(), out.fields.end(),
              [](const FieldCost& a, const FieldCost& b) { return a.nanoseconds > b.nanoseconds; });
    return out;
}

void remark_costs(const signature::RuleSet& set, signature::Problems& remarks) {
    constexpr std::size_t kLargeBytes = std::size_t{32} << 10;
    std::vector<signature::LeafCost> costs;
    std::vector<std::size_t> sizes;
    for (const signature::Leaf& leaf : set.leaves) {
        costs.push_back(leaf.kind == signature::MatchKind::pattern ? signature::cost_of(leaf)
                                                                   : signature::LeafCost{});
        if (costs.back().database_bytes > 0) sizes.push_back(costs.back().database_bytes);
    }
    std::sort(sizes.begin(), sizes.end());
    const std::size_t median = sizes.empty() ? 0 : sizes[sizes.size() / 2];
    for (std::size_t i = 0; i < costs.size(); ++i) {
        const signature::Leaf& leaf = set.leaves[i];
        if (costs[i].confirmed)
            remarks.add(leaf.place,
                        "a pattern that Hyperscan can only suspect (look-around or "
                        "back-reference): PCRE2 confirms each suspicion; "
                        "say it with not = {..} or several comparisons if you can");
        else if (costs[i].database_bytes > std::max(kLargeBytes, 10 * median))
            remarks.add(leaf.place, "a pattern out of line: its database has " +
                                        std::to_string(costs[i].database_bytes) +
                                        " bytes, the median here has " + std::to_string(median) +
                                        "; shorten its repeats, or anchor it");
    }
}

}  // namespace seine::control_signature
