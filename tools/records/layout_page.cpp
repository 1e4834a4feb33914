// The page, section by section; every number in it comes from the headers.
#include "tools/records/layout_page.h"

#include "dataplane/contract/account_record.h"
#include "dataplane/contract/admin.h"
#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_layout.h"

namespace seine::records {
namespace {

using contract::Field;
using contract::FieldInfo;
using contract::FieldType;

std::string number(std::uint64_t value) { return std::to_string(value); }

// A cell of a markdown table: a bar would end it.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out.push_back('\\');
        out.push_back(c);
    }
    return out;
}

std::string row(std::initializer_list<std::string> cells) {
    std::string out = "|";
    for (const std::string& each : cells) out += " " + each + (each.empty() ? "|" : " |");
    return out + "\n";
}

std::string head(std::initializer_list<std::string> cells) {
    std::string rule = "|";
    for (std::size_t i = 0; i < cells.size(); ++i) rule += " --- |";
    return row(cells) + rule + "\n";
}

std::string quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string choices(Field field) {
    std::string out;
    for (unsigned value = 0; value < 256; ++value) {
        const std::string_view name = contract::choice_name(field, value);
        if (!name.empty())
            out += (out.empty() ? "" : ", ") + number(value) + " " + std::string(name);
    }
    return out;
}

std::string meaning(const FieldInfo& field) {
    std::string out = cell(field.meaning);
    if (field.type == FieldType::choice) out += ": " + choices(static_cast<Field>(field.number));
    if (!field.unit.empty()) out += " (" + std::string(field.unit) + ")";
    return out;
}

std::string frames() {
    std::string out =
        "## Frames\n\n"
        "One record is one frame. Everything is little endian and unaligned. Contract version " +
        number(contract::kContractVersion) + "; a frame in a ring has at most\n" +
        number(contract::kRingFrameBytesMax) + " bytes.\n\n";
    out += head({"offset", "type", "what"});
    out += row({"0", "u32", "length of the frame, header included"});
    out += row({"4", "u16", "contract version of the writer"});
    std::string kinds;
    for (unsigned kind = 1; !contract::name_of(static_cast<contract::Kind>(kind)).empty(); ++kind) {
        kinds += (kind > 1 ? ", " : "") + number(kind) + " " +
                 std::string(contract::name_of(static_cast<contract::Kind>(kind)));
    }
    out += row({"6", "u8", "kind: " + kinds});
    out += row(
        {"7", "u8", "flags: bit 0, a string found no room and was left out (`truncated` in JSON)"});
    out += row({"8", "u16", "flow id: dataplane id"});
    out += row({"10", "u16",
                "bytes of the fixed part (" + number(contract::kFixedBytes) + " in this version)"});
    out += row({"12", "u32", "flow id: epoch, a new one at each start of the dataplane"});
    out += row({"16", "u64", "flow id: counter"});
    out += row({"24", "u64[2]", "presence: bit i says that field i of the fixed part has a value"});
    out += row({number(contract::kFrameHeaderBytes), "", "fixed part"});
    out += row({"after it", "", "strings, to the end: u16 field number, u16 length, bytes"});
    out +=
        "\nA field is only ever appended. A reader takes fields past the writer's fixed part as "
        "absent and steps over bytes, bits and field\n"
        "numbers that it does not know; a frame of an unknown kind is stepped over by its length. "
        "Lists are repeated strings in order; those of\n"
        "numbers may hold several items in one string. A string that does not fit is left out "
        "whole, and with it all later items of its list.\n\n";
    return out;
}

std::string fixed_part() {
    std::string out = "### Fixed part\n\n";
    out += head({"offset", "bit", "no", "key", "type", "fold", "since", "meaning"});
    for (const FieldInfo& field : contract::kFields) {
        if (!contract::is_fixed(field.type)) continue;
        const contract::Slot at = contract::slot(static_cast<Field>(field.number));
        out +=
            row({number(at.offset), number(at.bit), number(field.number), quoted(field.name),
                 std::string(contract::name_of(field.type)),
                 std::string(contract::name_of(field.fold)), number(field.since), meaning(field)});
    }
    return out + "\nOffsets count from the start of the fixed part.\n\n";
}

std::string strings() {
    std::string out = "### Strings\n\n";
    out += head({"no", "key", "type", "fold", "since", "meaning"});
    for (const FieldInfo& field : contract::kFields) {
        if (contract::is_fixed(field.type)) continue;
        out += row(
            {number(field.number), quoted(field.name), std::string(contract::name_of(field.type)),
             std::string(contract::name_of(field.fold)), number(field.since), meaning(field)});
    }
    return out + "\n";
}

std::string types() {
    std::string out = "### Types\n\n";
    out += head({"type", "bytes", "in JSON"});
    out += row({"u8 u16 u32 u64 i64", "1 2 4 8 8", "a number"});
    out += row({"boolean", "1", "`true` or `false`"});
    out += row({"choice", "1", "the name of the value; a value without a name as a number"});
    out += row({"hex16 hex32", "2 4", "text of 4 or 8 hex digits"});
    out += row({"ip", "16", "address as text (RFC 5952); IPv4 is v4-mapped on the wire"});
    out += row(
        {"text, text_list", "any",
         "text, array of text; a byte from 0x80 on is `\\u00XX`, so any bytes can be had back"});
    out += row({"u16_list", "2 an item", "array of numbers"});
    out += row({"hex64_list", "8 an item", "array of texts of 16 hex digits"});
    out += row({"exchange_list", "12 an item",
                "array of [start ms, request bytes, response bytes], u32 each"});
    return out +
           "\nJSON has the fields in the order of their numbers and leaves out what is absent. "
           "With `--events` each frame is one line and begins with\n"
           "`kind` and `flow_id`; otherwise the frames of a flow are folded into one line by the "
           "column *fold*: *first* keeps the first record's\n"
           "value, *last* the last one's, *append* joins lists, *distinct* joins them without "
           "repeats. `worker` is in events alone.\n\n";
}

std::string ring() {
    std::string out =
        "## Ring file\n\n"
        "`--records ring:PATH` writes a ring of layout version " +
        number(exporting::kRingVersion) +
        " and a second one, `PATH.alerts`, for findings. A header of " +
        number(exporting::kRingHeaderBytes) + " bytes,\nthen data, a power of two.\n\n";
    out += head({"offset", "type", "what"});
    out += row({"0", "u64", "magic, on the disk `SEINERNG`; written last"});
    out += row({"8", "u32", "layout version"});
    out += row({"12", "u32", "bytes of the header"});
    out += row({"16", "u64", "bytes of the data"});
    out += row({"24", "u16", "dataplane id"});
    out += row({"26", "u16", "contract version of the writer"});
    out += row({"28", "u32", "epoch of the writer"});
    out += row({"32", "u32", "state: 1 open, 2 closed by its writer"});
    out += row({"64", "u64", "head: where the next entry goes; only grows"});
    out += row({"72", "u64", "sequence that the next frame takes"});
    out += row({"128", "u32", "which of the two slots holds the reader's place"});
    out +=
        row({"192, 256", "u64[4]", "slot: tail, next expected sequence, frames read, frames lost"});
    out += row({"4096", "u64[" + number(exporting::kRingWorkersMax) + "][8]",
                "counters of each worker, sums over the ring's life"});
    out += row({number(exporting::kRingHeaderBytes), "", "data"});
    out +=
        "\nAn entry lies at a multiple of 64 bytes: u32 bytes of the entry, u32 bytes of the frame "
        "(0xffffffff: go on at the front), u64\n"
        "sequence, the frame. Every frame offered takes a sequence, so a gap is exactly what was "
        "lost.\n\n";
    out += head({"counter", "key", "meaning"});
    static constexpr std::string_view kMeanings[] = {
#define SEINE_X(name, meaning) meaning,
        SEINE_RING_COUNTERS(SEINE_X)
#undef SEINE_X
    };
    for (std::size_t i = 0; i < exporting::kRingCounterCount; ++i) {
        out += row({number(i), quoted(exporting::kRingCounterNames[i]), cell(kMeanings[i])});
    }
    return out + "\n";
}

std::string account_record() {
    std::string out =
        "## Account record\n\n"
        "What a gateway sends about a request: version " +
        number(contract::kAccountVersion) + ", " + number(contract::kAccountRecordBytes) +
        " bytes, little endian, packed, up to " + number(contract::kAccountRecordsPerDatagramMax) +
        " in a datagram. A sequence\nis taken once, and while it is less than " +
        number(contract::SequenceWindow::kWindow) +
        " behind the highest of its (gateway_id, boot_epoch).\n\n";
    out += head({"offset", "bytes", "field", "meaning"});
    for (std::size_t i = 0; i < std::size(contract::kAccountFields); ++i) {
        const contract::AccountFieldInfo& field = contract::kAccountFields[i];
        out += row({number(contract::account_bytes_before(i)), number(field.bytes),
                    quoted(field.name), cell(field.meaning)});
    }
    return out;
}

}  // namespace

std::string layout_page() {
    return "<!-- Generated by `seine-records --docs > docs/records.md`; the tables are those of "
           "dataplane/contract. -->\n"
           "# Records, byte by byte\n\n"
           "What the dataplane writes about flows and what gateways send about accounts. The stats "
           "document is in [stats.md](stats.md).\n\n" +
           frames() + fixed_part() + strings() + types() + ring() + account_record();
}

}  // namespace seine::records
