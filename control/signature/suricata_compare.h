// Contents and pcres of one of Suricata's buffers as comparisons of our fields.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "control/signature/suricata_buffers.h"

namespace seine::control_signature {

// One content or pcre, and where it must stand.
struct Piece {
    bool pcre = false;
    bool negated = false;
    bool nocase = false;
    bool starts = false;
    bool ends = false;
    bool relative = false;
    long offset = 0;
    long depth = -1;
    long distance = 0;
    long within = -1;
    std::string text;  // bytes of a content, pattern of a pcre
};

// One comparison of ours.
struct Compared {
    std::string field;
    std::string matcher;  // "prefix = \"curl\""
    std::string sample;   // a text it takes
    bool negated = false;
    bool starts = false;
    bool ends = false;
};

// `why` says why not; empty: `compared` holds. `remark`: what is not said as exactly as there.
struct Comparison {
    std::string why;
    std::string remark;
    Compared compared;
};

// Pieces that stand in order, the first of them free; `field`: that of the buffer for its speaker.
Comparison compare(const SuricataBuffer& buffer, const std::string& field, const std::vector<Piece>& pieces);

// In quotes, as TOML reads it.
std::string toml_text(std::string_view bytes);

}  // namespace seine::control_signature
