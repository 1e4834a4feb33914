// Envelopes, and cutting until a message fits its carrier.
#include "control/export/render.h"

#include <algorithm>

#include "control/export/escape.h"

namespace seine::siem {
namespace {

// Syslog severities: 2 critical, 3 error, 4 warning, 5 notice, 6 informational.
constexpr unsigned kSyslogSeverity[] = {6, 6, 5, 4, 3, 2};

void append_seconds(TextBuffer& out, std::int64_t ns) {
    append_number(out, static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)) / 1'000'000'000);
    out.push_back('.');
    const auto ms = static_cast<unsigned>(
        static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)) / 1'000'000 % 1000);
    for (const unsigned digit : {ms / 100, ms / 10 % 10, ms % 10})
        out.push_back(static_cast<char>('0' + digit));
}

}  // namespace

Renderer::Renderer(const Format& format, Envelope envelope, RenderOptions options)
    : format_(format), envelope_(envelope), options_(std::move(options)) {
    options_.bytes_max = std::max(options_.bytes_max, kMessageBytesMin);
    if (options_.sourcetype.empty()) options_.sourcetype = "seine:" + std::string(format.name());
}

// <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID SD MSG, RFC 5424 section 6.
void Renderer::append_syslog_header(const model::Event& event) {
    const auto severity = static_cast<std::size_t>(event.severity) % std::size(kSyslogSeverity);
    out_.push_back('<');
    append_number(out_, options_.facility * 8u + kSyslogSeverity[severity]);
    out_ += ">1 ";
    append_time(out_, event.at.count, 6, "Z ");
    append_syslog_token(out_, options_.items.sensor, 255);
    out_.push_back(' ');
    append_syslog_token(out_, options_.app_name, 48);
    out_ += " - ";
    append_syslog_token(out_, name_of(event.kind), 32);
    out_.push_back(' ');
    if (!format_.is_structured_data()) out_ += "- ";
}

void Renderer::append(const model::Event& event) {
    switch (envelope_) {
        case Envelope::none:
            format_.append(out_, items_);
            return;
        case Envelope::syslog:
            append_syslog_header(event);
            format_.append(out_, items_);
            return;
        case Envelope::hec:
            out_ += "{\"time\":";
            append_seconds(out_, event.at.count);
            out_ += ",\"host\":";
            append_json_string(out_, options_.items.sensor);
            out_ += ",\"source\":\"seine\",\"sourcetype\":";
            append_json_string(out_, options_.sourcetype);
            if (!options_.index.empty()) {
                out_ += ",\"index\":";
                append_json_string(out_, options_.index);
            }
            out_ += ",\"event\":";
            if (format_.is_json()) {
                format_.append(out_, items_);
            } else {
                inner_.clear();
                format_.append(inner_, items_);
                append_json_string(out_, inner_.view());
            }
            out_.push_back('}');
            return;
        case Envelope::bulk:
            // The id makes a repeated create a conflict instead of a second document.
            out_ += "{\"create\":{\"_id\":";
            append_json_string(out_, items_.text(Item::uid));
            if (!options_.index.empty()) {
                out_ += ",\"_index\":";
                append_json_string(out_, options_.index);
            }
            out_ += "}}\n";
            format_.append(out_, items_);
            return;
        case Envelope::keyed: {
            const Item key = items_.has(Item::account) ? Item::account
                             : items_.has(Item::farm)  ? Item::farm
                                                       : Item::flow_id;
            const std::string_view text =
                items_.has(key) ? items_.text(key).substr(0, 255) : std::string_view{};
            out_.push_back(static_cast<char>(text.size()));
            out_ += text;
            format_.append(out_, items_);
            return;
        }
    }
}

std::string_view Renderer::render(const model::Event& event) {
    if (kinds_of(event.kind) == 0) return {};
    for (std::size_t text_max = kEventTextMax;;
         text_max = text_max > 1024 ? text_max / 2 : text_max - 256) {
        out_.clear();
        items_.gather(event, options_.items, text_max);
        append(event);
        if (out_.size() <= options_.bytes_max) return out_.view();
        if (text_max <= kEventTextMin) return {};
    }
}

}  // namespace seine::siem
