// The leaves of one JSON object, with their paths, without a tree and without a copy kept.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "dataplane/base/status.h"

namespace seine::account {

// Walks the object on one line and gives each string, number, true and false with its path, names
// joined by dots, list places as numbers: `request.headers.X-Api-Key.0`. null and empty containers
// give nothing. Both views die with the call; `scratch` holds unescaped text for as long and is
// wiped by its owner, since keys may be in it.
//
// malformed: not one JSON object (RFC 8259), or bytes behind it. limit: more than 8 levels, 512
// leaves or a path of more than 256 bytes. What was given before that stays given.
using VisitField = std::function<void(std::string_view path, std::string_view value)>;
Parse walk_json(std::string_view line, std::string& scratch, const VisitField& visit);

}  // namespace seine::account
