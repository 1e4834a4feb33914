#include "control/service/joined_part.h"

#include <filesystem>
#include <fstream>

#include "control/service/account_part.h"
#include "control/service/log.h"
#include "dataplane/base/hash.h"
#include "dataplane/signature/compiled.h"
#include "dataplane/signature/rule_file.h"

namespace seine::service {
namespace {

namespace fs = std::filesystem;
using control_signature::JoinedFlow;
using control_signature::JoinedHit;
using control_signature::JoinedRules;

constexpr std::int64_t kLookEvery = 2 * kSecond;
constexpr std::uint32_t kSourcesMax = 65'536;

bool asks_for_path(const signature::RuleSet& set) {
    for (const signature::Leaf& leaf : set.leaves)
        if (leaf.field.field == signature::Field::http_path) return true;
    return false;
}

// Names, sizes and times of the files below a folder: changes when one of them does.
std::string mark_of(const std::string& folder) {
    std::error_code error;
    std::string out = folder;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (!at->is_regular_file(error)) continue;
        out += "\n" + at->path().string() + " " + std::to_string(at->file_size(error)) + " " +
               std::to_string(at->last_write_time(error).time_since_epoch().count());
    }
    return out;
}

// The rules behind the blob that the dataplane accepted last: seinectl keeps them beside it. Empty:
// there are none.
std::string accepted_rules(const std::string& folder) {
    std::ifstream file(folder + "/accepted.blob", std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (bytes.empty()) return {};
    const auto rules = signature::decode(as_bytes(bytes));
    if (!rules) return {};
    std::error_code error;
    std::string place = folder + "/versions/" + std::to_string(rules->generation) + "/rules";
    return fs::is_directory(place, error) ? place : std::string();
}

model::Severity severity_of(signature::Severity severity) {
    return static_cast<model::Severity>(static_cast<unsigned>(severity) + 1);
}

}  // namespace

JoinedPart::JoinedPart(const Config& config, Findings& findings, AccountPart* accounts)
    : signatures_(config.signatures),
      beside_ring_(config.rings.empty() ? std::string() : config.rings.front() + ".signatures"),
      findings_(findings),
      rates_(kSourcesMax),
      hellos_(kHelloBytesMax) {
    if (accounts == nullptr) return;
    accounts->keep_requests([this](const account::Request& request) { return keep(request); }, [this] { return wanted(); });
}

IngestPart JoinedPart::part() {
    IngestPart part;
    part.name = "joined rules";
    part.poll = [this](account::Join&, Nanos now) { return poll(now); };
    part.record = [this](const contract::RecordView& record, ByteView frame, Nanos) {
        if (!wanted() || record.kind != contract::Kind::open || record.text(contract::Field::ja4).empty()) return;
        hellos_.add(record.flow, frame.first(contract::frame_length(frame)));
    };
    part.request_joined = [this](std::uint64_t request, const contract::FlowId& flow, const model::AccountTag& account,
                                 const model::OrgTag& org, Nanos now) { joined(request, flow, account, org, now); };
    return part;
}

std::uint64_t JoinedPart::keep(const account::Request& request) {
    if (!wanted()) return 0;
    if (requests_.empty()) requests_.resize(kRequestsMax);
    Kept& kept = requests_[++request_number_ % kRequestsMax];
    kept.number = request_number_;
    kept.request = {request.method, request.host, request.path, request.user_agent, request.version};
    return request_number_;
}

void JoinedPart::joined(std::uint64_t request, const contract::FlowId& flow, const model::AccountTag& account,
                        const model::OrgTag& org, Nanos now) {
    if (!wanted()) return;
    ++counts_.requests;
    if (requests_.empty() || requests_[request % kRequestsMax].number != request) {
        ++counts_.without_request;
        return;
    }
    const control_signature::JoinedRequest& said = requests_[request % kRequestsMax].request;
    FlowHellos::Hello* const hello = hellos_.find(flow);
    contract::RecordView record;
    if (hello == nullptr || contract::read_frame(hello->frame, record) != Parse::ok) {
        ++counts_.without_flow;
        return;
    }
    constexpr std::uint64_t kAlikeSeed = 0x6a6f696e6564u;
    const std::string_view path = paths_count_ ? std::string_view(said.path) : std::string_view();
    std::uint64_t alike = kAlikeSeed;
    for (const std::string_view text : {std::string_view(said.user_agent), std::string_view(said.host),
                                        std::string_view(said.method), std::string_view(said.version), path})
        alike = hash64(as_bytes(text), alike);
    if (!hello->fresh(alike)) {
        ++counts_.alike;
        return;
    }
    if (now.count / kSecond != second_) second_ = now.count / kSecond, in_second_ = 0;
    if (++in_second_ > kEvaluationsASecond) {
        ++counts_.over_rate;
        return;
    }
    ++counts_.evaluated;
    JoinedFlow fields;
    fields.add(record);
    for (const JoinedHit& hit : rules_->match(fields, said)) tell(hit, hello->frame, account, org, now);
}

void JoinedPart::tell(const JoinedHit& hit, ByteView frame, const model::AccountTag& account, const model::OrgTag& org,
                      Nanos now) {
    const signature::Rule& rule = rules_->set().rules[hit.rule];
    JoinedRuleCount& count = counts_.by_rule[rule.id];
    count.state = name_of(rule.state);
    ++count.hits;
    count.last_hit = now;
    if (rule.state == signature::State::shadow) return;
    signature::RateWindow& window = windows_[hit.rule];
    std::uint8_t source[16];
    std::copy(account.bytes.begin(), account.bytes.end(), source);
    signature::RateWindow& of_source = rates_.window(static_cast<std::uint32_t>(hit.rule), source, now);
    if (!of_source.admit(rule.per_source, now) || !window.admit(rule.per_rule, now)) {
        ++count.swallowed;
        return;
    }
    ++count.told;
    model::Event event;
    event.kind = model::EventKind::signature_alert;
    event.at = event.seen = now;
    event.severity = severity_of(rule.severity);
    event.confidence = rule.confidence / 100.0;
    event.title = rule.title.empty() ? "rule " + rule.id : rule.title;
    event.rule = {rule.id, rule.version, rule.title, rule.rule_class, {}, {}};
    for (const signature::ExampleValue& item : hit.evidence) {
        const std::string name = signature::name_of(item.field);
        event.message += (event.message.empty() ? "" : ", ") + name + " `" + item.value + "`";
        if (!event.rule.field.empty()) continue;
        event.rule.field = name;
        event.rule.value = item.value;
    }
    event.account = account;
    event.org = org;
    event.flow.assign(frame.begin(), frame.end());
    event.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(1 + window.take_swallowed(), UINT32_MAX));
    findings_.found_in_round(event);
}

bool JoinedPart::poll(Nanos now) {
    if (now - looked_ > kLookEvery) {
        looked_ = now;
        look_for_rules();
    }
    publish(now);
    return false;
}

void JoinedPart::look_for_rules() {
    std::error_code error;
    const std::string accepted = beside_ring_ + "/accepted.blob";
    const std::string mark = !signatures_.empty() ? mark_of(signatures_)
                             : fs::exists(accepted, error)
                                 ? accepted + std::to_string(fs::last_write_time(accepted, error).time_since_epoch().count())
                                 : std::string();
    if (mark == mark_) return;
    mark_ = mark;
    load(!signatures_.empty() ? signatures_ : mark.empty() ? std::string() : accepted_rules(beside_ring_));
}

// The set before stays in use where the new one has a mistake.
void JoinedPart::load(const std::string& folder) {
    if (folder.empty()) {
        rules_.reset();
        hellos_.clear();
        counts_.folder.clear();
        return;
    }
    signature::LoadedRules loaded = signature::read_rules(folder);
    auto made = loaded.problems.empty() ? JoinedRules::make(std::move(loaded.set))
                                        : Result<std::unique_ptr<JoinedRules>>(
                                              failed(text_of(loaded.problems.kept()[0].place) + ": " +
                                                     loaded.problems.kept()[0].text + "; seinectl signature test " + folder +
                                                     " tells all"));
    if (!made) {
        if (counts_.problem != made.error().message()) log(Level::error, "joined rules: " + made.error().message());
        counts_.problem = made.error().message();
        return;
    }
    rules_ = std::move(*made);
    windows_.assign(rules_->set().rules.size(), signature::RateWindow());
    paths_count_ = asks_for_path(rules_->set());
    counts_.problem.clear();
    counts_.folder = folder;
    log(Level::info, std::to_string(rules_->rule_count()) + " rules over requests and their flows, of " + folder);
    if (!wanted()) hellos_.clear();
}

void JoinedPart::publish(Nanos now) {
    if (now - published_ < kSecond / 2) return;
    published_ = now;
    counts_.rules = rules_ == nullptr ? 0 : rules_->rule_count();
    counts_.flows_kept = hellos_.size();
    const std::lock_guard lock(mutex_);
    status_ = counts_;
}

JoinedStatus JoinedPart::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

}  // namespace seine::service
