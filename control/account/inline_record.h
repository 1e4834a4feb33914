// Requests in clear, as the dataplane sees them behind the terminator, to account records.
#pragma once
#include "control/account/join.h"
#include "control/account/names.h"
#include "dataplane/contract/frame.h"

namespace seine::account {

// The key came as a keyed hash (Field::api_keys; seine-dataplane --hash-key-file must be the one of
// `seinectl account key export`). The connection is the outer one: by the PROXY header's client, by
// Forwarded or X-Forwarded-For with a port, or by its unique id; where there is none of these, the
// clear connection itself, which the join puts to the outer one when its PROXY header named that.
// ok: `out` is set. not_this: no request record, or a request without a key.
Parse read_inline(const contract::RecordView& record, std::uint32_t gateway, Names& names,
                  SourceRecord& out);

// What the record says of the request itself.
void request_said(const contract::RecordView& record, Request& out);

}  // namespace seine::account
