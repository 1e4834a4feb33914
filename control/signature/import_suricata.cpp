#include "control/signature/import_suricata.h"

#include <algorithm>
#include <charconv>

#include "control/signature/suricata_compare.h"
#include "control/signature/suricata_rule.h"
#include "dataplane/signature/check.h"
#include "dataplane/signature/rule_file.h"

namespace seine::control_signature {
namespace {

bool number_of(std::string_view text, long& out) {
    const auto done = std::from_chars(text.data(), text.data() + text.size(), out);
    return done.ec == std::errc() && done.ptr == text.data() + text.size();
}

std::string unquoted(std::string text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return text;
}

class Conversion {
  public:
    Conversion(const SuricataRule& rule, const ImportOptions& options)
        : rule_(rule), options_(options) {}

    // Why not; empty when it converted.
    std::string run();
    [[nodiscard]] std::string toml(const std::string& source) const;
    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const std::string& remark() const { return remark_; }

  private:
    using Why = std::string;
    Why header();
    Why ends();
    Why address(const std::string& word, const char* field);
    Why option(const SuricataRule::Option& one);
    Why modifier(const SuricataRule::Option& one, bool& known);
    Why flow(const std::string& value);
    Why threshold(const std::string& value);
    Why content(const std::string& value);
    Why pcre(const std::string& value);
    Why close_buffer();
    Why take(const std::vector<Piece>& pieces);
    void remark(std::string_view text) {
        if (remark_.find(text) == std::string::npos)
            remark_.append(remark_.empty() ? "" : "; ").append(text);
    }
    [[nodiscard]] std::string example() const;

    const SuricataRule& rule_;
    const ImportOptions& options_;
    std::string id_;
    std::string title_;
    std::string version_ = "1";
    std::string severity_ = "medium";
    std::vector<std::string> references_;
    std::string per_source_;
    std::string remark_;
    std::string ports_;
    bool to_client_ = false;
    bool direction_said_ = false;
    const SuricataBuffer* buffer_ = nullptr;
    std::vector<Piece> pieces_;  // of the buffer at hand
    std::vector<Compared> compared_;
    std::vector<std::string> bare_;  // conditions on the ends of the flow
    std::vector<std::string> bare_examples_;
};

Conversion::Why Conversion::header() {
    for (const auto& one : rule_.options) {
        if (one.keyword == "sid") id_ = "sid-" + one.value;
        if (one.keyword == "msg") title_ = unquoted(one.value);
        if (one.keyword == "rev") version_ = one.value;
        if (one.keyword == "reference") references_.push_back(one.value);
        if (one.keyword == "priority") {
            const std::size_t at = std::string_view("1234").find(one.value);
            if (at == std::string_view::npos || one.value.size() != 1)
                return "priority `" + one.value + "` is none of 1 to 4";
            constexpr std::string_view kNames[] = {"high", "medium", "low", "info"};
            severity_ = kNames[at];
        }
    }
    if (id_.empty()) return "no sid";
    if (rule_.action != "alert")
        return "action `" + rule_.action + "`: Seine alerts and does nothing else";
    constexpr std::string_view kProtocols[] = {"tcp",   "udp", "ip",  "http", "http1",
                                               "http2", "tls", "ssh", "quic"};
    if (std::find(std::begin(kProtocols), std::end(kProtocols), rule_.protocol) ==
        std::end(kProtocols))
        return "protocol `" + rule_.protocol + "` is not one that rules here look into";
    if (rule_.direction != "->")
        return "direction `" + rule_.direction + "`: write a rule for each way";
    return {};
}

// Addresses and ports, once it is known which end is the client.
Conversion::Why Conversion::ends() {
    const std::string& client = to_client_ ? rule_.target : rule_.source;
    const std::string& server = to_client_ ? rule_.source : rule_.target;
    const std::string& client_port = to_client_ ? rule_.target_port : rule_.source_port;
    const std::string& server_port = to_client_ ? rule_.source_port : rule_.target_port;
    if (client_port != "any") return "a port of the client (`" + client_port + "`)";
    Why why = address(client, "src");
    if (why.empty()) why = address(server, "dst");
    if (!why.empty() || server_port == "any") return why;
    std::string list = server_port;
    const auto named = list.substr(0, 1) == "$" ? options_.variables.find(list.substr(1))
                                                : options_.variables.end();
    if (list.substr(0, 1) == "$" && named == options_.variables.end())
        return "variable " + list + " is not known; give it with --define " + list.substr(1) +
               "=..";
    if (named != options_.variables.end()) list = named->second;
    if (list == "any") return {};
    if (list.find('!') != std::string::npos) return "ports that are excluded (`" + list + "`)";
    std::erase_if(list, [](char c) { return c == '[' || c == ']' || c == ' '; });
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t end = std::min(list.find(',', at), list.size());
        std::string port = list.substr(at, end - at);
        std::replace(port.begin(), port.end(), ':', '-');
        if (!port.empty() && port.back() == '-') port += "65535";
        if (!port.empty() && port.front() == '-') port = "0" + port;
        ports_ += (ports_.empty() ? "" : ", ") + toml_text(port);
        at = end + 1;
    }
    const std::string first = ports_.substr(1, ports_.find_first_of("-\"", 1) - 1);
    bare_examples_.push_back("dst_port = " + toml_text(first));
    return {};
}

Conversion::Why Conversion::address(const std::string& word, const char* field) {
    std::string list = word;
    if (list.substr(0, 1) == "$") {
        const auto named = options_.variables.find(list.substr(1));
        if (named == options_.variables.end())
            return "variable " + list + " is not known; give it with --define " + list.substr(1) +
                   "=any or its networks";
        list = named->second;
    }
    if (list == "any") return {};
    if (list.find('!') != std::string::npos || list.find('$') != std::string::npos)
        return "addresses that are excluded or nested (`" + word + "`)";
    std::erase_if(list, [](char c) { return c == '[' || c == ']' || c == ' '; });
    std::string values;
    std::string first;
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t end = std::min(list.find(',', at), list.size());
        const std::string one = list.substr(at, end - at);
        signature::Network network;
        if (!signature::parse_network(one, network)) return "`" + one + "` is no network";
        if (first.empty()) first = one.substr(0, one.find('/'));
        values += (values.empty() ? "" : ", ") + toml_text(one);
        at = end + 1;
    }
    bare_.push_back(std::string("{ field = \"") + field + "\", equals = [" + values + "] }");
    bare_examples_.push_back(std::string(field) + " = " + toml_text(first));
    return {};
}

Conversion::Why Conversion::flow(const std::string& value) {
    for (std::size_t at = 0; at <= value.size();) {
        const std::size_t end = std::min(value.find(',', at), value.size());
        std::string word = value.substr(at, end - at);
        std::erase(word, ' ');
        at = end + 1;
        if (word == "to_server" || word == "from_client") {
            direction_said_ = true;
        } else if (word == "to_client" || word == "from_server") {
            direction_said_ = to_client_ = true;
        } else if (word != "established" && word != "only_stream") {
            return "flow `" + word + "`";
        }
    }
    return {};
}

Conversion::Why Conversion::threshold(const std::string& value) {
    std::string text = value;
    std::erase(text, ' ');
    long count = 0;
    long seconds = 0;
    const auto part = [&text](std::string_view key) {
        const std::size_t at = text.find(key);
        return at == std::string::npos
                   ? std::string()
                   : text.substr(at + key.size(), text.find(',', at) - at - key.size());
    };
    if (part("type") != "limit")
        return "threshold of type `" + part("type") +
               "`: only limit says how many alerts there are";
    if (part("track") != "by_src" || !number_of(part("count"), count) ||
        !number_of(part("seconds"), seconds) || count < 1)
        return "threshold that does not track by_src";
    const char* unit = seconds == 1       ? "/s"
                       : seconds == 60    ? "/min"
                       : seconds == 3600  ? "/h"
                       : seconds == 86400 ? "/day"
                                          : nullptr;
    if (unit == nullptr)
        return "threshold of " + std::to_string(seconds) +
               " seconds: limits here are a second, minute, hour or day";
    per_source_ = std::to_string(count) + unit;
    return {};
}

Conversion::Why Conversion::content(const std::string& value) {
    Piece piece;
    const auto bytes = parse_content(value, piece.negated);
    if (!bytes) return bytes.error().message();
    piece.text = *bytes;
    pieces_.push_back(std::move(piece));
    return {};
}

Conversion::Why Conversion::pcre(const std::string& value) {
    Piece piece;
    piece.pcre = true;
    std::string text = value;
    piece.negated = text.substr(0, 1) == "!";
    if (piece.negated) text = text.substr(1);
    text = unquoted(text);
    const std::size_t last = text.rfind('/');
    if (text.empty() || text.front() != '/' || last == 0)
        return "a pcre that is not between slashes";
    const std::string flags = text.substr(last + 1);
    std::string pattern = text.substr(1, last - 1);
    // `\/` is how a slash is written there; `\"` and `\;` likewise.
    for (std::size_t at = 0; at + 1 < pattern.size(); ++at) {
        if (pattern[at] != '\\') continue;
        const char next = pattern[at + 1];
        if (next == '/' || next == '"' || next == ';')
            pattern.erase(at, 1);
        else
            ++at;
    }
    std::string inside;
    for (const char flag : flags) {
        if (flag == 'i')
            piece.nocase = true;
        else if (flag == 's' || flag == 'm' || flag == 'x')
            inside.push_back(flag);
        else
            return std::string("pcre with /") + flag +
                   (flag == 'R' ? ": it stands relative to what was found before"
                    : std::string_view("UIPQHDMCSYVWK").find(flag) != std::string_view::npos
                        ? ": it names its buffer by a flag; put the sticky buffer before it"
                        : ": a flag this import does not know");
    }
    piece.text = inside.empty() ? pattern : "(?" + inside + ")" + pattern;
    if (piece.text.find('\'') != std::string::npos)
        return "a pcre with a quote, which TOML's '..' cannot hold";
    pieces_.push_back(std::move(piece));
    return {};
}

// What follows a content and says where it stands.
Conversion::Why Conversion::modifier(const SuricataRule::Option& one, bool& known) {
    constexpr std::string_view kKnown[] = {"nocase", "startswith", "endswith", "depth",
                                           "offset", "distance",   "within",   "bsize"};
    known = std::find(std::begin(kKnown), std::end(kKnown), one.keyword) != std::end(kKnown);
    if (!known) return {};
    if (pieces_.empty() || (pieces_.back().pcre && one.keyword != "bsize"))
        return one.keyword + " without a content before it";
    Piece& piece = pieces_.back();
    if (one.keyword == "nocase")
        piece.nocase = true;
    else if (one.keyword == "startswith")
        piece.starts = true;
    else if (one.keyword == "endswith")
        piece.ends = true;
    if (one.value.empty())
        return one.keyword == "nocase" || one.keyword == "startswith" || one.keyword == "endswith"
                   ? Why()
                   : one.keyword + " without a number";
    long number = 0;
    if (!number_of(one.value, number) || number < 0 || number > 65535)
        return one.keyword + " `" + one.value + "` is no number this import takes";
    if (one.keyword == "offset")
        piece.offset = number;
    else if (one.keyword == "depth")
        piece.depth = number;
    else if (one.keyword == "distance")
        piece.distance = number, piece.relative = true;
    else if (one.keyword == "within")
        piece.within = number, piece.relative = true;
    else if (one.keyword == "bsize") {
        if (piece.pcre || static_cast<long>(piece.text.size()) != number)
            return "bsize that is not the length of its content";
        if (piece.negated) return "bsize behind a content that must be absent";
        piece.starts = piece.ends = true;
    }
    return {};
}

Conversion::Why Conversion::option(const SuricataRule::Option& one) {
    if (says_nothing(one.keyword)) {
        if (one.keyword == "metadata" || one.keyword == "classtype")
            remark(one.keyword + " left out");
        return {};
    }
    const std::string_view refused = refusal_of(one.keyword);
    if (!refused.empty()) return one.keyword + " " + std::string(refused);
    if (one.keyword == "flow") return {};  // read before
    if (one.keyword == "threshold") return threshold(one.value);
    if (const SuricataBuffer* buffer = find_buffer(one.keyword)) {
        const Why why = close_buffer();
        buffer_ = buffer;
        return why;
    }
    if (const std::string_view modern = modern_name(one.keyword); !modern.empty()) {
        // The old form names the buffer behind each content: that content is closed as one of its
        // own. Two of them were not given names of their own, and open a buffer instead.
        const bool opens = pieces_.empty();
        if (!opens && buffer_ != nullptr)
            return one.keyword + " behind a content that has a buffer already";
        buffer_ = find_buffer(modern);
        if (opens) return {};
        const Why why = close_buffer();
        buffer_ = nullptr;
        return why;
    }
    bool known = false;
    const Why why = modifier(one, known);
    if (known) return why;
    if (one.keyword == "content") return content(one.value);
    if (one.keyword == "pcre") return pcre(one.value);
    return "keyword `" + one.keyword + "` is not one this import knows";
}

// One chain of pieces of the buffer at hand.
Conversion::Why Conversion::take(const std::vector<Piece>& pieces) {
    const std::string field = buffer_->either && to_client_ ? "ssh.server" : std::string(buffer_->field);
    Comparison one = compare(*buffer_, field, pieces);
    if (!one.why.empty()) return one.why;
    if (!one.remark.empty()) remark(one.remark);
    compared_.push_back(std::move(one.compared));
    return {};
}

Conversion::Why Conversion::close_buffer() {
    if (pieces_.empty()) return {};
    if (buffer_ == nullptr)
        return "a content without a buffer: it looks at raw payload, which rules here do not";
    if (direction_said_ && !buffer_->either && to_client_ != (buffer_->speaker == Speaker::server))
        return std::string(buffer_->keyword) +
               " is not what flow:" + (to_client_ ? "to_client" : "to_server") + " carries";
    if (buffer_->either && !direction_said_)
        return std::string(buffer_->keyword) +
               " without flow:to_server or to_client: whose is meant is not said";
    if (!buffer_->remark.empty()) remark(buffer_->remark);
    std::vector<Piece> one;
    Why why;
    for (std::size_t i = 0; i < pieces_.size() && why.empty(); ++i) {
        if (pieces_[i].relative && (one.empty() || one.back().pcre))
            return "a content relative to a pcre or to nothing";
        if (!pieces_[i].relative && !one.empty()) {
            why = take(one);
            one.clear();
        }
        one.push_back(pieces_[i]);
    }
    if (why.empty()) why = take(one);
    pieces_.clear();
    return why;
}

std::string Conversion::run() {
    Why why = header();
    for (const auto& one : rule_.options)
        if (why.empty() && one.keyword == "flow") why = flow(one.value);
    for (const auto& one : rule_.options)
        if (why.empty()) why = option(one);
    if (why.empty()) why = close_buffer();
    if (why.empty()) why = ends();
    if (!why.empty()) return why;
    const bool positive = std::any_of(compared_.begin(), compared_.end(),
                                      [](const Compared& one) { return !one.negated; });
    return positive ? Why() : "nothing that must be there: a rule here needs something to look for";
}

// Values that the comparisons take; what must stand first or last in a field does.
std::string Conversion::example() const {
    std::map<std::string, std::string> values;
    for (int turn = 0; turn < 3; ++turn)
        for (const Compared& one : compared_) {
            const int its = one.starts ? 0 : one.ends ? 2 : 1;
            if (one.negated || its != turn) continue;
            std::string& value = values[one.field];
            if (value.find(one.sample) == std::string::npos || one.ends)
                value = value == one.sample ? value : value + one.sample;
        }
    std::string out;
    for (const auto& [field, value] : values) out += field + " = " + toml_text(value) + "\n";
    for (const std::string& line : bare_examples_) out += line + "\n";
    return out;
}

std::string Conversion::toml(const std::string& source) const {
    std::string out = "[[rule]]\nid = " + toml_text(id_) + "\nversion = " + version_ +
                      "\ntitle = " + toml_text(title_.empty() ? id_ : title_) +
                      "\nsource = " + toml_text(source) +
                      "\nclass = " + toml_text(options_.rule_class) + "\nseverity = \"" +
                      severity_ + "\"\n";
    if (!references_.empty()) {
        out += "references = [";
        for (std::size_t i = 0; i < references_.size(); ++i)
            out += (i == 0 ? "" : ", ") + toml_text(references_[i]);
        out += "]\n";
    }
    if (!per_source_.empty()) out += "limit = { per_source = \"" + per_source_ + "\" }\n";
    if (!ports_.empty()) out += "scope = { ports = [" + ports_ + "] }\n";
    out += "all = [\n";
    for (const Compared& one : compared_) {
        const std::string leaf = "{ field = \"" + one.field + "\", " + one.matcher + " }";
        out += "    " + (one.negated ? "{ not = " + leaf + " }" : leaf) + ",\n";
    }
    for (const std::string& one : bare_) out += "    " + one + ",\n";
    out += "]\n[[rule.match]]\n" + example() + "[[rule.no_match]]\n";
    const auto positive = std::find_if(compared_.begin(), compared_.end(),
                                       [](const Compared& one) { return !one.negated; });
    const bool there = positive->matcher.substr(0, 7) == "present";
    return out + (there ? "http.method = \"GET\"\n" : positive->field + " = \"~\"\n") + "\n";
}

// What was written is read again and its examples are run: a conversion that does not hold is none.
std::string objection(const std::string& toml) {
    signature::LoadedRules loaded = signature::read_rules_text("converted", toml, "");
    if (!loaded.problems.empty()) return loaded.problems.kept()[0].text;
    const auto evaluator = signature::Evaluator::make(loaded.set);
    if (!evaluator) return evaluator.error().message();
    check_examples(*evaluator, loaded.problems);
    check_explosions(loaded.set, loaded.problems);
    return loaded.problems.empty() ? ""
                                   : "no example could be made for it, so it is not written: " +
                                         loaded.problems.kept()[0].text;
}

// The next rule of `text`, with the lines that end in a backslash before it joined; `number` counts all of them.
std::string next_rule(std::string_view& text, std::size_t& number) {
    std::string out;
    bool goes_on = true;
    while (goes_on && !text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        const bool remark = out.empty() && !line.empty() && line.front() == '#';
        goes_on = !line.empty() && line.back() == '\\' && !remark;
        if (goes_on) line.remove_suffix(1);
        out += line;
    }
    return out;
}

}  // namespace

Imported import_suricata(const std::string& name, std::string_view text,
                         const ImportOptions& options) {
    Imported out;
    std::map<std::string, std::size_t> seen;
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t first = number + 1;
        const std::string rule_text = next_rule(text, number);
        std::string_view line = rule_text;
        while (!line.empty() && (line.front() == ' ' || line.front() == '\t'))
            line.remove_prefix(1);
        if (line.empty() || line.front() == '#' || line == "\r") continue;
        ImportedLine& told = out.lines.emplace_back();
        told.line = first;
        const auto rule = parse_suricata(line);
        if (!rule) {
            told.reason = rule.error().message();
            continue;
        }
        Conversion conversion(*rule, options);
        told.reason = conversion.run();
        told.id = conversion.id();
        if (!told.reason.empty()) continue;
        const std::string toml = conversion.toml(name + ", line " + std::to_string(first));
        told.reason = objection(toml);
        const auto [at, fresh] = seen.emplace(told.id, first);
        if (told.reason.empty() && !fresh)
            told.reason = "sid is that of line " + std::to_string(at->second) + " too";
        if (!told.reason.empty()) continue;
        told.converted = true;
        told.reason = conversion.remark();
        out.toml += toml;
        ++out.converted;
    }
    if (!out.toml.empty())
        out.toml = "# Converted from " + name +
                   " by seinectl signature import.\n[pack]\nname = " + toml_text(options.pack) +
                   "\n\n" + out.toml;
    return out;
}

}  // namespace seine::control_signature
