// A store of the size that control is made for: fed with a week of flows and accounts as the ingest
// thread feeds it, then asked by the real socket while it goes on being fed. Prints figures as JSON.
//
// usage: seine-test-scale FOLDER FLOWS ACCOUNTS      FLOWS 0: asks what an earlier run left there
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "control/command/client.h"
#include "control/command/server.h"
#include "control/service/aggregate.h"
#include "control/service/answers.h"
#include "control/service/dictionary.h"
#include "control/service/ingest.h"
#include "control/service/parts.h"
#include "control/service/tunables.h"
#include "control/store/store.h"

namespace {

using namespace seine;  // NOLINT: one program, one purpose

constexpr std::uint64_t kFlowsACommit = 500'000;
constexpr unsigned kFingerprints = 4000;
// Fed on while questions are asked: what is asked of a busy control.
constexpr std::uint64_t kFlowsASecond = 10'000;
constexpr std::int64_t kWeek = 7 * 86400 * kSecond;

double now_s(clockid_t clock) {
    timespec time = {};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint64_t mixed(std::uint64_t number) { return mix64(number + 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u); }

model::AccountTag tag_of(std::uint64_t number) {
    model::AccountTag tag;
    for (int i = 0; i < 2; ++i) {
        const std::uint64_t word = mixed(number * 2 + static_cast<std::uint64_t>(i));
        std::memcpy(tag.bytes.data() + 8 * i, &word, 8);
    }
    return tag;
}

std::string ja4_of(std::uint64_t number) {
    char text[64];
    const std::uint64_t hash = mixed(number);
    std::snprintf(text, sizeof text, "t13d1516h2_%012llx_%012llx", static_cast<unsigned long long>(hash >> 16),
                  static_cast<unsigned long long>(mixed(hash) >> 16));
    return text;
}

// Small numbers are had by many accounts, large ones by few; an account has two.
std::uint64_t print_of(std::uint64_t number, std::uint64_t accounts) {
    const std::uint64_t skew = mixed(number % accounts * 3 + number / accounts % 2);
    return std::min({skew % kFingerprints, (skew >> 20) % kFingerprints, (skew >> 40) % kFingerprints});
}

// Flow `number` of account number % accounts: few fingerprints an account, skewed over all.
class World {
  public:
    World(service::Aggregate& aggregate, std::uint64_t accounts) : aggregate_(aggregate), accounts_(accounts) {}

    void feed(std::uint64_t number, Nanos now) {
        const std::uint64_t account = number % accounts_;
        const std::uint64_t print = print_of(number, accounts_);
        contract::FrameWriter writer(buffer_);
        writer.begin(contract::Kind::open, {1, 1, number});
        std::uint8_t address[16] = {};
        address[10] = address[11] = 0xff;
        const std::uint64_t client = mixed(account) % 3'000'000;
        for (int i = 0; i < 4; ++i) address[12 + i] = static_cast<std::uint8_t>(client >> (8 * (3 - i)));
        writer.set_ip(contract::Field::src, address);
        writer.set_ip(contract::Field::dst, address);
        writer.set(contract::Field::sport, 1024 + number % 60000);
        writer.set(contract::Field::dport, 443);
        writer.set(contract::Field::proto, 6);
        writer.set(contract::Field::t_first_ns, static_cast<std::uint64_t>(now.count));
        writer.set(contract::Field::t_last_ns, static_cast<std::uint64_t>(now.count));
        const std::string ja4 = ja4_of(print);
        writer.text(contract::Field::ja4, ja4);
        writer.text(contract::Field::ja4_norm, ja4);
        writer.text(contract::Field::alpn, "h2");
        writer.text(contract::Field::syn, "4:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df:0");
        contract::RecordView record;
        static_cast<void>(contract::read_frame({buffer_, writer.finish()}, record));
        static_cast<void>(dataplane_link::read_facts(record, facts_));
        aggregate_.record(record, facts_, now);
        model::Sighting sighting;
        sighting.flow = facts_.flow;
        sighting.first = true;
        model::AccountUse use;
        use.account = tag_of(account);
        std::memcpy(use.org.bytes.data(), tag_of(account / 4 + (std::uint64_t{1} << 40)).bytes.data(), 16);
        use.t_first = use.t_last = now;
        use.requests = 1;
        sighting.uses = {use};
        aggregate_.sighting(sighting, now);
    }

  private:
    service::Aggregate& aggregate_;
    std::uint64_t accounts_;
    dataplane_link::FlowFacts facts_;
    std::uint8_t buffer_[4096] = {};
};

struct Times {
    double median_ms = 0;
    double most_ms = 0;
};

Times asked(const std::string& socket, const std::vector<command::Request>& requests) {
    std::vector<double> took;
    for (const command::Request& request : requests) {
        const double begun = now_s(CLOCK_MONOTONIC);
        auto client = command::Client::connect(socket, 60'000);
        const auto answer = client ? client->ask(request) : Result<std::string>(client.error());
        if (!answer) {
            std::fprintf(stderr, "seine-test-scale: %s\n", answer.error().message().c_str());
            std::exit(1);
        }
        took.push_back((now_s(CLOCK_MONOTONIC) - begun) * 1e3);
    }
    std::sort(took.begin(), took.end());
    return {took[took.size() / 2], took.back()};
}

command::Request request_of(const char* noun, const char* name, std::string value) {
    command::Request request;
    request.noun = noun;
    request.verb = "show";
    if (name != nullptr) request.arguments.set(name, std::move(value));
    return request;
}

const auto kClock = [] { return Nanos{static_cast<std::int64_t>(now_s(CLOCK_REALTIME) * 1e9)}; };

int fail(const std::string& why) {
    std::fprintf(stderr, "seine-test-scale: %s\n", why.c_str());
    return 1;
}

struct Fed {
    double cpu_s = 0;
    double commit_cpu_s = 0;
};

// As the ingest thread does it: sums, then a commit. The flows are spread over the week up to now.
Status feed(store::Store& store, std::uint64_t flows, std::uint64_t accounts, Fed& out) {
    service::RecentFlows recent(262'144);
    service::Aggregate aggregate(recent);
    World world(aggregate, accounts);
    const double cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    for (std::uint64_t fed = 0; fed < flows;) {
        const auto part = static_cast<double>(std::min(fed + kFlowsACommit, flows)) / static_cast<double>(flows);
        const Nanos now = kClock() + -static_cast<std::int64_t>((1 - part) * static_cast<double>(kWeek) * 6 / 7);
        for (std::uint64_t i = 0; i < kFlowsACommit && fed < flows; ++i, ++fed) world.feed(fed, now);
        const double begun = now_s(CLOCK_PROCESS_CPUTIME_ID);
        store::Batch batch;
        aggregate.take(batch);
        service::Aggregate::Order()(batch);
        batch.at = now;
        const Status status = store.write(batch);
        if (!status.ok()) return status;
        out.commit_cpu_s += now_s(CLOCK_PROCESS_CPUTIME_ID) - begun;
        std::fprintf(stderr, "  %llu of %llu flows, %.0f CPU s\n", static_cast<unsigned long long>(fed),
                     static_cast<unsigned long long>(flows), now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    }
    out.cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return store.sweep(kClock());
}

// Goes on feeding at kFlowsASecond until it is told to end; commits as the ingest thread does, so that
// they take a fifth of the time.
class LiveFeed {
  public:
    LiveFeed(store::Store& store, std::uint64_t accounts) : thread_([this, &store, accounts] { run(store, accounts); }) {}
    // Flows a second that were taken in, commits with them.
    double end() {
        ending_ = true;
        thread_.join();
        return static_cast<double>(fed_) / seconds_;
    }

  private:
    void run(store::Store& store, std::uint64_t accounts) {
        service::RecentFlows recent(262'144);
        service::Aggregate aggregate(recent);
        World world(aggregate, accounts);
        const double begun = now_s(CLOCK_MONOTONIC);
        double commit_at = begun + 1;
        while (!ending_) {
            const double turn = now_s(CLOCK_MONOTONIC);
            const auto due = static_cast<std::uint64_t>((turn - begun) * kFlowsASecond);
            while (fed_ < due) world.feed(mixed(fed_++), kClock());
            if (turn >= commit_at) {
                store::Batch batch;
                aggregate.take(batch);
                service::Aggregate::Order()(batch);
                batch.at = kClock();
                const double commit = now_s(CLOCK_MONOTONIC);
                const Status status = store.write(batch);
                if (!status.ok()) std::exit(fail(status.message()));
                const double ended = now_s(CLOCK_MONOTONIC);
                commit_at = ended + std::max(1.0, 4 * (ended - commit));
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        seconds_ = now_s(CLOCK_MONOTONIC) - begun;
    }
    std::atomic<bool> ending_{false};
    std::uint64_t fed_ = 0;
    double seconds_ = 1;
    std::thread thread_;
};

// The shipped rules over seven days, by the seinectl that lies beside this program; seconds, negative:
// it is not there or failed.
double tried_s(const std::string& socket) {
    char self[4096] = {};
    const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self - 1);
    const std::string folder = std::string(self, length > 0 ? static_cast<std::size_t>(length) : 0);
    const std::string command = "'" + folder.substr(0, folder.rfind('/')) + "/seinectl' signature try '" SEINE_SOURCE_DIR
                                "/signatures' --days 7 --json --socket '" + socket + "' >/dev/null";
    const double begun = now_s(CLOCK_MONOTONIC);
    return std::system(command.c_str()) == 0 ? now_s(CLOCK_MONOTONIC) - begun : -1;
}

// Fifty questions of each kind through the socket, each on a connection of its own.
void ask_and_print(const std::string& socket, std::uint64_t flows, std::uint64_t accounts, store::Store& store,
                   const Fed& fed) {
    LiveFeed live(store, accounts);
    std::vector<command::Request> account_shows;
    std::vector<command::Request> print_shows;
    std::vector<command::Request> statuses;
    for (unsigned i = 0; i < 50; ++i) {
        account_shows.push_back(request_of("account", "account", model::to_text(tag_of(mixed(i) % accounts))));
        print_shows.push_back(request_of("fingerprint", "value", ja4_of(print_of(mixed(i) % (4 * accounts), accounts))));
        statuses.push_back(request_of("status", nullptr, {}));
    }
    const Times account = asked(socket, account_shows);
    const Times print = asked(socket, print_shows);
    const Times status = asked(socket, statuses);
    const double tried = tried_s(socket);
    const double live_rate = live.end();
    const auto totals = store.totals(0, 1'000'000);
    std::printf("{\"flows\":%llu,\"accounts\":%llu,\"accounts_kept\":%llu,\"accounts_estimated\":%llu,\"cpu_s\":%.1f,"
                "\"commit_cpu_s\":%.1f,\"flows_per_cpu_s\":%.0f,\"store_mb\":%.0f,"
                "\"account_show_ms\":[%.2f,%.2f],\"fingerprint_show_ms\":[%.2f,%.2f],\"status_ms\":[%.2f,%.2f],"
                "\"signature_try_s\":%.1f,\"fed_meanwhile_a_second\":%.0f}\n",
                static_cast<unsigned long long>(flows), static_cast<unsigned long long>(accounts),
                static_cast<unsigned long long>(store.health().accounts),
                static_cast<unsigned long long>(totals ? totals->accounts : 0), fed.cpu_s, fed.commit_cpu_s,
                fed.cpu_s == 0 ? 0 : static_cast<double>(flows) / fed.cpu_s, static_cast<double>(store.health().bytes) / 1e6,
                account.median_ms, account.most_ms, print.median_ms, print.most_ms, status.median_ms, status.most_ms, tried,
                live_rate);
}

int run(const std::string& folder, std::uint64_t flows, std::uint64_t accounts) {
    store::Keeping keeping;
    keeping.folder = folder + "/state";
    auto store = store::open_sqlite(keeping);
    if (!store) return fail(store.error().message());
    Fed fed;
    Status status = feed(**store, flows, accounts, fed);
    if (!status.ok()) return fail(status.message());
    service::Config config;
    config.rings.clear();
    service::Ingest ingest(config, **store, kClock);
    service::Dictionary dictionary;
    auto tunables = service::Tunables::open({keeping.folder, "test", {}}, kClock());
    if (!tunables) return fail(tunables.error().message());
    command::ServerCounters questions;
    service::Parts parts;
    parts.config = config;
    parts.now = kClock;
    parts.started = kClock();
    parts.store = store->get();
    parts.ingest = &ingest;
    parts.dictionary = &dictionary;
    parts.tunables = tunables->get();
    parts.questions = &questions;
    status = ingest.start();
    if (!status.ok()) return fail(status.message());
    service::Answers answers;
    service::add_all(answers, parts);
    command::ServerConfig server_config;
    server_config.path = folder + "/sock";
    server_config.counters = &questions;
    auto server = command::Server::start(
        server_config, [&](const command::Request& request) { return answers.answer(request); });
    if (!server) return fail(server.error().message());
    ask_and_print(server_config.path, flows, accounts, **store, fed);
    server->reset();
    ingest.stop();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: seine-test-scale FOLDER FLOWS ACCOUNTS\n", stderr);
        return 2;
    }
    return run(argv[1], std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
}
