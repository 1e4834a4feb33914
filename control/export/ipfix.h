// IPFIX (RFC 7011): what the carrier needs to know beside the records that the format makes.
#pragma once
#include <cstdint>
#include <string_view>

#include "control/export/text_buffer.h"

namespace seine::siem {

// One template set with the templates of every kind of event, to be sent first, and again every now
// and then where the transport may lose it.
// `pen` is the enterprise number of our own elements.
void append_ipfix_templates(TextBuffer& out, std::uint32_t pen);

// A message header (16 bytes) followed by `sets`. `sequence` counts the data records sent before.
void append_ipfix_message(TextBuffer& out, std::uint32_t export_seconds, std::uint32_t sequence,
                          std::uint32_t domain, std::string_view sets);

inline constexpr std::size_t kIpfixHeaderBytes = 16;
// Sets of one message: with the header below what fits a UDP datagram over Ethernet without
// fragments where the record itself does.
inline constexpr std::size_t kIpfixSetsMax = 1400;

}  // namespace seine::siem
