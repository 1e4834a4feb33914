// A carrier that cannot be made yet: a file that it needs is not there. Events wait for it, and it
// is tried again with each delivery.
#pragma once
#include <functional>
#include <memory>

#include "control/export/carrier.h"

namespace seine::siem {

using CarrierMaker = std::function<Result<std::unique_ptr<Carrier>>()>;

std::unique_ptr<Carrier> make_late_carrier(CarrierMaker make, bool acknowledges);

}  // namespace seine::siem
