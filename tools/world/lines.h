// A world as JSON lines: flows.jsonl and accounts.jsonl (docs/worlds.md).
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "tools/world/catalog.h"
#include "tools/world/connection.h"

namespace seine::world {

void flow_lines(const Piece& piece, std::uint64_t first_id, const Texts& texts, std::string& out);
void record_lines(std::span<const Draft> drafts, std::string& out);
// 32 hex digits.
void put_tag(std::string& out, const std::array<std::uint8_t, 16>& tag);

}  // namespace seine::world
