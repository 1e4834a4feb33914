// HPACK by nghttp2, whose every allocation is sent to the worker's bounded memory.
#include "dataplane/http/hpack.h"

#include <cstring>
#include <new>

#include <nghttp2/nghttp2.h>

namespace seine::http {
namespace {

void* take_block(std::size_t bytes, void* table) noexcept {
    return static_cast<HpackInflater*>(table)->take(bytes);
}
void give_block(void* block, void* table) noexcept {
    if (block != nullptr) static_cast<HpackInflater*>(table)->give(block);
}
void* take_zeros(std::size_t count, std::size_t bytes, void* table) noexcept {
    if (bytes != 0 && count > HpackMemory::kBlockBytesMax / bytes) return nullptr;
    void* block = take_block(count * bytes, table);
    if (block != nullptr) std::memset(block, 0, count * bytes);
    return block;
}
void* grow_block(void* block, std::size_t bytes, void* table) noexcept {
    return static_cast<HpackInflater*>(table)->grow(block, bytes);
}

nghttp2_hd_inflater* inflater_of(void* handle) noexcept {
    return static_cast<nghttp2_hd_inflater*>(handle);
}
std::string_view text_of(const std::uint8_t* bytes, std::size_t count) noexcept {
    return as_text({bytes, count});
}

}  // namespace

bool HeaderText::copy(std::string_view text, std::string_view& kept) noexcept {
    if (text.size() > chars_.size() - used_) return false;
    if (!text.empty()) std::memcpy(chars_.data() + used_, text.data(), text.size());
    kept = {chars_.data() + used_, text.size()};
    used_ += text.size();
    return true;
}

void* HpackInflater::take(std::size_t bytes) noexcept {
    if (bytes > budget_bytes_ - used_bytes_) return nullptr;
    void* block = memory_->take(bytes);
    if (block != nullptr) used_bytes_ += memory_->block_bytes(block);
    if (used_bytes_ > budget_bytes_) {  // the block is larger than what was asked for
        give(block);
        return nullptr;
    }
    return block;
}

void HpackInflater::give(void* block) noexcept {
    used_bytes_ -= memory_->block_bytes(block);
    memory_->give(block);
}

void* HpackInflater::grow(void* block, std::size_t bytes) noexcept {
    if (block == nullptr) return take(bytes);
    const std::size_t had = memory_->block_bytes(block);
    if (bytes <= had) return block;
    void* larger = take(bytes);
    if (larger == nullptr) return nullptr;
    std::memcpy(larger, block, had);
    give(block);
    return larger;
}

Parse HpackInflater::start(HpackMemory& memory, std::size_t budget_bytes) noexcept {
    stop();
    memory_ = &memory;
    budget_bytes_ = budget_bytes;
    calls_ = take(sizeof(nghttp2_mem));
    if (calls_ == nullptr) return Parse::limit;
    auto* calls = new (calls_) nghttp2_mem{this, take_block, give_block, take_zeros, grow_block};
    nghttp2_hd_inflater* made = nullptr;
    if (nghttp2_hd_inflate_new2(&made, calls) != 0) {
        stop();
        return Parse::limit;
    }
    inflater_ = made;
    // The bound, not the size: the table stays at 4,096 until the encoder says otherwise, and what
    // it may say was settled in SETTINGS we need not follow.
    if (nghttp2_hd_inflate_change_table_size(made, kTableBytesMax) != 0) {
        stop();
        return Parse::limit;
    }
    return Parse::ok;
}

void HpackInflater::stop() noexcept {
    if (inflater_ != nullptr) nghttp2_hd_inflate_del(inflater_of(inflater_));
    inflater_ = nullptr;
    if (calls_ != nullptr) give(calls_);
    calls_ = nullptr;
    SEINE_ASSERT(used_bytes_ == 0);
}

Parse HpackInflater::feed(ByteView fragment, bool last, HeaderText& text,
                          HeaderList& out) noexcept {
    if (inflater_ == nullptr) return Parse::malformed;
    const std::uint8_t* at = fragment.data();
    std::size_t left = fragment.size();
    // Every round takes a byte or yields a field, and fields are bounded; the last round may do
    // neither.
    while (true) {
        nghttp2_nv field{};
        int flags = 0;
        const auto taken =
            nghttp2_hd_inflate_hd2(inflater_of(inflater_), &field, &flags, at, left, last ? 1 : 0);
        if (taken < 0) return taken == NGHTTP2_ERR_NOMEM ? Parse::limit : Parse::malformed;
        at += taken;
        left -= static_cast<std::size_t>(taken);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            std::string_view name;
            std::string_view value;
            if (!text.copy(text_of(field.name, field.namelen), name) ||
                !text.copy(text_of(field.value, field.valuelen), value) || !out.push(name, value)) {
                return Parse::limit;
            }
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
            nghttp2_hd_inflate_end_headers(inflater_of(inflater_));
            return Parse::ok;
        }
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) return Parse::ok;
        if (taken == 0 && (flags & NGHTTP2_HD_INFLATE_EMIT) == 0) return Parse::malformed;
    }
}

}  // namespace seine::http
