// Events as findings of the store, and alert records as events.
#include "control/service/findings.h"

#include <algorithm>
#include <iterator>

#include "control/command/json_builder.h"
#include "control/service/value_fields.h"
#include "dataplane/contract/json.h"

namespace seine::service {
namespace {

using contract::Field;
using contract::RecordView;

constexpr const char* kGroups[] = {"net", "stk", "lnk", "time", "mix", "prx"};

void add_evidence(command::JsonBuilder& json, const model::EvidenceLine& line) {
    json.object().field("channels", line.channels).field("values", line.values).field("sentence", line.sentence);
    json.field("n", line.n).field("expected", line.expected).field("nats", line.nats);
    json.key("groups").array();
    for (std::size_t i = 0; i < std::size(kGroups); ++i) {
        if ((line.groups >> i & 1) != 0) json.text(kGroups[i]);
    }
    json.end().end();
}

std::string document_of(const model::Event& event) {
    command::JsonBuilder json;
    json.object().field("message", event.message).field("confidence", event.confidence).field("count", event.count);
    json.field("seen_ns", event.seen.count);
    if (!event.rule.id.empty()) {
        json.key("rule").object().field("id", event.rule.id).field("version", event.rule.version);
        json.field("title", event.rule.title).field("class", event.rule.category);
        json.field("field", event.rule.field).field("value", event.rule.value).end();
    }
    if (event.farm.farm != 0) {
        json.key("farm_event").object().field("farm", "F-" + std::to_string(event.farm.farm));
        json.field("accounts_before", event.farm.accounts_before).field("accounts_now", event.farm.accounts_now);
        json.field("reason", event.farm.reason).field("score_nats", event.score_nats).end();
    }
    json.key("evidence").array();
    for (const model::EvidenceLine& line : event.evidence) add_evidence(json, line);
    json.end();
    RecordView record;
    if (!event.flow.empty() && contract::read_frame(event.flow, record) == Parse::ok) {
        std::string id;
        contract::append_flow_id(id, record.flow);
        std::string text;
        contract::JsonWriter().append(text, record, contract::JsonForm::flow);
        json.field("flow_id", id).key("flow").raw(text);
    }
    json.end();
    return json.take();
}

store::Finding finding_of(const model::Event& event) {
    store::Finding out;
    out.at = event.at;
    out.kind = static_cast<std::uint8_t>(event.kind);
    out.severity = static_cast<std::uint8_t>(event.severity);
    out.rule = event.rule.id.empty() && event.kind == model::EventKind::farm ? "farm" : event.rule.id;
    out.title = event.title;
    out.account = event.account;
    out.farm = event.farm.farm;
    out.document = document_of(event);
    return out;
}

// A field of the record by its name; fields of rules come with the dataplane that has them.
std::string_view text_of(const RecordView& record, std::string_view name) {
    const std::uint16_t field = field_number(name);
    return field == 0 ? std::string_view() : record.text(static_cast<Field>(field));
}
std::uint64_t number_of(const RecordView& record, std::string_view name) {
    const std::uint16_t field = field_number(name);
    return field == 0 ? 0 : record.get(static_cast<Field>(field));
}

model::Event event_of(const RecordView& record, ByteView frame, Nanos now) {
    model::Event event;
    event.kind = model::EventKind::signature_alert;
    event.at = {static_cast<std::int64_t>(record.get(Field::t_last_ns))};
    if (event.at.count == 0) event.at = now;
    event.seen = now;
    const std::uint64_t severity = number_of(record, "severity");
    event.severity = severity >= 1 && severity <= 5 ? static_cast<model::Severity>(severity) : model::Severity::info;
    event.confidence = static_cast<double>(number_of(record, "confidence")) / 100;
    event.rule.id = text_of(record, "rules");
    event.rule.version = number_of(record, "rule_version");
    event.rule.title = text_of(record, "rule_title");
    event.rule.category = text_of(record, "rule_class");
    event.rule.field = text_of(record, "rule_field");
    event.rule.value = text_of(record, "rule_value");
    event.title = event.rule.title.empty() ? "rule " + event.rule.id : event.rule.title;
    event.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(1 + number_of(record, "rule_swallowed"), UINT32_MAX));
    const ByteView bytes = frame.first(contract::frame_length(frame));
    event.flow.assign(bytes.begin(), bytes.end());
    return event;
}

}  // namespace

void Findings::wait_for_batch(store::Finding finding) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kWaitingMax) {
        waiting_.pop_front();
        counters_.dropped.fetch_add(1, std::memory_order_relaxed);
    } else {
        counters_.waiting.fetch_add(1, std::memory_order_relaxed);
    }
    waiting_.push_back(std::move(finding));
}

void Findings::found(const model::Event& event) {
    counters_.found.fetch_add(1, std::memory_order_relaxed);
    store::Finding finding = finding_of(event);
    if (store_.add_finding(finding)) counters_.kept.fetch_add(1, std::memory_order_relaxed);
    else wait_for_batch(std::move(finding));
    if (publish_) publish_(event);
}

void Findings::found_in_round(const model::Event& event) {
    counters_.found.fetch_add(1, std::memory_order_relaxed);
    wait_for_batch(finding_of(event));
    if (publish_) publish_(event);
}

void Findings::take_waiting(store::Batch& batch) {
    const std::lock_guard lock(mutex_);
    in_batch_ = waiting_.size();
    batch.findings.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
    waiting_.clear();
}

void Findings::taken() {
    counters_.kept.fetch_add(in_batch_, std::memory_order_relaxed);
    counters_.waiting.fetch_sub(in_batch_, std::memory_order_relaxed);
    in_batch_ = 0;
}

IngestPart Findings::part(const Ingest& ingest) {
    IngestPart part;
    part.name = "findings";
    part.behind = true;
    part.record = [this, &ingest](const RecordView& record, ByteView frame, Nanos now) {
        if (record.kind != contract::Kind::finding) return;
        model::Event event = event_of(record, frame, now);
        const auto accounts = ingest.accounts_of(record.flow);
        if (!accounts.empty()) event.account = accounts.front();
        found_in_round(event);
    };
    part.has_room = [this] { return counters_.waiting.load(std::memory_order_relaxed) < kWaitingMax / 2 + in_batch_; };
    part.before_commit = [this](store::Batch& batch) { take_waiting(batch); };
    part.after_commit = [this] { taken(); };
    return part;
}

}  // namespace seine::service
