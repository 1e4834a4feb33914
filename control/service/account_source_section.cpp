// A table becomes the words of a source, so that there is one grammar of them.
#include "control/service/account_source_section.h"

#include <algorithm>

#include "control/service/account_part.h"

namespace seine::service {

using config::Fault;
using config::Node;
using config::Setting;

namespace {

using Type = Node::Type;

constexpr Setting kSettings[] = {
    {.name = "name",
     .type = Type::text,
     .meaning = "what seinectl calls it; the place in a log is kept by it",
     .needed = true},
    {.name = "kind",
     .type = Type::text,
     .meaning = "what comes: account records (unix, udp), one request a line (file, syslog-..), or "
                "requests in clear that the dataplane sees (inline)",
     .choices = "unix udp file syslog-unix syslog-udp syslog-tcp inline",
     .needed = true},
    {.name = "place",
     .type = Type::text,
     .meaning = "path of a log or socket from the root, or ADDRESS:PORT",
     .otherwise = "- (inline)"},
    {.name = "gateway",
     .type = Type::integer,
     .meaning = "the gateway's number",
     .otherwise = "made of the name",
     .least = 1,
     .most = 4294967295.0},
    {.name = "format",
     .type = Type::text,
     .meaning = "how lines are written",
     .otherwise = "json",
     .choices = "json nginx haproxy envoy caddy"},
    {.name = "pattern",
     .type = Type::text,
     .meaning = "of lines that are no JSON: text and fields, $remote_addr:$remote_port [$time_local] .."},
    {.name = "fields",
     .type = Type::array,
     .meaning = "where a property stands: \"client_port=remote_port\", \"key=x_api_key|authorization\""},
    {.name = "time",
     .type = Type::text,
     .meaning = "when a line's time was in the request",
     .otherwise = "end",
     .choices = "start end"},
    {.name = "server",
     .type = Type::text,
     .meaning = "any: the gateway's own address is not what clients connect to",
     .otherwise = "as-logged",
     .choices = "as-logged any"},
    {.name = "mode", .type = Type::text, .meaning = "of a Unix socket, in octal", .otherwise = "0660"},
    {.name = "from",
     .type = Type::text,
     .meaning = "where a log begins that was never read before",
     .otherwise = "end",
     .choices = "end start"},
    {.name = "unsigned",
     .type = Type::boolean,
     .meaning = "take records without a MAC over UDP",
     .otherwise = "false"},
};

void add_word(const Node& table, std::string_view key, std::vector<std::string>& words) {
    const std::string value = table.text_of(key);
    if (!value.empty()) words.push_back(std::string(key) + "=" + value);
}

}  // namespace

Result<account::SourceConfig> account_source(const Node& table) {
    const std::string place = table.text_of("place");
    std::vector<std::string> words = {table.text_of("name"), table.text_of("kind"), place.empty() ? "-" : place};
    for (const std::string_view key : {"format", "pattern", "time", "server", "mode", "from"}) add_word(table, key, words);
    if (const Node* gateway = table.find("gateway"))
        words.push_back("gateway=" + std::to_string(gateway->integer));
    if (const Node* open = table.find("unsigned")) words.push_back(open->boolean ? "unsigned=yes" : "unsigned=no");
    if (const Node* fields = table.find("fields")) {
        for (const Node& field : fields->items) words.push_back(field.text);
    }
    return account::read_source(words);
}

std::span<const Setting> AccountSourceSection::settings() const noexcept { return kSettings; }

void AccountSourceSection::check(const Node& table, const std::string& path, std::vector<Fault>& faults) const {
    const Node* place = table.find("place");
    const std::string kind = table.text_of("kind");
    if ((place == nullptr || place->text.empty()) != (kind == "inline")) {
        const Node& at = place == nullptr ? table : *place;
        faults.push_back({path + ".place", at.line, at.column,
                          kind == "inline" ? "an inline source has none: its requests come by the dataplane"
                                           : "is missing: a path from the root, or ADDRESS:PORT"});
        return;
    }
    const bool is_path = kind == "file" || kind == "unix" || kind == "syslog-unix";
    if (is_path && place->text.front() != '/')
        faults.push_back({path + ".place", place->line, place->column, "is a path from the root"});
    const auto source = account_source(table);
    if (!source) faults.push_back({path, table.line, table.column, source.error().message()});
    if (part_ != nullptr && part_->is_fixed(table.text_of("name"))) {
        faults.push_back({path, table.line, table.column,
                          "stands in account-sources of seine-control's file too; take it out there or give this "
                          "one another name"});
    }
}

Result<std::unique_ptr<config::Change>> AccountSourceSection::prepare(const Node& wanted) {
    if (part_ == nullptr) return failed("account_source: nothing to prepare for");
    std::vector<account::SourceConfig> sources;
    for (const Node& table : wanted.items) {
        auto source = account_source(table);
        if (!source) return source.error();
        for (const account::SourceConfig& other : sources) {
            if (account::has_socket(source->kind) && account::has_socket(other.kind) && source->place == other.place)
                return failed("account_source[" + source->name + "]: " + other.name + " listens at " + other.place +
                              " already; give one of them another place");
        }
        sources.push_back(std::move(*source));
    }
    return part_->prepare(sources);
}

}  // namespace seine::service
