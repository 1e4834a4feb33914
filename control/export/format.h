// A format: how one event becomes the bytes of one message.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "control/export/row.h"

namespace seine::siem {

// Const and shared by threads. What append() adds holds no line end (IPFIX: is one message of its
// own).
class Format {
  public:
    virtual ~Format() = default;
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;     // "eve", as configured
    [[nodiscard]] virtual std::string_view meaning() const noexcept = 0;  // for documentation
    [[nodiscard]] virtual bool is_json() const noexcept { return false; }
    [[nodiscard]] virtual bool is_binary() const noexcept { return false; }
    // Brings its own RFC 5424 STRUCTURED-DATA in front of its message.
    [[nodiscard]] virtual bool is_structured_data() const noexcept { return false; }
    [[nodiscard]] virtual std::span<const Row> rows() const noexcept = 0;
    virtual void append(TextBuffer& out, const EventItems& items) const = 0;
};

// All of them, in the order of the documentation.
std::span<const Format* const> formats();
// nullptr: no such format.
const Format* find_format(std::string_view name);

const Format& eve_format();
const Format& ecs_format();
const Format& ocsf_format();
const Format& cef_format();
const Format& leef_format();
const Format& sd_format();
const Format& ipfix_format();

// The field table of every format as markdown, for docs/siem.md.
std::string field_tables();

}  // namespace seine::siem
