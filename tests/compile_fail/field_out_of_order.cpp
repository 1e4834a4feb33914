// A record field out of order does not build: numbers are positions, and never change.
// must say: fields are numbered
// edits: dataplane/contract/fields.h: X\(5, dst, ip, => X(6, dst, ip,
#include "dataplane/contract/fields.h"

int caller() { return seine::contract::kFieldCount > 0 ? 0 : 1; }
