// Texts between values (keys, quotes, separators), made once and copied in whole blocks.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "control/export/text_buffer.h"

namespace seine::siem {

class KeyTexts {
  public:
    struct Place {
        std::uint32_t at = 0;
        std::uint32_t bytes = 0;
    };
    KeyTexts() : texts_(TextBuffer::kBlockBytes, '\0') {}
    Place add(std::string_view text) {
        const std::size_t at = texts_.size() - TextBuffer::kBlockBytes;
        texts_.insert(at, text);  // before the block that may be read past the last
        return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(text.size())};
    }
    // Without its first `skip` bytes.
    void append(TextBuffer& out, Place place, std::uint32_t skip = 0) const {
        out.append_block(texts_.data() + place.at + skip, place.bytes - skip);
    }

  private:
    std::string texts_;
};

}  // namespace seine::siem
