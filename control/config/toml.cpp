// toml++ reads; writing is a page of its own, since its order and quoting are part of the promise.
#include "control/config/toml.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <toml++/toml.h>

#include "dataplane/base/bytes.h"

namespace seine::config {
namespace {

constexpr int kDepthMax = 16;

Status take(const toml::node& from, Node& out, const std::string& name, int depth) {
    out.line = static_cast<int>(from.source().begin.line);
    out.column = static_cast<int>(from.source().begin.column);
    const auto place = [&] {
        return name + ":" + std::to_string(out.line) + ":" + std::to_string(out.column) + ": ";
    };
    if (depth > kDepthMax)
        return failed(place() + "tables within tables, more than " + std::to_string(kDepthMax) +
                      " deep");
    if (const auto* table = from.as_table()) {
        out.type = Node::Type::table;
        for (const auto& [key, value] : *table) {
            out.members.push_back({std::string(key.str()), {}});
            const Status status = take(value, out.members.back().value, name, depth + 1);
            if (!status.ok()) return status;
        }
        std::sort(out.members.begin(), out.members.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
    } else if (const auto* array = from.as_array()) {
        out.type = Node::Type::array;
        for (const toml::node& value : *array) {
            out.items.emplace_back();
            const Status status = take(value, out.items.back(), name, depth + 1);
            if (!status.ok()) return status;
        }
    } else if (const auto* text = from.as_string()) {
        out.type = Node::Type::text;
        out.text = text->get();
    } else if (const auto* integer = from.as_integer()) {
        out.type = Node::Type::integer;
        out.integer = integer->get();
    } else if (const auto* real = from.as_floating_point()) {
        out.type = Node::Type::real;
        out.real = real->get();
        if (!std::isfinite(out.real)) return failed(place() + "inf and nan are no settings");
    } else if (const auto* boolean = from.as_boolean()) {
        out.type = Node::Type::boolean;
        out.boolean = boolean->get();
    } else {
        return failed(place() + "dates and times are written as texts in quotes");
    }
    return {};
}

void write_text(std::string& out, std::string_view text) {
    out.push_back('"');
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\u00";
            out.push_back(kHexDigits[byte >> 4]);
            out.push_back(kHexDigits[byte & 15]);
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
}

void write_key(std::string& out, std::string_view key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
    if (bare) {
        out += key;
    } else {
        write_text(out, key);
    }
}

bool is_table_list(const Node& node) {
    return node.type == Node::Type::array && !node.items.empty() &&
           std::all_of(node.items.begin(), node.items.end(),
                       [](const Node& item) { return item.type == Node::Type::table; });
}

void write_value(std::string& out, const Node& node) {
    switch (node.type) {
        case Node::Type::text:
            write_text(out, node.text);
            return;
        case Node::Type::integer:
            out += std::to_string(node.integer);
            return;
        case Node::Type::boolean:
            out += node.boolean ? "true" : "false";
            return;
        case Node::Type::real: {
            char digits[64];
            const auto done = std::to_chars(digits, digits + sizeof digits, node.real);
            const std::string text(digits, done.ptr);
            out += text;
            if (text.find_first_of(".e") == std::string::npos) out += ".0";
            return;
        }
        case Node::Type::array:
            out.push_back('[');
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                if (i > 0) out += ", ";
                write_value(out, node.items[i]);
            }
            out.push_back(']');
            return;
        case Node::Type::table:
            out += "{ ";
            for (std::size_t i = 0; i < node.members.size(); ++i) {
                if (i > 0) out += ", ";
                write_key(out, node.members[i].name);
                out += " = ";
                write_value(out, node.members[i].value);
            }
            out += " }";
            return;
    }
}

// Plain values first, then tables and lists of tables below their own headings.
void write_table(std::string& out, const Node& table, const std::string& path) {
    for (const auto& [key, value] : table.members) {
        if (value.type == Node::Type::table || is_table_list(value)) continue;
        write_key(out, key);
        out += " = ";
        write_value(out, value);
        out.push_back('\n');
    }
    for (const auto& [key, value] : table.members) {
        std::string below = path;
        if (!below.empty()) below.push_back('.');
        write_key(below, key);
        if (value.type == Node::Type::table) {
            out.append("\n[").append(below).append("]\n");
            write_table(out, value, below);
        } else if (is_table_list(value)) {
            for (const Node& item : value.items) {
                out.append("\n[[").append(below).append("]]\n");
                write_table(out, item, below);
            }
        }
    }
}

}  // namespace

Result<Node> read_toml(std::string_view text, const std::string& name) {
    if (text.size() > kTomlBytesMax)
        return failed(name + ": longer than " + std::to_string(kTomlBytesMax >> 20) + " MiB");
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return failed(name + ":" + std::to_string(error.source().begin.line) + ":" +
                      std::to_string(error.source().begin.column) + ": " +
                      std::string(error.description()));
    }
    Node root;
    const Status status = take(parsed.table(), root, name, 0);
    if (!status.ok()) return status;
    return root;
}

std::string write_toml(const Node& root) {
    std::string out;
    write_table(out, root, "");
    if (out.starts_with('\n')) out.erase(0, 1);
    return out;
}

}  // namespace seine::config
