// HPACK (RFC 7541): nghttp2's inflater over bounded memory, into a bounded header list.
#pragma once
#include <array>
#include <memory>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"
#include "dataplane/http/header_list.h"
#include "dataplane/http/hpack_memory.h"

namespace seine::http {

// Holds the decoded names and values of one header block; 64 KiB, made once per worker.
class HeaderText {
  public:
    // A copy that lives until clear(); false when the text is full.
    [[nodiscard]] bool copy(std::string_view text, std::string_view& kept) noexcept;
    void clear() noexcept { used_ = 0; }

  private:
    std::array<char, HeaderList::kBytesMax> chars_;  // NOLINT: only the first used_ are read
    std::size_t used_ = 0;
};

// One direction's dynamic table. Moves are not needed: it stays where the pool put it.
class HpackInflater {
  public:
    // The largest dynamic table we follow: an encoder that asks for more ends in Parse::limit.
    static constexpr std::size_t kTableBytesMax = std::size_t{64} * 1024;

    HpackInflater() = default;
    ~HpackInflater() { stop(); }
    HpackInflater(const HpackInflater&) = delete;
    HpackInflater& operator=(const HpackInflater&) = delete;

    // ok, or limit when the memory is exhausted or would pass `budget_bytes` for this direction.
    Parse start(HpackMemory& memory, std::size_t budget_bytes) noexcept;
    void stop() noexcept;
    [[nodiscard]] bool started() const noexcept { return inflater_ != nullptr; }

    // One fragment of a header block; `last` with the final one. Fields are appended to `out`,
    // their text to `text`. ok: taken. malformed: not HPACK; the table is lost and so is this
    // direction. limit: the list, the text or the memory is full: the same.
    Parse feed(ByteView fragment, bool last, HeaderText& text, HeaderList& out) noexcept;
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return used_bytes_; }

    // Memory for the library's callbacks; not for others.
    void* take(std::size_t bytes) noexcept;
    void give(void* block) noexcept;
    void* grow(void* block, std::size_t bytes) noexcept;

  private:
    // The library's own types; its header stays in the source.
    void* inflater_ = nullptr;
    void* calls_ = nullptr;  // the callbacks, which the inflater keeps pointing at
    HpackMemory* memory_ = nullptr;
    std::size_t used_bytes_ = 0;
    std::size_t budget_bytes_ = 0;
};

}  // namespace seine::http
