// One request of a verb.
#include "control/cli/ask.h"

#include "control/command/client.h"

namespace seine::cli {

Result<std::string> ask(const Invocation& invocation) {
    return ask(invocation, invocation.arguments);
}

Result<std::string> ask(const Invocation& invocation, const command::Arguments& arguments) {
    auto client = command::Client::connect(invocation.socket, invocation.timeout_ms);
    if (!client) return client.error();
    command::Request request;
    request.noun = invocation.noun->name;
    request.verb = invocation.verb->name;
    request.arguments = arguments;
    auto answer = client->ask(request);
    if (!answer && answer.error().message() == command::Client::kNotControl) {
        return failed(invocation.socket + ": " + command::Client::kNotControl +
                      "; name control's socket with --socket PATH");
    }
    return answer;
}

Status show_document(const Invocation& invocation, const std::string& document, const Write& write) {
    std::string text;
    if (invocation.json || invocation.verb->show == nullptr) {
        text = document + "\n";
    } else {
        const auto json = command::JsonValue::parse(document);
        if (!json)
            return {Code::corrupt, invocation.socket + ": the answer is " + json.error().message()};
        text = invocation.verb->show(*json, invocation);
    }
    return write(text) ? Status() : failed("the output cannot be written");
}

}  // namespace seine::cli
