// From an event to the bytes that a carrier hands over: format, envelope and the carrier's size
// limit.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "control/export/format.h"

namespace seine::siem {

// What stands around a format's message.
enum class Envelope : std::uint8_t {
    none,    // the message alone
    syslog,  // RFC 5424 header in front
    hec,     // Splunk's {"time":..,"host":..,"event":..}
    bulk,    // Elasticsearch: an action line, line end, the document
    keyed,   // u8 length and key (account or farm), then the message: Kafka's partition follows the
             // key
};

struct RenderOptions {
    ItemOptions items;
    std::size_t bytes_max = 65000;  // of one message with its envelope; kMessageBytesMin at least
    std::string app_name = "seine";
    unsigned facility = 13;  // syslog: log audit
    std::string sourcetype;  // HEC; empty: seine:<format>
    std::string index;       // HEC and bulk; empty: the receiver's own choice
};
// Least bound that every event fits: what is not text is printed whole.
inline constexpr std::size_t kMessageBytesMin = 4096;

// Renders one event after the other into the same buffer. One thread.
class Renderer {
  public:
    Renderer(const Format& format, Envelope envelope, RenderOptions options);
    // The message; borrowed until the next call. An event that is too long is rendered again with
    // less text (Item::cut_values says so) until it fits; empty only when not even the least fits
    // or the event has no kind, which counters of the caller report.
    std::string_view render(const model::Event& event);

  private:
    void append(const model::Event& event);
    void append_syslog_header(const model::Event& event);

    const Format& format_;
    Envelope envelope_;
    RenderOptions options_;
    EventItems items_;
    TextBuffer out_;
    TextBuffer inner_;
};

}  // namespace seine::siem
