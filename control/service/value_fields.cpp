// The record's own names, and three more.
#include "control/service/value_fields.h"

#include "control/store/records.h"
#include "dataplane/contract/fields.h"

namespace seine::service {

using contract::Field;

namespace {

constexpr std::pair<std::uint16_t, std::string_view> kOwn[] = {
    {store::kFieldAddress, "address"}, {store::kFieldPrefix, "prefix"}, {store::kFieldSession, "session"}};

constexpr std::uint16_t of(Field field) { return static_cast<std::uint16_t>(field); }
constexpr std::uint16_t kFingerprints[] = {
    of(Field::ja4),         of(Field::ja4_norm), of(Field::ja3),         of(Field::hassh),     of(Field::h2_settings),
    of(Field::h2_akamai),   of(Field::hdr_order), of(Field::ja4h),       of(Field::user_agent), of(Field::syn),
    of(Field::ja4t),        of(Field::ja4_o),    of(Field::ja4s),        of(Field::ja3s),      of(Field::hassh_server),
    of(Field::ja4x),        of(Field::ja4ts),    of(Field::ja4d),        of(Field::ssh_client), of(Field::ssh_server),
    of(Field::sni),         of(Field::alpn),     of(Field::host),        of(Field::path),      of(Field::method),
    store::kFieldAddress,   store::kFieldPrefix, store::kFieldSession};

}  // namespace

std::string_view field_name(std::uint16_t field) noexcept {
    for (const auto& [number, name] : kOwn) {
        if (number == field) return name;
    }
    return field >= 1 && field <= contract::kFieldCount ? contract::kFields[field - 1].name : std::string_view();
}

std::uint16_t field_number(std::string_view name) noexcept {
    for (const auto& [number, own] : kOwn) {
        if (own == name) return number;
    }
    for (const contract::FieldInfo& info : contract::kFields) {
        if (info.name == name) return info.number;
    }
    return 0;
}

std::span<const std::uint16_t> fingerprint_fields() noexcept { return kFingerprints; }

}  // namespace seine::service
