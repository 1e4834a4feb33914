// A comma-joined list of borrowed texts, hashed without being copied where it is long.
#pragma once
#include <array>
#include <span>
#include <string_view>

#include "dataplane/base/fixed_string.h"
#include "dataplane/base/fixed_vector.h"
#include "dataplane/fingerprint/digest.h"

namespace seine::fingerprint {

// Up to ItemsMax texts. push() says false, and adds nothing, when it is full.
template <std::size_t ItemsMax>
class JoinedList {
  public:
    [[nodiscard]] bool push(std::string_view text) noexcept {
        if (parts_.size() + 2 > 2 * ItemsMax) return false;
        if (!parts_.empty()) add(",");
        add(text);
        return true;
    }
    [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }

    // Appends h12 of the joined text; zeros for an empty list.
    template <std::size_t Cap>
    void append_h12(crypto::Digester& digester, FixedString<Cap>& out) const noexcept {
        // One call over a copy beats a call for each part: names are short and few.
        constexpr std::size_t kCopyBytesMax = 2048;
        if (bytes_ <= kCopyBytesMax) {
            FixedString<kCopyBytesMax> joined;
            append_text(joined);
            fingerprint::append_h12(digester, joined.view(), out);
            return;
        }
        crypto::Digester::Sha256 digest;
        digester.sha256(std::span<const std::string_view>(parts_.data(), parts_.size()), digest);
        out.append_hex(ByteView(digest).first(kH12Chars / 2));
    }
    template <std::size_t Cap>
    void append_text(FixedString<Cap>& out) const noexcept {
        for (const std::string_view part : parts_) out.append(part);
    }

  private:
    void add(std::string_view part) noexcept {
        bytes_ += part.size();
        static_cast<void>(parts_.push(part));  // room was checked
    }
    FixedVector<std::string_view, 2 * ItemsMax> parts_;
    std::size_t bytes_ = 0;
};

}  // namespace seine::fingerprint
