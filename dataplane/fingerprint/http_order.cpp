// Header order of a request as a short descriptor of the client's software.
#include "dataplane/fingerprint/http_order.h"

#include "dataplane/fingerprint/digest.h"

namespace seine::fingerprint {
namespace {

constexpr std::size_t kCountMax = 99;

bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }

// Fields that follow from what the client holds or has seen before.
bool follows_state(std::string_view name) noexcept {
    if (name.front() == ':') return true;
    for (const std::string_view known :
         {"cookie", "referer", "if-match", "if-none-match", "if-modified-since",
          "if-unmodified-since", "if-range", "range"}) {
        if (http::equals_lower(name, known)) return true;
    }
    return false;
}

bool sends_body(std::string_view method) noexcept {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

struct LetterCase {
    bool all_lower = true;
    bool all_title = true;

    void see(std::string_view name) noexcept {
        bool word_start = true;
        for (const char c : name) {
            if (is_upper(c)) {
                all_lower = false;
                if (!word_start) all_title = false;
            } else if (is_lower(c) && word_start) {
                all_title = false;
            }
            word_start = c == '-' || c == '_';
        }
    }
    [[nodiscard]] char letter() const noexcept { return all_lower ? 'l' : all_title ? 't' : 'm'; }
};

}  // namespace

void hdr_order(const http::Request& request, crypto::Digester& digester,
               FixedString<kHdrOrderBytesMax>& out) noexcept {
    out.clear();
    // Names of more than this together are hashed up to here: no honest client comes near.
    FixedString<4096> names;
    LetterCase letters;
    std::size_t count = 0;
    for (const http::HeaderField& field : request.headers) {
        if (field.name.empty() || follows_state(field.name)) continue;
        if (count > 0) names.push(',');
        for (const char c : field.name) names.push(is_upper(c) ? static_cast<char>(c + 32) : c);
        letters.see(field.name);
        ++count;
    }
    if (count > kCountMax) count = kCountMax;
    out.append_decimal(request.version.major);
    out.append_decimal(request.version.minor);
    out.push(sends_body(request.method) ? 'b' : 'n');
    out.push(letters.letter());
    if (count < 10) out.push('0');
    out.append_decimal(count);
    out.push('_');
    append_h12(digester, names.view(), out);
}

}  // namespace seine::fingerprint
