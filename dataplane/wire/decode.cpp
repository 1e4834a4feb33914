#include "dataplane/wire/decode.h"

#include "dataplane/wire/walk.h"

namespace seine::wire {

DecodeResult Decoder::decode_general(ByteView frame, std::uint32_t wire_bytes, LinkType link,
                                     Nanos now, PacketView& out) noexcept {
    return Walk(frame, wire_bytes, &fragments_, now, out).run(link);
}

std::string_view decode_result_name(DecodeResult result) noexcept {
    switch (result) {
#define SEINE_X(id, meaning) \
    case DecodeResult::id:   \
        return #id;
        SEINE_DECODE_RESULTS(SEINE_X)
#undef SEINE_X
    }
    return "?";
}

std::string_view decode_result_meaning(DecodeResult result) noexcept {
    switch (result) {
#define SEINE_X(id, meaning) \
    case DecodeResult::id:   \
        return meaning;
        SEINE_DECODE_RESULTS(SEINE_X)
#undef SEINE_X
    }
    return "?";
}

std::string_view tunnel_name(TunnelKind kind) noexcept {
    switch (kind) {
#define SEINE_X(id, name) \
    case TunnelKind::id:  \
        return name;
        SEINE_TUNNEL_KINDS(SEINE_X)
#undef SEINE_X
    }
    return "?";
}

}  // namespace seine::wire
