// Text of one JSON document.
#include "control/command/json_builder.h"

#include <charconv>
#include <cmath>

#include "dataplane/base/assert.h"
#include "dataplane/contract/json.h"

namespace seine::command {

void JsonBuilder::value() {
    if (comma_) out_.push_back(',');
    comma_ = true;
}

JsonBuilder& JsonBuilder::open(char first, char last) {
    value();
    out_.push_back(first);
    ends_.push_back(last);
    comma_ = false;
    return *this;
}

JsonBuilder& JsonBuilder::end() {
    SEINE_CHECK(!ends_.empty());
    out_.push_back(ends_.back());
    ends_.pop_back();
    comma_ = true;
    return *this;
}

JsonBuilder& JsonBuilder::key(std::string_view name) {
    text(name);
    out_.push_back(':');
    comma_ = false;
    return *this;
}

JsonBuilder& JsonBuilder::text(std::string_view text) {
    value();
    contract::append_json_text(out_, text);
    return *this;
}

JsonBuilder& JsonBuilder::raw(std::string_view json) {
    value();
    out_.append(json);
    return *this;
}

JsonBuilder& JsonBuilder::null() { return raw("null"); }
JsonBuilder& JsonBuilder::boolean(bool value) { return raw(value ? "true" : "false"); }
JsonBuilder& JsonBuilder::number(std::uint64_t value) { return raw(std::to_string(value)); }
JsonBuilder& JsonBuilder::whole(std::int64_t value) { return raw(std::to_string(value)); }

JsonBuilder& JsonBuilder::real(double value) {
    if (!std::isfinite(value)) return null();
    char digits[32];
    const auto done = std::to_chars(digits, digits + sizeof digits, value);
    return raw({digits, static_cast<std::size_t>(done.ptr - digits)});
}

std::string JsonBuilder::take() {
    SEINE_CHECK(ends_.empty());
    comma_ = false;
    return std::move(out_);
}

}  // namespace seine::command
