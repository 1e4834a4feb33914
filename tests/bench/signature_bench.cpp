// Rules against what they stand on: the matcher beside bare hs_scan, and the line with and without
// rules.
//
//   signature_bench [RULES_DIR [CAPTURE...]]
//   signature_bench --figures VALUES     the first over values of a file alone, for seine-bench: lines of a field's name, a
//                                        tab and a value, an empty line after each event; prints percent, spread in
//                                        percent, nanoseconds of a bare scan, percent remembered; then the same of a
//                                        matcher that remembers nothing and scans every value
//
// 1. A thousand patterns over the fields of clients: values a second through the matcher, and through bare hs_scan calls with
//    the same databases and the same values: once where no value comes twice, and once as clients send them, where the
//    matcher remembers what it found (the share of such values is printed).
// 2. The line over the captures (the golden ones without), with the rules of RULES_DIR and without
// any. Rounds are interleaved, answers are compared before any clock starts, the clock is this
// thread's CPU time.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <time.h>
#include <vector>

#include <hs.h>

#include "dataplane/capture/pcap_file.h"
#include "dataplane/pipeline/inspector.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/generation_parts.h"
#include "dataplane/signature/matcher.h"
#include "dataplane/signature/rule_file.h"

namespace {

using namespace seine;
using signature::Field;
using signature::Group;

constexpr int kRounds = 15;
constexpr std::size_t kScansARound = 200'000;  // some ten milliseconds

double cpu_seconds() {
    timespec at{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}
double half_spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return (values[values.size() * 95 / 100] - values[values.size() * 5 / 100]) / 2 /
           values[values.size() / 2];
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "signature_bench: %s\n", why.c_str());
    std::exit(1);
}

std::unique_ptr<signature::Generation> ready(signature::LoadedRules loaded, bool remember = true) {
    signature::CompiledRules compiled;
    if (loaded.problems.empty()) compiled = compile(loaded.set, loaded.problems);
    if (!loaded.problems.empty()) give_up(loaded.problems.lines());
    compiled.generation = 1;
    signature::Generation::Limits limits;
    limits.remember = remember;
    auto made = signature::Generation::make(std::move(compiled), limits);
    if (!made) give_up(made.error().message());
    return std::move(*made);
}

// Patterns as packs have them: literals with a version, some expressions, prefixes of fingerprints.
std::string thousand_rules() {
    const struct {
        const char* field;
        int count;
    } fields[] = {{"http.user_agent", 400}, {"http.path", 200}, {"http.host", 100},
                  {"tls.sni", 100},         {"tls.ja4", 150},   {"http.header_names", 50}};
    std::string out;
    int number = 0;
    for (const auto& field : fields) {
        for (int i = 0; i < field.count; ++i, ++number) {
            const std::string n = std::to_string(number * 7919 % 99991);
            const std::string name = field.field;
            std::string matcher = "pattern = '(?:client|agent|sdk)-" + n + "/[0-9]+\\.[0-9]+'";
            if (name == "http.user_agent" && i == 0)
                matcher = "pattern = '^python-requests/[0-9]+[.][0-9]+'";
            else if (name == "tls.ja4")
                matcher = "glob = \"t13d" + n + "h2_*_06cda9e17597\"";
            else if (name == "http.path")
                matcher = i % 2 == 0 ? "prefix = \"/v" + n + "/\""
                                     : "pattern = '^/api/[a-z]+/" + n + "$'";
            else if (i % 3 == 0)
                matcher = "contains = \"x" + n + "y\"";
            out +=
                "[[rule]]\nid = \"r" + std::to_string(number) +
                "\"\ntitle = \"t\"\nclass = \"policy\"\nfield = \"" + name + "\"\n" + matcher +
                "\n[[rule.match]]\nhttp.method = \"x\"\n[[rule.no_match]]\nhttp.method = \"x\"\n";
        }
    }
    return out;
}

struct Value {
    Field field;
    std::string text;
};
// One list per event. `distinct`: no value is like another; else hosts, agents, header orders and fingerprints repeat as
// they do in traffic, and paths do not.
std::vector<std::vector<Value>> events(bool distinct) {
    const char* agents[] = {"OpenAI/Python 1.30.1",
                            "python-requests/2.31.0",
                            "curl/7.88.1",
                            "axios/1.6.8",
                            "node-fetch",
                            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like "
                            "Gecko) Chrome/126.0.0.0 Safari/537.36",
                            "Go-http-client/2.0",
                            "okhttp/4.12.0",
                            "agent-7919/1.2",
                            "AsyncAnthropic/Python 0.25.1"};
    std::vector<std::vector<Value>> out;
    for (int i = 0; i < 20000; ++i) {
        const std::string n = std::to_string(i);
        const std::string own = distinct ? n : "";
        if (i % 3 == 0) {
            const std::string last = std::to_string(distinct ? 10000 + i : 100 + i % 40);
            out.push_back({{Field::tls_sni, "api" + own + ".example.com"},
                           {Field::tls_ja4, "t13d3112h2_e8f1e7e78f70_b26ce05bb" + last}});
        } else {
            out.push_back({{Field::http_host, "api" + own + ".example.com"},
                           {Field::http_path, "/v1/chat/completions/" + n},
                           {Field::http_user_agent, std::string(agents[i % 10]) + (distinct ? " " + n : "")},
                           {Field::http_header_names,
                            "Host,User-Agent,Accept,Accept-Encoding,Authorization,Content-Type,"
                            "Content-Length" + (distinct ? ",X-" + n : "")}});
        }
    }
    return out;
}

int count_match(unsigned, unsigned long long, unsigned long long, unsigned, void* count) {
    ++*static_cast<std::uint64_t*>(count);
    return 0;
}

struct Figures {
    double percent = 0;  // of the rate of bare scans
    double spread = 0;
    double bare_ns = 0;
    double remembered = 0;
};

Figures against_bare_scans(const std::vector<std::vector<Value>>& all, bool remember = true) {
    const auto generation = ready(signature::read_rules_text("bench", thousand_rules(), ""), remember);
    std::map<Field, hs_database_t*> databases;
    hs_scratch_t* scratch = nullptr;
    for (const auto& slot : generation->rules().slots) {
        hs_database_t* database = nullptr;
        const auto bytes = as_text(slot.database);
        if (hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS ||
            hs_alloc_scratch(database, &scratch) != HS_SUCCESS)
            give_up("a database does not open");
        databases[slot.field.field] = database;
    }
    std::vector<std::pair<hs_database_t*, std::string_view>> scans;
    for (const auto& event : all)
        for (const Value& value : event)
            if (databases.contains(value.field)) scans.emplace_back(databases.at(value.field), value.text);
    const auto bare = [&] {
        std::uint64_t count = 0;
        for (const auto& [database, text] : scans)
            hs_scan(database, text.data(), static_cast<unsigned>(text.size()), 0, scratch,
                    count_match, &count);
        return count;
    };
    std::vector<signature::Groups> groups;  // of each event; who feeds values knows them
    for (const auto& event : all) {
        groups.push_back(0);
        for (const Value& value : event) groups.back() |= bit(info(value.field).group);
    }
    signature::Matcher matcher(0);
    matcher.adopt(generation.get());
    const auto matched = [&] {
        std::uint64_t count = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            signature::MatchState state;
            matcher.begin(state);
            for (const Value& value : all[i]) matcher.feed(value.field, value.text);
            count += matcher.end(groups[i]).size();
        }
        return count;
    };
    const std::uint64_t wanted = bare();
    if (matched() != wanted || wanted == 0) give_up("the matcher and bare hs_scan do not agree");
    const int times = static_cast<int>(std::max<std::size_t>(3, kScansARound / scans.size()));
    std::vector<double> ratios;
    std::vector<double> bare_ns;
    for (int round = 0; round < kRounds; ++round) {
        const double begun = cpu_seconds();
        for (int i = 0; i < times; ++i) static_cast<void>(bare());
        const double middle = cpu_seconds();
        for (int i = 0; i < times; ++i) static_cast<void>(matched());
        const double ended = cpu_seconds();
        ratios.push_back((middle - begun) / (ended - middle));
        bare_ns.push_back((middle - begun) / times / static_cast<double>(scans.size()) * 1e9);
    }
    const std::uint64_t before = generation->room(0).memory->found();
    static_cast<void>(matched());
    const double remembered =
        static_cast<double>(generation->room(0).memory->found() - before) / static_cast<double>(scans.size());
    for (const auto& [field, database] : databases) hs_free_database(database);
    hs_free_scratch(scratch);
    return {100 * median(ratios), 100 * half_spread(ratios), median(bare_ns), 100 * remembered};
}

void print_scans(const char* name, const Figures& figures) {
    std::printf("%s  1000 patterns, 6 fields  n=%d  %.0f %% of the rate of bare hs_scan (+-%.1f %%)  target >= 85 %%  "
                "bare %.0f ns a value  remembered %.0f %%\n",
                name, kRounds, figures.percent, figures.spread, figures.bare_ns, figures.remembered);
}

std::vector<std::vector<Value>> events_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::vector<Value>> out(1);
    for (std::string line; std::getline(file, line);) {
        signature::FieldRef field;
        const std::size_t tab = line.find('\t');
        if (line.empty() && !out.back().empty()) out.emplace_back();
        else if (tab != std::string::npos && find_field(line.substr(0, tab), field))
            out.back().push_back({field.field, line.substr(tab + 1)});
    }
    if (out.back().empty()) out.pop_back();
    if (out.empty()) give_up(path + ": holds no values");
    return out;
}

struct Held {
    std::vector<std::uint8_t> bytes;
    std::uint32_t wire_bytes;
    wire::LinkType link;
    Nanos time;
};

std::vector<Held> frames_of(const std::vector<std::string>& captures) {
    std::vector<Held> out;
    for (const std::string& path : captures) {
        auto file = capture::PcapFile::open(path);
        if (!file) give_up(file.error().message());
        capture::CapturedFrame frame;
        while (file->next(frame) == capture::Next::frame)
            out.push_back({{frame.bytes.begin(), frame.bytes.end()},
                           frame.wire_bytes,
                           frame.link,
                           frame.time});
    }
    return out;
}

// CPU seconds of one pass over the frames, and the records it made.
double pass(const std::vector<Held>& frames, const signature::Generation* rules,
            std::uint64_t& records) {
    ByteRing ring(std::size_t{64} << 20);
    pipeline::InspectorConfig config;
    config.limits.flows_max = 1u << 16;
    config.limits.cold_flows_max = 1u << 13;
    auto inspector = pipeline::Inspector::make(config, ring);
    if (!inspector) give_up(inspector.error().message());
    (*inspector)->adopt(rules);
    std::vector<pipeline::Frame> burst;
    const double begun = cpu_seconds();
    for (std::size_t at = 0; at < frames.size(); at += burst.size()) {
        burst.clear();
        for (std::size_t i = at; i < frames.size() && burst.size() < 32; ++i)
            burst.push_back(
                {frames[i].bytes, frames[i].wire_bytes, frames[i].link, frames[i].time});
        (*inspector)->inspect(burst);
        while (!ring.front().empty()) {
            ++records;
            ring.release();
        }
    }
    return cpu_seconds() - begun;
}

void line_with_rules(const std::string& folder, const std::vector<std::string>& captures) {
    const auto generation = ready(signature::read_rules(folder));
    const auto frames = frames_of(captures);
    std::vector<double> ratios;
    std::vector<double> plain_ns;
    std::uint64_t plain_records = 0;
    std::uint64_t rule_records = 0;
    for (int round = 0; round < kRounds; ++round) {
        plain_records = rule_records = 0;
        double plain = 0;
        double with = 0;
        for (int turn = 0; turn < 4; ++turn) {
            std::uint64_t* const counts[] = {&plain_records, &rule_records};
            const bool rules = (turn & 1) != 0;
            (rules ? with : plain) +=
                pass(frames, rules ? generation.get() : nullptr, *counts[rules ? 1 : 0]);
        }
        ratios.push_back(with / plain);
        plain_ns.push_back(plain / 2 / static_cast<double>(frames.size()) * 1e9);
    }
    std::printf(
        "line_with_rules  %zu rules, %zu packets  n=%d  %+.1f %% CPU time a packet (+-%.1f %%)  "
        "target <= +10 %%  without %.0f ns  records %llu, with findings %llu\n",
        generation->rules().rules.size(), frames.size(), kRounds, 100 * (median(ratios) - 1),
        100 * half_spread(ratios), median(plain_ns),
        static_cast<unsigned long long>(plain_records / 2),
        static_cast<unsigned long long>(rule_records / 2));
}

}  // namespace

int main(int argc, char** argv) {
    const std::string folder = argc > 1 ? argv[1] : "signatures";
    if (folder == "--figures") {
        const auto values = events_of(argc > 2 ? argv[2] : "");
        for (const bool remember : {true, false}) {
            const Figures figures = against_bare_scans(values, remember);
            std::printf("%f %f %f %f\n", figures.percent, figures.spread, figures.bare_ns, figures.remembered);
        }
        return 0;
    }
    std::vector<std::string> captures(argv + std::min(argc, 2), argv + argc);
    if (captures.empty())
        for (const auto& entry : std::filesystem::recursive_directory_iterator("tests/golden"))
            if (entry.path().extension() == ".pcap") captures.push_back(entry.path().string());
    std::sort(captures.begin(), captures.end());
    print_scans("matcher_of_bare_scan", against_bare_scans(events(true)));
    print_scans("matcher_of_bare_scan_as_sent", against_bare_scans(events(false)));
    line_with_rules(folder, captures);
    return 0;
}
