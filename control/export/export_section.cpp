// Keys of a destination, their bounds, and what they make.
#include "control/export/export_section.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "control/config/toml.h"
#include "control/export/special_file.h"
#include "dataplane/base/hash.h"

namespace seine::siem {

using config::Fault;
using config::Node;
using config::Setting;

namespace {

using Type = Node::Type;

constexpr Setting kSettings[] = {
    {.name = "name", .type = Type::text, .meaning = "what seinectl calls it", .needed = true},
    {.name = "carrier",
     .type = Type::text,
     .meaning = "how messages travel",
     .choices = "file syslog-udp syslog-tcp syslog-tls relp relp-tls hec bulk kafka webhook "
                "ipfix-udp ipfix-tcp",
     .needed = true},
    {.name = "format",
     .type = Type::text,
     .meaning = "what a message looks like",
     .otherwise = "ecs; ipfix with its carriers",
     .choices = "eve ecs ocsf cef leef sd ipfix"},
    {.name = "host",
     .type = Type::text,
     .meaning = "receiver of syslog, RELP and IPFIX: a name or address"},
    {.name = "port",
     .type = Type::integer,
     .meaning = "its port",
     .otherwise = "514; TLS 6514; RELP 2514; IPFIX 4739",
     .least = 1,
     .most = 65535},
    {.name = "url",
     .type = Type::text,
     .meaning = "receiver of HEC, bulk and webhook: https://HOST:PORT, and a path where it is not "
                "the usual one"},
    {.name = "path", .type = Type::text, .meaning = "of a file, from the root"},
    {.name = "brokers", .type = Type::text, .meaning = "of Kafka: HOST:PORT, separated by commas"},
    {.name = "topic", .type = Type::text, .meaning = "of Kafka"},
    {.name = "index",
     .type = Type::text,
     .meaning = "of HEC and bulk",
     .otherwise = "the receiver's own; bulk: seine"},
    {.name = "sourcetype", .type = Type::text, .meaning = "of HEC", .otherwise = "seine:FORMAT"},
    {.name = "user", .type = Type::text, .meaning = "for basic authentication and SASL"},
    {.name = "secret_file",
     .type = Type::text,
     .meaning = "file with the token or password, readable for seine alone",
     .secret_file = true},
    {.name = "ca_file",
     .type = Type::text,
     .meaning = "PEM of the authorities that may vouch for the receiver",
     .otherwise = "the system's"},
    {.name = "cert_file",
     .type = Type::text,
     .meaning = "PEM of our certificate, for mutual authentication"},
    {.name = "key_file",
     .type = Type::text,
     .meaning = "PEM of its key, readable for seine alone",
     .secret_file = true},
    {.name = "server_name",
     .type = Type::text,
     .meaning = "name that the receiver's certificate must have",
     .otherwise = "the host"},
    {.name = "tls", .type = Type::boolean, .meaning = "Kafka over TLS", .otherwise = "false"},
    {.name = "acknowledged",
     .type = Type::boolean,
     .meaning = "HEC: wait for the indexer's acknowledgement",
     .otherwise = "true"},
    {.name = "timeout_seconds",
     .type = Type::integer,
     .meaning = "without any progress",
     .otherwise = "10",
     .least = 1,
     .most = 300},
    {.name = "kinds",
     .type = Type::array,
     .meaning = "events that are sent",
     .otherwise = "all but flow",
     .choices = "alert flow farm evidence health"},
    {.name = "severity",
     .type = Type::text,
     .meaning = "the least that is sent (flows have none)",
     .otherwise = "info",
     .choices = "info low medium high critical"},
    {.name = "farms",
     .type = Type::array,
     .meaning = "farm events of these alone: F-17",
     .otherwise = "any"},
    {.name = "networks",
     .type = Type::array,
     .meaning = "events with a flow from or to these networks alone",
     .otherwise = "any"},
    {.name = "flow_sample",
     .type = Type::real,
     .meaning = "share of flows that is sent; `count` says how many one stands for",
     .otherwise = "1",
     .least = 0.000001,
     .most = 1},
    {.name = "flows_per_minute",
     .type = Type::boolean,
     .meaning = "one event per account and minute instead of one per flow",
     .otherwise = "false"},
    {.name = "ipv4_bits",
     .type = Type::integer,
     .meaning = "bits of IPv4 addresses that are kept, the rest is zero",
     .otherwise = "32",
     .least = 0,
     .most = 32},
    {.name = "ipv6_bits",
     .type = Type::integer,
     .meaning = "likewise of IPv6",
     .otherwise = "128",
     .least = 0,
     .most = 128},
    {.name = "bytes_max",
     .type = Type::integer,
     .meaning = "of one message; longer ones are cut",
     .otherwise = "8096 for syslog, else 65000",
     .least = kMessageBytesMin,
     .most = 65000},
    {.name = "events_per_second",
     .type = Type::integer,
     .meaning = "at most; 0: as fast as it goes",
     .otherwise = "0",
     .least = 0,
     .most = 10'000'000},
    {.name = "backfill_per_second",
     .type = Type::integer,
     .meaning = "at most while events older than 10 s are sent",
     .otherwise = "20000",
     .least = 0,
     .most = 10'000'000},
    {.name = "outbox_megabytes",
     .type = Type::integer,
     .meaning = "what may wait on the disk; oldest flows go first, then oldest findings",
     .otherwise = "1024",
     .least = 16,
     .most = 1'000'000},
    {.name = "replay_megabytes",
     .type = Type::integer,
     .meaning = "what is kept after it arrived, for export replay",
     .otherwise = "64",
     .least = 0,
     .most = 1'000'000},
    {.name = "rotate_megabytes",
     .type = Type::integer,
     .meaning = "file: size at which a new one is begun; 0: never",
     .otherwise = "256",
     .least = 0,
     .most = 1'000'000},
    {.name = "rotate_keep",
     .type = Type::integer,
     .meaning = "file: older ones that are kept",
     .otherwise = "8",
     .least = 1,
     .most = 1000},
    {.name = "pen",
     .type = Type::integer,
     .meaning = "private enterprise number of structured data and of our own IPFIX elements; 32473 "
                "is for documentation",
     .otherwise = "32473",
     .least = 1,
     .most = 4'294'967'295},
    {.name = "paused",
     .type = Type::boolean,
     .meaning = "events wait, none is sent",
     .otherwise = "false"},
};

constexpr std::pair<std::string_view, Kinds> kKindWords[] = {{"alert", kAlert},
                                                             {"flow", kFlow},
                                                             {"farm", kFarm},
                                                             {"evidence", kEvidence},
                                                             {"health", kHealth}};
constexpr std::string_view kSeverities[] = {"", "info", "low", "medium", "high", "critical"};

// Keys whose files are opened: none of them may be a pipe that nobody writes to.
constexpr std::string_view kFileKeys[] = {"secret_file", "ca_file", "cert_file", "key_file"};

Result<std::string> read_secret(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(4096, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    if (text.empty()) return failed(path + ": cannot be read or is empty; write the token into it");
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
        return failed(path + ": more than one line");
    return text;
}

bool read_farm(std::string_view text, std::uint64_t& id) {
    if (text.starts_with("F-")) text.remove_prefix(2);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() && id > 0;
}

void read_filter(const Node& table, Filter& out) {
    out.kinds = kAnyKind & ~kFlow;
    if (table.find("kinds") != nullptr) {
        out.kinds = 0;
        for (const std::string& name : table.texts_of("kinds")) {
            for (const auto& [known, kind] : kKindWords)
                out.kinds = static_cast<Kinds>(out.kinds | (known == name ? kind : 0));
        }
    }
    const std::string least = table.text_of("severity", "info");
    const auto* severity = std::find(std::begin(kSeverities) + 1, std::end(kSeverities), least);
    if (severity != std::end(kSeverities))
        out.severity_least = static_cast<model::Severity>(severity - std::begin(kSeverities));
    for (const std::string& text : table.texts_of("farms")) {
        std::uint64_t id = 0;
        if (read_farm(text, id)) out.farms.push_back(id);
    }
    for (const std::string& text : table.texts_of("networks")) {
        Network network;
        if (read_network(text, network)) out.networks.push_back(network);
    }
    out.flow_sample = table.real_of("flow_sample", 1);
    out.sum_up_flows = table.boolean_of("flows_per_minute");
}

Status read_files(const Node& table, DestinationSettings& out) {
    for (const std::string_view key : kFileKeys) {
        const Status plain = check_plain_file(table.text_of(key), Links::followed);
        if (!plain.ok()) return plain;
    }
    const std::string secret_file = table.text_of("secret_file");
    if (!secret_file.empty()) {
        auto secret = read_secret(secret_file);
        if (!secret) return secret.error();
        out.carrier.secret = std::move(*secret);
    }
    // A token of the same file that is another one is a change, too.
    out.fingerprint = config::write_toml(table) +
                      std::to_string(hash64(as_bytes(out.carrier.secret), out.carrier.secret.size()));
    return {};
}

// All that stands in the table itself.
DestinationSettings written_settings(const Node& table) {
    DestinationSettings out;
    CarrierSettings& carrier = out.carrier;
    carrier.name = table.text_of("name");
    carrier.carrier = table.text_of("carrier");
    out.format = table.text_of("format", carrier.carrier.starts_with("ipfix-") ? "ipfix" : "ecs");
    carrier.host = table.text_of("host");
    carrier.port = static_cast<std::uint16_t>(table.integer_of("port"));
    carrier.url = table.text_of("url");
    carrier.path = table.text_of("path");
    carrier.brokers = table.text_of("brokers");
    carrier.topic = table.text_of("topic");
    carrier.index = out.render.index = table.text_of("index");
    out.render.sourcetype = table.text_of("sourcetype");
    carrier.user = table.text_of("user");
    carrier.tls.on = table.boolean_of("tls");
    carrier.tls.ca_file = table.text_of("ca_file");
    carrier.tls.cert_file = table.text_of("cert_file");
    carrier.tls.key_file = table.text_of("key_file");
    carrier.tls.server_name = table.text_of("server_name");
    carrier.acknowledged = table.boolean_of("acknowledged", true);
    carrier.timeout_ms = static_cast<int>(table.integer_of("timeout_seconds", 10)) * 1000;
    carrier.rotate_bytes = static_cast<std::uint64_t>(table.integer_of("rotate_megabytes", 256))
                           << 20;
    carrier.rotate_keep = static_cast<unsigned>(table.integer_of("rotate_keep", 8));
    read_filter(table, out.filter);
    out.render.items.v4_bits = static_cast<unsigned>(table.integer_of("ipv4_bits", 32));
    out.render.items.v6_bits = static_cast<unsigned>(table.integer_of("ipv6_bits", 128));
    out.render.items.pen = carrier.pen =
        static_cast<std::uint32_t>(table.integer_of("pen", kDocumentationPen));
    out.render.bytes_max = static_cast<std::size_t>(table.integer_of("bytes_max", 0));
    out.events_per_second = static_cast<std::uint32_t>(table.integer_of("events_per_second", 0));
    out.backfill_per_second =
        static_cast<std::uint32_t>(table.integer_of("backfill_per_second", 20'000));
    out.outbox.bytes_max = static_cast<std::uint64_t>(table.integer_of("outbox_megabytes", 1024))
                           << 20;
    out.outbox.keep_bytes = static_cast<std::uint64_t>(table.integer_of("replay_megabytes", 64))
                            << 20;
    out.paused = table.boolean_of("paused");
    return out;
}

// What is missing is looked for again by the destination itself.
DestinationSettings settings_at_start(const Node& table) {
    DestinationSettings out = written_settings(table);
    out.missing = read_files(table, out);
    out.again = [table]() -> Result<CarrierSettings> {
        auto now = destination_settings(table);
        if (!now) return now.error();
        return std::move(now->carrier);
    };
    return out;
}

}  // namespace

Result<DestinationSettings> destination_settings(const Node& table) {
    DestinationSettings out = written_settings(table);
    const Status files = read_files(table, out);
    if (!files.ok()) return files;
    return out;
}

std::span<const Setting> ExportSection::settings() const noexcept { return kSettings; }

void ExportSection::check(const Node& table, const std::string& path,
                          std::vector<Fault>& faults) const {
    const auto add = [&](std::string_view key, const std::string& message) {
        const Node* at = table.find(key);
        const Node& place = at != nullptr ? *at : table;
        faults.push_back({path + "." + std::string(key), place.line, place.column, message});
    };
    for (const std::string& text : table.texts_of("farms")) {
        std::uint64_t id = 0;
        if (!read_farm(text, id)) add("farms", "`" + text.substr(0, 64) + "` is no farm: F-17");
    }
    for (const std::string& text : table.texts_of("networks")) {
        Network network;
        if (!read_network(text, network))
            add("networks",
                "`" + text.substr(0, 64) + "` is no network: 192.0.2.0/24 or 2001:db8::/32");
    }
    for (const std::string_view key : kFileKeys) {
        const Status plain = check_plain_file(table.text_of(key), Links::followed);
        if (!plain.ok()) return add(key, plain.message());
    }
    const auto settings = destination_settings(table);
    if (!settings) return add("secret_file", settings.error().message());
    const Status path_ok = check_plain_file(settings->carrier.path, Links::refused);
    if (!path_ok.ok()) return add("path", path_ok.message());
    // Everything a carrier can say without connecting.
    const Status status = check_destination(*settings);
    if (!status.ok()) add("carrier", status.message());
}

Result<std::unique_ptr<config::Change>> ExportSection::prepare(const Node& wanted) {
    return prepare_all(wanted, false);
}

Result<std::unique_ptr<config::Change>> ExportSection::prepare_at_start(const Node& wanted) {
    return prepare_all(wanted, true);
}

Result<std::unique_ptr<config::Change>> ExportSection::prepare_all(const Node& wanted,
                                                                   bool at_start) {
    std::vector<DestinationSettings> all;
    for (const Node& table : wanted.items) {
        auto settings = at_start ? Result<DestinationSettings>(settings_at_start(table))
                                 : destination_settings(table);
        if (!settings) return settings.error();
        const std::string& path = settings->carrier.path;
        const auto same = std::find_if(all.begin(), all.end(), [&path](const auto& other) {
            return !path.empty() && other.carrier.path == path;
        });
        if (same != all.end())
            return failed("export[" + settings->carrier.name + "].path: " + path +
                          " is written by export[" + same->carrier.name +
                          "], too; each needs a file of its own");
        all.push_back(std::move(*settings));
    }
    if (exporter_ == nullptr) return failed("export: nothing to prepare for");
    auto ready = exporter_->prepare(all);
    if (!ready) return ready.error();
    struct Apply final : config::Change {
        Exporter* exporter = nullptr;
        std::unique_ptr<Exporter::Change> change;
        void apply() noexcept override { exporter->apply(std::move(change)); }
    };
    auto out = std::make_unique<Apply>();
    out->exporter = exporter_;
    out->change = std::move(*ready);
    return std::unique_ptr<config::Change>(std::move(out));
}

}  // namespace seine::siem
