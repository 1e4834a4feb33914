// Reads of a parsed head that do not depend on its HTTP version.
#include "dataplane/http/message.h"

namespace seine::http {
namespace {

// Position after `scheme://`, or npos when the target is not in absolute form.
std::size_t after_scheme(std::string_view target) noexcept {
    constexpr std::size_t kSchemeBytesMax = 16;
    const std::size_t colon = target.substr(0, kSchemeBytesMax).find(':');
    if (colon == std::string_view::npos || colon == 0) return std::string_view::npos;
    if (target.substr(colon, 3) != "://") return std::string_view::npos;
    return colon + 3;
}

std::string_view without_user(std::string_view authority) noexcept {
    const std::size_t at = authority.rfind('@');
    return at == std::string_view::npos ? authority : authority.substr(at + 1);
}

}  // namespace

std::string_view path_of(const Request& request) noexcept {
    std::string_view path = request.target;
    const std::size_t start = after_scheme(path);
    const bool absolute = start != std::string_view::npos;
    if (absolute) path.remove_prefix(start);
    path = path.substr(0, path.find_first_of("?#"));
    if (absolute) {
        const std::size_t slash = path.find('/');
        return slash == std::string_view::npos ? std::string_view("/") : path.substr(slash);
    }
    // Authority form can hold user information as well.
    return request.method == "CONNECT" ? without_user(path) : path;
}

std::string_view host_of(const Request& request) noexcept {
    const std::size_t start = after_scheme(request.target);
    if (start != std::string_view::npos) {
        const std::string_view rest = request.target.substr(start);
        return without_user(rest.substr(0, rest.find_first_of("/?#")));
    }
    if (request.method == "CONNECT" && !request.target.empty()) return without_user(request.target);
    if (request.version.major >= 2) {
        const HeaderField* authority = request.headers.find(":authority");
        if (authority != nullptr) return without_user(authority->value);
    }
    return without_user(request.headers.value_of("host"));
}

}  // namespace seine::http
