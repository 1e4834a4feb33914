#include "dataplane/signature/field.h"

#include <algorithm>
#include <vector>

namespace seine::signature {
namespace {

constexpr FieldInfo kInfos[] = {
#define SEINE_X(id, name, kind, group, meaning) {name, FieldKind::kind, Group::group, meaning},
    SEINE_SIGNATURE_FIELDS(SEINE_X)
#undef SEINE_X
};
constexpr std::string_view kHeaderPrefix = "http.header.";

bool is_header_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > kHeaderNameBytesMax) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

// Edit distance, at most `most`; more is reported as most + 1.
std::size_t distance(std::string_view a, std::string_view b, std::size_t most) {
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
        }
        above.swap(row);
    }
    return std::min(above[b.size()], most + 1);
}

}  // namespace

std::string_view name_of(Group group) noexcept {
    constexpr std::string_view kNames[] = {"flow", "tcp client", "tcp server", "proxied", "tls client",
                                           "tls server", "certificate", "http", "http headers", "http2",
                                           "body", "response body", "ssh client", "ssh server"};
    static_assert(sizeof kNames / sizeof kNames[0] == static_cast<std::size_t>(Group::count_));
    return kNames[static_cast<unsigned>(group)];
}

const FieldInfo& info(Field field) noexcept { return kInfos[static_cast<std::size_t>(field)]; }

bool find_field(std::string_view name, FieldRef& out) {
    if (name.substr(0, kHeaderPrefix.size()) == kHeaderPrefix) {
        const std::string_view header = name.substr(kHeaderPrefix.size());
        if (!is_header_name(header)) return false;
        // One field, one name: what has a field of its own is that field.
        if (header == "user-agent") out = {Field::http_user_agent, {}};
        else if (header == "host") out = {Field::http_host, {}};
        else out = {Field::http_header, std::string(header)};
        return true;
    }
    for (std::size_t i = 0; i < kFieldCount; ++i) {
        if (kInfos[i].name != name || static_cast<Field>(i) == Field::http_header) continue;
        out = {static_cast<Field>(i), {}};
        return true;
    }
    return false;
}

std::string name_of(const FieldRef& ref) {
    std::string out(info(ref.field).name);
    if (ref.field == Field::http_header) out += "." + ref.header;
    return out;
}

std::string nearest_field(std::string_view wrong) {
    std::size_t best = std::min<std::size_t>(wrong.size() / 3 + 1, 4);
    std::string found;
    for (const FieldInfo& one : kInfos) {
        const std::size_t away = distance(wrong, one.name, best);
        if (away > best) continue;
        found = one.name;
        best = away == 0 ? 0 : away - 1;
    }
    return found;
}

}  // namespace seine::signature
