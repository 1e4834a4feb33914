#include "dataplane/signature/list_file.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace seine::signature {
namespace {

using Address = std::array<std::uint8_t, 16>;

bool parse_v4(std::string_view text, Address& out) noexcept {
    out = {};
    out[10] = out[11] = 0xff;
    for (unsigned i = 0; i < 4; ++i) {
        unsigned value = 256;
        const auto done = std::from_chars(text.data(), text.data() + text.size(), value);
        if (done.ec != std::errc() || value > 255 || done.ptr - text.data() > 3) return false;
        text.remove_prefix(static_cast<std::size_t>(done.ptr - text.data()));
        out[12 + i] = static_cast<std::uint8_t>(value);
        if (i == 3) return text.empty();
        if (text.empty() || text.front() != '.') return false;
        text.remove_prefix(1);
    }
    return false;
}

// RFC 4291 section 2.2, without zones.
bool parse_v6(std::string_view text, Address& out) noexcept {
    out = {};
    unsigned count = 0;
    int gap = -1;
    std::array<std::uint16_t, 8> words{};
    if (text.substr(0, 2) == "::") {
        gap = 0;
        text.remove_prefix(2);
    }
    while (!text.empty()) {
        if (count == 8) return false;
        Address tail{};
        if (text.find(':') == std::string_view::npos && text.find('.') != std::string_view::npos) {
            if (count > 6 || !parse_v4(text, tail)) return false;
            words[count++] = static_cast<std::uint16_t>(tail[12] << 8 | tail[13]);
            words[count++] = static_cast<std::uint16_t>(tail[14] << 8 | tail[15]);
            break;
        }
        std::uint16_t word = 0;
        const auto done = std::from_chars(text.data(), text.data() + text.size(), word, 16);
        const auto used = static_cast<std::size_t>(done.ptr - text.data());
        if (done.ec != std::errc() || used == 0 || used > 4) return false;
        text.remove_prefix(used);
        words[count++] = word;
        if (text.empty()) break;
        if (text.front() != ':') return false;
        text.remove_prefix(1);
        if (text.empty()) return false;
        if (text.front() == ':') {
            if (gap >= 0) return false;
            gap = static_cast<int>(count);
            text.remove_prefix(1);
        }
    }
    if (gap < 0 ? count != 8 : count > 7) return false;
    const unsigned missing = 8 - count;
    for (unsigned i = 0; i < count; ++i) {
        const unsigned at = gap >= 0 && i >= static_cast<unsigned>(gap) ? i + missing : i;
        out[2 * at] = static_cast<std::uint8_t>(words[i] >> 8);
        out[2 * at + 1] = static_cast<std::uint8_t>(words[i]);
    }
    return true;
}

Address masked(const Address& address, unsigned bits, bool ones) noexcept {
    Address out = address;
    for (unsigned i = 0; i < 16; ++i) {
        const unsigned kept = bits >= (i + 1) * 8 ? 8 : bits <= i * 8 ? 0 : bits - i * 8;
        const auto mask = static_cast<std::uint8_t>(0xff00u >> kept);
        out[i] = static_cast<std::uint8_t>((out[i] & mask) | (ones ? static_cast<std::uint8_t>(~mask) : 0));
    }
    return out;
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

bool parse_address(std::string_view text, Address& out) noexcept {
    return text.find(':') == std::string_view::npos ? parse_v4(text, out) : parse_v6(text, out);
}

bool parse_network(std::string_view text, Network& out) noexcept {
    const std::size_t slash = text.find('/');
    if (!parse_address(text.substr(0, slash), out.address)) return false;
    const bool v4 = text.find(':') == std::string_view::npos;
    unsigned bits = v4 ? 32 : 128;
    if (slash != std::string_view::npos) {
        const std::string_view length = text.substr(slash + 1);
        unsigned given = 129;
        const auto done = std::from_chars(length.data(), length.data() + length.size(), given);
        if (done.ec != std::errc() || done.ptr != length.data() + length.size() || given > bits) return false;
        bits = given;
    }
    out.bits = static_cast<std::uint8_t>(v4 ? bits + 96 : bits);
    return masked(out.address, out.bits, false) == out.address;
}

bool contains(const Network& network, const Address& address) noexcept {
    return masked(address, network.bits, false) == network.address;
}

void ListFile::add(std::string_view entry, const Place& place, Problems& problems) {
    if (entry.size() > kListEntryBytesMax) {
        problems.add(place, "an entry of " + std::to_string(entry.size()) + " bytes; " +
                                std::to_string(kListEntryBytesMax) + " at most");
        return;
    }
    if (kind_ == FieldKind::address) {
        Network network;
        if (!parse_network(entry, network)) {
            problems.add(place, "`" + std::string(entry.substr(0, 64)) +
                                    "` is no network; write 203.0.113.0/24 or 2001:db8::/32 with zero host bits");
            return;
        }
        ranges_.push_back({network.address, masked(network.address, network.bits, true)});
        return;
    }
    const std::string text = kind_ == FieldKind::name ? lower(entry) : std::string(entry);
    const bool wild = text.find('*') != std::string::npos;
    if (!wild) {
        exact_.push_back(text);
    } else if (kind_ == FieldKind::name && text.substr(0, 2) == "*." && text.find('*', 1) == std::string::npos) {
        below_.push_back(text.substr(2));
    } else {
        problems.add(place, "`" + text.substr(0, 64) + "`: a list takes whole values, and of names `*.example.com`; "
                            "other wildcards belong into a rule (glob = ..)");
    }
}

void ListFile::sort() {
    for (auto* texts : {&exact_, &below_}) {
        std::sort(texts->begin(), texts->end());
        texts->erase(std::unique(texts->begin(), texts->end()), texts->end());
        texts->shrink_to_fit();
    }
    std::sort(ranges_.begin(), ranges_.end(),
              [](const Range& a, const Range& b) { return a.first < b.first; });
    std::vector<Range> joined;
    for (const Range& range : ranges_) {
        if (!joined.empty() && range.first <= joined.back().last) {
            joined.back().last = std::max(joined.back().last, range.last);
        } else {
            joined.push_back(range);
        }
    }
    ranges_ = std::move(joined);
}

ListFile ListFile::parse(const std::string& path, std::string_view text, FieldKind kind,
                         Problems& problems) {
    ListFile out;
    out.path_ = path;
    out.kind_ = kind;
    std::uint32_t line_number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line_number;
        const Place place{path, line_number, 1};
        if (line_number == 1 && line.substr(0, 3) == "\xef\xbb\xbf") line.remove_prefix(3);
        if (line.substr(0, 1) == "#") continue;
        const std::size_t remark = std::min(line.find(" #"), line.find("\t#"));
        line = trimmed(line.substr(0, std::min(remark, line.size())));
        if (line.empty()) continue;
        if (line.find('\0') != std::string_view::npos) {
            problems.add(place, "a zero byte; a list is text, one entry a line");
            continue;
        }
        if (out.size() == kListEntriesMax) {
            problems.add(place, "more than " + std::to_string(kListEntriesMax) + " entries");
            break;
        }
        out.add(line, place, problems);
    }
    out.sort();
    return out;
}

ListFile ListFile::read(const std::string& path, FieldKind kind, const Place& asked_from,
                        Problems& problems) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    if (error || !std::filesystem::is_regular_file(path, error)) {
        problems.add(asked_from, path + ": no such list; put it there, one entry a line, or name another");
        return {};
    }
    if (bytes > kListBytesMax) {
        problems.add(asked_from, path + ": " + std::to_string(bytes) + " bytes; " +
                                     std::to_string(kListBytesMax) + " at most: split it");
        return {};
    }
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        problems.add(asked_from, path + ": cannot be read; check its permissions");
        return {};
    }
    ListFile out = parse(path, text.str(), kind, problems);
    if (out.size() == 0) problems.add({path, 1, 0}, "no entry; a list that matches nothing is a mistake");
    return out;
}

ListFile ListFile::of(std::string path, FieldKind kind, std::vector<std::string> exact, std::vector<std::string> below,
                      std::vector<Range> ranges) {
    ListFile out;
    out.path_ = std::move(path);
    out.kind_ = kind;
    out.exact_ = std::move(exact);
    out.below_ = std::move(below);
    out.ranges_ = std::move(ranges);
    out.sort();
    return out;
}

bool ListFile::contains(const Address& address) const noexcept {
    auto at = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                               [](const Address& a, const Range& r) { return a < r.first; });
    return at != ranges_.begin() && address <= std::prev(at)->last;
}

bool ListFile::contains(std::string_view value) const {
    if (kind_ == FieldKind::address) {
        Address address;
        return parse_address(value, address) && contains(address);
    }
    if (kind_ != FieldKind::name)
        return std::binary_search(exact_.begin(), exact_.end(), value, std::less<>());
    const std::string name = lower(value);
    if (std::binary_search(exact_.begin(), exact_.end(), name)) return true;
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
        if (std::binary_search(below_.begin(), below_.end(), std::string_view(name).substr(dot + 1), std::less<>()))
            return true;
    return false;
}

}  // namespace seine::signature
