// Dropping the outcome of decoding a frame does not build: each has its counter.
// must say: ignoring return value|nodiscard
#include "dataplane/wire/decode.h"

bool caller(seine::wire::Decoder& decoder, seine::ByteView frame, seine::wire::PacketView& out) {
#ifdef SEINE_MUST_NOT_COMPILE
    decoder.decode(frame, 60, seine::wire::LinkType::ethernet, {}, out);
    return true;
#else
    return decoder.decode(frame, 60, seine::wire::LinkType::ethernet, {}, out) == seine::wire::DecodeResult::ok;
#endif
}
