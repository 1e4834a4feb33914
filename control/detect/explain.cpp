// Words for channels, values and counts.
#include "control/detect/explain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "control/model/address.h"

namespace seine::detect {
namespace {

using Source = GroupLine::Source;

std::string number(double v) {
    char text[32];
    if (v >= 10 || v == std::floor(v)) {
        std::snprintf(text, sizeof text, "%.0f", v);
    } else {
        std::snprintf(text, sizeof text, v >= 0.1 ? "%.1f" : "%.2f", v);
    }
    return text;
}

std::string address_text(std::uint64_t value, unsigned v4_bits) {
    model::Address a{};
    if (value <= 0xffffffffu) {
        a[10] = a[11] = 0xff;
        for (std::size_t i = 0; i < 4; ++i) {
            a[12 + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
        }
        return model::to_text(a) + (v4_bits == 32 ? "" : "/" + std::to_string(v4_bits));
    }
    for (std::size_t i = 0; i < 8; ++i) a[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
    return model::to_text(a) + (v4_bits == 32 ? "/64" : "/56");
}

// A day as a date (Howard Hinnant's days-from-civil, backwards).
std::string date_text(std::int64_t days) {
    days += 719'468;
    const std::int64_t era = days / 146'097;
    const std::int64_t doe = days - era * 146'097;
    const std::int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
    const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const std::int64_t mp = (5 * doy + 2) / 153;
    const std::int64_t month = mp < 10 ? mp + 3 : mp - 9;
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d",
                  static_cast<int>(yoe + era * 400 + (month <= 2 ? 1 : 0)), static_cast<int>(month),
                  static_cast<int>(doy - (153 * mp + 2) / 5 + 1));
    return text;
}

// "mostly from 09 to 12 UTC, hardly at weekends": the value that population.cpp gives to a cadence.
std::string hours_text(std::uint64_t value) {
    static constexpr const char* kHours[] = {"15 to 18", "18 to 21", "06 to 09", "03 to 06",
                                             "12 to 15", "21 to 24", "09 to 12", "00 to 03"};
    static constexpr const char* kDepths[] = {"around the clock", "most often from ",
                                              "mostly from ", "nearly always from "};
    static constexpr const char* kRests[] = {"hardly at weekends", "less at weekends",
                                             "weekends too"};
    const std::uint64_t rest = (value - 1) % 3, sector = (value - 1) / 3 % 8;
    const std::uint64_t depth = std::min<std::uint64_t>((value - 1) / 24, 3);
    std::string text = kDepths[depth];
    if (depth > 0) text += std::string(kHours[sector]) + " UTC";
    return text + ", " + kRests[rest];
}

std::string size_text(std::uint64_t bin) {
    const double low = 256 * std::pow(2.0, static_cast<double>(bin) / 4);
    return number(low) + " to " + number(low * std::pow(2.0, 0.25)) + " bytes";
}

constexpr std::array<std::string_view, 8> kAgeWords = {"",
                                                   "up to a week old",
                                                   "one to four weeks old",
                                                   "one to two months old",
                                                   "two to four months old",
                                                   "four to six months old",
                                                   "half a year to a year old",
                                                   "more than a year old"};

std::string_view shown_by(Channel channel) {
    switch (channel) {
        case Channel::address:
            return "uses the address ";
        case Channel::prefix:
            return "comes from ";
        case Channel::network:
            return "comes from ";
        case Channel::client:
            return "runs the client ";
        case Channel::tls:
            return "speaks TLS as ";
        case Channel::syn:
            return "opens TCP as ";
        case Channel::session:
            return "presents the TLS session ";
        case Channel::shared:
            return "shares the connection ";
        case Channel::onboard:
            return "signed up on ";
        case Channel::age:
            return "is ";
        case Channel::cadence:
            return "works ";
        case Channel::shape:
            return "sends requests of ";
        case Channel::mix:
            return "sends mostly requests of ";
        case Channel::variety:
            return "sends requests of ";
        case Channel::pivot:
            return "took up within a day ";
        case Channel::relay:
            return "comes through a relay: ";
        case Channel::exits:
            return "comes from many networks: ";
        case Channel::mobility:
            return "carries one session from network to network";
        case Channel::late:
            return "says hello late: a relay asks elsewhere first, 40 ms or more";
        case Channel::pair:
            return "runs two clients in turn, ";
        case Channel::way:
            break;
    }
    return "shows ";
}

std::string_view missing_text(Channel channel) {
    switch (channel) {
        case Channel::network:
            return "comes from none of the networks that most of the farm uses";
        case Channel::client:
            return "runs none of the clients that the farm runs";
        case Channel::age:
            return "is not as young as the farm's accounts";
        case Channel::exits:
            return "does not come from as many networks as the farm does";
        case Channel::relay:
            return "comes without the relay's delay that the farm shows";
        case Channel::address:
        case Channel::prefix:
        case Channel::tls:
        case Channel::syn:
        case Channel::session:
        case Channel::shared:
        case Channel::onboard:
        case Channel::cadence:
        case Channel::shape:
        case Channel::mix:
        case Channel::variety:
        case Channel::pivot:
        case Channel::mobility:
        case Channel::late:
        case Channel::pair:
        case Channel::way:
            break;
    }
    return "has no shared session and took over no failed request of the farm so far";
}

}  // namespace

std::string Explainer::value(Channel channel, std::uint64_t value, std::uint8_t net) const {
    const auto named = [&](std::string_view what) {
        const std::string name = names_ ? names_(value) : std::string{};
        char text[40];
        std::snprintf(text, sizeof text, "#%08x", static_cast<unsigned>(value >> 32));
        return std::string(what) + (name.empty() ? text : name);
    };
    switch (channel) {
        case Channel::address:
            return address_text(value, 32);
        case Channel::prefix:
            return address_text(value, 24);
        case Channel::network:
            return "AS" + std::to_string(value) + " (" +
                   std::string(name_of(static_cast<NetClass>(net))) + ")";
        case Channel::client:
            return named("");
        case Channel::tls:
        case Channel::syn:
            return named("");
        case Channel::session:
        case Channel::shared:
            return named("");
        case Channel::onboard:
            if (value >> 40 != 0) {
                const auto bin = static_cast<std::int64_t>(value & 0xffffffffffu);
                char hour[16];
                std::snprintf(hour, sizeof hour, " %02d:00", static_cast<int>(bin % 8 * 3));
                return date_text(bin / 8) + hour + " to three hours later";
            }
            return date_text(static_cast<std::int64_t>(value));
        case Channel::age:
            return std::string(kAgeWords[std::min<std::uint64_t>(value, 7)]);
        case Channel::cadence:
            return hours_text(value);
        case Channel::shape:
            return size_text(value - 1);
        case Channel::mix: {
            const std::uint64_t both = value - 1;
            return size_text(both >> 16) + " and of " + size_text(both & 0xffffu);
        }
        case Channel::variety:
            return value >= 4   ? "very many different sizes"
                   : value == 3 ? "many different sizes"
                                : "few different sizes";
        case Channel::pivot:
            return "model " + std::to_string(value);
        case Channel::relay:
            return "TLS answers come much later than TCP answers";
        case Channel::exits:
            return std::to_string(value / 2) + " or more" +
                   (value % 2 == 1 ? ", all with a relay's delay" : "");
        case Channel::pair:
            return "the two that it runs most";
        case Channel::mobility:
        case Channel::late:
        case Channel::way:
            return "";
    }
    return "";
}

std::string Explainer::sentence(const GroupLine& line, model::Group group, double orgs,
                                const std::string& value, Channel channel) const {
    const std::string of_farm = "of the farm's " + number(orgs) + " organisations";
    const std::string counts = number(line.k) + " " + of_farm + " do, " + number(line.expected) +
                               " of as many others would";
    if (line.source == Source::twins) {
        const unsigned n = line.twin_edges;
        return "Requests that failed came back within a second, just as long, on another "
               "account, " +
               std::string(n == 1   ? "once"
                           : n == 2 ? "twice"
                                    : "three times or more") +
               " between this account and the farm: so it is with " + number(line.k) + " " +
               of_farm + " and with " + number(line.expected) + " of as many others.";
    }
    if (line.source == Source::place) {
        return std::string(line.nats >= 0 ? "Behind exits that the farm uses too it is as far away "
                                            "as the farm's relay is"
                                          : "Behind exits that the farm uses too it is not as far "
                                            "away as the farm's relay is") +
               ": so it is with " + number(line.k) + " " + of_farm + ", and with " +
               number(line.expected) + " of as many others behind relays.";
    }
    if (line.source == Source::sizes) {
        return line.nats >= 0
                   ? "Its requests are of the sizes that the farm's accounts send, not of "
                     "one application's."
                   : "Its requests are of other sizes than the farm's accounts send.";
    }
    if (line.source == Source::missing) {
        return "It " + std::string(missing_text(line.channel)) + ": " + number(line.k) + " " +
               of_farm + " do not either, against " + number(line.expected) + " of as many others.";
    }
    if (group == model::Group::lnk) {
        return "It presented a TLS session that another account of the farm presented too: so do " +
               number(line.k) + " " + of_farm + ", and " + number(line.expected) +
               " of as many others.";
    }
    return "It " + std::string(shown_by(channel)) + value + ": " + counts + ".";
}

void Explainer::seen(const Account& account, Channel channel, std::uint64_t value,
                     model::EvidenceLine& line) const {
    line.first_seen = account.first;
    line.last_seen = account.last;
    for (const Token& t : account.tokens) {
        if (t.channel != channel || t.value != value) continue;
        line.first_seen = {observer_.began.count + (t.first_h - 1) * kHour};
        line.last_seen = {observer_.began.count + (t.last_h - 1) * kHour};
    }
}

void Explainer::peers(const Population& population, const Profile& profile, std::uint32_t token,
                      const Account& account, model::EvidenceLine& line) const {
    for (const std::uint32_t row : population.rows_of(token)) {
        if (line.peers.size() == 2) return;
        if (!profile.is_member(row)) continue;
        const Account& peer = observer_.accounts[population.rows[row].slot];
        if (peer.serial != population.rows[row].serial) continue;  // evicted since
        if (peer.tag.known() && peer.tag != account.tag) line.peers.push_back(peer.tag);
    }
}

std::vector<model::EvidenceLine> Explainer::membership(const Population& population,
                                                       const Profile& profile,
                                                       const Membership& fit,
                                                       const Account& account) const {
    std::vector<model::EvidenceLine> lines;
    for (std::size_t g = 0; g < kLines; ++g) {
        const GroupLine& from = fit.line[g];
        if (from.source == Source::none) continue;
        const auto group =
            g == kPlaceLine ? model::Group::prx : static_cast<model::Group>(g + 1);
        model::EvidenceLine line;
        line.groups = bit_of(group);
        line.n = from.k;
        line.expected = from.expected;
        line.nats = from.nats;
        line.first_seen = account.first;
        line.last_seen = account.last;
        Channel channel = from.channel;
        if (from.source == Source::token && from.token != Cell::kNone) {
            const SharedToken& token = population.tokens[from.token];
            channel = token.channel;
            line.values = value(channel, token.value, token.net);
            seen(account, channel, token.value, line);
            peers(population, profile, from.token, account, line);
        }
        line.channels = from.source == Source::twins   ? "twin"
                        : from.source == Source::sizes ? "sizes"
                                                       : std::string(name_of(channel));
        if (from.source == Source::missing) line.channels = "no " + line.channels;
        line.sentence = sentence(from, group, profile.orgs(), line.values, channel);
        if (from.capped) line.sentence += " A rule of feedback lets it count no more than this.";
        lines.push_back(std::move(line));
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.nats > b.nats; });
    model::EvidenceLine prior;
    prior.channels = "prior";
    prior.n = profile.orgs();
    prior.expected = population.orgs();
    prior.nats = fit.prior;
    prior.sentence = "Before any evidence: " + number(profile.orgs()) + " of " +
                     number(population.orgs()) + " active organisations belong to this farm.";
    lines.push_back(std::move(prior));
    if (fit.ruled != 0) {
        model::EvidenceLine ruled;
        ruled.channels = "feedback";
        ruled.nats = fit.ruled;
        ruled.sentence = std::string("What people said of what it shows ") +
                         (fit.ruled < 0 ? "speaks against it" : "speaks for it") +
                         ": rules of feedback, which `seinectl farm feedback` lists.";
        lines.push_back(std::move(ruled));
    }
    return lines;
}

std::vector<model::EvidenceLine> Explainer::farm(const Findings& found, const Group& group) const {
    const Population& population = *found.population;
    const Profile& profile = *group.whole.profile;
    struct Pick {
        std::uint32_t token;
        double weight;
    };
    std::array<Pick, kChannels> best{};
    for (auto& b : best) b = {Cell::kNone, 0};
    for (const auto& [token, tell] : profile.telling()) {
        const auto c = static_cast<std::size_t>(population.tokens[token].channel);
        const double weight = static_cast<double>(tell.nats) * tell.k;
        if (weight > best[c].weight || (weight == best[c].weight && token < best[c].token)) {
            best[c] = {token, weight};
        }
    }
    std::vector<model::EvidenceLine> lines;
    for (const Pick& pick : best) {
        if (pick.token == Cell::kNone) continue;
        const SharedToken& token = population.tokens[pick.token];
        const auto& tell = profile.telling().at(pick.token);
        model::EvidenceLine line;
        line.channels = name_of(token.channel);
        line.values = value(token.channel, token.value, token.net);
        line.groups = group_bit(token.channel);
        line.n = tell.k;
        const double outside = token.orgs - static_cast<double>(tell.k);
        line.expected =
            profile.orgs() * outside / std::max(1.0, population.orgs() - profile.orgs());
        line.nats = tell.nats;
        line.sentence = number(line.n) + " of its " + number(profile.orgs()) +
                        " organisations: each " + std::string(shown_by(token.channel)) +
                        line.values + "; " + number(line.expected) + " of as many others do.";
        line.first_seen = line.last_seen = population.now;
        lines.push_back(std::move(line));
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.nats * a.n > b.nats * b.n; });
    model::EvidenceLine verdict;
    verdict.channels = "verdict";
    verdict.n = profile.orgs();
    verdict.sentence = group.verdict.reason + ".";
    lines.insert(lines.begin(), std::move(verdict));
    return lines;
}

}  // namespace seine::detect
