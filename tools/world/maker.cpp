#include "tools/world/maker.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <thread>

#include "tools/world/lines.h"
#include "tools/world/parallel.h"
#include "tools/world/world_files.h"

namespace seine::world {
namespace {

constexpr std::int64_t kHourNs = 3600 * kSecond;
constexpr std::size_t kChunkEvents = 2048;
constexpr std::size_t kChunkAccounts = 8192;

bool earlier(const Event& a, const Event& b) {
    const auto key = [](const Event& e) {
        return std::tuple(e.t_ns, e.account, e.conversation, e.steps, e.exchanges);
    };
    return key(a) < key(b);
}

// One chunk of an hour: what it expands to, and that as bytes of the files.
struct Chunk {
    Piece piece;
    std::string flows, owners, uses;
    std::uint64_t exchanges = 0, farm_flows = 0, farm_exchanges = 0;
};

class Maker {
  public:
    Maker(const Parameters& parameters, const LevelParameters& level, const Catalog& catalog,
          const MakeOptions& options)
        : p_(parameters),
          options_(options),
          catalog_(catalog),
          places_(parameters, options.seed),
          people_(parameters, catalog, places_, options.seed),
          operators_(parameters, level, catalog, places_, people_, options.seed),
          threads_(options.threads != 0 ? options.threads
                                        : std::max(1u, std::thread::hardware_concurrency())) {}
    Status run(MakeCounts& counts);

  private:
    Status open_files();
    void settle();
    void plan_day(std::size_t day);
    void play_hour(std::size_t hour);
    void expand(const std::vector<Event>& events, std::uint64_t first_id, Chunk& chunk) const;
    void account_events(std::size_t hour);
    void send_records(std::int64_t until_ns);
    void write_arrived(std::int64_t until_ns);
    void tell(std::size_t hour);
    Status finish();

    const Parameters& p_;
    const MakeOptions& options_;
    const Catalog& catalog_;
    Places places_;
    People people_;
    Operators operators_;
    unsigned threads_;
    std::unique_ptr<Schedule> schedule_;
    std::unique_ptr<Connector> connector_;
    Roster roster_;
    PackTables tables_;
    OutputFile flows_, records_, owners_, uses_;
    std::vector<std::vector<Event>> hours_;  // of the day being played, and the first hour after it
    std::vector<Event> later_;               // events planned past midnight
    std::vector<std::pair<std::int64_t, std::uint32_t>> births_,
        deaths_;  // time into the window, account
    std::size_t birth_at_ = 0, death_at_ = 0;
    std::vector<Draft> unsent_;  // by time of sending, later than what went out
    struct Arrival {
        std::int64_t at;
        Draft draft;
    };
    std::vector<Arrival> travelling_;
    std::array<std::uint32_t, 65> seq_{};
    std::vector<std::uint8_t> active_;
    MakeCounts counts_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), told_ = start_;
};

void Maker::settle() {
    const std::size_t all = static_cast<std::size_t>(p_.world.accounts);
    const std::size_t farms = options_.farms ? operators_.accounts_at_start() : 0;
    people_.settle(all > farms ? all - farms : 0);
    operators_.rent_pool();
    if (options_.farms) operators_.enlist();
    schedule_ = std::make_unique<Schedule>(p_, people_, operators_, options_.seed);
    connector_ =
        std::make_unique<Connector>(p_, catalog_, places_, people_, operators_, options_.seed);
    for (std::uint32_t i = 0; i < people_.accounts.size(); ++i) {
        const Account& a = people_.accounts[i];
        if (a.created_s >= 0 && a.created_s < p_.world.days * 86400)
            births_.emplace_back(static_cast<std::int64_t>(a.created_s * 1e9), i);
        if (a.closed_s < p_.world.days * 86400)
            deaths_.emplace_back(static_cast<std::int64_t>(a.closed_s * 1e9), i);
    }
    std::sort(births_.begin(), births_.end());
    std::sort(deaths_.begin(), deaths_.end());
    active_.assign(people_.accounts.size(), 0);
    roster_ = roster_of(people_, *connector_);
    for (std::size_t i = 0; i < catalog_.texts().count(); ++i)
        tables_.texts.push_back(catalog_.texts().text(static_cast<TextId>(i)));
    for (const std::vector<std::string>* vips : {&p_.edge.vips_v4, &p_.edge.vips_v6}) {
        for (const std::string& text : *vips) {
            model::Address address{};
            if (model::from_text(text, address)) tables_.servers.push_back(address);
        }
    }
    tables_.roster = roster_.rows;
    for (const Account& a : people_.accounts) counts_.farm_accounts += a.farm != 0;
    counts_.accounts = people_.accounts.size();
}

Status Maker::open_files() {
    std::error_code error;
    std::filesystem::create_directories(options_.folder, error);
    if (error) return failed(options_.folder + ": cannot be made: " + error.message());
    const std::string base = options_.folder + "/";
    for (const char* old :
         {"flows.jsonl", "accounts.jsonl", "truth_flows.csv", "flows.bin", "accounts.bin"})
        std::filesystem::remove(base + old, error);
    const char* const ending = options_.packed ? ".bin" : ".jsonl";
    if (Status s = flows_.open(base + "flows" + ending); !s.ok()) return s;
    if (Status s = records_.open(base + "accounts" + ending); !s.ok()) return s;
    if (Status s = uses_.open(base + "truth_exchanges.csv"); !s.ok()) return s;
    uses_.write("truth_row,t_open_ns,exchanges\n");
    if (options_.packed) {
        flows_.write(pack_flow_header(tables_));
        records_.write(pack_record_header(tables_));
        return {};
    }
    if (Status s = owners_.open(base + "truth_flows.csv"); !s.ok()) return s;
    owners_.write("flow_id,truth_rows\n");
    return {};
}

void Maker::plan_day(std::size_t day) {
    const std::size_t chunks = (people_.accounts.size() + kChunkAccounts - 1) / kChunkAccounts;
    const std::size_t operators = options_.farms ? operators_.all().size() : 0;
    std::vector<std::vector<Event>> parts(chunks + operators);
    parallel_for(parts.size(), threads_, [&](std::size_t i) {
        if (i < operators)
            schedule_->operator_day(day, i, parts[i]);
        else
            schedule_->people_day(
                day, (i - operators) * kChunkAccounts,
                std::min(people_.accounts.size(), (i - operators + 1) * kChunkAccounts), parts[i]);
    });
    parts.push_back(std::move(later_));
    later_.clear();
    hours_.assign(24, {});
    const auto first = static_cast<std::int64_t>(day) * 24 * kHourNs;
    for (const std::vector<Event>& part : parts) {
        for (const Event& event : part) {
            const std::int64_t hour = (event.t_ns - first) / kHourNs;
            if (hour < 24)
                hours_[static_cast<std::size_t>(std::max<std::int64_t>(0, hour))].push_back(event);
            else if (event.t_ns < static_cast<std::int64_t>(p_.world.days * 86400e9))
                later_.push_back(event);
        }
    }
}

void Maker::expand(const std::vector<Event>& events, std::uint64_t first_id, Chunk& chunk) const {
    const std::size_t at = static_cast<std::size_t>(first_id);
    const std::size_t end = std::min(events.size(), at + kChunkEvents);
    for (std::size_t i = at; i < end; ++i) connector_->expand(events[i], chunk.piece);
    const std::uint64_t id = counts_.flows + 1 + first_id;
    if (options_.packed)
        pack_flows(chunk.piece, id, tables_, chunk.flows);
    else
        flow_lines(chunk.piece, id, catalog_.texts(), chunk.flows);
    for (std::size_t i = 0; i < chunk.piece.flows.size(); ++i) {
        const Flow& f = chunk.piece.flows[i];
        chunk.exchanges += f.exchanges;
        if (!options_.packed) chunk.owners += std::to_string(id + i);
        // The exchanges of a shared connection are dealt out; the first account takes what is left
        // over.
        const std::uint32_t each = f.account_count == 0 ? 0 : f.exchanges / f.account_count;
        bool farm = false;
        for (std::size_t k = 0; k < f.account_count; ++k) {
            const std::uint32_t number = f.accounts[k];
            if (!options_.packed) chunk.owners += "," + std::to_string(roster_.row_of[number]);
            if (people_.accounts[number].farm == 0) continue;
            const std::uint32_t n = k == 0 ? f.exchanges - each * (f.account_count - 1u) : each;
            chunk.farm_exchanges += n;
            farm = true;
            chunk.uses += std::to_string(roster_.row_of[number]) + "," +
                          std::to_string(f.t_open_ns) + "," + std::to_string(n) + "\n";
        }
        chunk.farm_flows += farm;
        if (!options_.packed) chunk.owners += '\n';
    }
}

void Maker::account_events(std::size_t hour) {
    const std::int64_t until = static_cast<std::int64_t>(hour + 1) * kHourNs;
    for (; birth_at_ < births_.size() && births_[birth_at_].first < until; ++birth_at_)
        unsent_.push_back(connector_->signup(births_[birth_at_].second));
    for (; death_at_ < deaths_.size() && deaths_[death_at_].first < until; ++death_at_)
        unsent_.push_back(connector_->closed(deaths_[death_at_].second));
}

// Gateways number what they send in order; some is lost on the way, some comes twice, some late.
void Maker::send_records(std::int64_t until_ns) {
    const auto rest = std::partition(unsent_.begin(), unsent_.end(),
                                     [&](const Draft& d) { return d.sent_ns < until_ns; });
    std::sort(unsent_.begin(), rest, [](const Draft& a, const Draft& b) {
        const auto key = [](const Draft& d) {
            return std::tuple(d.sent_ns, d.account, d.record.client_port, d.signup);
        };
        return key(a) < key(b);
    });
    for (auto it = unsent_.begin(); it != rest; ++it) {
        it->record.seq = ++seq_[it->record.gateway_id];
        if (it->lost) continue;
        if (it->doubled) travelling_.push_back({it->sent_ns + it->delay_ns + 70'000'000, *it});
        travelling_.push_back({it->sent_ns + it->delay_ns, *it});
    }
    unsent_.erase(unsent_.begin(), rest);
}

void Maker::write_arrived(std::int64_t until_ns) {
    const auto rest = std::partition(travelling_.begin(), travelling_.end(),
                                     [&](const Arrival& a) { return a.at < until_ns; });
    std::sort(travelling_.begin(), rest, [](const Arrival& a, const Arrival& b) {
        const auto key = [](const Arrival& x) {
            return std::tuple(x.at, x.draft.record.gateway_id, x.draft.record.seq);
        };
        return key(a) < key(b);
    });
    std::vector<Draft> drafts;
    for (auto it = travelling_.begin(); it != rest; ++it) drafts.push_back(it->draft);
    travelling_.erase(travelling_.begin(), rest);
    counts_.records += drafts.size();
    const std::size_t chunks = (drafts.size() + kChunkEvents - 1) / kChunkEvents;
    std::vector<std::string> bytes(chunks);
    parallel_for(chunks, threads_, [&](std::size_t i) {
        const std::span<const Draft> part = std::span<const Draft>(drafts).subspan(
            i * kChunkEvents, std::min(kChunkEvents, drafts.size() - i * kChunkEvents));
        if (options_.packed)
            pack_records(part, roster_.row_of, tables_, bytes[i]);
        else
            record_lines(part, bytes[i]);
    });
    for (const std::string& part : bytes) records_.write(part);
}

void Maker::play_hour(std::size_t hour) {
    std::vector<Event>& events = hours_[hour % 24];
    std::sort(events.begin(), events.end(), earlier);
    const std::size_t count = (events.size() + kChunkEvents - 1) / kChunkEvents;
    std::vector<Chunk> chunks(count);
    parallel_for(count, threads_,
                 [&](std::size_t i) { expand(events, i * kChunkEvents, chunks[i]); });
    for (Chunk& chunk : chunks) {
        flows_.write(chunk.flows);
        if (!options_.packed) owners_.write(chunk.owners);
        uses_.write(chunk.uses);
        counts_.exchanges += chunk.exchanges;
        counts_.farm_flows += chunk.farm_flows;
        counts_.farm_exchanges += chunk.farm_exchanges;
        for (const Flow& f : chunk.piece.flows) {
            for (std::size_t k = 0; k < f.account_count; ++k) active_[f.accounts[k]] = 1;
        }
        unsent_.insert(unsent_.end(), chunk.piece.drafts.begin(), chunk.piece.drafts.end());
        chunk = Chunk();
    }
    counts_.flows += events.size();
    std::vector<Event>().swap(events);
    account_events(hour);
    const std::int64_t until =
        p_.world.start_epoch_s * kSecond + static_cast<std::int64_t>(hour + 1) * kHourNs;
    send_records(until);
    write_arrived(until);
}

void Maker::tell(std::size_t hour) {
    const auto now = std::chrono::steady_clock::now();
    if (!options_.progress || now - told_ < std::chrono::seconds(5)) return;
    told_ = now;
    std::fprintf(stderr, "  making the world: %3.0f %%, %.2f M connections after %.0f s\n",
                 100 * static_cast<double>(hour + 1) / (p_.world.days * 24),
                 static_cast<double>(counts_.flows) / 1e6,
                 std::chrono::duration<double>(now - start_).count());
}

Status Maker::finish() {
    send_records(INT64_MAX);
    write_arrived(INT64_MAX);
    for (const Account& a : people_.accounts) {
        const bool at_work = active_[static_cast<std::size_t>(&a - people_.accounts.data())] != 0;
        counts_.active += at_work;
        counts_.farm_active += at_work && a.farm != 0;
    }
    for (OutputFile* file : {&flows_, &records_, &uses_}) {
        if (Status s = file->close(); !s.ok()) return s;
    }
    if (!options_.packed) {
        if (Status s = owners_.close(); !s.ok()) return s;
    }
    const std::string base = options_.folder + "/";
    if (Status s =
            write_prefixes(base + "prefixes.csv", p_, places_, options_.seed, counts_.prefixes);
        !s.ok())
        return s;
    if (Status s = write_truth(base + "truth.jsonl", people_, operators_, *connector_, roster_,
                               active_, p_);
        !s.ok())
        return s;
    return write_summary(base + "world.json", p_, options_, counts_, people_, operators_, active_);
}

Status Maker::run(MakeCounts& counts) {
    settle();
    if (Status s = open_files(); !s.ok()) return s;
    const auto hours = static_cast<std::size_t>(std::ceil(p_.world.days * 24));
    for (std::size_t hour = 0; hour < hours; ++hour) {
        if (hour % 24 == 0) plan_day(hour / 24);
        play_hour(hour);
        tell(hour);
    }
    if (Status s = finish(); !s.ok()) return s;
    counts_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    counts = counts_;
    return {};
}

}  // namespace

Result<MakeCounts> make_world(const Parameters& parameters, const MakeOptions& options) {
    const LevelParameters* level = parameters.level(options.level);
    if (level == nullptr)
        return Status(Code::usage,
                      "level " + options.level + ": there are L1 L2 L3 L4 L5a L5b L5c");
    auto catalog = Catalog::make(parameters, options.seed);
    if (!catalog) return catalog.error();
    Maker maker(parameters, *level, *catalog, options);
    MakeCounts counts;
    if (Status s = maker.run(counts); !s.ok()) return s;
    return counts;
}

}  // namespace seine::world
