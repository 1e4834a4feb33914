// Asking seine-control what was typed, and showing what it says.
#pragma once
#include <string>

#include "control/cli/noun.h"

namespace seine::cli {

// The answer's document as it came, for the invocation's noun, verb and arguments.
Result<std::string> ask(const Invocation& invocation);
// Likewise with other arguments, for verbs that ask more than once or for more than was typed.
Result<std::string> ask(const Invocation& invocation, const command::Arguments& arguments);

// Prints a document: as it is with --json, else by the verb's `show`.
Status show_document(const Invocation& invocation, const std::string& document, const Write& write);

}  // namespace seine::cli
