// The shape of a noun: its verbs, what each takes, and what is done with it. Help, completion and
// man pages are made from these tables alone.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "control/command/json_value.h"
#include "control/command/request.h"
#include "dataplane/base/status.h"

namespace seine::cli {

struct Invocation;

// How a shell completes a value: "" not at all, kFile by file names, else the words of a
// blank-separated list.
inline constexpr std::string_view kFile = "@file";

struct Option {
    std::string_view name;   // without its dashes; the same name takes a value everywhere or nowhere
    std::string_view value;  // what the value is, in capitals; empty: it takes none
    std::string_view meaning;
    std::string_view complete = {};
    bool repeats = false;
};

struct Positional {
    std::string_view name;  // printed in capitals; the argument's name in the request
    std::string_view meaning;
    bool optional = false;
    bool repeats = false;  // the last one only
    std::string_view complete = {};
};

// Where output goes; false when it cannot be written.
using Write = std::function<bool(std::string_view text)>;

struct Verb {
    std::string_view name;     // one word or more: "list", "source test"
    std::string_view meaning;  // half a line
    std::span<const Positional> positionals = {};
    std::span<const Option> options = {};
    // The answer's document as it is read on a terminal. Used where `run` is not set: the request
    // goes to seine-control as it was typed.
    std::string (*show)(const command::JsonValue& document, const Invocation& invocation) = nullptr;
    // Does everything itself (ask.h helps).
    Status (*run)(const Invocation& invocation, const Write& write) = nullptr;
    // Paragraphs for the man page and `--help`, after the one line.
    std::string_view more = {};
};

struct Noun {
    std::string_view name;
    std::string_view meaning;
    std::span<const Verb> verbs = {};  // empty: not built yet. The first is meant when none is typed.
    std::string_view more = {};
};

// What the operator typed.
struct Invocation {
    enum class Action { run, help, version, man };
    Action action = Action::run;
    const Noun* noun = nullptr;  // of help and man: null for all
    const Verb* verb = nullptr;  // of help and man: null for the noun
    command::Arguments arguments;
    bool json = false;
    bool socket_given = false;
    std::string socket;            // control's
    std::string dataplane_socket;  // empty: not asked for
    int timeout_ms = 0;
    unsigned watch_seconds = 0;  // 0: once
};

}  // namespace seine::cli
