// One line of a Suricata rule file, taken apart.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::control_signature {

// "action protocol source port direction target port (keyword:value; ...)".
struct SuricataRule {
    struct Option {
        std::string keyword;
        std::string value;  // as written, blanks around it taken off; empty where there is none
    };
    std::string action;
    std::string protocol;
    std::string source;
    std::string source_port;
    std::string direction;
    std::string target;
    std::string target_port;
    std::vector<Option> options;
};

// Quotes and `\;` inside values are minded. The error says what is broken.
Result<SuricataRule> parse_suricata(std::string_view line);

// The bytes of `content:"..."`: |41 42| is hex, \" \; \\ \: are themselves. `negated`: a `!` stood
// before.
Result<std::string> parse_content(std::string_view value, bool& negated);

}  // namespace seine::control_signature
