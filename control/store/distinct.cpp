// HyperLogLog beside a short list.
#include "control/store/distinct.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "dataplane/base/bytes.h"

namespace seine::store {
namespace {

constexpr unsigned kIndexBits = 12;
constexpr char kList = 1;
constexpr char kSparse = 2;
constexpr char kDense = 3;
constexpr std::size_t kSparseItemBytes = 3;

// Hashes that are not quite uniform in their first bits would bias the estimate (the finaliser of
// MurmurHash3, public domain).
std::uint64_t finished(std::uint64_t hash) noexcept {
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 33;
}

}  // namespace

Distinct::Distinct(const Distinct& other)
    : one_(other.one_),
      has_one_(other.has_one_),
      hashes_(other.hashes_),
      registers_(other.registers_ ? std::make_unique<Registers>(*other.registers_) : nullptr) {}

Distinct& Distinct::operator=(const Distinct& other) {
    if (this != &other) *this = Distinct(other);
    return *this;
}

bool Distinct::add_to_registers(std::uint64_t hash) noexcept {
    hash = finished(hash);
    const auto index = static_cast<std::size_t>(hash >> (64 - kIndexBits));
    // A stop bit below the rest bounds the rank when the rest is all zero.
    const std::uint64_t rest = hash << kIndexBits | std::uint64_t{1} << (kIndexBits - 1);
    const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
    std::uint8_t& at = (*registers_)[index];
    if (rank <= at) return false;
    at = rank;
    return true;
}

void Distinct::make_registers() {
    registers_ = std::make_unique<Registers>();
    registers_->fill(0);
    if (hashes_.empty() && has_one_) add_to_registers(one_);
    for (const std::uint64_t hash : hashes_) add_to_registers(hash);
    has_one_ = false;
    hashes_.clear();
    hashes_.shrink_to_fit();
}

bool Distinct::add(std::uint64_t hash) {
    if (registers_ != nullptr) return add_to_registers(hash);
    if (hashes_.empty()) {
        if (has_one_ && one_ == hash) return false;
        if (!has_one_) {
            one_ = hash;
            has_one_ = true;
            return true;
        }
        hashes_ = {std::min(one_, hash), std::max(one_, hash)};
        return true;
    }
    const auto at = std::lower_bound(hashes_.begin(), hashes_.end(), hash);
    if (at != hashes_.end() && *at == hash) return false;
    if (hashes_.size() < kExactMax) {
        hashes_.insert(at, hash);
        return true;
    }
    make_registers();
    add_to_registers(hash);
    return true;
}

void Distinct::merge(const Distinct& other) {
    if (other.registers_ == nullptr) {
        if (other.hashes_.empty() && other.has_one_) add(other.one_);
        for (const std::uint64_t hash : other.hashes_) add(hash);
        return;
    }
    if (registers_ == nullptr) make_registers();
    for (std::size_t i = 0; i < kRegisters; ++i)
        (*registers_)[i] = std::max((*registers_)[i], (*other.registers_)[i]);
}

std::uint64_t Distinct::count() const {
    if (registers_ == nullptr) return exact_count();
    constexpr double kCount = kRegisters;
    const double alpha = 0.7213 / (1 + 1.079 / kCount);
    std::array<std::uint32_t, 256> of_rank{};
    for (const std::uint8_t rank : *registers_) ++of_rank[rank];
    const std::size_t empty = of_rank[0];
    double sum = 0;
    for (std::size_t rank = of_rank.size(); rank-- > 0;) {
        if (of_rank[rank] != 0) sum += std::ldexp(static_cast<double>(of_rank[rank]), -static_cast<int>(rank));
    }
    double estimate = alpha * kCount * kCount / sum;
    if (estimate <= 2.5 * kCount && empty > 0)
        estimate = kCount * std::log(kCount / static_cast<double>(empty));
    return static_cast<std::uint64_t>(std::llround(estimate));
}

std::string Distinct::encode() const {
    std::string out;
    if (registers_ == nullptr) {
        out.push_back(kList);
        const std::uint64_t* const first = hashes_.empty() ? &one_ : hashes_.data();
        for (std::size_t i = 0; i < exact_count(); ++i) {
            char bytes[8];
            std::memcpy(bytes, first + i, 8);
            out.append(bytes, 8);
        }
        return out;
    }
    const auto used = static_cast<std::size_t>(
        std::count_if(registers_->begin(), registers_->end(), [](std::uint8_t rank) { return rank != 0; }));
    if (used * kSparseItemBytes >= kRegisters) {
        out.push_back(kDense);
        for (const std::uint8_t rank : *registers_) out.push_back(static_cast<char>(rank));
        return out;
    }
    out.push_back(kSparse);
    for (std::size_t i = 0; i < kRegisters; ++i) {
        if ((*registers_)[i] == 0) continue;
        out.push_back(static_cast<char>(i & 0xff));
        out.push_back(static_cast<char>(i >> 8));
        out.push_back(static_cast<char>((*registers_)[i]));
    }
    return out;
}

bool Distinct::decode(std::string_view bytes, Distinct& out) {
    out = {};
    if (bytes.empty()) return false;
    const char form = bytes.front();
    const ByteView rest = as_bytes(bytes.substr(1));
    if (form == kList) {
        if (rest.size() % 8 != 0 || rest.size() / 8 > kExactMax) return false;
        for (std::size_t at = 0; at < rest.size(); at += 8) out.add(load_le64(rest.data() + at));
        return true;
    }
    const bool dense = form == kDense && rest.size() == kRegisters;
    const bool sparse = form == kSparse && rest.size() % kSparseItemBytes == 0 && rest.size() < kRegisters;
    if (!dense && !sparse) return false;
    auto registers = std::make_unique<Registers>();
    registers->fill(0);
    constexpr std::uint8_t kRankMax = 64 - kIndexBits + 1;
    for (std::size_t at = 0; at < rest.size(); at += dense ? 1 : kSparseItemBytes) {
        const std::size_t index = dense ? at : load_le16(rest.data() + at);
        const std::uint8_t rank = dense ? rest[at] : rest[at + 2];
        if (index >= kRegisters || rank > kRankMax) return false;
        (*registers)[index] = rank;
    }
    out.registers_ = std::move(registers);
    return true;
}

}  // namespace seine::store
