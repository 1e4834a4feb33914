// Reads tables into rules, and hands them to detection.
#include "control/service/detection_sections.h"

#include <charconv>
#include <chrono>

#include "control/detect/observe.h"
#include "control/model/value.h"

namespace seine::service {

using config::Fault;
using config::Node;
using config::Setting;
using detect::FeedbackRule;

namespace {

constexpr Setting kPolicy[] = {
    {.name = "budget",
     .type = Node::Type::real,
     .meaning = "false positives that may be expected per million accounts and day",
     .otherwise = "[detect] budget of the bootstrap file",
     .least = 0.01,
     .most = 1000},
    {.name = "organisations_min",
     .type = Node::Type::integer,
     .meaning = "a farm is alerted from so many organisations on",
     .otherwise = "5",
     .least = 2,
     .most = 10'000},
};

constexpr Setting kFeedback[] = {
    {.name = "name",
     .type = Node::Type::text,
     .meaning = "what this rule is called",
     .needed = true},
    {.name = "subject",
     .type = Node::Type::text,
     .meaning = "what the value is",
     .choices = "asn prefix address stack account organisation",
     .needed = true},
    {.name = "value",
     .type = Node::Type::text,
     .meaning =
         "an AS number; an IPv4 /24 or IPv6 /56; an address (IPv6 by its /64); a JA4 without "
         "its resumption, as records print ja4_norm; the tag of an account or an organisation",
     .needed = true},
    {.name = "owner", .type = Node::Type::text, .meaning = "who answers for it", .needed = true},
    {.name = "reason", .type = Node::Type::text, .meaning = "why this is so", .needed = true},
    {.name = "effect",
     .type = Node::Type::text,
     .meaning =
         "exclude: it counts nothing. cap: a group of channels counts so many nats at most for who "
         "shows it. prior: the score of who shows it is moved by so many. intermediary: what comes "
         "that way leaves no evidence, and who comes no other way is not judged. class: the class "
         "of network that it is",
     .otherwise = "exclude",
     .choices = "exclude cap prior intermediary class"},
    {.name = "nats",
     .type = Node::Type::real,
     .meaning = "of a cap, 0 to 6; of a prior, -2 to 2",
     .least = -2,
     .most = 6},
    {.name = "group",
     .type = Node::Type::text,
     .meaning = "of a cap: the group of channels that it is about",
     .otherwise = "NET, of a stack STK",
     .choices = "NET STK LNK TIME MIX PRX"},
    {.name = "class",
     .type = Node::Type::text,
     .meaning = "of a network",
     .choices = "residential mobile hosting corporate education vpn ci"},
    {.name = "until",
     .type = Node::Type::text,
     .meaning =
         "its last day, as 2027-01-31; at most 400 days from now. Past it the rule counts no "
         "more",
     .needed = true},
};

// Days since 1970 of a date as 2027-01-31; negative where it is none.
std::int64_t day_of(const std::string& text) {
    int year = 0;
    unsigned month = 0, day = 0;
    const char* const at = text.data();
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return -1;
    const bool read = std::from_chars(at, at + 4, year).ptr == at + 4 &&
                      std::from_chars(at + 5, at + 7, month).ptr == at + 7 &&
                      std::from_chars(at + 8, at + 10, day).ptr == at + 10;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(day)};
    if (!read || !date.ok() || year < 1970) return -1;
    return std::chrono::sys_days(date).time_since_epoch().count();
}

// "192.0.2.0/24" as the value of a prefix token: exactly as wide as those are.
bool read_prefix(const std::string& text, std::uint64_t& value) {
    const std::size_t slash = text.find('/');
    model::Address address{};
    if (slash == text.npos || !model::from_text(text.substr(0, slash), address)) return false;
    if (text.substr(slash) != (model::is_v4(address) ? "/24" : "/56")) return false;
    value = detect::prefix_value(address);
    return true;
}

// What is wrong with the value, or nothing.
std::string read_value(const std::string& subject, const std::string& text, FeedbackRule& rule) {
    using Subject = FeedbackRule::Subject;
    model::Address address{};
    if (subject == "asn") {
        rule.subject = Subject::asn;
        const std::size_t from = text.compare(0, 2, "AS") == 0 ? 2 : 0;
        std::uint32_t asn = 0;
        const auto done = std::from_chars(text.data() + from, text.data() + text.size(), asn);
        rule.value = asn;
        if (done.ec != std::errc() || done.ptr != text.data() + text.size() || asn == 0)
            return "takes an AS number, as 64500";
    } else if (subject == "prefix") {
        rule.subject = Subject::prefix;
        if (!read_prefix(text, rule.value))
            return "takes an IPv4 /24 or an IPv6 /56, as 192.0.2.0/24; write one rule for each";
    } else if (subject == "address") {
        rule.subject = Subject::address;
        if (!model::from_text(text, address)) return "takes an address, as 192.0.2.7";
        rule.value = detect::address_value(address);
    } else if (subject == "account") {
        rule.subject = Subject::account;
        if (!model::from_text(text, rule.account))
            return "takes the tag of an account, 32 hex digits";
    } else if (subject == "organisation") {
        rule.subject = Subject::organisation;
        if (!model::from_text(text, rule.org))
            return "takes the tag of an organisation, 32 hex digits";
    } else {
        rule.subject = Subject::stack;
        if (text.size() < 10)
            return "takes a JA4 without its resumption, as records print ja4_norm";
        rule.value = model::value_id(text);
    }
    return {};
}

struct KeyFault {
    const char* key = nullptr;  // none: nothing is wrong
    std::string message;
};

detect::NetClass class_named(const std::string& text) {
    for (std::size_t i = 1; i < detect::kNetClasses; ++i) {
        const auto net = static_cast<detect::NetClass>(i);
        if (text == name_of(net)) return net;
    }
    return detect::NetClass::unknown;
}

// What the rule does, after its subject is read.
KeyFault read_effect(const Node& table, FeedbackRule& rule) {
    using Subject = FeedbackRule::Subject;
    using Effect = FeedbackRule::Effect;
    const std::string effect = table.find("effect") == nullptr ? "exclude" : table.text_of("effect");
    const bool accounts = rule.subject == Subject::organisation || rule.subject == Subject::account;
    const bool weighs = effect == "cap" || effect == "prior";
    rule.effect = effect == "cap"            ? Effect::cap
                  : effect == "prior"        ? Effect::prior
                  : effect == "intermediary" ? Effect::intermediary
                  : effect == "class"        ? Effect::network
                                             : Effect::exclude;
    if (table.find("nats") != nullptr && !weighs)
        return {"nats", "nats are of a cap or a prior; leave them out, or say effect = \"cap\""};
    if (table.find("group") != nullptr && effect != "cap")
        return {"group", "a group is of a cap; leave it out, or say effect = \"cap\""};
    if (table.find("class") != nullptr && effect != "class")
        return {"class", "a class goes with effect = \"class\""};
    if (effect == "class" && table.find("class") == nullptr)
        return {"effect", "say which: class = \"education\""};
    rule.net = class_named(table.text_of("class"));
    if (weighs && table.find("nats") == nullptr)
        return {"effect", effect == "cap" ? "say how many: nats = 1.0" : "say how many: nats = -1.0"};
    rule.nats = table.real_of("nats", 0);
    if (effect == "cap") {
        std::string group = table.text_of("group");
        if (group.empty() && accounts) return {"effect", "say of which group: group = \"NET\""};
        if (group.empty()) group = rule.subject == Subject::stack ? "STK" : "NET";
        for (std::size_t g = 1; g <= detect::kGroups; ++g) {
            const auto named = static_cast<model::Group>(g);
            if (group == detect::name_of(named)) rule.group = named;
        }
    }
    const Status fits = detect::effect_fits(rule);
    if (!fits.ok()) return {weighs ? "nats" : "effect", std::string(fits.message())};
    return {};
}

}  // namespace

class PolicyChange final : public config::Change {
  public:
    PolicyChange(PolicySection& section, double budget, std::uint32_t orgs_min)
        : section_(section), budget_(budget), orgs_min_(orgs_min) {}
    void apply() noexcept override {
        section_.wanted_budget_ = budget_;
        section_.wanted_orgs_ = orgs_min_;
        if (section_.tuned_ != nullptr) section_.tuned_->set_policy(budget_, orgs_min_);
    }

  private:
    PolicySection& section_;
    double budget_;
    std::uint32_t orgs_min_;
};

std::span<const Setting> PolicySection::settings() const noexcept { return kPolicy; }

Result<std::unique_ptr<config::Change>> PolicySection::prepare(const Node& wanted) {
    const auto orgs = static_cast<std::uint32_t>(wanted.integer_of("organisations_min", orgs_min_));
    return std::unique_ptr<config::Change>(
        std::make_unique<PolicyChange>(*this, wanted.real_of("budget", budget_), orgs));
}

void PolicySection::bind(DetectionTuned* tuned) {
    tuned_ = tuned;
    if (tuned_ != nullptr && wanted_orgs_ != 0) tuned_->set_policy(wanted_budget_, wanted_orgs_);
}

class FeedbackChange final : public config::Change {
  public:
    FeedbackChange(FeedbackSection& section, std::vector<FeedbackRule> rules)
        : section_(section), rules_(std::move(rules)) {}
    void apply() noexcept override {
        section_.rules_ = std::move(rules_);
        // Tried in prepare(), so it does not fail here.
        if (section_.tuned_ != nullptr)
            static_cast<void>(section_.tuned_->set_rules(section_.rules_));
    }

  private:
    FeedbackSection& section_;
    std::vector<FeedbackRule> rules_;
};

std::span<const Setting> FeedbackSection::settings() const noexcept { return kFeedback; }

void FeedbackSection::check(const Node& table, const std::string& path,
                            std::vector<Fault>& faults) const {
    const auto wrong = [&](const char* key, const std::string& message) {
        const Node* at = table.find(key);
        if (at == nullptr || at->type != Node::Type::text) return;  // told already
        faults.push_back({path + "." + key, at->line, at->column, message});
    };
    FeedbackRule rule;
    const std::string fault = read_value(table.text_of("subject"), table.text_of("value"), rule);
    if (!fault.empty()) wrong("value", "value " + fault);
    if (const KeyFault effect = read_effect(table, rule); effect.key != nullptr) {
        const Node* at = table.find(effect.key);
        if (at != nullptr) faults.push_back({path + "." + effect.key, at->line, at->column, effect.message});
    }
    if (day_of(table.text_of("until")) < 0) wrong("until", "until takes a day, as 2027-01-31");
}

Result<std::unique_ptr<config::Change>> FeedbackSection::prepare(const Node& wanted) {
    const Nanos now = clock_();
    std::vector<FeedbackRule> rules;
    for (const Node& table : wanted.items) {
        FeedbackRule rule;
        static_cast<void>(read_value(table.text_of("subject"), table.text_of("value"), rule));
        static_cast<void>(read_effect(table, rule));
        rule.owner = table.text_of("owner");
        rule.reason = table.text_of("name") + ": " + table.text_of("reason");
        rule.expires = {(day_of(table.text_of("until")) + 1) * detect::kDay};
        if (rule.expires <= now) continue;  // past its time: it stands there, and counts no more
        rules.push_back(std::move(rule));
    }
    // With those that are there, for the sake of how many may come in a week.
    detect::Feedback trial;
    Status status = trial.replace(rules_, now);
    if (status.ok()) status = trial.replace(rules, now);
    if (!status.ok()) return Status(status.code(), "feedback: " + std::string(status.message()));
    return std::unique_ptr<config::Change>(
        std::make_unique<FeedbackChange>(*this, std::move(rules)));
}

void FeedbackSection::bind(DetectionTuned* tuned) {
    tuned_ = tuned;
    if (tuned_ != nullptr) static_cast<void>(tuned_->set_rules(rules_));
}

}  // namespace seine::service
