// Verbs of `seinectl account` that work on files here: keys, trying a log format, and what turns
// names to tags before anything leaves this process.
#pragma once
#include "control/cli/noun.h"

namespace seine::cli {

Status account_key_new(const Invocation& invocation, const Write& write);
Status account_key_rotate(const Invocation& invocation, const Write& write);
Status account_key_retire(const Invocation& invocation, const Write& write);
Status account_key_mac(const Invocation& invocation, const Write& write);
Status account_key_export(const Invocation& invocation, const Write& write);
Status account_source_test(const Invocation& invocation, const Write& write);
Status account_import(const Invocation& invocation, const Write& write);
Status account_close(const Invocation& invocation, const Write& write);
Status account_tag(const Invocation& invocation, const Write& write);

}  // namespace seine::cli
