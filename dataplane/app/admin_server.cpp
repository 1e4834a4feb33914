#include "dataplane/app/admin_server.h"

#include <poll.h>

namespace seine::app {

Result<AdminServer> AdminServer::open(const std::string& path, Document document, Stop stop) {
    AdminServer server;
    server.document_ = std::move(document);
    server.stop_ = std::move(stop);
    if (path.empty()) return server;
    auto socket = exporting::AdminSocket::listen(path);
    if (!socket) return socket.error();
    server.socket_ = std::move(*socket);
    return server;
}

void AdminServer::serve(int timeout_ms) {
    if (socket_ == nullptr) {
        static_cast<void>(poll(nullptr, 0, timeout_ms));  // a signal ends the wait early
        return;
    }
    const auto handle = [this](const exporting::AdminPeer&, const contract::AdminMessage& request,
                               exporting::AdminReply& reply) {
        switch (request.kind) {
            case contract::AdminKind::stats:
                return reply.document(document_());
            case contract::AdminKind::stop:
                stop_();
                return reply.done();
            case contract::AdminKind::reload:
            case contract::AdminKind::verdict:
                return reply.refused("not built yet: signatures and verdicts come with a later release");
            case contract::AdminKind::ask:
            case contract::AdminKind::failure:
            case contract::AdminKind::document:
            case contract::AdminKind::done:
            case contract::AdminKind::refused:
                break;
        }
        reply.refused("not a request this dataplane knows; is seinectl of the same release?");
    };
    socket_->serve(handle, timeout_ms);
}

}  // namespace seine::app
