// Readers of each flat syntax, written from its specification and sharing nothing with the writers.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seine::tests {

struct Record {
    std::vector<std::string> header;
    std::map<std::string, std::string> values;
};

// Strict: nullopt for anything that the specification does not allow, such as a key that comes
// twice.
std::optional<Record> read_cef(std::string_view line);
std::optional<Record> read_leef(std::string_view line);
// RFC 5424 STRUCTURED-DATA and MSG: header[0] is the SD-ID, header[1] the MSG.
std::optional<Record> read_structured_data(std::string_view line);
// Whether `text` is one whole JSON value (RFC 8259) in valid UTF-8 with no key twice in an object.
bool is_json(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace seine::tests
