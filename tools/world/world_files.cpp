#include "tools/world/world_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <numeric>

#include "tools/world/lines.h"

namespace seine::world {
namespace {

std::string name_or_null(const std::string& name) {
    return name.empty() ? "null" : '"' + name + '"';
}
std::string tag_text(const std::array<std::uint8_t, 16>& tag) {
    std::string out;
    put_tag(out, tag);
    return out;
}

}  // namespace

OutputFile::~OutputFile() {
    if (file_ != nullptr) std::fclose(file_);
}

Status OutputFile::open(const std::string& path) {
    path_ = path;
    file_ = std::fopen(path.c_str(), "wb");
    if (file_ == nullptr) return failed(path + ": cannot be written: " + std::strerror(errno));
    return {};
}

void OutputFile::write(const std::string& bytes) {
    if (error_ == 0 && std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size())
        error_ = errno;
}

Status OutputFile::close() {
    if (std::fclose(file_) != 0 && error_ == 0) error_ = errno;
    file_ = nullptr;
    if (error_ != 0)
        return failed(path_ + ": cannot be written to its end: " + std::strerror(error_));
    return {};
}

Roster roster_of(const People& people, const Connector& connector) {
    const std::size_t n = people.accounts.size();
    std::vector<std::array<std::uint8_t, 16>> tags(n);
    for (std::uint32_t i = 0; i < n; ++i) tags[i] = connector.account_tag(i);
    Roster out;
    out.account.resize(n);
    std::iota(out.account.begin(), out.account.end(), 0u);
    std::sort(out.account.begin(), out.account.end(),
              [&](std::uint32_t a, std::uint32_t b) { return tags[a] < tags[b]; });
    out.row_of.resize(n);
    for (std::uint32_t row = 0; row < n; ++row) {
        const std::uint32_t number = out.account[row];
        out.row_of[number] = row;
        // A record as it would be before and after the key rotation says all of it.
        const contract::AccountRecord before = connector.signup(number).record;
        RosterRow who;
        who.account_tag = tags[number];
        who.org_tag = before.org_tag;
        who.key_tag[0] = key_of(people.accounts[number].key, 1, 0x4e9);
        who.key_tag[1] = key_of(people.accounts[number].key, 2, 0x4e9);
        who.first_seen_day = before.first_seen_day;
        who.tier = before.tier;
        who.trust = before.trust;
        who.declared = people.accounts[number].declared;
        out.rows.push_back(who);
    }
    return out;
}

Status write_prefixes(const std::string& path, const Parameters& p, const Places& places,
                      std::uint64_t seed, std::uint64_t& count) {
    OutputFile file;
    if (Status s = file.open(path); !s.ok()) return s;
    std::string text = "prefix,asn,class\n";
    count = 0;
    for (const Places::Prefix& prefix : places.prefixes()) {
        const Network& network = places.networks()[prefix.network];
        Draw draw(key_of(seed, load_le64(prefix.address.data()),
                         load_le64(prefix.address.data() + 8), 0x9e));
        if (!draw.chance(p.prefixes.listed)) continue;
        auto kind = static_cast<std::size_t>(network.kind);
        if (draw.chance(p.prefixes.wrong)) kind = draw.below(kClasses);
        // Readers know no satellite class.
        const std::string name =
            kind == static_cast<std::size_t>(Class::satellite) ? "unknown" : kClassNames[kind];
        text += model::to_text(prefix.address) + "/" + std::to_string(prefix.bits) + "," +
                std::to_string(network.asn) + "," + name + "\n";
        ++count;
    }
    file.write(text);
    return file.close();
}

Status write_truth(const std::string& path, const People& people, const Operators& operators,
                   const Connector& connector, const Roster& roster,
                   const std::vector<std::uint8_t>& active, const Parameters& p) {
    OutputFile file;
    if (Status s = file.open(path); !s.ok()) return s;
    for (const std::uint32_t number : roster.account) {
        const Account& a = people.accounts[number];
        const Operator* op = a.farm == 0 ? nullptr : &operators.all()[a.farm - 1u];
        std::string line = R"({"account_tag":")" + tag_text(connector.account_tag(number)) +
                           R"(","farm":)" + name_or_null(op ? op->name : "") + R"(,"campaign":)" +
                           name_or_null(op ? op->campaign : "") + R"(,"level":)" +
                           name_or_null(op ? operators.level().name : "") + R"(,"confounder":)" +
                           name_or_null(kConfounderNames[static_cast<std::size_t>(a.confounder)]) +
                           R"(,"org_tag":")" + tag_text(connector.org_tag(a.org)) +
                           R"(","active":)" + (active[number] != 0 ? "true" : "false") +
                           R"(,"replaces":)";
        line +=
            a.replaces == kNone ? "null" : '"' + tag_text(connector.account_tag(a.replaces)) + '"';
        line += R"(,"closed_ns":)";
        line += a.closed_s == kNever ? "null"
                                     : std::to_string(p.world.start_epoch_s * kSecond +
                                                      static_cast<std::int64_t>(a.closed_s * 1e9));
        file.write(line + "}\n");
    }
    return file.close();
}

Status write_summary(const std::string& path, const Parameters& p, const MakeOptions& options,
                     const MakeCounts& counts, const People& people, const Operators& operators,
                     const std::vector<std::uint8_t>& active) {
    OutputFile file;
    if (Status s = file.open(path); !s.ok()) return s;
    std::map<std::string, std::uint64_t> confounders;
    for (const Account& a : people.accounts) {
        if (a.farm == 0)
            ++confounders[a.confounder == Confounder::none
                              ? "none"
                              : kConfounderNames[static_cast<std::size_t>(a.confounder)]];
    }
    const auto n = [](std::uint64_t value) { return std::to_string(value); };
    char days[32];
    std::snprintf(days, sizeof days, "%.6g", p.world.days);
    const std::int64_t start = p.world.start_epoch_s * kSecond;
    std::string text =
        R"({"generator":"seine-generate","level":)" +
        name_or_null(options.farms ? options.level : "none") + R"(,"seed":)" + n(options.seed) +
        R"(,"accounts_asked":)" + std::to_string(p.world.accounts) + R"(,"days":)" + days +
        R"(,"start_ns":)" + std::to_string(start) + R"(,"end_ns":)" +
        std::to_string(start + static_cast<std::int64_t>(p.world.days * 86400e9)) +
        R"(,"counts":{"accounts":)" + n(counts.accounts) + R"(,"benign":)" +
        n(counts.accounts - counts.farm_accounts) + R"(,"farm":)" + n(counts.farm_accounts) +
        R"(,"active":)" + n(counts.active) + R"(,"benign_active":)" +
        n(counts.active - counts.farm_active) + R"(,"farm_active":)" + n(counts.farm_active) +
        R"(,"flows":)" + n(counts.flows) + R"(,"farm_flows":)" + n(counts.farm_flows) +
        R"(,"exchanges":)" + n(counts.exchanges) + R"(,"farm_exchanges":)" +
        n(counts.farm_exchanges) + R"(,"account_records":)" + n(counts.records) +
        R"(,"prefixes":)" + n(counts.prefixes) + R"(},"campaigns":[)";
    for (const Operator& op : operators.all()) {
        std::uint64_t at_work = 0;
        for (const std::uint32_t member : op.members) at_work += active[member] != 0;
        if (text.back() == '}') text += ',';
        text += R"({"campaign":")" + op.campaign + R"(","farm":")" + op.name + R"(","accounts":)" +
                n(op.members.size()) + R"(,"active":)" + n(at_work) + "}";
    }
    text += R"(],"confounders":{)";
    for (const auto& [name, count] : confounders)
        text += (text.back() == '{' ? "\"" : ",\"") + name + "\":" + n(count);
    file.write(text + "}}\n");
    return file.close();
}

}  // namespace seine::world
