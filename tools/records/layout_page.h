// docs/records.md, generated from the tables of dataplane/contract and the ring's layout.
#pragma once
#include <string>

namespace seine::records {

std::string layout_page();

}  // namespace seine::records
