// Longest-prefix lookup over hash tables, one for each length in use.
#include "control/detect/prefix_table.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "control/detect/mmdb.h"
#include "dataplane/base/hash.h"

namespace seine::detect {
namespace {

constexpr std::array<std::string_view, kNetClasses> kNames = {
    "unknown", "residential", "mobile", "hosting", "corporate", "education", "vpn", "ci"};

bool read_class(std::string_view text, NetClass& out) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (text == kNames[i]) {
            out = static_cast<NetClass>(i);
            return true;
        }
    }
    return false;
}

struct NetworkRow {
    model::Address prefix{};
    unsigned bits = 0;
    Network network;
};

bool read_row(std::string_view line, NetworkRow& row) {
    const std::size_t first = line.find(',');
    const std::size_t second = line.find(',', first == line.npos ? first : first + 1);
    if (first == line.npos || second == line.npos) return false;
    const std::string_view net = line.substr(0, first);
    const std::size_t slash = net.find('/');
    if (slash == net.npos || !model::from_text(net.substr(0, slash), row.prefix)) return false;
    const std::string_view length = net.substr(slash + 1);
    const auto bits = std::from_chars(length.data(), length.data() + length.size(), row.bits);
    const bool v4 = model::is_v4(row.prefix);
    if (bits.ec != std::errc{} || bits.ptr != length.data() + length.size()) return false;
    if (row.bits > (v4 ? 32u : 128u)) return false;
    if (v4) row.bits += 96;
    const std::string_view asn = line.substr(first + 1, second - first - 1);
    const auto number = std::from_chars(asn.data(), asn.data() + asn.size(), row.network.asn);
    if (number.ec != std::errc{} || number.ptr != asn.data() + asn.size()) return false;
    return read_class(line.substr(second + 1), row.network.net);
}

// The words of the usual databases for who is behind an address; others say nothing.
NetClass class_of_user(std::string_view user) noexcept {
    struct Word {
        std::string_view user;
        NetClass net;
    };
    static constexpr Word kWords[] = {
        {"residential", NetClass::residential},
        {"traveler", NetClass::residential},
        {"Cable/DSL", NetClass::residential},
        {"Dialup", NetClass::residential},
        {"cellular", NetClass::mobile},
        {"Cellular", NetClass::mobile},
        {"mobile", NetClass::mobile},
        {"hosting", NetClass::hosting},
        {"content_delivery_network", NetClass::hosting},
        {"business", NetClass::corporate},
        {"government", NetClass::corporate},
        {"military", NetClass::corporate},
        {"Corporate", NetClass::corporate},
        {"corporate", NetClass::corporate},
        {"college", NetClass::education},
        {"school", NetClass::education},
        {"library", NetClass::education},
        {"education", NetClass::education},
        {"consumer_privacy_network", NetClass::vpn},
        {"vpn", NetClass::vpn},
        {"ci", NetClass::ci},
    };
    for (const Word& word : kWords) {
        if (word.user == user) return word.net;
    }
    return NetClass::unknown;
}

}  // namespace

std::string_view name_of(NetClass net) noexcept { return kNames[static_cast<std::size_t>(net)]; }

std::size_t PrefixTable::KeyHash::operator()(const Key& key) const noexcept {
    return hash64(ByteView(key.prefix.data(), key.prefix.size()), 0x7ab1e);
}

void PrefixTable::add(const model::Address& prefix, unsigned bits, Network network) {
    auto& table = by_length_[bits];
    if (table.empty()) {
        lengths_.push_back(static_cast<std::uint8_t>(bits));
        std::sort(lengths_.rbegin(), lengths_.rend());
    }
    count_ += table.insert_or_assign(Key{model::prefix_of(prefix, bits)}, network).second ? 1 : 0;
}

Network PrefixTable::lookup(const model::Address& address) const noexcept {
    Network out;
    for (const std::uint8_t bits : lengths_) {
        const auto at = by_length_[bits].find(Key{model::prefix_of(address, bits)});
        if (at == by_length_[bits].end()) continue;
        out = at->second;
        break;
    }
    for (const auto& file : files_) {
        if (out.asn != 0 && out.net != NetClass::unknown) break;
        const MmdbFile::Entry entry = file->lookup(address);
        if (out.asn == 0) out.asn = entry.asn;
        if (out.net == NetClass::unknown) out.net = class_of_user(entry.user);
    }
    return out;
}

Status PrefixTable::load(const std::string& paths) {
    PrefixTable fresh;
    for (std::size_t at = 0; at <= paths.size();) {
        const std::size_t end = std::min(paths.find(',', at), paths.size());
        std::string path = paths.substr(at, end - at);
        at = end + 1;
        path.erase(0, path.find_first_not_of(' '));
        if (path.ends_with(".mmdb")) {
            auto file = MmdbFile::open(path);
            if (!file) return file.error();
            fresh.files_.push_back(std::move(*file));
        } else if (Status status = fresh.load_csv(path); !status.ok()) {
            return status;
        }
    }
    *this = std::move(fresh);
    return {};
}

Status PrefixTable::read_csv(std::string_view text, const std::string& source) {
    std::vector<NetworkRow> rows;
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text = end == text.npos ? std::string_view{} : text.substr(end + 1);
        ++number;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty() || line.front() == '#' || (number == 1 && line.starts_with("prefix,"))) {
            continue;
        }
        NetworkRow row;
        if (!read_row(line, row)) {
            return failed(source + ":" + std::to_string(number) +
                          ": not prefix,asn,class (as 192.0.2.0/24,64496,hosting)");
        }
        rows.push_back(row);
    }
    for (const NetworkRow& row : rows) add(row.prefix, row.bits, row.network);
    return {};
}

Status PrefixTable::load_csv(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return failed(path + ": cannot be read; name a file of prefix,asn,class lines");
    std::ostringstream text;
    text << file.rdbuf();
    return read_csv(text.view(), path);
}

}  // namespace seine::detect
