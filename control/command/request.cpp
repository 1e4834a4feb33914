// Requests and failures to and from their packets.
#include "control/command/request.h"

#include <charconv>

#include "control/command/json_builder.h"
#include "control/command/json_value.h"

namespace seine::command {
namespace {

using Type = JsonValue::Type;

Status refuse(const char* what) {
    return {Code::usage, std::string("the request is not understood: ") + what +
                             "; are seinectl and seine-control of one release?"};
}

bool read_values(const JsonValue& value, std::vector<std::string>& out) {
    if (value.is(Type::boolean)) return value.boolean();
    if (value.is(Type::text)) {
        out.push_back(value.text());
        return true;
    }
    if (!value.is(Type::array)) return false;
    for (const JsonValue& item : value.items()) {
        if (!item.is(Type::text)) return false;
        out.push_back(item.text());
    }
    return true;
}

}  // namespace

const std::string& Arguments::text(std::string_view name) const {
    static const std::string kNone;
    const auto& values = texts(name);
    return values.empty() ? kNone : values.front();
}

const std::vector<std::string>& Arguments::texts(std::string_view name) const {
    static const std::vector<std::string> kNone;
    const auto found = given_.find(name);
    return found == given_.end() ? kNone : found->second;
}

Result<std::uint64_t> Arguments::number(std::string_view name, std::uint64_t absent,
                                        std::uint64_t least, std::uint64_t most) const {
    if (!has(name)) return absent;
    const std::string& given = text(name);
    std::uint64_t value = 0;
    const auto done = std::from_chars(given.data(), given.data() + given.size(), value);
    if (done.ec == std::errc() && done.ptr == given.data() + given.size() && value >= least &&
        value <= most) {
        return value;
    }
    return Status(Code::usage, std::string(name) + " takes a whole number from " +
                                   std::to_string(least) + " to " + std::to_string(most));
}

std::string to_json(const Request& request) {
    JsonBuilder json;
    json.object().field("noun", request.noun).field("verb", request.verb);
    json.key("arguments").object();
    for (const auto& [name, values] : request.arguments.all()) {
        json.key(name);
        if (values.empty()) {
            json.boolean(true);
        } else if (values.size() == 1) {
            json.text(values.front());
        } else {
            json.array();
            for (const std::string& value : values) json.text(value);
            json.end();
        }
    }
    json.end().end();
    return json.take();
}

Result<Request> read_request(std::string_view text) {
    const auto json = JsonValue::parse(text);
    if (!json || !json->is(Type::object)) return refuse("not a JSON object");
    Request request;
    for (const auto& [name, value] : json->members()) {
        if (name == "noun" && value.is(Type::text)) {
            request.noun = value.text();
        } else if (name == "verb" && value.is(Type::text)) {
            request.verb = value.text();
        } else if (name == "arguments" && value.is(Type::object)) {
            for (const auto& [argument, given] : value.members()) {
                std::vector<std::string> values;
                if (!read_values(given, values)) return refuse("an argument of another kind");
                request.arguments.set_list(argument, std::move(values));
            }
        } else {
            return refuse("a member of another name or kind");
        }
    }
    if (request.noun.empty()) return refuse("no noun");
    return request;
}

std::string encode_failure(const Status& status) {
    std::string body(1, static_cast<char>(status.code()));
    for (const char c : status.message()) body.push_back(c == '\n' ? ' ' : c);
    return body;
}

Status decode_failure(std::string_view body) {
    const unsigned code = body.empty() ? 0 : static_cast<unsigned char>(body.front());
    const bool known = code > static_cast<unsigned>(Code::ok) && code <= static_cast<unsigned>(Code::full);
    return {known ? static_cast<Code>(code) : Code::failed,
            std::string(body.substr(body.empty() ? 0 : 1))};
}

}  // namespace seine::command
