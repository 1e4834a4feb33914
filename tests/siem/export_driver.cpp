// seine-test-export: submits events to one destination at a rate and waits until they have arrived.
//   seine-test-export DIRECTORY COUNT key=value..
// Keys: carrier format host port url path topic brokers secret ca cert key name(server) ack(0|1)
// rate(events/s; 0: as fast as it goes) findings(every Nth event is a finding; 0: none) timeout(ms)
// drain(ms without anything acknowledged, after which it gives up) within(ms; it ends then,
// whatever waits) budget(bytes) backfill(events/s) skip(number of the first event, less one)
// rotate(bytes at which a file is begun anew, one older is kept; 0: never). Prints one JSON line
// when it ends and, to stderr, the number submitted every second. With machine=1 the line says how
// fast this machine was before and after, so that figures of two runs can be compared: hash_mb_s
// and copy_mb_s, megabytes a CPU second of hashing what the cache holds and of copying 16 MiB.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>

#include "control/export/exporter.h"
#include "control/export/stream.h"
#include "dataplane/base/hash.h"
#include "dataplane/contract/json.h"
#include "tests/siem/sample_events.h"

namespace {

using namespace seine;

double cpu_seconds() {
    timespec spent{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

// Megabytes a CPU second, summed over all calls.
struct Yardstick {
    double hash_mb_s = 0;
    double copy_mb_s = 0;

    void measure() {
        constexpr std::size_t kPiece = 2000;
        constexpr std::size_t kRounds = 64;
        double began = cpu_seconds();
        for (std::size_t round = 0; round < kRounds; ++round) {
            for (std::size_t at = 0; at + kPiece <= std::size_t{1} << 18; at += kPiece)
                mixed_ = hash64(ByteView(from_).subspan(at, kPiece), mixed_);
        }
        hash_seconds_ += cpu_seconds() - began;
        hash_mb_ += kRounds * 0.262144;
        began = cpu_seconds();
        std::copy(from_.begin(), from_.end(), to_.begin());
        copy_seconds_ += cpu_seconds() - began;
        copy_mb_ += static_cast<double>(from_.size()) / 1e6;
        hash_mb_s = hash_mb_ / hash_seconds_;
        copy_mb_s = copy_mb_ / copy_seconds_;
        to_[0] = static_cast<std::uint8_t>(mixed_);
    }

  private:
    // Written to once, so that their pages are there.
    std::vector<std::uint8_t> from_ = std::vector<std::uint8_t>(std::size_t{16} << 20, 1);
    std::vector<std::uint8_t> to_ = std::vector<std::uint8_t>(std::size_t{16} << 20, 2);
    std::uint64_t mixed_ = 0;
    double hash_mb_ = 0, hash_seconds_ = 0, copy_mb_ = 0, copy_seconds_ = 0;
};

siem::DestinationSettings settings_of(std::map<std::string, std::string>& given) {
    siem::DestinationSettings out;
    out.carrier.name = "test";
    out.carrier.carrier = given["carrier"];
    out.format = given.count("format") != 0 ? given["format"] : "ecs";
    out.carrier.host = given["host"];
    out.carrier.port = static_cast<std::uint16_t>(std::atoi(given["port"].c_str()));
    out.carrier.url = given["url"];
    out.carrier.path = given["path"];
    out.carrier.topic = given["topic"];
    out.carrier.brokers = given["brokers"];
    out.carrier.secret = given["secret"];
    out.carrier.tls.ca_file = given["ca"];
    out.carrier.tls.cert_file = given["cert"];
    out.carrier.tls.key_file = given["key"];
    out.carrier.tls.server_name = given["name"];
    out.carrier.acknowledged = given["ack"] != "0";
    out.carrier.rotate_bytes = std::strtoull(given["rotate"].c_str(), nullptr, 10);
    out.carrier.rotate_keep = 1;
    if (given.count("timeout") != 0) out.carrier.timeout_ms = std::atoi(given["timeout"].c_str());
    if (given.count("budget") != 0)
        out.outbox.bytes_max = std::strtoull(given["budget"].c_str(), nullptr, 10);
    out.backfill_per_second = given.count("backfill") != 0
                                  ? static_cast<std::uint32_t>(std::atoi(given["backfill"].c_str()))
                                  : 0;
    out.render.bytes_max = 0;
    return out;
}

std::uint64_t acknowledged(const siem::Exporter& exporter) {
    const auto all = exporter.status();
    return all.front().outbox.acknowledged[0] + all.front().outbox.acknowledged[1];
}

// False: nothing was acknowledged for still_ms, or it is end_ms (0: never), while something waits.
bool drain(siem::Exporter& exporter, int still_ms, std::int64_t end_ms) {
    std::uint64_t before = acknowledged(exporter);
    std::int64_t until = siem::steady_ms() + still_ms;
    while (!exporter.drain(end_ms > 0 ? 10 : std::min(500, still_ms))) {
        const std::uint64_t now = acknowledged(exporter);
        if (now != before) until = siem::steady_ms() + still_ms;
        before = now;
        if (siem::steady_ms() >= until || (end_ms > 0 && siem::steady_ms() >= end_ms)) return false;
    }
    return true;
}

void print(const siem::Exporter& exporter, std::uint64_t submitted, double cpu, double wall,
           const std::optional<Yardstick>& machine) {
    const auto all = exporter.status();
    const auto& at = all.front();
    // It may hold an answer of the receiver, which is JSON itself.
    std::string error;
    contract::append_json_text(error, at.error);
    std::printf(
        "{\"submitted\":%llu,\"acknowledged\":%llu,\"acknowledged_flows\":%llu,\"shed_flows\":%llu,"
        "\"shed_findings\":%llu,"
        "\"waiting\":%llu,\"refused\":%llu,"
        "\"failed\":%llu,\"up\":%s,\"cpu\":%.3f,\"wall\":%.3f,\"hash_mb_s\":%.0f,\"copy_mb_s\":%."
        "0f,\"error\":%s}\n",
        static_cast<unsigned long long>(submitted),
        static_cast<unsigned long long>(acknowledged(exporter)),
        static_cast<unsigned long long>(at.outbox.acknowledged[1]),
        static_cast<unsigned long long>(at.outbox.shed[1]),
        static_cast<unsigned long long>(at.outbox.shed[0]),
        static_cast<unsigned long long>(at.outbox.waiting[0] + at.outbox.waiting[1]),
        static_cast<unsigned long long>(at.refused),
        static_cast<unsigned long long>(at.deliveries_failed), at.up ? "true" : "false", cpu, wall,
        machine ? machine->hash_mb_s : 0, machine ? machine->copy_mb_s : 0, error.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    std::map<std::string, std::string> given;
    for (int i = 3; i < argc; ++i) {
        const std::string word = argv[i];
        given[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    }
    auto exporter = siem::Exporter::open({argv[1], "seine"});
    if (!exporter) return std::fprintf(stderr, "%s\n", exporter.error().message().c_str()), 1;
    auto change = (*exporter)->prepare({settings_of(given)});
    if (!change) return std::fprintf(stderr, "%s\n", change.error().message().c_str()), 1;
    (*exporter)->apply(std::move(*change));

    const std::uint64_t count = std::strtoull(argv[2], nullptr, 10);
    const std::uint64_t rate = std::strtoull(given["rate"].c_str(), nullptr, 10);
    const std::uint64_t findings = std::strtoull(given["findings"].c_str(), nullptr, 10);
    const std::uint64_t skip = std::strtoull(given["skip"].c_str(), nullptr, 10);
    std::optional<Yardstick> machine;
    if (given["machine"] == "1") machine.emplace();
    for (int i = 0; machine && i < 4; ++i) machine->measure();
    const std::int64_t started = siem::steady_ms();
    const double cpu_started = cpu_seconds();
    std::int64_t told = started;
    for (std::uint64_t i = 0; i < count; ++i) {
        model::Event event = tests::load_event(skip + i);
        if (findings > 0 && i % findings == 0) event.kind = model::EventKind::account_evidence;
        event.title = "event " + std::to_string(skip + i);
        (*exporter)->submit(std::move(event));
        if (rate > 0) {
            while (static_cast<std::uint64_t>(siem::steady_ms() - started) * rate / 1000 < i)
                siem::nap_ms(1);
        }
        if (i % 1000 == 0 && siem::steady_ms() - told >= 1000) {
            told = siem::steady_ms();
            std::fprintf(stderr, "%llu\n", static_cast<unsigned long long>(skip + i + 1));
        }
    }
    const int drain_ms = given.count("drain") != 0 ? std::atoi(given["drain"].c_str()) : 60'000;
    const int within_ms = std::atoi(given["within"].c_str());
    const bool drained = drain(**exporter, drain_ms, within_ms > 0 ? started + within_ms : 0);
    const double cpu = cpu_seconds() - cpu_started;
    const double wall = static_cast<double>(siem::steady_ms() - started) / 1000;
    for (int i = 0; machine && i < 4; ++i) machine->measure();
    print(**exporter, count, cpu, wall, machine);
    return drained ? 0 : 3;
}
