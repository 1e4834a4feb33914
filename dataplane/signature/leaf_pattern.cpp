#include "dataplane/signature/leaf_pattern.h"

namespace seine::signature {
namespace {

// Bytes that are not letters or digits as \xHH: no byte has a meaning of its own then.
void append_literal(std::string& out, char c) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/';
    if (plain) {
        out.push_back(c);
        return;
    }
    constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out.append("\\x").push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
}

std::string literal(std::string_view text) {
    std::string out;
    for (const char c : text) append_literal(out, c);
    return out;
}

std::string glob(std::string_view text) {
    std::string out = "\\A";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '*') out += "[\\x00-\\xff]*";
        else if (c == '?') out += "[\\x00-\\xff]";
        else if (c == '\\' && i + 1 < text.size()) append_literal(out, text[++i]);
        else append_literal(out, c);
    }
    return out + "\\z";
}

}  // namespace

std::string pattern_of(MatchKind kind, std::string_view value) {
    switch (kind) {
        case MatchKind::pattern: return std::string(value);
        case MatchKind::equals: return "\\A" + literal(value) + "\\z";
        case MatchKind::prefix: return "\\A" + literal(value);
        case MatchKind::suffix: return literal(value) + "\\z";
        case MatchKind::contains: return literal(value);
        case MatchKind::glob: return glob(value);
        case MatchKind::list: break;
    }
    return {};
}

bool nocase_of(const Leaf& leaf) noexcept {
    return leaf.nocase || info(leaf.field.field).kind == FieldKind::name;
}

}  // namespace seine::signature
