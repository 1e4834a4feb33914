#include "control/signature/suricata_compare.h"

#include <algorithm>

#include "control/signature/pattern_sample.h"
#include "dataplane/base/bytes.h"
#include "dataplane/signature/leaf_pattern.h"

namespace seine::control_signature {
namespace {

constexpr char kQuery[] =
    "http.uri: the query behind `?` is not kept, so what ends in it or asks for it cannot be said";

std::string literal(std::string_view bytes) {
    return signature::pattern_of(signature::MatchKind::contains, bytes);
}

void append_hex(std::string& out, char c) {
    out.push_back(kHexDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kHexDigits[static_cast<unsigned char>(c) & 15]);
}

bool is_plain(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f;
    });
}

Comparison refused(std::string why) {
    Comparison out;
    out.why = std::move(why);
    return out;
}

Comparison accepted(std::string field, std::string matcher, std::string sample, const Piece& piece) {
    Comparison out;
    if (piece.nocase && matcher.substr(0, 7) != "present") matcher += ", nocase = true";
    out.compared = {std::move(field), std::move(matcher), std::move(sample), piece.negated, piece.starts, piece.ends};
    return out;
}

// Several contents that stand in order, or one with an offset, as one pattern. Why not, or empty.
std::string positioned(const std::vector<Piece>& pieces, std::string& pattern) {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const Piece& piece = pieces[i];
        const auto bytes = static_cast<long>(piece.text.size());
        if (i > 0) {
            if (piece.negated || pieces[0].negated) return "a content that must be absent, relative to another";
            if (piece.starts || piece.offset != 0 || piece.depth >= 0)
                return "a content that is relative to another and has a place of its own";
            // `within` counts from where `distance` ends (Suricata's content inspection adds the two).
            const long most = piece.within < 0 ? -1 : piece.distance + piece.within - bytes;
            if (piece.within >= 0 && piece.within < bytes) return "within shorter than its content";
            pattern += "[\\x00-\\xff]{" + std::to_string(piece.distance) + "," + (most < 0 ? "" : std::to_string(most)) + "}";
        } else if (piece.starts) {
            if (piece.offset != 0 || piece.depth >= 0) return "startswith together with offset or depth";
            pattern += "\\A";
        } else if (piece.depth >= 0) {
            if (piece.depth < bytes) return "depth shorter than its content";
            pattern += "\\A[\\x00-\\xff]{" + std::to_string(piece.offset) + "," +
                       std::to_string(piece.offset + piece.depth - bytes) + "}";
        } else if (piece.offset > 0) {
            pattern += "\\A[\\x00-\\xff]{" + std::to_string(piece.offset) + ",}";
        }
        pattern += piece.nocase ? "(?i:" + literal(piece.text) + ")" : literal(piece.text);
        if (piece.ends) pattern += "\\z";
    }
    return {};
}

// Suricata lowers what a rule gives for these.
bool is_hash(std::string_view keyword) {
    return keyword == "ja3.hash" || keyword == "ja3s.hash" || keyword == "ssh.hassh" || keyword == "ssh.hassh.server";
}

Comparison plain(const SuricataBuffer& buffer, const std::string& field, const Piece& given) {
    Piece piece = given;
    if (is_hash(buffer.keyword)) piece.text = signature::lower(piece.text);
    if (buffer.keyword == "http.host" && !piece.nocase && piece.text != signature::lower(piece.text))
        return refused("http.host is lowered before it is looked at: a content with capitals never matches there");
    if (!is_plain(piece.text)) {
        const std::string pattern = std::string(piece.starts ? "\\A" : "") + literal(piece.text) + (piece.ends ? "\\z" : "");
        return accepted(field, "pattern = '" + pattern + "'", piece.text, piece);
    }
    const char* way = piece.starts && piece.ends ? "equals" : piece.starts ? "prefix" : piece.ends ? "suffix" : "contains";
    return accepted(field, std::string(way) + " = " + toml_text(piece.text), piece.text, piece);
}

Comparison protocol(const std::string& field, const Piece& piece) {
    if (piece.text != "HTTP/1.0" && piece.text != "HTTP/1.1")
        return refused("http.protocol `" + piece.text + "` is none of HTTP/1.0 and HTTP/1.1");
    return accepted(field, "equals = \"" + piece.text.substr(5) + "\"", piece.text.substr(5), piece);
}

Comparison common_name(const SuricataBuffer& buffer, const std::string& field, const Piece& piece) {
    if (piece.text.substr(0, 3) != "CN=" || piece.starts || piece.ends || piece.text.size() == 3)
        return refused(std::string(buffer.keyword) +
                       ": of a distinguished name the common name is kept: only a content \"CN=..\" converts");
    return accepted(field, "prefix = " + toml_text(piece.text.substr(3)), piece.text.substr(3), piece);
}

Comparison serial(const std::string& field, const Piece& piece) {
    std::string hex = signature::lower(piece.text);
    std::erase(hex, ':');
    if (hex.find_first_not_of("0123456789abcdef") != std::string::npos || hex.size() % 2 != 0)
        return refused("tls.cert_serial that is not hex");
    return accepted(field,
                    "pattern = '\\A" + std::string(piece.starts ? "" : "([0-9a-f]{2})*") + hex + (piece.ends ? "\\z'" : "'"),
                    hex, piece);
}

Comparison banner(const SuricataBuffer& buffer, const std::string& field, const Piece& piece) {
    const bool software = buffer.form == BufferForm::ssh_software;
    const std::string head = software ? "\\ASSH\\x2d[^\\x2d]*\\x2d" : "\\ASSH\\x2d";
    const std::string gap = piece.starts ? "" : software ? "[^ ]*" : "[^\\x2d]*";
    const std::string end = !piece.ends ? "" : software ? "( |\\z)" : "\\x2d";
    return accepted(field, "pattern = '" + head + gap + literal(piece.text) + end + "'",
                    software ? "SSH-2.0-" + piece.text : "SSH-" + piece.text + "-x", piece);
}

Comparison quic_version(const std::string& field, const Piece& piece) {
    if (piece.text.size() != 4 || (piece.text[0] != 'Q' && piece.text[0] != 'T'))
        return refused("quic.version `" + piece.text + "`: only the four letters of a Google version convert");
    std::string hex;
    for (const char c : piece.text) append_hex(hex, c);
    return accepted(field, "equals = \"" + hex + "\"", hex, piece);
}

Comparison header_block(const Piece& piece) {
    std::string text = piece.text;
    if (text.substr(0, 2) == "\r\n") text = text.substr(2);
    const bool whole = text.size() > 2 && text.substr(text.size() - 2) == "\r\n";
    if (whole) text = text.substr(0, text.size() - 2);
    const std::size_t colon = text.find(": ");
    const std::string name = signature::lower(text.substr(0, colon));
    signature::FieldRef known;
    if (colon == std::string::npos || !signature::find_field("http.header." + name, known) || !is_plain(text))
        return refused("http.header: only \"Name: value\" of one header converts");
    const std::string value = text.substr(colon + 2);
    Comparison out = value.empty() ? accepted(signature::name_of(known), "present = true", "x", piece)
                                   : accepted(signature::name_of(known),
                                              (whole ? "equals = " : "prefix = ") + toml_text(value), value, piece);
    out.remark = "the name of the header is compared whole and without case";
    return out;
}

}  // namespace

std::string toml_text(std::string_view bytes) {
    std::string out = "\"";
    for (const char c : bytes) {
        if (c == '"' || c == '\\') out.push_back('\\');
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += "\\u00";
            append_hex(out, c);
        } else {
            out.push_back(c);
        }
    }
    return out + "\"";
}

Comparison compare(const SuricataBuffer& buffer, const std::string& field, const std::vector<Piece>& pieces) {
    const Piece& first = pieces.front();
    if (buffer.form == BufferForm::path) {
        const bool asks = std::any_of(pieces.begin(), pieces.end(), [](const Piece& piece) {
            return piece.ends || piece.text.find_first_of(piece.pcre ? "?=&$" : "?=&") != std::string::npos;
        });
        if (asks) return refused(kQuery);
    }
    if (pieces.size() > 1 || first.pcre || first.offset != 0 || first.depth >= 0) {
        if (buffer.form != BufferForm::plain && buffer.form != BufferForm::path)
            return refused(std::string(buffer.keyword) + ": only whole contents of this buffer convert");
        if (first.pcre) return accepted(field, "pattern = '" + first.text + "'", sample_of(first.text), first);
        Piece whole = first;
        whole.nocase = false;
        std::string pattern;
        const std::string why = positioned(pieces, pattern);
        return why.empty() ? accepted(field, "pattern = '" + pattern + "'", sample_of(pattern), whole) : refused(why);
    }
    switch (buffer.form) {
        case BufferForm::plain:
        case BufferForm::path: return plain(buffer, field, first);
        case BufferForm::protocol: return protocol(field, first);
        case BufferForm::common_name: return common_name(buffer, field, first);
        case BufferForm::serial: return serial(field, first);
        case BufferForm::ssh_software:
        case BufferForm::ssh_protocol: return banner(buffer, field, first);
        case BufferForm::quic_version: return quic_version(field, first);
        case BufferForm::header_block: return header_block(first);
    }
    return refused("a buffer this import does not know");
}

}  // namespace seine::control_signature
