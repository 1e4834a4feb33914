#include "control/account/inbox.h"

#include <cstring>

#include "control/account/secret_memory.h"

namespace seine::account {

Inbox::Inbox() : memory_(kAtOnce * kStride) {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
        parts_[i] = {memory_.data() + i * kStride, kDatagramBytesMax};
        messages_[i].msg_hdr.msg_iov = &parts_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
        messages_[i].msg_hdr.msg_control = controls_[i].bytes.data();
    }
}

Inbox::~Inbox() { wipe(memory_.data(), memory_.size()); }

std::size_t Inbox::receive(int fd) {
    for (mmsghdr& message : messages_) message.msg_hdr.msg_controllen = sizeof(Control);
    const int got = ::recvmmsg(fd, messages_.data(), kAtOnce, MSG_DONTWAIT, nullptr);
    return got < 0 ? 0 : static_cast<std::size_t>(got);
}

Inbox::Datagram Inbox::operator[](std::size_t at) {
    msghdr& header = messages_[at].msg_hdr;
    Datagram out;
    out.bytes = {memory_.data() + at * kStride, messages_[at].msg_len};
    out.cut = (header.msg_flags & MSG_TRUNC) != 0;
    for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SO_RXQ_OVFL) continue;
        std::memcpy(&out.dropped, CMSG_DATA(each), sizeof out.dropped);
        out.dropped_known = true;
    }
    return out;
}

}  // namespace seine::account
