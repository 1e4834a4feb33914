// The bootstrap file: TOML whose keys are the options of the command line.
#include <algorithm>
#include <limits>

#include <toml++/toml.h>

#include "dataplane/app/config.h"

namespace seine::app {
namespace {

std::string place(const std::string& path, const toml::source_region& region) {
    return path + ":" + std::to_string(region.begin.line) + ":" + std::to_string(region.begin.column) +
           ": ";
}

// Reads one table; the first mistake sticks, with the place it was made at.
class TableReader {
  public:
    TableReader(const std::string& path, const toml::table& table) : path_(path), table_(table) {}

    void text(const char* key, std::string& out) {
        const toml::node* node = use(key);
        if (node == nullptr) return;
        if (const auto value = node->value_exact<std::string>()) {
            out = *value;
        } else {
            wrong(*node, key, "a text in quotes");
        }
    }
    void flag(const char* key, bool& out) {
        const toml::node* node = use(key);
        if (node == nullptr) return;
        if (const auto value = node->value_exact<bool>()) {
            out = *value;
        } else {
            wrong(*node, key, "true or false");
        }
    }
    template <typename Number>
    void number(const char* key, Number& out) {
        const toml::node* node = use(key);
        if (node == nullptr) return;
        const auto value = node->value_exact<std::int64_t>();
        if (value && *value >= 0 &&
            static_cast<std::uint64_t>(*value) <= std::numeric_limits<Number>::max()) {
            out = static_cast<Number>(*value);
        } else {
            wrong(*node, key, "a whole number, 0 or more");
        }
    }
    // One number, or a list of numbers.
    void numbers(const char* key, std::vector<std::uint32_t>& out) {
        const toml::node* node = use(key);
        if (node == nullptr) return;
        out.clear();
        const auto add = [&](const toml::node& item) {
            const auto value = item.value_exact<std::int64_t>();
            if (!value || *value < 0 || *value > 0xffffffff) return wrong(item, key, "whole numbers");
            out.push_back(static_cast<std::uint32_t>(*value));
        };
        const toml::array* list = node->as_array();
        if (list == nullptr) return add(*node);
        for (const toml::node& item : *list) add(item);
    }
    // One text, or a list of texts.
    void texts(const char* key, std::vector<std::string>& out) {
        const toml::node* node = use(key);
        if (node == nullptr) return;
        out.clear();
        if (const auto one = node->value_exact<std::string>()) {
            out.push_back(*one);
            return;
        }
        const toml::array* list = node->as_array();
        if (list == nullptr) return wrong(*node, key, "a text in quotes, or a list of them");
        for (const toml::node& item : *list) {
            const auto value = item.value_exact<std::string>();
            if (!value) return wrong(item, key, "only texts in quotes in its list");
            out.push_back(*value);
        }
    }
    const toml::table* table(const char* key) {
        const toml::node* node = use(key);
        if (node == nullptr) return nullptr;
        if (!node->is_table()) wrong(*node, key, "a table");
        return node->as_table();
    }
    void fail_at(const char* key, const std::string& message) {
        const toml::node* node = table_.get(key);
        if (status_.ok() && node != nullptr) {
            status_ = Status(Code::usage, place(path_, node->source()) + message);
        }
    }
    // A key nobody asked for is a slip; say which one was meant.
    Status finish() {
        for (const auto& [key, node] : table_) {
            if (!status_.ok()) break;
            const std::string name(key.str());
            if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
            const std::string near = closest(name, known_);
            status_ = Status(Code::usage,
                             place(path_, key.source()) + "unknown key " + name +
                                 (near.empty() ? "; keys are the options of --help"
                                               : "; did you mean " + near + "?"));
        }
        return status_;
    }

  private:
    const toml::node* use(const char* key) {
        known_.emplace_back(key);
        return status_.ok() ? table_.get(key) : nullptr;
    }
    void wrong(const toml::node& node, const char* key, const char* wanted) {
        if (!status_.ok()) return;
        status_ = Status(Code::usage, place(path_, node.source()) + key + " wants " + wanted);
    }

    const std::string& path_;
    const toml::table& table_;
    std::vector<std::string> known_;
    Status status_;
};

Status read_limits(const std::string& path, const toml::table& table, Config& config) {
    TableReader in(path, table);
    in.number("flows_max", config.flows_max);
    in.number("cold_flows_max", config.cold_flows_max);
    in.number("stream_pool_bytes", config.stream_pool_bytes);
    return in.finish();
}

void read_outputs(TableReader& in, Config& config) {
    std::vector<std::string> records;
    in.texts("records", records);
    for (const std::string& text : records) {
        auto target = parse_record_target(text);
        if (!target) {
            in.fail_at("records", target.error().message());
            break;
        }
        config.records.push_back(*target);
    }
    std::string stats;
    in.text("stats", stats);
    if (!stats.empty()) {
        auto target = parse_stats_target(stats);
        if (target) {
            config.stats = *target;
        } else {
            in.fail_at("stats", target.error().message());
        }
    }
}

}  // namespace

Status read_config_file(const std::string& path, Config& config) {
    toml::parse_result parsed = toml::parse_file(path);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        if (error.source().begin.line == 0) {
            return {Code::usage, path + ": cannot be read (" + std::string(error.description()) +
                                     "); check the path and its permissions"};
        }
        return {Code::usage, place(path, error.source()) + std::string(error.description())};
    }
    TableReader in(path, parsed.table());
    in.texts("pcap", config.pcap);
    in.texts("af-packet", config.af_packet);
    in.texts("af-xdp", config.af_xdp);
    in.texts("port", config.port);
    in.texts("inline", config.inline_pairs);
    in.text("user", config.user);
    in.numbers("keep-port", config.keep_ports);
    in.number("bypass-mib", config.bypass_mib);
    bool unwatched = !config.watchdog;
    in.flag("no-watchdog", unwatched);
    config.watchdog = !unwatched;
    in.number("workers", config.workers);
    in.text("signatures", config.signatures);
    in.text("eal", config.eal);
    read_outputs(in, config);
    in.flag("records-all", config.records_all);
    in.flag("events", config.events);
    in.flag("consume", config.consume);
    in.text("socket", config.socket);
    in.number("dataplane-id", config.dataplane_id);
    in.text("hash-key-file", config.hash_key_file);
    in.texts("key-header", config.key_headers);
    in.number("ring-bytes", config.ring_bytes);
    in.number("record-ring-bytes", config.record_ring_bytes);
    bool busy = !config.idle_sleep;
    in.flag("busy", busy);
    config.idle_sleep = !busy;
    const toml::table* limits = in.table("limits");
    const Status read = in.finish();
    if (!read.ok() || limits == nullptr) return read;
    return read_limits(path, *limits, config);
}

}  // namespace seine::app
