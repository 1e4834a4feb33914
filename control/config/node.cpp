// Lookups in a tree.
#include "control/config/node.h"

namespace seine::config {

const Node* Node::find(std::string_view name) const noexcept {
    for (const auto& [key, value] : members) {
        if (key == name) return &value;
    }
    return nullptr;
}

std::string Node::text_of(std::string_view name, std::string_view otherwise) const {
    const Node* found = find(name);
    return found != nullptr && found->type == Type::text ? found->text : std::string(otherwise);
}
std::int64_t Node::integer_of(std::string_view name, std::int64_t otherwise) const {
    const Node* found = find(name);
    return found != nullptr && found->type == Type::integer ? found->integer : otherwise;
}
double Node::real_of(std::string_view name, double otherwise) const {
    const Node* found = find(name);
    if (found == nullptr) return otherwise;
    if (found->type == Type::integer) return static_cast<double>(found->integer);
    return found->type == Type::real ? found->real : otherwise;
}
bool Node::boolean_of(std::string_view name, bool otherwise) const {
    const Node* found = find(name);
    return found != nullptr && found->type == Type::boolean ? found->boolean : otherwise;
}
std::vector<std::string> Node::texts_of(std::string_view name) const {
    std::vector<std::string> out;
    const Node* found = find(name);
    if (found == nullptr || found->type != Type::array) return out;
    for (const Node& item : found->items) {
        if (item.type == Type::text) out.push_back(item.text);
    }
    return out;
}

bool operator==(const Node& a, const Node& b) noexcept {
    return a.type == b.type && a.text == b.text && a.integer == b.integer && a.real == b.real &&
           a.boolean == b.boolean && a.members == b.members && a.items == b.items;
}

std::string_view name_of(Node::Type type) noexcept {
    switch (type) {
        case Node::Type::table:
            return "table";
        case Node::Type::array:
            return "list";
        case Node::Type::text:
            return "text";
        case Node::Type::integer:
            return "whole number";
        case Node::Type::real:
            return "number";
        case Node::Type::boolean:
            return "true or false";
    }
    return "";
}

}  // namespace seine::config
