#include "dataplane/app/config.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <numeric>
#include <sstream>

#include <boost/program_options.hpp>

#include "dataplane/runtime/crew.h"
#include "dataplane/runtime/eal.h"
#include "dataplane/runtime/flow_bypass.h"
#include "dataplane/runtime/offload.h"

namespace seine::app {
namespace {

namespace po = boost::program_options;

constexpr std::uint32_t kWorkersMax = 64;
constexpr std::size_t kHelpWidth = 110;

using Strings = std::vector<std::string>;

po::options_description options() {
    po::options_description all("options", kHelpWidth);
    auto add = all.add_options();
    add("pcap", po::value<Strings>()->composing()->value_name("FILE"),
        "capture file to read; repeat for more, they are one stream in this order");
    add("af-packet", po::value<Strings>()->composing()->value_name("IFACE"),
        "kernel interface to listen on, both directions");
    add("af-xdp", po::value<Strings>()->composing()->value_name("IFACE"),
        "kernel interface of a mirror or tap port, through XDP");
    add("port", po::value<Strings>()->composing()->value_name("ADDR"),
        "DPDK port, such as 0000:03:00.0; ADDR+ADDR for the two fibres of an optical tap");
    add("inline", po::value<Strings>()->composing()->value_name("A+B"),
        "two interfaces or DPDK ports as a bump in the wire: what comes in at one goes out at the other first");
    add("keep-port", po::value<std::vector<std::uint32_t>>()->composing()->value_name("N"),
        "live: only TCP and UDP from or to these ports, kept by the card where it takes rules; repeat for more");
    add("bypass-mib", po::value<std::uint32_t>()->value_name("N"),
        "live: a flow that is neither TLS nor QUIC is dropped and counted by the card once a direction has carried so many "
        "MiB (a power of two), where the card takes rules");
    add("explain-offload", po::bool_switch(),
        "print the rules that --keep-port and --bypass-mib would give a card, and end");
    add("no-watchdog", po::bool_switch(), "--inline: no second process that takes over when this one dies");
    add("user", po::value<std::string>()->value_name("NAME"),
        "live, started as root: become this user once everything is open");
    add("consume", po::bool_switch(),
        "--af-xdp: take the traffic of an interface that has an address away from its host");
    add("workers", po::value<std::uint32_t>()->value_name("N"),
        "threads that inspect packets; both directions of a flow meet at one (default 1)");
    add("signatures", po::value<std::string>()->value_name("DIR"),
        "folder of signature packs, for a start without an accepted set beside the ring");
    add("config", po::value<std::string>()->value_name("FILE.toml"),
        "bootstrap file; its keys are these options");
    add("eal", po::value<std::string>()->value_name("\"ARGS\""), "further arguments for DPDK");
    add("records", po::value<Strings>()->composing()->value_name("jsonl:PATH|ring:PATH"),
        "where records go; jsonl:- is standard output and the default");
    add("records-all", po::bool_switch(), "live: write records of half-open flows too; captures always do");
    add("events", po::bool_switch(), "JSON lines: one per record instead of one per flow");
    add("stats", po::value<std::string>()->value_name("json:PATH"), "write all counters there at exit");
    add("socket", po::value<std::string>()->value_name("PATH"), "admin socket, for seinectl status");
    add("dataplane-id", po::value<std::uint32_t>()->value_name("N"), "first part of every flow id");
    add("hash-key-file", po::value<std::string>()->value_name("FILE"),
        "16 bytes that key the hashes of session evidence");
    add("key-header", po::value<Strings>()->composing()->value_name("NAME"),
        "header of requests in clear that carries an API key, beside authorization, x-api-key and their kin");
    add("ring-bytes", po::value<std::uint64_t>()->value_name("N"), "size of a record ring file");
    add("record-ring-bytes", po::value<std::uint64_t>()->value_name("N"),
        "size of each worker's ring to the exporter");
    add("busy", po::bool_switch(), "live workers never sleep, even when nothing comes");
    add("version", "say what this is and what is in it");
    add("help", "this text");
    return all;
}

Status usage(std::string message) { return {Code::usage, std::move(message)}; }

// One line for each kind of mistake that Boost tells apart.
Status explain(const po::error& error) {
    const auto* named = dynamic_cast<const po::error_with_option_name*>(&error);
    const std::string name = named != nullptr ? named->get_option_name() : std::string();
    if (dynamic_cast<const po::unknown_option*>(&error) != nullptr) {
        const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
        const std::string near = closest(bare, option_names());
        return usage("unknown option " + name +
                     (near.empty() ? "; --help lists them" : "; did you mean --" + near + "?"));
    }
    if (dynamic_cast<const po::multiple_occurrences*>(&error) != nullptr) {
        return usage(name + " is given more than once; give it once");
    }
    if (dynamic_cast<const po::invalid_option_value*>(&error) != nullptr) {
        return usage(std::string(error.what()) + "; give a whole number");
    }
    if (dynamic_cast<const po::invalid_command_line_syntax*>(&error) != nullptr) {
        return usage(name + " wants a value; --help shows which");
    }
    return usage(error.what());
}

template <typename Value>
void take(const po::variables_map& given, const char* name, Value& out) {
    if (given.count(name) != 0) out = given[name].as<Value>();
}
void take_flag(const po::variables_map& given, const char* name, bool& out, bool value = true) {
    if (given[name].as<bool>()) out = value;
}

Status apply_options(const po::variables_map& given, Config& config) {
    take(given, "pcap", config.pcap);
    take(given, "af-packet", config.af_packet);
    take(given, "af-xdp", config.af_xdp);
    take(given, "port", config.port);
    take(given, "inline", config.inline_pairs);
    take(given, "keep-port", config.keep_ports);
    take(given, "bypass-mib", config.bypass_mib);
    if (given["explain-offload"].as<bool>()) config.action = Action::explain_offload;
    take(given, "user", config.user);
    take_flag(given, "no-watchdog", config.watchdog, false);
    take(given, "workers", config.workers);
    take(given, "signatures", config.signatures);
    take(given, "eal", config.eal);
    take(given, "socket", config.socket);
    take(given, "dataplane-id", config.dataplane_id);
    take(given, "hash-key-file", config.hash_key_file);
    take(given, "key-header", config.key_headers);
    take(given, "ring-bytes", config.ring_bytes);
    take(given, "record-ring-bytes", config.record_ring_bytes);
    take_flag(given, "records-all", config.records_all);
    take_flag(given, "events", config.events);
    take_flag(given, "consume", config.consume);
    take_flag(given, "busy", config.idle_sleep, false);
    if (given.count("stats") != 0) {
        auto path = parse_stats_target(given["stats"].as<std::string>());
        if (!path) return path.error();
        config.stats = *path;
    }
    if (given.count("records") != 0) {
        config.records.clear();
        for (const std::string& text : given["records"].as<Strings>()) {
            auto target = parse_record_target(text);
            if (!target) return target.error();
            config.records.push_back(*target);
        }
    }
    return {};
}

}  // namespace

Result<RecordTarget> parse_record_target(std::string_view text) {
    RecordTarget out;
    const std::size_t colon = text.find(':');
    const std::string_view form = text.substr(0, colon);
    const bool known = form == "jsonl" || form == "ring";
    if (!known || colon == std::string_view::npos || colon + 1 == text.size()) {
        return usage("--records " + std::string(text) + ": write jsonl:PATH, jsonl:- or ring:PATH");
    }
    out.form = form == "ring" ? RecordForm::ring : RecordForm::jsonl;
    out.path = text.substr(colon + 1);
    if (out.form == RecordForm::ring && out.path == "-") {
        return usage("--records ring:-: a ring is a file; write ring:PATH");
    }
    return out;
}

Result<std::string> parse_stats_target(std::string_view text) {
    if (!text.starts_with("json:") || text.size() == 5) {
        return usage("--stats " + std::string(text) + ": write json:PATH, or json:- for standard output");
    }
    return std::string(text.substr(5));
}

// Edit distance with transpositions (optimal string alignment), over two rows and the one before.
std::string closest(std::string_view wrong, const std::vector<std::string>& names) {
    std::string best;
    std::size_t best_distance = wrong.size() / 3 + 2;  // farther is not a slip of the finger
    for (const std::string& name : names) {
        std::vector<std::size_t> before(name.size() + 1);
        std::vector<std::size_t> above(name.size() + 1);
        std::vector<std::size_t> row(name.size() + 1);
        std::iota(above.begin(), above.end(), std::size_t{0});
        for (std::size_t i = 1; i <= wrong.size(); ++i) {
            row[0] = i;
            for (std::size_t j = 1; j <= name.size(); ++j) {
                const std::size_t change = wrong[i - 1] == name[j - 1] ? 0 : 1;
                row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
                if (i > 1 && j > 1 && wrong[i - 1] == name[j - 2] && wrong[i - 2] == name[j - 1]) {
                    row[j] = std::min(row[j], before[j - 2] + 1);
                }
            }
            before.swap(above);
            above.swap(row);
        }
        if (above[name.size()] < best_distance) {
            best_distance = above[name.size()];
            best = name;
        }
    }
    return best;
}

const std::vector<std::string>& option_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> out;
        const po::options_description all = options();
        for (const auto& option : all.options()) out.push_back(option->long_name());
        return out;
    }();
    return names;
}

std::string help_text() {
    std::ostringstream out;
    out << "seine-dataplane: fingerprints of the clients in live traffic or captures, through DPDK\n"
           "usage: seine-dataplane (--pcap FILE | --af-packet IFACE | --af-xdp IFACE | --port ADDR | --inline A+B)... "
           "[options]\n\n"
        << options()
        << "\nexit: 0 done, 1 failed, 2 wrong usage. SIGTERM drains and ends with 0.\n"
           "example: seine-dataplane --pcap day.pcap --workers 2 --records jsonl:day.jsonl\n";
    return out.str();
}

std::string explain_offload(const Config& config) {
    std::string out;
    const std::vector<std::uint16_t> ports(config.keep_ports.begin(), config.keep_ports.end());
    const auto add = [&](const std::vector<runtime::CardRule>& rules) {
        for (const auto& rule : rules) out += runtime::testpmd_line(rule, 0, config.workers) + "\n";
    };
    if (!ports.empty()) add(runtime::rules_for_ports(ports));
    if (config.bypass_mib != 0) add(runtime::example_flow_rules());
    return out;
}

std::string version_number() { return SEINE_VERSION; }

std::string version_text() {
    std::string out = "seine-dataplane " SEINE_VERSION ", " + runtime::dpdk_version();
#ifdef SEINE_JA4PLUS
    out += ", JA4+ in (FoxIO License 1.1)\n";
#else
    out += ", JA4+ left out\n";
#endif
    return out;
}

// Names as RFC 9110 has them (5.6.2), as many as the inspector takes.
Status validate_key_headers(const std::vector<std::string>& names) {
    auto taken = runtime::CrewConfig().inspector.key_headers;
    for (const std::string& name : names) {
        const bool token = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
        });
        if (!token) return usage("--key-header '" + name + "': give the name of a header, such as x-tenant-key");
        if (!taken.add(name)) {
            return usage("--key-header " + name + ": give at most " + std::to_string(taken.kAddedMax) +
                         " names of at most " + std::to_string(taken.kNameBytesMax) + " bytes");
        }
    }
    return {};
}

Status validate(const Config& config) {
    const bool files = !config.pcap.empty();
    for (const std::uint32_t port : config.keep_ports)
        if (port == 0 || port > 0xffff) return usage("--keep-port " + std::to_string(port) + ": give 1 to 65535");
    if (config.keep_ports.size() > 64) return usage("--keep-port: at most 64 ports; without it everything is kept");
    if (config.bypass_mib != 0) {
        if (!std::has_single_bit(config.bypass_mib) || config.bypass_mib > (1u << 20))
            return usage("--bypass-mib " + std::to_string(config.bypass_mib) + ": give a power of two up to 1048576, such as 64");
        if (!config.inline_pairs.empty())
            return usage("--bypass-mib would cut flows of --inline: the card drops what it passes by; leave one out");
    }
    if (config.action == Action::explain_offload) {
        return config.keep_ports.empty() && config.bypass_mib == 0
                   ? usage("--explain-offload explains --keep-port and --bypass-mib; give one")
                   : Status();
    }
    if (!files && !config.live()) {
        return usage("no input: give --pcap FILE, --af-packet IFACE, --af-xdp IFACE, --port ADDR or --inline A+B");
    }
    if (files && config.live()) {
        return usage("--pcap does not go with live input: run them one after the other");
    }
    if (!config.user.empty() && !config.live()) {
        return usage("--user is for live input: read captures as that user from the start");
    }
    if (config.workers == 0 || config.workers > kWorkersMax) {
        return usage("--workers " + std::to_string(config.workers) + ": give 1 to " +
                     std::to_string(kWorkersMax));
    }
    if (config.dataplane_id > 0xffff) {
        return usage("--dataplane-id " + std::to_string(config.dataplane_id) + ": give 0 to 65535");
    }
    if (config.record_ring_bytes < (1u << 20) || config.record_ring_bytes > (1u << 30)) {
        return usage("--record-ring-bytes " + std::to_string(config.record_ring_bytes) +
                     ": give 1048576 to 1073741824");
    }
    if (config.ring_bytes < (1u << 16) || config.ring_bytes > (std::uint64_t{1} << 40)) {
        return usage("--ring-bytes " + std::to_string(config.ring_bytes) +
                     ": give 65536 to 1099511627776");
    }
    const Status headers = validate_key_headers(config.key_headers);
    if (!headers.ok()) return headers;
    for (std::size_t i = 0; i < config.records.size(); ++i) {
        if (config.records[i].path == "/dev/null") continue;
        for (std::size_t j = 0; j < i; ++j) {
            if (config.records[i].path == config.records[j].path) {
                return usage("--records: " + config.records[i].path + " is named twice");
            }
        }
        if (!config.stats.empty() && config.records[i].path == config.stats) {
            return usage(config.stats + " is named for records and for stats; give two files");
        }
    }
    return {};
}

Result<Config> read_config(int argc, const char* const* argv) {
    Config config;
    try {
        const po::options_description known = options();
        po::positional_options_description none;
        const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
        // Words without a dash are caught here: a forgotten --pcap is the usual reason.
        po::command_line_parser parser(argc, argv);
        const po::parsed_options parsed = parser.options(known).style(style).positional(none).run();
        po::variables_map given;
        po::store(parsed, given);
        if (given.count("help") != 0) {
            config.action = Action::help;
            return config;
        }
        if (given.count("version") != 0) {
            config.action = Action::version;
            return config;
        }
        if (given.count("config") != 0) {
            config.config = given["config"].as<std::string>();
            const Status read = read_config_file(config.config, config);
            if (!read.ok()) return read;
        }
        const Status applied = apply_options(given, config);
        if (!applied.ok()) return applied;
    } catch (const po::too_many_positional_options_error&) {
        for (int i = 1; i < argc; ++i) {
            if (argv[i][0] != '-' && (i == 1 || argv[i - 1][0] != '-')) {
                return usage(std::string(argv[i]) + ": an option is missing before it; for a capture "
                             "write --pcap " + argv[i]);
            }
        }
        return usage("a word without an option; for a capture write --pcap FILE");
    } catch (const po::error& error) {
        return explain(error);
    }
    const Status valid = validate(config);
    if (!valid.ok()) return valid;
    if (config.records.empty()) config.records.push_back({RecordForm::jsonl, "-"});
    return config;
}

}  // namespace seine::app
