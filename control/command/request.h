// What seinectl asks of control: noun, verb and arguments, as one JSON object in one packet.
//
//   {"noun":"flow","verb":"list","arguments":{"limit":"20","ja4":"t13d..","closed":true}}
//
// An argument is named as the option or positional that it came from (control/cli); its value is a
// text, true for an option without a value, or a list of texts for one that repeats.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::command {

class JsonValue;

// Who may do what: readers ask, operators also change.
enum class Role : std::uint8_t { reader = 1, operating = 2 };

struct Peer {
    std::uint32_t process = 0;
    std::uint32_t user = 0;
    Role role = Role::reader;
};

class Arguments {
  public:
    void set(std::string_view name, std::string value) { given_[std::string(name)] = {std::move(value)}; }
    void set_flag(std::string_view name) { given_[std::string(name)] = {}; }
    void set_list(std::string_view name, std::vector<std::string> values) {
        given_[std::string(name)] = std::move(values);
    }
    [[nodiscard]] bool has(std::string_view name) const { return given_.find(name) != given_.end(); }
    // The first value; empty when it was not given.
    [[nodiscard]] const std::string& text(std::string_view name) const;
    [[nodiscard]] const std::vector<std::string>& texts(std::string_view name) const;
    // A whole number from `least` to `most`; Code::usage names the argument otherwise.
    [[nodiscard]] Result<std::uint64_t> number(std::string_view name, std::uint64_t absent,
                                               std::uint64_t least, std::uint64_t most) const;
    [[nodiscard]] const auto& all() const noexcept { return given_; }

  private:
    std::map<std::string, std::vector<std::string>, std::less<>> given_;
};

struct Request {
    Peer peer;  // set by the server from the socket, never by the asker
    std::string noun;
    std::string verb;
    Arguments arguments;
};

std::string to_json(const Request& request);
// Code::usage for anything else than the object above.
Result<Request> read_request(std::string_view json);

// Body of an answer that failed (AdminKind::failure): u8 code, then the line.
std::string encode_failure(const Status& status);
Status decode_failure(std::string_view body);

}  // namespace seine::command
