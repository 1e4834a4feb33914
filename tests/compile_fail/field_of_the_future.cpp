// A record field that claims a version past the contract's does not build.
// must say: fields are numbered
// edits: dataplane/contract/fields.h: last, 1, "worker => last, 99, "worker
#include "dataplane/contract/fields.h"

int caller() { return seine::contract::kFieldCount > 0 ? 0 : 1; }
