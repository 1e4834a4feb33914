#include "tools/evaluate/product_join.h"

namespace seine::evaluate {

Result<std::unique_ptr<ProductJoin>> ProductJoin::make(SightingSink& sink) {
    std::unique_ptr<ProductJoin> out(new ProductJoin(sink));
    auto join = account::Join::make(account::JoinConfig(), *out);
    if (!join) return join.error();
    out->join_ = std::move(*join);
    return out;
}

Status ProductJoin::restart() {
    std::string state;
    join_->save(state);
    auto fresh = account::Join::make(account::JoinConfig(), *this);
    if (!fresh) return fresh.error();
    if (!(*fresh)->restore(state)) return failed("the join does not take back what it saved");
    join_ = std::move(*fresh);
    return {};
}

// Whatever happens before `now` is known now: a played world has no ring to wait for.
void ProductJoin::let_time_pass(Nanos now) {
    now_ = now;
    if (now.count < ticked_.count + kSecond / 4) return;
    ticked_ = now;
    join_->flows_complete(0, now, now);
    join_->tick(now);
}

void ProductJoin::opened(Nanos now, const model::Flow& flow) {
    let_time_pass(now);
    account::FlowEvent event;
    event.kind = account::FlowEvent::Kind::open;
    event.flow = &flow;
    join_->flow(event, now);
}

void ProductJoin::closed(Nanos now, model::Flow& flow) {
    let_time_pass(now);
    account::FlowEvent event;
    event.kind = account::FlowEvent::Kind::close;
    event.flow = &flow;
    join_->flow(event, now);
}

void ProductJoin::recorded(Nanos now, const Record& record) {
    let_time_pass(now);
    account::SourceRecord source;
    source.record = record.wire;
    if (record.signup) {
        // A gateway tells a sign-up as a request with that flag and no connection.
        source.record.type = contract::AccountType::request;
        source.record.flags |= contract::AccountFlags::signup;
    }
    join_->record(source, now);
}

std::vector<std::pair<std::string, double>> ProductJoin::figures() const {
    const account::JoinCounters& c = join_->counters();
    const auto n = [](std::uint64_t value) { return static_cast<double>(value); };
    return {{"join_records", n(c.records)},
            {"join_joined", n(c.records_joined)},
            {"join_told", n(c.records_told)},
            {"join_duplicate", n(c.records_duplicate)},
            {"join_unmatched", n(c.records_unmatched)},
            {"join_off_time", n(c.records_off_time)},
            {"join_ambiguous", n(c.records_ambiguous)},
            {"join_late", n(c.joined_late)},
            {"join_anonymous_flows", n(c.flows_anonymous)}};
}

}  // namespace seine::evaluate
