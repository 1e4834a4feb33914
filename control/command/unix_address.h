// The address of a Unix socket as the sockets API takes it. Source: unix(7).
#pragma once
#include <sys/socket.h>
#include <sys/un.h>

namespace seine::command {

// The sockets API takes every kind of address by this type.
inline const sockaddr* generic(const sockaddr_un& address) noexcept {
    return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

}  // namespace seine::command
