#include "control/signature/cost.h"

#include <algorithm>

#include "control/signature/ordinary_values.h"
#include "control/signature/stopwatch.h"
#include "dataplane/signature/matcher.h"

namespace seine::control_signature {
namespace {

using signature::Field;
using signature::Group;

constexpr int kTimes = 2000;


double request_of(const signature::Generation& generation) {
    signature::Matcher matcher(0);
    matcher.adopt(&generation);
    signature::MatchState state;
    return nanoseconds_of(kTimes, [&] {
        matcher.begin_request(state);
        for (const OrdinaryValue& sample : kRequestValues) matcher.feed(sample.field, sample.value);
        for (const OrdinaryHeader& header : kHeaderValues) matcher.feed_header(header.name, header.value);
        static_cast<void>(matcher.end(bit(Group::http) | bit(Group::http_headers)));
    });
}

double hello_of(const signature::Generation& generation) {
    signature::Matcher matcher(0);
    matcher.adopt(&generation);
    return nanoseconds_of(kTimes, [&] {
        signature::MatchState state;
        matcher.begin(state);
        for (const OrdinaryValue& sample : kHelloValues) matcher.feed(sample.field, sample.value);
        static_cast<void>(matcher.end(bit(Group::tls_client) | bit(Group::tcp_client)));
    });
}

}  // namespace

SetCost cost_of_set(const signature::Generation& generation, const signature::Generation& again) {
    SetCost out;
    signature::Matcher matcher(0);
    matcher.adopt(&generation);
    const auto empty = [&] {
        signature::MatchState fresh;
        matcher.begin(fresh);
        static_cast<void>(matcher.end(0));
    };
    const double base = nanoseconds_of(kTimes, empty);
    out.hello_nanoseconds = hello_of(generation);
    out.request_nanoseconds = request_of(generation);
    out.hello_again_nanoseconds = hello_of(again);
    out.request_again_nanoseconds = request_of(again);
    std::vector<std::size_t> comparisons(generation.rules().slots.size());
    for (const signature::Fact& fact : generation.rules().facts) ++comparisons[fact.slot];
    for (std::size_t i = 0; i < generation.rules().slots.size(); ++i) {
        const signature::Slot& slot = generation.rules().slots[i];
        FieldCost cost{signature::name_of(slot.field), comparisons[i], slot.database.size(), 0};
        const std::string_view value = ordinary_value(slot.field.field);
        const bool header = slot.field.field == Field::http_header;
        if (!is_body(slot.field.field))
            cost.nanoseconds = std::max(0.0, nanoseconds_of(kTimes, [&] {
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

}  // namespace seine::control_signature
