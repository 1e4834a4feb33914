#include "control/cli/account_offline.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <thread>
#include <utility>

#include "control/account/directory.h"
#include "control/account/json_fields.h"
#include "control/account/line_record.h"
#include "control/account/log_line.h"
#include "control/account/names.h"
#include "control/cli/ask.h"
#include "control/cli/table.h"
#include "control/command/client.h"
#include "control/command/json_builder.h"
#include "dataplane/contract/api_key.h"

namespace seine::cli {
namespace {

using account::KeyFile;

constexpr const char* kKeyFile = "/etc/seine/tag.keys";

Nanos now() {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
}
std::int64_t seconds() { return now().count / kSecond; }

std::string key_file(const Invocation& invocation) {
    return invocation.arguments.has("keys") ? invocation.arguments.text("keys") : kKeyFile;
}

Status say(const Invocation& invocation, const Write& write, const std::string& file,
           const std::string& sentence) {
    command::JsonBuilder json;
    json.object().field("file", file).field("done", sentence);
    json.end();
    return write(invocation.json ? json.take() + "\n" : file + ": " + sentence + "\n")
               ? Status()
               : failed("the output cannot be written");
}

// Keys loaded and ready for names; an account of them for as long as it is needed.
struct Tagging {
    account::Directory directory;
    std::unique_ptr<account::Names> names;
    Status open(const Invocation& invocation) {
        auto keys = account::TagKeys::load(key_file(invocation));
        if (!keys) return keys.error();
        names = std::make_unique<account::Names>(std::move(*keys), directory);
        names->now(now());
        return {};
    }
};

}  // namespace

Status account_key_new(const Invocation& invocation, const Write& write) {
    const std::string file = key_file(invocation);
    const Status made = KeyFile::make(file, seconds());
    if (!made.ok()) return made;
    return say(invocation, write, file,
               "made, mode 0600; keep a copy: without it no account is known again");
}

Status account_key_rotate(const Invocation& invocation, const Write& write) {
    const std::string file = key_file(invocation);
    const auto days = invocation.arguments.number("in-days", 0, 0, 366);
    if (!days) return days.error();
    const Status done =
        KeyFile::rotate(file, seconds(), seconds() + static_cast<std::int64_t>(*days) * 86400);
    if (!done.ok()) return done;
    return say(invocation, write, file,
               "a new epoch was added; send SIGHUP to seine-control. Two weeks after it begins: "
               "seinectl account key retire");
}

Status account_key_retire(const Invocation& invocation, const Write& write) {
    const std::string file = key_file(invocation);
    const Status done = KeyFile::retire(file, seconds(), invocation.arguments.has("at-once"));
    if (!done.ok()) return done;
    return say(invocation, write, file,
               "the keys of older epochs are destroyed; send SIGHUP to seine-control");
}

Status account_key_mac(const Invocation& invocation, const Write& write) {
    const std::string file = key_file(invocation);
    const auto number = invocation.arguments.number("number", 0, 1, 255);
    if (!number) return number.error();
    if (*number == 0) return {Code::usage, "account key mac: NUMBER is 1 to 255"};
    const std::string& out = invocation.arguments.text("file");
    const Status done = KeyFile::add_mac(file, static_cast<std::uint8_t>(*number), out);
    if (!done.ok()) return done;
    return say(invocation, write, out,
               "16 bytes for the gateway, mac_key_id " + std::to_string(*number) +
                   "; send SIGHUP to seine-control");
}

Status account_key_export(const Invocation& invocation, const Write& write) {
    const std::string& out = invocation.arguments.text("file");
    const Status done = KeyFile::export_hash_key(key_file(invocation), seconds(), out);
    if (!done.ok()) return done;
    return say(invocation, write, out,
               "for seine-dataplane --hash-key-file; write it again after a rotation");
}

// ---- names

Status account_tag(const Invocation& invocation, const Write& write) {
    Tagging tagging;
    const Status opened = tagging.open(invocation);
    if (!opened.ok()) return opened;
    // The name comes by stdin: a command line is read by everybody on the machine.
    std::string name;
    std::getline(std::cin, name);
    contract::AccountRecord record;
    const bool is_key = invocation.arguments.has("key");
    const bool found =
        tagging.names->fill(is_key ? "" : name, "", is_key ? contract::bare_key(name) : "", record);
    account::wipe(name.data(), name.size());
    if (!found) return {Code::usage, "account tag: the name is read from the first line of stdin"};
    const std::string tag = model::to_text(model::AccountTag{record.account_tag});
    return write(invocation.json ? "{\"account\":\"" + tag + "\"}\n" : tag + "\n")
               ? Status()
               : failed("the output cannot be written");
}

namespace {

// One line of an import: {account or key, keys, org, created, tier, closed_at,
// declared_intermediary}.
class ImportLine {
  public:
    ImportLine(account::Names& names, std::string& scratch) : names_(names), scratch_(scratch) {}
    ~ImportLine() { wipe_all(); }
    ImportLine(const ImportLine&) = delete;
    ImportLine& operator=(const ImportLine&) = delete;

    // What is wrong with the line, without its values; empty: nothing.
    std::string read(std::string_view line, account::DirectoryEntry& out) {
        out = {};
        wipe_all();
        wrong_.clear();
        const Parse parse = account::walk_json(
            line, scratch_, [this, &out](std::string_view path, std::string_view value) {
                take(path, value, out);
            });
        if (parse != Parse::ok) return "is no JSON object";
        if (!wrong_.empty()) return wrong_;
        contract::AccountRecord record;
        if (!names_.fill(account_, org_, keys_.empty() ? "" : keys_.front(), record))
            return "names no account and no key";
        out.account.bytes = record.account_tag;
        if (!org_.empty()) out.org.bytes = record.org_tag;
        for (const std::string& key : keys_) {
            if (!names_.fill("", "", key, record)) return "holds an empty key";
            out.keys.push_back(record.key_tag);
        }
        return "";
    }

  private:
    void take(std::string_view path, std::string_view value, account::DirectoryEntry& out) {
        std::uint64_t number = 0;
        Nanos at;
        if (path == "account") {
            account_ = value;
        } else if (path == "org" || path == "organisation") {
            org_ = value;
        } else if (path == "key" || path.starts_with("keys.")) {
            keys_.emplace_back(contract::bare_key(value));
        } else if (path == "created") {
            if (!account::read_time(value, at)) wrong_ = "created is not a time";
            out.first_seen_day = static_cast<std::uint32_t>(at.count / kSecond / 86400);
        } else if (path == "closed_at") {
            if (!account::read_time(value, at)) wrong_ = "closed_at is not a time";
            out.closed_at = at;
        } else if (path == "tier") {
            if (!account::read_number(value, 255, number))
                wrong_ = "tier is not a number from 0 to 255";
            out.tier = static_cast<std::uint8_t>(number);
        } else if (path == "declared_intermediary") {
            if (value != "true" && value != "false")
                wrong_ = "declared_intermediary is not true or false";
            out.declared_intermediary = value == "true";
        } else {
            wrong_ =
                "has a field that an import does not know; it knows account key keys org created "
                "tier closed_at "
                "declared_intermediary";
        }
    }
    void wipe_all() {
        account::wipe(account_.data(), account_.size());
        account::wipe(org_.data(), org_.size());
        for (std::string& key : keys_) account::wipe(key.data(), key.size());
        account::wipe(scratch_.data(), scratch_.size());
        account_.clear();
        org_.clear();
        keys_.clear();
    }
    account::Names& names_;
    std::string& scratch_;
    std::string account_;
    std::string org_;
    std::vector<std::string> keys_;
    std::string wrong_;
};

// What was sent, and the number by which the store's progress is known.
struct Sent {
    std::uint64_t entries = 0;
    std::uint64_t number = 0;
};

Status send(const Invocation& invocation, std::vector<std::string>& entries, Sent& sent) {
    command::Arguments arguments;
    arguments.set_list("entry", entries);
    const auto answer = ask(invocation, arguments);
    if (!answer) return answer.error();
    if (const auto json = command::JsonValue::parse(*answer)) sent.number = (*json)["number"].number();
    sent.entries += entries.size();
    entries.clear();
    return {};
}

// Until the store has it: what is said to be imported outlives a kill.
Status wait_until_stored(const Invocation& invocation, const Sent& sent) {
    constexpr auto kLongest = std::chrono::seconds(60);
    constexpr auto kSilent = std::chrono::seconds(2);
    const auto begun = std::chrono::steady_clock::now();
    bool told = false;
    while (sent.number != 0) {
        auto client = command::Client::connect(invocation.socket, invocation.timeout_ms);
        if (!client) return client.error();
        command::Request request;
        request.noun = "account";
        request.verb = "source list";
        const auto answer = client->ask(request);
        if (!answer) return answer.error();
        const auto json = command::JsonValue::parse(*answer);
        if (json && (*json)["directory"]["imports_stored"].number() >= sent.number) break;
        const auto spent = std::chrono::steady_clock::now() - begun;
        if (spent > kLongest)
            return failed("taken in, but the store has not taken it within a minute; seinectl status says why. Import it again "
                          "when the store is well: that repeats nothing");
        if (spent > kSilent && !std::exchange(told, true)) std::fprintf(stderr, "waiting for the store\n");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return {};
}

}  // namespace

Status account_import(const Invocation& invocation, const Write& write) {
    Tagging tagging;
    const Status opened = tagging.open(invocation);
    if (!opened.ok()) return opened;
    const std::string& path = invocation.arguments.text("file");
    std::ifstream file;
    if (path != "-") file.open(path);
    if (path != "-" && !file) return failed(path + ": cannot be read");
    std::istream& in = path == "-" ? std::cin : file;
    std::string scratch;
    scratch.reserve(4096);
    std::string line;
    std::vector<std::string> entries;
    Sent taken;
    std::uint64_t number = 0;
    auto told = std::chrono::steady_clock::now();
    ImportLine reading(*tagging.names, scratch);
    while (std::getline(in, line)) {
        ++number;
        if (line.empty()) continue;
        account::DirectoryEntry entry;
        const std::string wrong = reading.read(line, entry);
        account::wipe(line.data(), line.size());
        if (!wrong.empty()) {
            return failed(path + ":" + std::to_string(number) + ": the line " + wrong + "; " +
                          grouped(taken.entries) +
                          " accounts before it are imported, importing again repeats nothing");
        }
        entries.push_back(account::to_text(entry));
        // A request is 64 KiB at most.
        if (entries.size() == 256 || entries.back().size() > 16'000) {
            const Status sent = send(invocation, entries, taken);
            if (!sent.ok()) return sent;
        }
        if (std::chrono::steady_clock::now() - told > std::chrono::seconds(2)) {
            told = std::chrono::steady_clock::now();
            std::fprintf(stderr, "%s accounts imported\n", grouped(taken.entries).c_str());
        }
    }
    if (!entries.empty()) {
        const Status sent = send(invocation, entries, taken);
        if (!sent.ok()) return sent;
    }
    const Status stored = wait_until_stored(invocation, taken);
    if (!stored.ok()) return stored;
    return write(invocation.json ? "{\"imported\":" + std::to_string(taken.entries) + "}\n"
                                 : grouped(taken.entries) + " accounts imported\n")
               ? Status()
               : failed("the output cannot be written");
}

Status account_close(const Invocation& invocation, const Write& write) {
    account::DirectoryEntry entry;
    if (!model::from_text(invocation.arguments.text("account"), entry.account)) {
        return {Code::usage,
                "account close takes the tag of an account, 32 hex digits; a name's is printed by: "
                "seinectl "
                "account tag"};
    }
    entry.closed_at = now();
    std::vector<std::string> entries = {account::to_text(entry)};
    Sent taken;
    Status sent = send(invocation, entries, taken);
    if (sent.ok()) sent = wait_until_stored(invocation, taken);
    if (!sent.ok()) return sent;
    return write(invocation.json ? "{\"closed\":1}\n" : "closed\n")
               ? Status()
               : failed("the output cannot be written");
}

// ---- trying a log format

namespace {

std::string what_was_read(const account::SourceRecord& said) {
    const contract::AccountRecord& record = said.record;
    std::string text = utc_time(static_cast<std::int64_t>(record.t_req_us) * 1000) + "  " +
                       (record.client_port == 0 ? std::string("client unknown")
                                                : model::to_text(record.client_ip) + " " +
                                                      std::to_string(record.client_port));
    if (record.server_port != 0)
        text +=
            " to " + model::to_text(record.server_ip) + " " + std::to_string(record.server_port);
    text += record.proto == 17 ? " QUIC" : " TCP";
    text +=
        "  account " + model::to_text(model::AccountTag{record.account_tag}).substr(0, 12) + "..";
    if (record.status_class != 0) text += "  " + std::to_string(record.status_class) + "xx";
    if (said.unique_id != 0) text += "  with an id";
    if (record.t_conn_us != 0) text += "  connection time known";
    return text;
}

}  // namespace

Status account_source_test(const Invocation& invocation, const Write& write) {
    const std::string& path = invocation.arguments.text("file");
    std::string source = "test file " + std::string("\"") + path + "\"";
    for (const std::string& setting : invocation.arguments.texts("setting")) {
        const std::size_t equals = std::min(setting.find('='), setting.size());
        std::string value;
        for (const char c : setting.substr(std::min(equals + 1, setting.size()))) {
            if (c == '"' || c == '\\') value.push_back('\\');
            value.push_back(c);
        }
        source += " " + setting.substr(0, equals) + "=\"" + value + "\"";
    }
    const auto config = account::read_source(source);
    if (!config) return config.error();
    Tagging tagging;
    const Status opened = tagging.open(invocation);
    if (!opened.ok()) return opened;
    std::ifstream file(path);
    if (!file) return failed(path + ": cannot be read");
    const auto lines_max = invocation.arguments.number("lines", 20, 1, 1'000'000);
    if (!lines_max) return lines_max.error();
    account::LineReader reader(*config, *tagging.names);
    command::JsonBuilder json;
    json.object().key("lines").array();
    std::string text;
    std::string line;
    std::uint64_t number = 0;
    std::uint64_t understood = 0;
    while (number < *lines_max && std::getline(file, line)) {
        ++number;
        account::SourceRecord said;
        const Parse parse = reader.read(line, now(), said);
        account::wipe(line.data(), line.size());
        understood += parse == Parse::ok ? 1 : 0;
        const std::string read = parse == Parse::ok ? what_was_read(said) : "";
        text += std::to_string(number) + ": " +
                (parse == Parse::ok ? read : "the line " + reader.fault()) + "\n";
        json.object().field("line", number).field("understood", parse == Parse::ok);
        json.field(parse == Parse::ok ? "read" : "fault",
                   parse == Parse::ok ? read : reader.fault());
        json.end();
    }
    json.end().field("understood", understood).field("read", number);
    json.end();
    text += grouped(understood) + " of " + grouped(number) + " lines understood\n";
    if (!write(invocation.json ? json.take() + "\n" : text))
        return failed("the output cannot be written");
    if (understood != 0 || number == 0) return {};
    return failed(path +
                  ": no line was understood; say how it is written with --setting format=PRESET, "
                  "pattern=.. or "
                  "PROPERTY=FIELD");
}

}  // namespace seine::cli
