// Tab-separated lines into a map.
#include "control/service/dictionary.h"

#include <algorithm>
#include <array>

#include "control/service/value_fields.h"

namespace seine::service {
namespace {

using Columns = std::array<std::string, 5>;

bool split(std::string_view line, Columns& out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t end = std::min(line.find('\t'), line.size());
        out[i] = line.substr(0, end);
        if (end == line.size()) return i + 1 == out.size();
        line.remove_prefix(end + 1);
    }
    return false;
}

std::string line_of(const std::string& field, const std::string& value, const KnownClient& client) {
    std::string line = field;
    for (const std::string* part : {&value, &client.name, &client.remark, &client.source}) {
        line.push_back('\t');
        for (const char c : *part) line.push_back(c == '\t' || c == '\n' ? ' ' : c);
    }
    return line;
}

}  // namespace

bool Dictionary::add(const std::string& field, const std::string& value, const KnownClient& client) {
    const std::uint16_t number = field_number(field);
    if (number == 0 || value.empty() || client.name.empty()) return false;
    auto& list = clients_[{number, value}];
    const bool there = std::any_of(list.begin(), list.end(), [&client](const KnownClient& each) {
        return each.name == client.name && each.remark == client.remark;
    });
    if (!there) list.push_back(client);
    return true;
}

std::size_t Dictionary::add_lines(std::string_view lines) {
    const std::lock_guard lock(mutex_);
    for (std::size_t number = 1; !lines.empty(); ++number) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        if (line.empty() || line.front() == '#') continue;
        Columns columns;
        if (!split(line, columns) || !add(columns[0], columns[1], {columns[2], columns[3], columns[4]})) return number;
    }
    return 0;
}

Status Dictionary::load(const store::Store& store) {
    const auto documents = store.kept_all(kRoom);
    if (!documents) return documents.error();
    for (const store::Document& document : *documents) static_cast<void>(add_lines(document.value));
    return {};
}

Status Dictionary::learn(store::Store& store, const std::string& field, const std::string& value,
                         const KnownClient& client, bool& added) {
    added = false;
    const std::uint16_t number = field_number(field);
    if (number == 0) return {Code::usage, field + " is no field of a record"};
    for (const KnownClient& each : known(number, value)) {
        if (each.name == client.name && each.remark == client.remark) return {};
    }
    const std::string line = line_of(field, value, client);
    const Status status = store.keep({kRoom, field + " " + value + " " + client.name + " " + client.remark, line});
    if (!status.ok()) return status;
    added = true;
    static_cast<void>(add_lines(line));
    return {};
}

std::vector<KnownClient> Dictionary::known(std::uint16_t field, std::string_view value) const {
    const std::lock_guard lock(mutex_);
    const auto found = clients_.find(std::pair(field, std::string(value)));
    return found == clients_.end() ? std::vector<KnownClient>() : found->second;
}

std::string Dictionary::name_of(std::uint16_t field, std::string_view value) const {
    std::vector<std::string> names;
    for (const KnownClient& client : known(field, value)) {
        if (std::find(names.begin(), names.end(), client.name) == names.end()) names.push_back(client.name);
    }
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < kNamesShown; ++i) out += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > kNamesShown) out += ", " + std::to_string(names.size() - kNamesShown) + " more";
    return out;
}

std::string Dictionary::name_of(const contract::RecordView& flow) const {
    for (const std::uint16_t field : fingerprint_fields()) {
        if (field == 0 || field > contract::kFieldCount) continue;
        const std::string_view text = flow.text(static_cast<contract::Field>(field));
        if (text.empty()) continue;
        std::string name = name_of(field, text);
        if (!name.empty()) return name;
    }
    return {};
}

std::size_t Dictionary::values() const {
    const std::lock_guard lock(mutex_);
    return clients_.size();
}

}  // namespace seine::service
