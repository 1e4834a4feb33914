// When a certificate ends, for whoever warns before.
#pragma once
#include <string>

#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::siem {

// The earliest end of the certificates in a PEM file.
Result<Nanos> certificate_ends(const std::string& path);

}  // namespace seine::siem
