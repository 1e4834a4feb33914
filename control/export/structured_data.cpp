// RFC 5424 STRUCTURED-DATA: one element with every item that the event has, then the title as MSG.
//   [seine@32473 kind="signature_alert" src="198.51.100.7" ..] title
#include <array>

#include "control/export/escape.h"
#include "control/export/flat_table.h"
#include "control/export/format.h"

namespace seine::siem {
namespace {

constexpr bool is_left_out(Item item) {
    // Said twice otherwise: the message and title are the MSG, upper case and folded numbers are
    // for others.
    return item == Item::title || item == Item::proto_upper || item == Item::flow_number ||
           item == Item::rule_number || item == Item::app_name || item == Item::fingerprints ||
           item == Item::quic_ja4 || item == Item::quic_sni || item == Item::tls_version_name ||
           item == Item::proto_number || item == Item::network_type || item == Item::message;
}
constexpr std::size_t count_rows() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < kItemCount; ++i) count += is_left_out(static_cast<Item>(i)) ? 0 : 1;
    return count;
}
constexpr auto make_rows() {
    std::array<Row, count_rows()> rows{};
    std::size_t used = 0;
    for (std::size_t i = 0; i < kItemCount; ++i) {
        const auto item = static_cast<Item>(i);
        if (!is_left_out(item)) rows[used++] = from(kAnyKind, info(item).name, item);
    }
    return rows;
}
constexpr auto kRows = make_rows();

class StructuredData final : public Format {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "sd"; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "RFC 5424 structured data in one element seine@32473 (or `pen`), and title and "
               "message as MSG";
    }
    [[nodiscard]] bool is_structured_data() const noexcept override { return true; }
    [[nodiscard]] std::span<const Row> rows() const noexcept override { return kRows; }
    void append(TextBuffer& out, const EventItems& items) const override {
        out += "[seine@";
        append_number(out, items.pen());
        out.push_back(' ');
        table_.append(out, items);
        out += "] ";
        append_plain(out, items.text(Item::title));
        if (!items.has(Item::message)) return;
        out += ": ";
        append_plain(out, items.text(Item::message));
    }

  private:
    FlatTable table_{kRows, {" ", "=\"", "\"", append_sd_value}};
};

}  // namespace

const Format& sd_format() {
    static const StructuredData format;
    return format;
}

}  // namespace seine::siem
