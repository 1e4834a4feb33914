// One record as bytes: the frame that workers write, rings carry and readers check.
//
//   0  u32 length        whole frame, header included, padding of a ring left out
//   4  u16 version       kContractVersion of the writer
//   6  u8  kind          1 open, 2 request, 3 update, 4 close, 5 finding
//   7  u8  flags         bit 0: truncated (a string found no room)
//   8  u16 dataplane id  flow id, first part
//  10  u16 fixed_bytes   size of the fixed part
//  12  u32 epoch         flow id, second part
//  16  u64 counter       flow id, third part
//  24  u64 presence[2]   bit i: field i of the fixed part has a value
//  40  fixed part        fields of the table in order, packed, absent ones zero
//      strings           repeated: u16 field, u16 length, bytes
//
// Everything is little endian and unaligned. A reader of an older version knows a shorter fixed
// part and fewer fields and steps over the rest; a reader of a newer one takes what is missing as
// absent.
#pragma once
#include <span>
#include <string_view>

#include "dataplane/base/assert.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"
#include "dataplane/contract/fields.h"

namespace seine::contract {

struct FlowId {
    std::uint16_t dataplane = 0;
    std::uint32_t epoch = 0;
    std::uint64_t counter = 0;
    friend constexpr bool operator==(const FlowId&, const FlowId&) = default;
};

inline constexpr std::size_t kFrameHeaderBytes = 40;
inline constexpr std::size_t kFixedBytes = kFixedLayout.bytes;
// The least buffer a FrameWriter takes, and the most a frame has in a ring and anywhere.
inline constexpr std::size_t kFrameBytesMin = kFrameHeaderBytes + kFixedBytes;
inline constexpr std::size_t kRingFrameBytesMax = 4096;
inline constexpr std::size_t kFrameBytesMax = std::size_t{16} << 20;
inline constexpr std::size_t kStringHeaderBytes = 4;
inline constexpr std::size_t kStringBytesMax = 0xffff;
inline constexpr std::uint8_t kFlagTruncated = 1;

// Typed strings one after another, as they stand in a frame: for a flow's pending buffer, which is
// appended to a frame later. `used` is how much of `buffer` is taken. False, and nothing changed,
// when it has no room, or when a text is longer than kStringBytesMax. `field` must be of the
// matching type.
[[nodiscard]] bool encode_text(std::span<std::uint8_t> buffer, std::size_t& used, Field field,
                               std::string_view value) noexcept;
[[nodiscard]] bool encode_u16(std::span<std::uint8_t> buffer, std::size_t& used, Field field,
                              std::uint16_t value) noexcept;
[[nodiscard]] bool encode_hex64(std::span<std::uint8_t> buffer, std::size_t& used, Field field,
                                std::uint64_t value) noexcept;
[[nodiscard]] bool encode_exchange(std::span<std::uint8_t> buffer, std::size_t& used, Field field,
                                   std::uint32_t start_ms, std::uint32_t request_bytes,
                                   std::uint32_t response_bytes) noexcept;

// Writes one frame into a buffer that it borrows: begin(), then set() and strings in any order,
// then finish(). Allocates nothing. The size of the buffer is the cap of the frame: 4 KiB for a
// ring, 64 KiB and more for replay in one process.
//
// A string that finds no room is left out whole and truncated() is set; shorter ones after it may
// still fit, but no later item of the same field (a list never has a gap). So: the most wanted
// strings go first.
class FrameWriter {
  public:
    explicit FrameWriter(std::span<std::uint8_t> buffer) noexcept : buffer_(buffer) {
        SEINE_CHECK(buffer.size() >= kFrameBytesMin);
    }
    void begin(Kind kind, const FlowId& flow) noexcept;
    // Fields of the fixed part. A second value replaces the first. Bits past the field's size must
    // be zero (i64: two's complement).
    void set(Field field, std::uint64_t value) noexcept;
    void set_ip(Field field, const std::uint8_t (&address)[16]) noexcept;
    template <typename Choice>
    void choose(Field field, Choice value) noexcept {
        set(field, static_cast<std::uint64_t>(value));
    }
    // Strings. An empty text is a value too: the caller leaves out what is absent.
    void text(Field field, std::string_view value) noexcept;
    void u16(Field field, std::uint16_t item) noexcept;
    void hex64(Field field, std::uint64_t item) noexcept;
    void exchange(Field field, std::uint32_t start_ms, std::uint32_t request_bytes,
                  std::uint32_t response_bytes) noexcept;
    // Strings that the functions above encoded.
    void append_encoded(ByteView strings) noexcept;
    // Bytes of the frame; the writer may begin() the next.
    std::size_t finish() noexcept;
    [[nodiscard]] bool truncated() const noexcept { return truncated_; }
    // Bytes that strings may still take, their 4-byte headers included.
    [[nodiscard]] std::size_t room() const noexcept { return buffer_.size() - used_; }

  private:
    // False when it was left out.
    bool string(Field field, const void* bytes, std::size_t count) noexcept;
    void drop(std::uint16_t number) noexcept;
    [[nodiscard]] bool dropped(std::uint16_t number) const noexcept;

    std::span<std::uint8_t> buffer_;
    std::size_t used_ = 0;
    std::size_t last_exchanges_ = 0;  // where the last string of exchanges begins; 0: none
    Field last_exchanges_field_{};
    bool truncated_ = false;
    std::array<std::uint64_t, (kFieldCount + 64) / 64>
        dropped_{};  // by field number; read once truncated
};

// A record as its reader sees it: borrowed views of a frame's parts. FrameReader fills it from
// bytes it has checked; the fold builds one of its own.
struct RecordView {
    Kind kind{};
    bool truncated = false;
    std::uint16_t version = 0;
    FlowId flow;
    std::uint64_t presence[2] = {0, 0};
    ByteView fixed;    // may be shorter or longer than kFixedBytes
    ByteView strings;  // checked: every string whole, of a size its type allows

    [[nodiscard]] bool has(Field field) const noexcept;
    // Value of a fixed field, 0 when absent; i64 as its two's complement.
    [[nodiscard]] std::uint64_t get(Field field) const noexcept;
    // 16 bytes, or empty when absent.
    [[nodiscard]] ByteView ip(Field field) const noexcept;
    // The first string of the field; `found` says whether there is one.
    [[nodiscard]] std::string_view text(Field field, bool* found = nullptr) const noexcept;
    // Calls visit(Field, ByteView bytes) for each string in order; those of unknown fields are left
    // out.
    template <typename Visit>
    void for_each_string(Visit&& visit) const {
        for (std::size_t at = 0; at + kStringHeaderBytes <= strings.size();) {
            const std::uint16_t number = load_le16(strings.data() + at);
            const std::size_t bytes = load_le16(strings.data() + at + 2);
            if (number >= 1 && number <= kFieldCount) {
                visit(static_cast<Field>(number), strings.subspan(at + kStringHeaderBytes, bytes));
            }
            at += kStringHeaderBytes + bytes;
        }
    }
};

// Checks a frame from a ring or file that may be damaged or foreign, and opens it.
// ok:        `out` is set and borrows from `bytes`; bytes past the frame's length are left alone.
// need_more: `bytes` ends before the frame does.
// not_this:  version 0, or a kind this reader does not know: step over it by its length.
// malformed: lengths that contradict each other, a string of a wrong size, a presence bit without
// its bytes,
//            a fixed field among the strings.
// limit:     longer than kFrameBytesMax.
Parse read_frame(ByteView bytes, RecordView& out) noexcept;

// Length of the frame that starts at `bytes`, padding left out; 0 when fewer than 4 bytes are
// there.
[[nodiscard]] inline std::size_t frame_length(ByteView bytes) noexcept {
    return bytes.size() < 4 ? 0 : load_le32(bytes.data());
}

inline void FrameWriter::set(Field field, std::uint64_t value) noexcept {
    const Slot at = slot(field);
    SEINE_ASSERT(at.bit != Slot::kNone && info(field).type != FieldType::ip);
    std::uint8_t* frame = buffer_.data();
    frame[24 + at.bit / 8] =
        static_cast<std::uint8_t>(frame[24 + at.bit / 8] | (1u << (at.bit % 8)));
    std::memcpy(frame + kFrameHeaderBytes + at.offset, &value, value_bytes(info(field).type));
}

}  // namespace seine::contract
