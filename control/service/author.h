// Who asks, by the credentials of the socket.
#pragma once
#include <string>

#include "control/command/request.h"

namespace seine::service {

// The user's name, or "uid N".
std::string author_of(const command::Peer& peer);

}  // namespace seine::service
