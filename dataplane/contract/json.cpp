// Records as JSON without a formatting library: to_chars, hex digits and one table of keys.
#include "dataplane/contract/json.h"

#include <charconv>

namespace seine::contract {
namespace {

template <typename Number>
void append_number(std::string& out, Number value) {
    char digits[24];
    const auto done = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, static_cast<std::size_t>(done.ptr - digits));
}

void append_hex(std::string& out, std::uint64_t value, int digits) {
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
        out.push_back(kHexDigits[(value >> shift) & 15]);
}

void append_key(std::string& out, std::string_view key) {
    if (out.back() != '{') out.push_back(',');
    out.push_back('"');
    out.append(key);
    out.append("\":");
}

// `,"key":` of each field, the comma left out after an opening brace.
constexpr std::string_view kKeys[] = {
#define SEINE_X(number, name, type, unit, fold, since, meaning) ",\"" #name "\":",
    SEINE_RECORD_FIELDS(SEINE_X)
#undef SEINE_X
};
void append_key(std::string& out, const FieldInfo& field) {
    const std::string_view key = kKeys[field.number - 1u];
    out.append(out.back() == '{' ? key.substr(1) : key);
}

void append_dotted(std::string& out, const std::uint8_t* at) {
    for (int i = 0; i < 4; ++i) {
        if (i > 0) out.push_back('.');
        append_number(out, unsigned{at[i]});
    }
}

// RFC 5952: lower case, no leading zeros, the first longest run of at least two zero groups as
// `::`.
void append_groups(std::string& out, const std::uint8_t* at) {
    int run_at = -1;
    int run = 1;
    for (int i = 0; i < 8;) {
        int zeros = 0;
        while (i + zeros < 8 && load_be16(at + (i + zeros) * 2) == 0) ++zeros;
        if (zeros > run) {
            run = zeros;
            run_at = i;
        }
        i += zeros == 0 ? 1 : zeros;
    }
    for (int i = 0; i < 8; ++i) {
        if (i == run_at) {
            out.append("::");
            i += run - 1;
            continue;
        }
        if (i > 0 && (run_at < 0 || i != run_at + run)) out.push_back(':');
        const unsigned group = load_be16(at + i * 2);
        int digits = 4;
        while (digits > 1 && (group >> ((digits - 1) * 4)) == 0) --digits;
        append_hex(out, group, digits);
    }
}

// Length of the start of `text` that needs no escape.
std::size_t plain_length(std::string_view text) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHighs = kOnes << 7;
    // The high bit of each byte that is zero, if no byte before it is; enough to know that none is.
    const auto zero = [](std::uint64_t word) { return (word - kOnes) & ~word & kHighs; };
    std::size_t at = 0;
    for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        const std::uint64_t control = (word - kOnes * 0x20) & ~word;
        if (((control | word | (word + kOnes)) & kHighs) != 0) break;
        if ((zero(word ^ (kOnes * '"')) | zero(word ^ (kOnes * '\\'))) != 0) break;
    }
    for (; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') break;
    }
    return at;
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
    out.push_back('"');
    while (true) {
        const std::size_t plain = plain_length(text);
        out.append(text.substr(0, plain));
        if (plain == text.size()) break;
        const auto c = static_cast<unsigned char>(text[plain]);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(static_cast<char>(c));
        } else {
            out.append("\\u00");
            append_hex(out, c, 2);
        }
        text.remove_prefix(plain + 1);
    }
    out.push_back('"');
}

void append_address(std::string& out, ByteView address) {
    SEINE_ASSERT(address.size() == 16);
    static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(address.data(), kMapped, sizeof kMapped) == 0) {
        append_dotted(out, address.data() + 12);
    } else {
        append_groups(out, address.data());
    }
}

void append_flow_id(std::string& out, const FlowId& flow) {
    append_number(out, unsigned{flow.dataplane});
    out.push_back('-');
    append_number(out, flow.epoch);
    out.push_back('-');
    append_number(out, flow.counter);
}

void JsonWriter::append(std::string& out, const RecordView& record, JsonForm form) {
    index_strings(record);
    out.push_back('{');
    if (form == JsonForm::event) {
        append_key(out, "kind");
        append_json_text(out, name_of(record.kind));
        append_key(out, "flow_id");
        out.push_back('"');
        append_flow_id(out, record.flow);
        out.push_back('"');
    }
    for (const FieldInfo& each : kFields) {
        const auto field = static_cast<Field>(each.number);
        if (form == JsonForm::flow && field == Field::worker) continue;
        if (!is_fixed(each.type)) {
            if (const std::uint32_t first = first_[each.number - 1u]; first != kNone)
                append_strings(out, field, first);
        } else if (record.has(field)) {
            append_fixed(out, record, field);
        }
    }
    if (record.truncated) {
        append_key(out, "truncated");
        out.append("true");
    }
    out.push_back('}');
}

// One pass over the strings: the items of each field as a chain, in their order.
void JsonWriter::index_strings(const RecordView& record) {
    items_.clear();
    first_.fill(kNone);
    record.for_each_string([this](Field field, ByteView bytes) {
        const std::size_t at = static_cast<std::size_t>(field) - 1;
        const auto item = static_cast<std::uint32_t>(items_.size());
        items_.push_back({bytes, kNone});
        if (first_[at] == kNone) {
            first_[at] = item;
        } else {
            items_[last_[at]].next = item;
        }
        last_[at] = item;
    });
}

void JsonWriter::append_fixed(std::string& out, const RecordView& record, Field field) {
    const FieldInfo& about = info(field);
    append_key(out, about);
    if (about.type == FieldType::ip) {
        out.push_back('"');
        // An IPv6 packet may carry mapped addresses: they stay what they were.
        const bool own = field == Field::src || field == Field::dst;
        if (own && record.get(Field::ip_version) == 6) {
            append_groups(out, record.ip(field).data());
        } else {
            append_address(out, record.ip(field));
        }
        out.push_back('"');
        return;
    }
    const std::uint64_t value = record.get(field);
    if (about.type == FieldType::i64) {
        append_number(out, static_cast<std::int64_t>(value));
    } else if (about.type == FieldType::boolean) {
        out.append(value != 0 ? "true" : "false");
    } else if (about.type == FieldType::hex16 || about.type == FieldType::hex32) {
        out.push_back('"');
        append_hex(out, value, about.type == FieldType::hex16 ? 4 : 8);
        out.push_back('"');
    } else if (const std::string_view name = choice_name(field, value); !name.empty()) {
        append_json_text(out, name);
    } else {
        append_number(out, value);
    }
}

void JsonWriter::append_strings(std::string& out, Field field, std::uint32_t first) {
    const FieldInfo& about = info(field);
    append_key(out, about);
    if (about.type == FieldType::text) {
        append_json_text(out, as_text(items_[first].bytes));
        return;
    }
    const std::size_t step = value_bytes(about.type);
    out.push_back('[');
    const std::size_t start = out.size();
    for (std::uint32_t i = first; i != kNone; i = items_[i].next) {
        const ByteView bytes = items_[i].bytes;
        if (step == 0) {
            if (out.size() > start) out.push_back(',');
            append_json_text(out, as_text(bytes));
            continue;
        }
        for (std::size_t at = 0; at + step <= bytes.size(); at += step) {
            if (out.size() > start) out.push_back(',');
            append_item(out, about.type, bytes.data() + at);
        }
    }
    out.push_back(']');
}

void JsonWriter::append_item(std::string& out, FieldType type, const std::uint8_t* at) {
    if (type == FieldType::u16_list) {
        append_number(out, unsigned{load_le16(at)});
    } else if (type == FieldType::hex64_list) {
        out.push_back('"');
        append_hex(out, load_le64(at), 16);
        out.push_back('"');
    } else {
        out.push_back('[');
        append_number(out, load_le32(at));
        out.push_back(',');
        append_number(out, load_le32(at + 4));
        out.push_back(',');
        append_number(out, load_le32(at + 8));
        out.push_back(']');
    }
}

}  // namespace seine::contract
