// A question out, the parts of its answer in.
#include "control/command/client.h"

#include <vector>

#include "dataplane/contract/admin.h"

namespace seine::command {

using contract::AdminKind;
using contract::AdminMessage;

Result<Client> Client::connect(const std::string& path, int timeout_ms) {
    auto channel = Channel::connect(path, timeout_ms, "seine-control");
    if (!channel) return channel.error();
    return Client(std::move(channel).value(), path, timeout_ms);
}

Result<std::string> Client::ask(const Request& request) {
    const std::string body = to_json(request);
    if (body.size() > contract::kAdminBodyBytesMax) {
        return Status(Code::usage, "the request has " + std::to_string(body.size()) +
                                       " bytes, more than the " +
                                       std::to_string(contract::kAdminBodyBytesMax) +
                                       " that one may have");
    }
    std::vector<std::uint8_t> packet(contract::kAdminMessageBytesMax);
    const std::uint32_t sequence = ++sequence_;
    const std::size_t bytes =
        contract::encode_admin(packet, {AdminKind::ask, false, sequence, as_bytes(body)});
    const Status sent = channel_.send({packet.data(), bytes});
    if (!sent.ok()) return sent;
    std::string document;
    AdminMessage answer;
    do {
        const auto got = channel_.receive(packet, timeout_ms_);
        if (!got) return got.error();
        const Parse parse = contract::decode_admin({packet.data(), *got}, answer);
        if (parse != Parse::ok || answer.sequence != sequence)
            return failed(path_ + ": an answer of another kind; are seinectl and seine-control of one release?");
        if (answer.kind == AdminKind::failure) return decode_failure(as_text(answer.body));
        if (answer.kind == AdminKind::refused) return Status(Code::not_found, kNotControl);
        if (answer.kind != AdminKind::document)
            return failed(path_ + ": an answer that does not fit the question");
        document.append(as_text(answer.body));
        if (document.size() > kAnswerBytesMax) return failed(path_ + ": an answer without end");
    } while (answer.more);
    return document;
}

}  // namespace seine::command
