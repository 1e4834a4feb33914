#include "dataplane/app/admin_server.h"

#include <poll.h>

#include <chrono>

namespace seine::app {

Result<AdminServer> AdminServer::open(const std::string& path, Document document, Stop stop,
                                       RuleKeeper& rules) {
    AdminServer server;
    server.document_ = std::move(document);
    server.stop_ = std::move(stop);
    server.rules_ = &rules;
    if (path.empty()) return server;
    auto socket = exporting::AdminSocket::listen(path);
    if (!socket) return socket.error();
    server.socket_ = std::move(*socket);
    return server;
}

Status AdminServer::change_rules(const contract::AdminMessage& request) {
    const auto now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::steady_clock::now().time_since_epoch())
                            .count();
    if (request.kind == contract::AdminKind::rollback) return rules_->rollback();
    if (request.kind == contract::AdminKind::confirm) {
        if (request.body.size() != 8) return failed("a confirmation names a generation");
        return rules_->confirm(load_le64(request.body.data()));
    }
    contract::ReloadRequest reload;
    if (contract::decode_reload(request.body, reload) != Parse::ok) return failed("a reload names a generation and a file");
    return rules_->reload(reload, now_ns);
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
            case contract::AdminKind::rules:
                return reply.document(rules_->rules_document());
            case contract::AdminKind::reload:
            case contract::AdminKind::confirm:
            case contract::AdminKind::rollback: {
                const Status changed = change_rules(request);
                return changed.ok() ? reply.done() : reply.refused(changed.message());
            }
            case contract::AdminKind::verdict:
                return reply.refused("not built yet: verdicts come with a later release");
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
