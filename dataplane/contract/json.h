// One record as one JSON line: keys and their order from the field table.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "dataplane/contract/frame.h"

namespace seine::contract {

enum class JsonForm : std::uint8_t {
    event,  // one frame: begins with kind and flow_id
    flow,  // the fold of a flow's frames: neither of them, nor the worker, so that the line depends
           // on the traffic alone
};

// Appends `text` with its quotes. Bytes from 0x80 on are printed as \u00XX (latin-1), so any bytes
// make valid JSON and can be had back.
void append_json_text(std::string& out, std::string_view text);

// Appends a 16-byte address as people write it: dotted for a v4-mapped one, else RFC 5952.
void append_address(std::string& out, ByteView address);

// "dataplane-epoch-counter", decimal.
void append_flow_id(std::string& out, const FlowId& flow);

// Prints records; keeps its scratch between calls, so one writer serves one thread. Same record,
// same bytes: fields in table order, list items in the order of the record, absent fields left out,
// a record that lost strings ends with "truncated":true.
class JsonWriter {
  public:
    // Appends one object without a line end.
    void append(std::string& out, const RecordView& record, JsonForm form);

  private:
    struct Item {
        ByteView bytes;
        std::uint32_t next;
    };
    static constexpr std::uint32_t kNone = 0xffffffff;
    void index_strings(const RecordView& record);
    void append_fixed(std::string& out, const RecordView& record, Field field);
    void append_strings(std::string& out, Field field, std::uint32_t first);
    static void append_item(std::string& out, FieldType type, const std::uint8_t* at);

    std::vector<Item> items_;
    std::array<std::uint32_t, kFieldCount> first_{};
    std::array<std::uint32_t, kFieldCount> last_{};
};

}  // namespace seine::contract
