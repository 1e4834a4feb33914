// A configuration value as a tree, with the place it was read from.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seine::config {

struct Member;

struct Node {
    enum class Type : std::uint8_t { table, array, text, integer, real, boolean };
    Type type = Type::table;
    std::string text;
    std::int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    std::vector<Member> members;  // of a table, in the order of their names
    std::vector<Node> items;      // of an array
    int line = 0;                 // 0: not from a file
    int column = 0;

    // The member of that name; nullptr when there is none.
    [[nodiscard]] const Node* find(std::string_view name) const noexcept;
    // Members read with their default where they are absent or of another type (which check() has
    // told).
    [[nodiscard]] std::string text_of(std::string_view name, std::string_view otherwise = {}) const;
    [[nodiscard]] std::int64_t integer_of(std::string_view name, std::int64_t otherwise = 0) const;
    [[nodiscard]] double real_of(std::string_view name, double otherwise = 0) const;
    [[nodiscard]] bool boolean_of(std::string_view name, bool otherwise = false) const;
    [[nodiscard]] std::vector<std::string> texts_of(std::string_view name) const;
    // Values alone; places do not count.
    friend bool operator==(const Node& a, const Node& b) noexcept;
};

struct Member {
    std::string name;
    Node value;
    friend bool operator==(const Member& a, const Member& b) noexcept {
        return a.name == b.name && a.value == b.value;
    }
};

std::string_view name_of(Node::Type type) noexcept;  // "text", as an error says it

}  // namespace seine::config
