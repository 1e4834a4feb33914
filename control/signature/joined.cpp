#include "control/signature/joined.h"

#include <algorithm>
#include <set>

#include "dataplane/contract/fields.h"
#include "dataplane/contract/json.h"

namespace seine::control_signature {
namespace {

using signature::Field;

struct Key {
    std::string_view record;
    Field field;
};
constexpr Key kKeys[] = {
    {"src", Field::src},
    {"sport", Field::src_port},
    {"dst", Field::dst},
    {"dport", Field::dst_port},
    {"proto", Field::proto},
    {"tunnel", Field::tunnel},
    {"preface", Field::preface},
    {"proxied_src", Field::proxied_src},
    {"syn", Field::tcp_syn},
    {"ja4t", Field::tcp_ja4t},
    {"ja4ts", Field::tcp_ja4ts},
    {"sni", Field::tls_sni},
    {"alpn", Field::tls_alpn},
    {"ja4", Field::tls_ja4},
    {"ja4_r", Field::tls_ja4_r},
    {"ja4_o", Field::tls_ja4_o},
    {"ja4_ro", Field::tls_ja4_ro},
    {"ja4_norm", Field::tls_ja4_norm},
    {"tls_traits", Field::tls_traits},
    {"ja3", Field::tls_ja3},
    {"ech", Field::tls_ech},
    {"quic_version", Field::quic_version},
    {"tls_version", Field::tls_version},
    {"ja4s", Field::tls_ja4s},
    {"ja3s", Field::tls_ja3s},
    {"ja4x", Field::tls_ja4x},
    {"cert_subject", Field::cert_subject},
    {"cert_issuer", Field::cert_issuer},
    {"cert_serial", Field::cert_serial},
    {"cert_san", Field::cert_san},
    {"h2_settings", Field::http2_settings},
    {"h2_akamai", Field::http2_akamai},
    {"ssh_client", Field::ssh_client},
    {"ssh_server", Field::ssh_server},
    {"hassh", Field::ssh_hassh},
    {"hassh_server", Field::ssh_hassh_server},
};
constexpr Key kRequestKeys[] = {
    {"http_version", Field::http_version}, {"method", Field::http_method},
    {"path", Field::http_path},            {"host", Field::http_host},
    {"user_agent", Field::http_user_agent}, {"hdr_order", Field::http_header_order},
    {"ja4h", Field::http_ja4h},
};

void evidence_of(const signature::RuleSet& set, const signature::Condition& condition,
                 const signature::Subject& subject, std::set<std::string>& named,
                 std::vector<signature::ExampleValue>& out) {
    for (const auto& part : condition.parts) evidence_of(set, part, subject, named, out);
    if (condition.op != signature::Op::leaf) return;
    const signature::FieldRef& field = set.leaves[condition.leaf].field;
    if (out.size() == 8 || !named.insert(signature::name_of(field)).second) return;
    for (const std::string_view value : subject.values(field)) {
        out.push_back({field, std::string(value.substr(0, 256))});
        break;
    }
}

}  // namespace

void JoinedFlow::add(std::string_view key, std::string_view value) {
    const auto found = std::find_if(std::begin(kKeys), std::end(kKeys),
                                    [&](const Key& one) { return one.record == key; });
    const Key* key_found = found == std::end(kKeys) ? nullptr : found;
    if (key_found == nullptr && requests_) {
        for (const Key& one : kRequestKeys)
            if (one.record == key) key_found = &one;
    }
    if (key_found == nullptr) return;
    const signature::FieldRef field{key_found->field, {}};
    const auto values = subject_.values(field);
    if (std::find(values.begin(), values.end(), value) == values.end()) subject_.add(field, value);
}

void JoinedFlow::add(const contract::RecordView& record) {
    using contract::FieldType;
    for (const contract::FieldInfo& one : contract::kFields) {
        const auto field = static_cast<contract::Field>(one.number);
        if (contract::slot(field).bit == contract::Slot::kNone || !record.has(field)) continue;
        std::string text;
        if (one.type == FieldType::ip)
            contract::append_address(text, record.ip(field));
        else if (one.type == FieldType::choice)
            text = contract::choice_name(field, record.get(field));
        else if (one.type == FieldType::u16)
            text = std::to_string(record.get(field));
        else if (one.type == FieldType::hex16 || one.type == FieldType::hex32) {
            for (int shift = one.type == FieldType::hex16 ? 12 : 28; shift >= 0; shift -= 4)
                text.push_back(kHexDigits[record.get(field) >> shift & 15]);
        }
        if (!text.empty()) add(one.name, text);
    }
    record.for_each_string([this](contract::Field field, ByteView value) {
        add(contract::info(field).name, as_text(value));
    });
}

Result<std::unique_ptr<JoinedRules>> JoinedRules::make(signature::RuleSet set) {
    std::unique_ptr<JoinedRules> out(new JoinedRules(std::move(set)));
    auto evaluator = signature::Evaluator::make(out->set_);
    if (!evaluator) return evaluator.error();
    out->evaluator_ = std::make_unique<signature::Evaluator>(std::move(*evaluator));
    for (std::size_t i = 0; i < out->set_.rules.size(); ++i) {
        const signature::Rule& rule = out->set_.rules[i];
        // Whatever asks about the request: inside TLS nobody but the gateway sees it.
        const bool asks = (groups_of(out->set_, rule.condition) & bit(signature::Group::http)) != 0;
        if (rule.state != signature::State::disabled && asks) out->joined_.push_back(i);
    }
    return out;
}

std::vector<JoinedHit> JoinedRules::match(const JoinedFlow& flow,
                                          const JoinedRequest& request) const {
    signature::Subject subject = flow.subject();
    // A request in clear is the dataplane's to look at.
    if (!subject.seen(signature::Group::tls_client)) return {};
    subject.see(signature::Group::http);
    const auto add = [&subject](Field field, std::string_view value) {
        if (!value.empty()) subject.add({field, {}}, value);
    };
    add(Field::http_method, request.method);
    add(Field::http_host, request.host);
    add(Field::http_path, std::string_view(request.path).substr(0, request.path.find('?')));
    add(Field::http_user_agent, request.user_agent);
    add(Field::http_version, request.version);
    std::vector<JoinedHit> out;
    for (const std::size_t i : joined_) {
        if (evaluator_->evaluate(set_.rules[i], subject) != signature::Tri::yes) continue;
        JoinedHit hit;
        hit.rule = i;
        std::set<std::string> named;
        evidence_of(set_, set_.rules[i].condition, subject, named, hit.evidence);
        out.push_back(std::move(hit));
    }
    return out;
}

}  // namespace seine::control_signature
