// One packet out, the parts of the answer back; a document is bounded.
#include "control/command/dataplane.h"

#include <algorithm>
#include <vector>

#include "control/command/channel.h"

namespace seine::command {

using contract::AdminKind;

namespace {

// A refusal's words for a terminal.
std::string printable(std::string_view text) {
    std::string out(text);
    std::replace_if(
        out.begin(), out.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return out;
}

}  // namespace

Result<std::string> ask_dataplane(const std::string& socket, int timeout_ms, AdminKind kind,
                                  ByteView body) {
    auto channel = Channel::connect(socket, timeout_ms);
    if (!channel) return channel.error();
    std::vector<std::uint8_t> packet(contract::kAdminMessageBytesMax);
    const std::size_t bytes = contract::encode_admin(packet, {kind, false, 1, body});
    const Status sent = channel->send({packet.data(), bytes});
    if (!sent.ok()) return sent;
    std::string document;
    contract::AdminMessage answer;
    do {
        const auto got = channel->receive(packet, timeout_ms);
        if (!got) return got.error();
        const Parse parse = contract::decode_admin({packet.data(), *got}, answer);
        if (parse != Parse::ok || answer.sequence != 1)
            return failed(
                socket +
                ": an answer of another kind; are seinectl and the dataplane of one release?");
        if (answer.kind == AdminKind::refused)
            return failed(socket + ": refused: " + printable(as_text(answer.body)));
        if (answer.kind == AdminKind::done) return std::string();
        if (answer.kind != AdminKind::document)
            return failed(socket + ": an answer that does not fit the question");
        document.append(as_text(answer.body));
        if (document.size() > contract::kAdminDocumentBytesMax)
            return failed(socket + ": an answer without end");
    } while (answer.more);
    return document;
}

bool tells_a_loss(std::string_view counter) noexcept {
    static constexpr std::string_view kDecode = "decode_";
    if (counter.substr(0, kDecode.size()) == kDecode) return counter != "decode_ok";
    static constexpr std::string_view kWords[] = {
        "dropped",  "malformed",     "limit", "cut",      "exhausted", "evicted",    "refused",
        "gave_up",  "failed",        "lost",  "oversize", "truncated", "unowned",    "unknown",
        "conflict", "out_of_window", "shed",  "missed",   "timed_out", "past_bound", "bad_length"};
    return std::any_of(std::begin(kWords), std::end(kWords), [counter](std::string_view word) {
        return counter.find(word) != std::string_view::npos;
    });
}

}  // namespace seine::command
