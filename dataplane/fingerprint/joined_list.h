// A comma-joined list of borrowed texts and its truncated hash, short or long.
#pragma once
#include <array>
#include <cstring>
#include <span>
#include <string_view>

#include "dataplane/base/fixed_string.h"
#include "dataplane/base/fixed_vector.h"
#include "dataplane/fingerprint/digest.h"

namespace seine::fingerprint {

// Up to ItemsMax texts. push() says false, and adds nothing, when it is full. The text is joined as
// it comes: one hash call over a copy beats one for each part, and lists are short; past
// kCopyBytesMax the parts are hashed.
template <std::size_t ItemsMax>
class JoinedList {
  public:
    static constexpr std::size_t kCopyBytesMax = 2048;

    [[nodiscard]] bool push(std::string_view text) noexcept {
        if (!parts_.push(text)) return false;
        const std::size_t comma = parts_.size() > 1 ? 1 : 0;
        bytes_ += comma + text.size();
        if (bytes_ > kCopyBytesMax) return true;
        char* at = joined_.data() + bytes_ - text.size();
        if (comma != 0) at[-1] = ',';
        if (!text.empty()) std::memcpy(at, text.data(), text.size());
        return true;
    }
    [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }

    // Appends h12 of the joined text; zeros for an empty list.
    template <std::size_t Cap>
    void append_h12(crypto::Digester& digester, FixedString<Cap>& out) const noexcept {
        if (bytes_ <= kCopyBytesMax) {
            fingerprint::append_h12(digester, std::string_view(joined_.data(), bytes_), out);
            return;
        }
        FixedVector<std::string_view, 2 * ItemsMax> pieces;
        for (const std::string_view part : parts_) {
            if (!pieces.empty()) static_cast<void>(pieces.push(","));  // twice the cap holds both
            static_cast<void>(pieces.push(part));
        }
        crypto::Digester::Sha256 digest;
        digester.sha256(std::span<const std::string_view>(pieces.data(), pieces.size()), digest);
        out.append_hex(ByteView(digest).first(kH12Chars / 2));
    }
    // The same for names that come again and again; never for values.
    template <std::size_t Cap>
    void append_known_h12(crypto::Digester& digester, FixedString<Cap>& out) const noexcept {
        if (bytes_ > kCopyBytesMax) return append_h12(digester, out);
        fingerprint::append_known_h12(digester, std::string_view(joined_.data(), bytes_), out);
    }
    template <std::size_t Cap>
    void append_text(FixedString<Cap>& out) const noexcept {
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            if (i > 0) out.push(',');
            out.append(parts_[i]);
        }
    }

  private:
    FixedVector<std::string_view, ItemsMax> parts_;
    std::array<char, kCopyBytesMax> joined_;  // NOLINT: only the first bytes_ are read
    std::size_t bytes_ = 0;
};

}  // namespace seine::fingerprint
