// Which of Suricata's buffers are which fields of ours, and what of each can be said exactly.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace seine::control_signature {

// How a content of the buffer becomes a comparison of the field.
enum class BufferForm : unsigned char {
    plain,         // the same bytes
    path,          // ours ends before `?`
    header_block,  // "Name: value" of the raw head
    common_name,   // "CN=.." of a distinguished name
    serial,        // hex with colons
    protocol,      // "HTTP/1.1"
    ssh_software,  // what follows "SSH-2.0-" in the banner
    ssh_protocol,  // "2.0" in the banner
    quic_version,  // four letters of Google's versions
};

enum class Speaker : unsigned char { client, server };

struct SuricataBuffer {
    std::string_view keyword;
    std::string_view field;  // for Speaker::server of the ssh buffers: see field_for()
    BufferForm form{};
    Speaker speaker{};
    bool either = false;  // both ends send it: `flow` says whose is meant
    std::string_view remark = {};
};

// nullptr: no buffer of this name.
const SuricataBuffer* find_buffer(std::string_view keyword);
// Buffers that the old form names behind a content ("http_user_agent"): the new name, or empty.
std::string_view modern_name(std::string_view keyword);
// Why a keyword refuses its rule; empty: it does not.
std::string_view refusal_of(std::string_view keyword);
// Keywords that change nothing about what is matched.
bool says_nothing(std::string_view keyword);

// All of them, so that tests miss none: buffers that convert, keywords that are refused by name, names of before Suricata 5.
std::vector<std::string_view> buffer_keywords();
std::vector<std::string_view> refused_keywords();
std::vector<std::string_view> old_names();

}  // namespace seine::control_signature
