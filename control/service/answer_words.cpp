// Reading arguments.
#include "control/service/answer_words.h"

#include <charconv>

namespace seine::service {

Result<Nanos> since(const command::Arguments& arguments, Nanos now) {
    const std::string& text = arguments.text("since");
    if (text.empty()) return Nanos{};
    std::int64_t count = 0;
    const auto done = std::from_chars(text.data(), text.data() + text.size(), count);
    std::int64_t unit = 0;
    if (done.ec == std::errc() && done.ptr + 1 == text.data() + text.size()) {
        switch (*done.ptr) {
            case 's':
                unit = 1;
                break;
            case 'm':
                unit = 60;
                break;
            case 'h':
                unit = 3600;
                break;
            case 'd':
                unit = 86400;
                break;
            default:
                break;
        }
    }
    if (unit == 0 || count <= 0 || count > 1'000'000)
        return Status(Code::usage, "since takes a time like 90s, 10m, 2h or 7d");
    return now + -count * unit * kSecond;
}

Result<model::AccountTag> account_of(const command::Arguments& arguments, std::string_view name,
                                     const store::Store& store) {
    const std::string& text = arguments.text(name);
    model::AccountTag tag;
    if (model::from_text(text, tag)) return tag;
    if (text.size() < 4 || text.size() > 32 || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
        return Status(Code::usage, std::string(name) +
                                       " takes the tag of an account: 32 hex digits, or its first 4 or more; "
                                       "seinectl account list prints them");
    }
    store::AccountQuery query;
    query.beginning = text;
    query.limit = 2;
    const auto found = store.accounts(query);
    if (!found) return found.error();
    if (found->empty()) return Status(Code::not_found, "no account whose tag begins with " + text + " was seen");
    if (found->size() > 1) return Status(Code::usage, "more than one account's tag begins with " + text + "; type more of it");
    return found->front().account;
}

Result<std::uint64_t> farm_of(const command::Arguments& arguments, std::string_view name) {
    std::string text = arguments.text(name);
    if (text.compare(0, 2, "F-") == 0 || text.compare(0, 2, "f-") == 0) text.erase(0, 2);
    std::uint64_t id = 0;
    const auto done = std::from_chars(text.data(), text.data() + text.size(), id);
    if (done.ec != std::errc() || done.ptr != text.data() + text.size())
        return Status(Code::usage, "farm takes an id as seinectl farm list prints it: F-12");
    return id;
}

std::string farm_text(std::uint64_t id) { return "F-" + std::to_string(id); }

Result<contract::FlowId> flow_id_of(const std::string& text) {
    contract::FlowId id;
    std::uint64_t parts[3] = {};
    const char* at = text.data();
    const char* const end = at + text.size();
    bool sound = true;
    for (int i = 0; i < 3 && sound; ++i) {
        const auto done = std::from_chars(at, end, parts[i]);
        sound = done.ec == std::errc() && (i == 2 ? done.ptr == end : done.ptr != end && *done.ptr == '-');
        at = done.ptr + (i == 2 ? 0 : 1);
    }
    if (!sound || parts[0] > 0xffff || parts[1] > 0xffffffff)
        return Status(Code::usage, "a flow is named DATAPLANE-EPOCH-COUNTER, as seinectl flow list prints it");
    id.dataplane = static_cast<std::uint16_t>(parts[0]);
    id.epoch = static_cast<std::uint32_t>(parts[1]);
    id.counter = parts[2];
    return id;
}

Result<Days> days_of(const command::Arguments& arguments, Nanos now) {
    const auto count = arguments.number("days", 7, 1, 3660);
    if (!count) return count.error();
    Days days;
    days.last = static_cast<std::uint32_t>(now.count / (86400 * kSecond));
    days.first = days.last - static_cast<std::uint32_t>(*count) + 1;
    return days;
}

}  // namespace seine::service
