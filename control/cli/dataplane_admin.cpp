#include "control/cli/dataplane_admin.h"

#include <vector>

#include "control/cli/table.h"
#include "control/command/channel.h"

namespace seine::cli {

using contract::AdminKind;

Result<std::string> ask_dataplane(const std::string& socket, int timeout_ms, AdminKind kind,
                                  ByteView body) {
    auto channel = command::Channel::connect(socket, timeout_ms);
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
            return failed(socket + ": refused: " + shown(as_text(answer.body)));
        if (answer.kind == AdminKind::done) return std::string();
        if (answer.kind != AdminKind::document)
            return failed(socket + ": an answer that does not fit the question");
        document.append(as_text(answer.body));
        if (document.size() > contract::kAdminDocumentBytesMax)
            return failed(socket + ": an answer without end");
    } while (answer.more);
    return document;
}

}  // namespace seine::cli
