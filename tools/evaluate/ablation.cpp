#include "tools/evaluate/ablation.h"

#include <algorithm>

namespace seine::evaluate {

Ablation::Ablation(SightingSink& next, const std::vector<std::string>& without) : next_(next) {
    const auto has = [&](const char* group) {
        return std::find(without.begin(), without.end(), group) != without.end();
    };
    net_ = has("NET");
    stk_ = has("STK");
    lnk_ = has("LNK");
    time_ = has("TIME");
    mix_ = has("MIX");
    prx_ = has("PRX");
}

void Ablation::strip(model::Sighting& s) const {
    model::Flow& flow = s.flow;
    if (stk_) {
        flow.ja4 = flow.ja4_norm = flow.hdr_order = flow.h2_settings = flow.syn = flow.user_agent =
            0;
        flow.ttl = 0;
    }
    if (lnk_) {
        flow.session_presented.clear();
        flow.session_issued.clear();
    }
    if (mix_) flow.exchanges.clear();
    if (prx_) {
        flow.rtt_known = flow.rtt_valid = false;
        flow.rtt_tcp_us = flow.rtt_tls_us = flow.late_hello_us = 0;
    }
    for (model::AccountUse& use : s.uses) {
        if (stk_) use.header_desc = 0, use.platform = 0;
        if (lnk_) use.session_hint = 0;
        if (time_) use.first_seen_day = 0;
        if (mix_) use.model = use.endpoint = 0;
    }
    if (net_ && !s.uses.empty()) {
        // 2001:db8::/32 and 48 bits of the account: a /64 that nobody else is on.
        model::Address own{0x20, 0x01, 0x0d, 0xb8};
        std::copy_n(s.uses.front().account.bytes.begin(), 4, own.begin() + 4);
        std::copy_n(s.uses.front().account.bytes.begin(), 8, own.begin() + 8);
        flow.tuple.client = own;
    }
}

void Ablation::sighting(Nanos now, const model::Sighting& sighting) {
    const bool apart = (lnk_ || net_) && sighting.uses.size() > 1;
    const std::size_t parts = apart ? sighting.uses.size() : 1;
    for (std::size_t i = 0; i < parts; ++i) {
        model::Sighting copy = sighting;
        if (apart) copy.uses = {sighting.uses[i]};
        strip(copy);
        next_.sighting(now, copy);
    }
}

void Ablation::event(const model::AccountEvent& event) {
    if (!time_ || event.kind != model::AccountEvent::Kind::signup) next_.event(event);
}

}  // namespace seine::evaluate
