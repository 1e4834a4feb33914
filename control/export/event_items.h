// One event taken apart into items, within bounds: what every format prints.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/export/enterprise_number.h"
#include "control/export/item.h"
#include "control/model/event.h"

namespace seine::siem {

// Bounds that keep one event one message, whatever the wire put into it.
inline constexpr std::size_t kItemBytesMax = 1024;  // of one text, before escaping
inline constexpr std::size_t kListItemsMax = 16;    // of one list
inline constexpr std::size_t kEventTextMax = 8192;  // of all texts of an event, before escaping
inline constexpr std::size_t kEventTextMin = 256;  // what is left after cutting for a small carrier

struct ItemOptions {
    std::string sensor = "seine";  // name of this installation
    // Bits of an address that are kept; the rest is zero. 32 and 128: all.
    unsigned v4_bits = 32;
    unsigned v6_bits = 128;
    std::uint32_t pen = kDocumentationPen;  // private enterprise number of names that need one
};

class FixedPart;

// Borrows from the event, the options and itself until the next gather(). One thread.
class EventItems {
  public:
    // `text_max`: bytes that all texts together may take, kEventTextMin to kEventTextMax. Items are
    // filled in order of the table, so what identifies an event comes before what describes it.
    void gather(const model::Event& event, const ItemOptions& options,
                std::size_t text_max = kEventTextMax);

    [[nodiscard]] bool has(Item item) const noexcept {
        const auto at = static_cast<std::size_t>(item);
        return ((present_[at / 64] >> (at % 64)) & 1) != 0;
    }
    [[nodiscard]] std::string_view text(Item item) const noexcept { return value(item).text; }
    [[nodiscard]] std::uint64_t number(Item item) const noexcept { return value(item).number; }
    [[nodiscard]] double real(Item item) const noexcept { return value(item).real; }
    [[nodiscard]] std::int64_t time_ns(Item item) const noexcept {
        return static_cast<std::int64_t>(value(item).number);
    }
    [[nodiscard]] bool flag(Item item) const noexcept { return value(item).number != 0; }
    [[nodiscard]] std::span<const std::string_view> list(Item item) const noexcept {
        const Value& found = value(item);
        return std::span(lists_).subspan(found.number, found.list_count);
    }
    [[nodiscard]] Kinds kind() const noexcept { return kind_; }
    [[nodiscard]] std::uint32_t pen() const noexcept { return options_->pen; }
    [[nodiscard]] const model::Event& event() const noexcept { return *event_; }

  private:
    // Every text of ours is kItemBytesMax and a little at most, and there are fewer than 64.
    static constexpr std::size_t kOwnBytes = 128 * 1024;
    struct Value {
        std::string_view text;
        std::uint64_t number = 0;
        double real = 0;
        std::uint32_t list_count = 0;
    };
    // Addresses, tags and numbers as texts of our own; empty when there is no place left.
    std::string_view address_text(ByteView bytes);
    std::string_view tag_text(const std::array<std::uint8_t, 16>& tag);
    std::string_view numbered(std::string_view before, std::uint64_t number);
    std::string_view flow_id_text(const contract::FlowId& flow);
    std::string_view hex_text(std::uint64_t value, int digits);
    [[nodiscard]] const Value& value(Item item) const noexcept {
        return values_[static_cast<std::size_t>(item)];
    }
    Value& set(Item item) noexcept {
        const auto at = static_cast<std::size_t>(item);
        present_[at / 64] |= std::uint64_t{1} << (at % 64);
        values_[at] = Value{};
        return values_[at];
    }
    void set_text(Item item, std::string_view text);
    // Keeps it; an empty view when there is no place left.
    std::string_view keep(std::string_view text);
    char* room_of_own(std::size_t bytes);  // nullptr: none; taken by use_own()
    std::string_view use_own(std::size_t bytes);
    // A text that may name addresses: cut as addresses are.
    void set_prose(Item item, std::string_view text);
    std::string_view prose(std::string_view text);
    void set_number(Item item, std::uint64_t number) { set(item).number = number; }
    void set_real(Item item, double real) { set(item).real = real; }
    void set_list(Item item, std::span<const std::string_view> items);
    // The part of a text that fits: at most kItemBytesMax and what is left, cut between characters.
    std::string_view fit(std::string_view text);

    void gather_head();
    void gather_flow(const contract::RecordView& record);
    void gather_addresses(const contract::RecordView& record, const FixedPart& numbers);
    void gather_times(const FixedPart& numbers);
    void gather_handshake(const FixedPart& numbers);
    void gather_texts(const contract::RecordView& record);
    void gather_counts(const FixedPart& numbers);
    void gather_fingerprints();
    void gather_evidence();
    void gather_rule();
    void gather_farm();

    const model::Event* event_ = nullptr;
    Kinds kind_ = 0;
    std::size_t left_ = 0;
    std::uint64_t cut_ = 0;
    std::array<std::uint64_t, (kItemCount + 63) / 64> present_{};
    std::array<Value, kItemCount> values_{};
    std::vector<std::string_view> lists_;
    // Texts that are made here; their place never moves.
    std::unique_ptr<char[]> own_ = std::make_unique<char[]>(kOwnBytes);
    std::size_t own_used_ = 0;
    bool truncate_ = false;
    const ItemOptions* options_ = nullptr;
};

std::string_view name_of(model::EventKind kind) noexcept;     // "signature_alert"; empty: none
std::string_view name_of(model::Severity severity) noexcept;  // "high"; empty: none
std::string_view name_of(model::FarmState state) noexcept;    // "emerging"; empty: none
std::string_view name_of(model::FarmEvent::Kind kind) noexcept;
Kinds kinds_of(model::EventKind kind) noexcept;  // its bit; 0: no kind

}  // namespace seine::siem
