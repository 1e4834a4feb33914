// What answers may look at: the parts of a running control. Each part says which calls are safe
// from other threads.
#pragma once
#include <functional>

#include "control/command/server.h"
#include "control/service/config.h"
#include "dataplane/base/clock.h"

namespace seine::store {
class Store;
}

namespace seine::service {

class Ingest;
class AccountPart;
class Dictionary;
class Tunables;
class FarmPart;
class Findings;
class JoinedPart;

struct Parts {
    Config config;
    Nanos started;
    std::function<Nanos()> now;
    const command::ServerCounters* questions = nullptr;
    store::Store* store = nullptr;
    Ingest* ingest = nullptr;
    Dictionary* dictionary = nullptr;
    AccountPart* accounts = nullptr;  // null: no account source
    Tunables* tunables = nullptr;  // exporter, revisions, audit log; any thread
    FarmPart* farms = nullptr;  // null: not looked for
    Findings* findings = nullptr;
    JoinedPart* joined = nullptr;
};

}  // namespace seine::service
