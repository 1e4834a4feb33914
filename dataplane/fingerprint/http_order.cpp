// Header order of a request as a short descriptor of the client's software.
#include "dataplane/fingerprint/http_order.h"

#include <array>
#include <cstring>
#include <immintrin.h>

#include "dataplane/fingerprint/digest.h"

namespace seine::fingerprint {
namespace {

constexpr std::size_t kCountMax = 99;
// Names of more than this together are hashed up to here: no honest client comes near.
constexpr std::size_t kNameBytesMax = 4096;

// Fields that follow from what the client holds or has seen before. Told by length first.
bool follows_state(std::string_view name) noexcept {
    if (name.front() == ':') return true;
    switch (name.size()) {
        case 5:
            return http::equals_lower(name, "range");
        case 6:
            return http::equals_lower(name, "cookie");
        case 7:
            return http::equals_lower(name, "referer");
        case 8:
            return http::equals_lower(name, "if-match") || http::equals_lower(name, "if-range");
        case 13:
            return http::equals_lower(name, "if-none-match");
        case 17:
            return http::equals_lower(name, "if-modified-since");
        case 19:
            return http::equals_lower(name, "if-unmodified-since");
        default:
            return false;
    }
}

bool sends_body(std::string_view method) noexcept {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

// Sixteen characters at once: lower case of them, and bit masks of what they were.
struct Letters {
    __m128i lower;
    unsigned upper_mask;
    unsigned lower_mask;
    unsigned gap_mask;  // `-` and `_`, behind which a word begins

    explicit Letters(__m128i text) noexcept {
        // Signed compares are right: bytes above 0x7f are negative and so outside both ranges.
        const __m128i upper = _mm_and_si128(_mm_cmpgt_epi8(text, _mm_set1_epi8('A' - 1)),
                                            _mm_cmplt_epi8(text, _mm_set1_epi8('Z' + 1)));
        const __m128i small = _mm_and_si128(_mm_cmpgt_epi8(text, _mm_set1_epi8('a' - 1)),
                                            _mm_cmplt_epi8(text, _mm_set1_epi8('z' + 1)));
        const __m128i gap = _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('-')),
                                         _mm_cmpeq_epi8(text, _mm_set1_epi8('_')));
        lower = _mm_or_si128(text, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
        upper_mask = static_cast<unsigned>(_mm_movemask_epi8(upper));
        lower_mask = static_cast<unsigned>(_mm_movemask_epi8(small));
        gap_mask = static_cast<unsigned>(_mm_movemask_epi8(gap));
    }
};

// The names in lower case, comma joined, and the letter case they came in.
class Names {
  public:
    void add(std::string_view name) noexcept {
        if (count_ > 0 && used_ < kNameBytesMax) chars_[used_++] = ',';
        ++count_;
        name = name.substr(0, kNameBytesMax - used_);
        unsigned word_start = 1;
        for (std::size_t at = 0; at < name.size(); at += 16) {
            // A copy: the name may end where the packet does.
            alignas(16) char piece[16] = {};
            const std::size_t here = name.size() - at < 16 ? name.size() - at : 16;
            std::memcpy(piece, name.data() + at, here);
            const auto* from = reinterpret_cast<const __m128i*>(piece);  // NOLINT: own aligned copy
            const Letters letters(_mm_load_si128(from));
            const unsigned starts = (letters.gap_mask << 1) | word_start;
            any_upper_ |= letters.upper_mask;
            any_odd_ |= (letters.lower_mask & starts) | (letters.upper_mask & ~starts);
            word_start = (letters.gap_mask >> 15) & 1;
            auto* to = reinterpret_cast<__m128i*>(chars_.data() + used_ + at);  // NOLINT: own room
            _mm_storeu_si128(to, letters.lower);
        }
        used_ += name.size();
    }
    [[nodiscard]] char letter_case() const noexcept {
        return any_upper_ == 0 ? 'l' : any_odd_ == 0 ? 't' : 'm';
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::string_view text() const noexcept { return {chars_.data(), used_}; }

  private:
    std::array<char, kNameBytesMax + 16> chars_;  // NOLINT: only the first used_ are read
    std::size_t used_ = 0;
    std::size_t count_ = 0;
    unsigned any_upper_ = 0;
    unsigned any_odd_ = 0;
};

}  // namespace

void hdr_order(const http::Request& request, crypto::Digester& digester,
               FixedString<kHdrOrderBytesMax>& out) noexcept {
    out.clear();
    Names names;
    for (const http::HeaderField& field : request.headers)
        if (!field.name.empty() && !follows_state(field.name)) names.add(field.name);
    const std::size_t count = names.count() < kCountMax ? names.count() : kCountMax;
    out.append_decimal(request.version.major);
    out.append_decimal(request.version.minor);
    out.push(sends_body(request.method) ? 'b' : 'n');
    out.push(names.letter_case());
    if (count < 10) out.push('0');
    out.append_decimal(count);
    out.push('_');
    append_known_h12(digester, names.text(), out);
}

}  // namespace seine::fingerprint
