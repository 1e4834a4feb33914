// Frames: how strings are laid down, and every check a reader makes before it trusts one.
#include "dataplane/contract/frame.h"

namespace seine::contract {
namespace {

constexpr std::size_t kPresenceAt = 24;

template <typename T>
void store(std::uint8_t* at, T value) noexcept {
    std::memcpy(at, &value, sizeof value);
}

// Lays down one string at `at`, which has room for it.
void lay_string(std::uint8_t* at, std::uint16_t number, const void* bytes,
                std::size_t count) noexcept {
    store(at, number);
    store(at + 2, static_cast<std::uint16_t>(count));
    if (count > 0) std::memcpy(at + kStringHeaderBytes, bytes, count);
}

bool encode(std::span<std::uint8_t> buffer, std::size_t& used, Field field, const void* bytes,
            std::size_t count) noexcept {
    SEINE_ASSERT(used <= buffer.size());
    if (count > kStringBytesMax || buffer.size() - used < kStringHeaderBytes + count) return false;
    lay_string(buffer.data() + used, static_cast<std::uint16_t>(field), bytes, count);
    used += kStringHeaderBytes + count;
    return true;
}

constexpr bool holds_text(FieldType type) noexcept {
    return type == FieldType::text || type == FieldType::text_list;
}

struct ExchangeBytes {
    std::uint8_t bytes[12];
    ExchangeBytes(std::uint32_t start_ms, std::uint32_t request_bytes,
                  std::uint32_t response_bytes) noexcept {
        store(bytes, start_ms);
        store(bytes + 4, request_bytes);
        store(bytes + 8, response_bytes);
    }
};

// A string of a known field has a size that its type allows; of an unknown one, any.
bool string_is_sound(std::uint16_t number, std::size_t bytes) noexcept {
    if (number == 0) return false;
    if (number > kFieldCount) return true;
    const FieldType type = kFields[number - 1].type;
    if (is_fixed(type)) return false;
    const std::size_t item = value_bytes(type);
    return item == 0 || (bytes > 0 && bytes % item == 0);
}

Parse check_strings(ByteView strings) noexcept {
    std::size_t at = 0;
    while (at < strings.size()) {
        if (strings.size() - at < kStringHeaderBytes) return Parse::malformed;
        const std::uint16_t number = load_le16(strings.data() + at);
        const std::size_t bytes = load_le16(strings.data() + at + 2);
        at += kStringHeaderBytes;
        if (strings.size() - at < bytes || !string_is_sound(number, bytes)) return Parse::malformed;
        at += bytes;
    }
    return Parse::ok;
}

// Every known field that is said to be present lies inside the fixed part.
bool presence_is_sound(const RecordView& record) noexcept {
    if (record.fixed.size() >= kFixedBytes) return true;
    for (std::size_t i = 0; i < kFieldCount; ++i) {
        const Slot at = kFixedLayout.slots[i];
        if (at.bit == Slot::kNone || ((record.presence[at.bit / 64] >> (at.bit % 64)) & 1) == 0)
            continue;
        if (at.offset + value_bytes(kFields[i].type) > record.fixed.size()) return false;
    }
    return true;
}

}  // namespace

bool encode_text(std::span<std::uint8_t> buffer, std::size_t& used, Field field,
                 std::string_view value) noexcept {
    SEINE_ASSERT(holds_text(info(field).type));
    return encode(buffer, used, field, value.data(), value.size());
}

bool encode_u16(std::span<std::uint8_t> buffer, std::size_t& used, Field field,
                std::uint16_t value) noexcept {
    SEINE_ASSERT(info(field).type == FieldType::u16_list);
    return encode(buffer, used, field, &value, sizeof value);
}

bool encode_hex64(std::span<std::uint8_t> buffer, std::size_t& used, Field field,
                  std::uint64_t value) noexcept {
    SEINE_ASSERT(info(field).type == FieldType::hex64_list);
    return encode(buffer, used, field, &value, sizeof value);
}

bool encode_exchange(std::span<std::uint8_t> buffer, std::size_t& used, Field field,
                     std::uint32_t start_ms, std::uint32_t request_bytes,
                     std::uint32_t response_bytes) noexcept {
    SEINE_ASSERT(info(field).type == FieldType::exchange_list);
    const ExchangeBytes item(start_ms, request_bytes, response_bytes);
    return encode(buffer, used, field, item.bytes, sizeof item.bytes);
}

void FrameWriter::begin(Kind kind, const FlowId& flow) noexcept {
    std::uint8_t* frame = buffer_.data();
    std::memset(frame, 0, kFrameHeaderBytes + kFixedBytes);
    store(frame + 4, kContractVersion);
    frame[6] = static_cast<std::uint8_t>(kind);
    store(frame + 8, flow.dataplane);
    store(frame + 10, static_cast<std::uint16_t>(kFixedBytes));
    store(frame + 12, flow.epoch);
    store(frame + 16, flow.counter);
    used_ = kFrameHeaderBytes + kFixedBytes;
    last_exchanges_ = 0;
    truncated_ = false;
}

void FrameWriter::set_ip(Field field, const std::uint8_t (&address)[16]) noexcept {
    SEINE_ASSERT(info(field).type == FieldType::ip);
    const Slot at = slot(field);
    std::uint8_t* frame = buffer_.data();
    std::uint8_t& presence = frame[kPresenceAt + at.bit / 8];
    presence = static_cast<std::uint8_t>(presence | (1u << (at.bit % 8)));
    std::memcpy(frame + kFrameHeaderBytes + at.offset, address, 16);
}

void FrameWriter::drop(std::uint16_t number) noexcept {
    if (!truncated_) dropped_ = {};
    truncated_ = true;
    if (number <= kFieldCount) dropped_[number / 64] |= std::uint64_t{1} << (number % 64);
}

bool FrameWriter::dropped(std::uint16_t number) const noexcept {
    return truncated_ && number <= kFieldCount &&
           ((dropped_[number / 64] >> (number % 64)) & 1) != 0;
}

bool FrameWriter::string(Field field, const void* bytes, std::size_t count) noexcept {
    const auto number = static_cast<std::uint16_t>(field);
    if (count > kStringBytesMax || kStringHeaderBytes + count > room() || dropped(number)) {
        drop(number);
        return false;
    }
    lay_string(buffer_.data() + used_, number, bytes, count);
    used_ += kStringHeaderBytes + count;
    return true;
}

void FrameWriter::text(Field field, std::string_view value) noexcept {
    SEINE_ASSERT(holds_text(info(field).type));
    string(field, value.data(), value.size());
}

void FrameWriter::u16(Field field, std::uint16_t item) noexcept {
    SEINE_ASSERT(info(field).type == FieldType::u16_list);
    string(field, &item, sizeof item);
}

void FrameWriter::hex64(Field field, std::uint64_t item) noexcept {
    SEINE_ASSERT(info(field).type == FieldType::hex64_list);
    string(field, &item, sizeof item);
}

void FrameWriter::exchange(Field field, std::uint32_t start_ms, std::uint32_t request_bytes,
                           std::uint32_t response_bytes) noexcept {
    SEINE_ASSERT(info(field).type == FieldType::exchange_list);
    const ExchangeBytes item(start_ms, request_bytes, response_bytes);
    // Turns come in rows: those after the first share its header.
    if (last_exchanges_ != 0 && last_exchanges_field_ == field &&
        !dropped(static_cast<std::uint16_t>(field)) &&
        last_exchanges_ + kStringHeaderBytes + load_le16(buffer_.data() + last_exchanges_ + 2) ==
            used_) {
        const std::size_t bytes =
            load_le16(buffer_.data() + last_exchanges_ + 2) + sizeof item.bytes;
        if (bytes <= kStringBytesMax && sizeof item.bytes <= room()) {
            std::memcpy(buffer_.data() + used_, item.bytes, sizeof item.bytes);
            used_ += sizeof item.bytes;
            store(buffer_.data() + last_exchanges_ + 2, static_cast<std::uint16_t>(bytes));
            return;
        }
    }
    const std::size_t at = used_;
    if (string(field, item.bytes, sizeof item.bytes)) {
        last_exchanges_ = at;
        last_exchanges_field_ = field;
    }
}

void FrameWriter::append_encoded(ByteView strings) noexcept {
    if (strings.size() <= room() && !truncated_) {
        if (!strings.empty()) std::memcpy(buffer_.data() + used_, strings.data(), strings.size());
        used_ += strings.size();
        return;
    }
    for (std::size_t at = 0; at + kStringHeaderBytes <= strings.size();) {
        const std::size_t bytes = load_le16(strings.data() + at + 2);
        SEINE_ASSERT(at + kStringHeaderBytes + bytes <= strings.size());
        string(static_cast<Field>(load_le16(strings.data() + at)),
               strings.data() + at + kStringHeaderBytes, bytes);
        at += kStringHeaderBytes + bytes;
    }
}

std::size_t FrameWriter::finish() noexcept {
    std::uint8_t* frame = buffer_.data();
    store(frame, static_cast<std::uint32_t>(used_));
    if (truncated_) frame[7] |= kFlagTruncated;
    return used_;
}

bool RecordView::has(Field field) const noexcept {
    const Slot at = slot(field);
    if (at.bit != Slot::kNone) return ((presence[at.bit / 64] >> (at.bit % 64)) & 1) != 0;
    bool found = false;
    static_cast<void>(text(field, &found));
    return found;
}

std::uint64_t RecordView::get(Field field) const noexcept {
    const Slot at = slot(field);
    const std::size_t bytes = value_bytes(info(field).type);
    SEINE_ASSERT(at.bit != Slot::kNone && bytes <= 8);
    std::uint64_t value = 0;
    if (has(field) && at.offset + bytes <= fixed.size())
        std::memcpy(&value, fixed.data() + at.offset, bytes);
    return value;
}

ByteView RecordView::ip(Field field) const noexcept {
    const Slot at = slot(field);
    SEINE_ASSERT(info(field).type == FieldType::ip);
    if (!has(field) || at.offset + std::size_t{16} > fixed.size()) return {};
    return fixed.subspan(at.offset, 16);
}

std::string_view RecordView::text(Field field, bool* found) const noexcept {
    const auto wanted = static_cast<std::uint16_t>(field);
    for (std::size_t at = 0; at + kStringHeaderBytes <= strings.size();) {
        const std::size_t bytes = load_le16(strings.data() + at + 2);
        if (load_le16(strings.data() + at) == wanted) {
            if (found != nullptr) *found = true;
            return as_text(strings.subspan(at + kStringHeaderBytes, bytes));
        }
        at += kStringHeaderBytes + bytes;
    }
    if (found != nullptr) *found = false;
    return {};
}

Parse read_frame(ByteView bytes, RecordView& out) noexcept {
    if (bytes.size() < kFrameHeaderBytes) return Parse::need_more;
    const std::uint8_t* frame = bytes.data();
    const std::size_t length = load_le32(frame);
    const std::size_t fixed_bytes = load_le16(frame + 10);
    if (length > kFrameBytesMax) return Parse::limit;
    if (length < kFrameHeaderBytes + fixed_bytes) return Parse::malformed;
    const std::uint16_t version = load_le16(frame + 4);
    const auto kind = static_cast<Kind>(frame[6]);
    if (version == 0 || name_of(kind).empty()) return Parse::not_this;
    if (length > bytes.size()) return Parse::need_more;
    out.kind = kind;
    out.version = version;
    out.truncated = (frame[7] & kFlagTruncated) != 0;
    out.flow = {load_le16(frame + 8), load_le32(frame + 12), load_le64(frame + 16)};
    out.presence[0] = load_le64(frame + kPresenceAt);
    out.presence[1] = load_le64(frame + kPresenceAt + 8);
    out.fixed = bytes.subspan(kFrameHeaderBytes, fixed_bytes);
    out.strings =
        bytes.subspan(kFrameHeaderBytes + fixed_bytes, length - kFrameHeaderBytes - fixed_bytes);
    if (!presence_is_sound(out)) return Parse::malformed;
    return check_strings(out.strings);
}

}  // namespace seine::contract
