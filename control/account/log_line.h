// One log line to its properties, and their texts to numbers.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "control/account/log_format.h"
#include "control/model/address.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::account {

// Splits lines by one format. Keys and names pass through its buffers: values() are good until the
// next read() or forget(), which wipe them. One thread.
class LogLine {
  public:
    static constexpr std::size_t kLineBytesMax = 64 * 1024;
    static constexpr std::size_t kValueBytesMax = 4096;

    explicit LogLine(const LogFormat& format);
    ~LogLine() { forget(); }
    LogLine(const LogLine&) = delete;
    LogLine& operator=(const LogLine&) = delete;

    // malformed: the line is not of the format. limit: longer than kLineBytesMax, or a value longer
    // than kValueBytesMax. not_this: it is, but has none of the fields.
    Parse read(std::string_view line);
    // Empty: the line does not say. "-" counts as empty.
    [[nodiscard]] std::string_view value(LogProperty property) const noexcept {
        const Held& held = held_[static_cast<std::size_t>(property)];
        return {arena_.data() + held.at, held.bytes};
    }
    void forget() noexcept;

  private:
    struct Held {
        std::size_t at = 0;
        std::size_t bytes = 0;
        std::size_t rank = 0;  // of the field it came from, among the property's
    };
    Parse read_pattern(std::string_view line);
    void keep(std::string_view field, std::string_view value);

    const LogFormat& format_;
    std::array<Held, kLogProperties> held_{};
    std::array<char, 16 * 1024> arena_{};
    std::size_t used_ = 0;
    bool found_ = false;
    bool too_long_ = false;
    std::string scratch_;
};

// Seconds since 1970 with or without a fraction, ms, us or ns by their size; ISO 8601 with Z or an
// offset; 28/Nov/2026:01:02:03 +0000. False for anything else.
[[nodiscard]] bool read_time(std::string_view text, Nanos& out) noexcept;
// "0.125" is seconds, "125" is milliseconds; never negative. False for anything else.
[[nodiscard]] bool read_duration(std::string_view text, std::int64_t& out_ns) noexcept;
// "192.0.2.1", "192.0.2.1:443", "[2001:db8::1]:443", "2001:db8::1", "unix:"; `port` stays when
// there is none.
[[nodiscard]] bool read_end(std::string_view text, model::Address& address,
                            std::uint16_t& port) noexcept;
[[nodiscard]] bool read_number(std::string_view text, std::uint64_t most,
                               std::uint64_t& out) noexcept;
// The first key-like parameter of a request target (or of a whole request line); empty: none.
[[nodiscard]] std::string_view key_in_uri(std::string_view target) noexcept;

}  // namespace seine::account
