// `flow`: single flows as the store keeps them.
#include "control/command/json_builder.h"
#include "control/service/answer_words.h"
#include "control/service/answers.h"
#include "control/service/dictionary.h"
#include "control/service/parts.h"
#include "control/store/store.h"
#include "dataplane/contract/json.h"

namespace seine::service {
namespace {

using command::Arguments;

// ADDRESS or ADDRESS/BITS.
Status take_client(const std::string& text, store::FlowQuery& query) {
    if (text.empty()) return {};
    const std::size_t slash = text.find('/');
    model::Address address{};
    unsigned bits = 128;
    bool sound = model::from_text(std::string_view(text).substr(0, slash), address);
    if (sound && slash != std::string::npos) {
        const unsigned most = model::is_v4(address) ? 32 : 128;
        bits = 0;
        for (const char c : text.substr(slash + 1)) {
            sound = sound && c >= '0' && c <= '9' && bits < 1000;
            bits = bits * 10 + static_cast<unsigned>(c - '0');
        }
        sound = sound && slash + 1 < text.size() && bits <= most;
        bits += 128 - most;
    }
    if (!sound) return {Code::usage, "client takes an address or a prefix: 192.0.2.1, 192.0.2.0/24, 2001:db8::/48"};
    query.client = address;
    query.client_bits = bits;
    return {};
}

Result<store::FlowQuery> query_of(const Arguments& arguments, const Parts& parts) {
    store::FlowQuery query;
    Status status = take_client(arguments.text("client"), query);
    if (!status.ok()) return status;
    if (arguments.has("server")) {
        model::Address address{};
        if (!model::from_text(arguments.text("server"), address)) return Status(Code::usage, "server takes an address");
        query.server = address;
    }
    const auto port = arguments.number("port", 0, 1, 65535);
    if (!port) return port.error();
    query.server_port = static_cast<std::uint16_t>(*port);
    query.ja4 = model::value_id(arguments.text("ja4"));
    if (arguments.has("account")) {
        const auto account = account_of(arguments, "account", *parts.store);
        if (!account) return account.error();
        query.account = *account;
    }
    const auto from = since(arguments, parts.now());
    if (!from) return from.error();
    query.from = *from;
    const auto limit = arguments.number("limit", 20, 1, 10'000);
    if (!limit) return limit.error();
    query.limit = *limit;
    const auto after = arguments.number("after", 0, 0, UINT64_MAX);
    if (!after) return after.error();
    query.after_row = *after;
    return query;
}

void add_flow(command::JsonBuilder& json, const store::FlowRow& row, const Dictionary& dictionary) {
    std::string id;
    contract::append_flow_id(id, row.id);
    json.object().field("row", row.row).field("flow_id", id).field("stands_for", row.stands_for);
    json.key("accounts").array();
    for (const auto& account : row.accounts) json.text(model::to_text(account));
    json.end();
    contract::RecordView record;
    if (contract::read_frame(row.frame, record) == Parse::ok) {
        const std::string known = dictionary.name_of(record);
        if (!known.empty()) json.field("known_as", known);
        std::string text;
        contract::JsonWriter().append(text, record, contract::JsonForm::flow);
        json.key("record").raw(text);
    }
    json.end();
}

Result<std::string> list_flows(const command::Request& request, const Parts& parts) {
    const auto query = query_of(request.arguments, parts);
    if (!query) return query.error();
    const auto rows = parts.store->flows(*query);
    if (!rows) return rows.error();
    std::uint64_t last = query->after_row;
    for (const store::FlowRow& row : *rows) last = std::max(last, row.row);
    command::JsonBuilder json;
    json.object().field("last_row", last);
    json.key("flows").array();
    for (const store::FlowRow& row : *rows) add_flow(json, row, *parts.dictionary);
    json.end().end();
    return json.take();
}

Result<std::string> show_flow(const command::Request& request, const Parts& parts) {
    const auto id = flow_id_of(request.arguments.text("flow"));
    if (!id) return id.error();
    store::FlowQuery query;
    query.id = *id;
    query.limit = 1;
    const auto rows = parts.store->flows(query);
    if (!rows) return rows.error();
    if (rows->empty())
        return Status(Code::not_found, "no flow " + request.arguments.text("flow") +
                                           " is kept; it is open still, was passed over by sampling, or is past its time");
    command::JsonBuilder json;
    add_flow(json, rows->front(), *parts.dictionary);
    return json.take();
}

}  // namespace

void add_flow_answers(Answers& answers, Parts& parts) {
    answers.add("flow", "list", command::Role::reader, [&parts](const auto& request) { return list_flows(request, parts); });
    answers.add("flow", "follow", command::Role::reader, [&parts](const auto& request) { return list_flows(request, parts); });
    answers.add("flow", "show", command::Role::reader, [&parts](const auto& request) { return show_flow(request, parts); });
}

}  // namespace seine::service
