// X.509 by a flat walk over DER: each structure is entered once, by its own loop.
#include "dataplane/tls/certificate.h"

#include <algorithm>
#include <array>

#include "dataplane/base/byte_reader.h"
#include "dataplane/tls/registry.h"

namespace seine::tls {
namespace {

// Identifier octets (X.690 section 8.1.2) that certificates use.
constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kOid = 0x06;
constexpr std::uint8_t kUtcTime = 0x17;
constexpr std::uint8_t kGeneralizedTime = 0x18;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kSet = 0x31;
constexpr std::uint8_t kVersion = 0xa0;
constexpr std::uint8_t kIssuerUniqueId = 0x81;
constexpr std::uint8_t kSubjectUniqueId = 0x82;
constexpr std::uint8_t kExtensions = 0xa3;
constexpr std::uint8_t kDnsName = 0x82;  // inside GeneralNames

constexpr std::array<std::uint8_t, 3> kCommonNameOid = {0x55, 0x04, 0x03};
constexpr std::array<std::uint8_t, 3> kSubjectAltNameOid = {0x55, 0x1d, 0x11};

bool same(ByteView oid, const std::array<std::uint8_t, 3>& known) noexcept {
    return std::equal(oid.begin(), oid.end(), known.begin(), known.end());
}

struct Value {
    std::uint8_t tag = 0;
    ByteView content;
};

// The next value of `in`; false when its tag or length is nothing a certificate may hold.
bool read_value(ByteReader& in, Value& out) noexcept {
    constexpr std::uint8_t kLongTag = 0x1f;
    const std::uint8_t tag = in.u8();
    std::size_t length = in.u8();
    if (in.failed() || (tag & kLongTag) == kLongTag) return false;
    if (length >= 0x80) {
        const std::size_t length_bytes = length & 0x7f;
        if (length_bytes == 0 || length_bytes > 4) return false;
        length = 0;
        for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | in.u8();
    }
    out = {tag, in.take(length)};
    return !in.failed();
}

// The next value if it has this tag, and false otherwise.
bool read_tagged(ByteReader& in, std::uint8_t tag, ByteView& content) noexcept {
    Value value;
    if (!read_value(in, value) || value.tag != tag) return false;
    content = value.content;
    return true;
}

bool at_tag(const ByteReader& in, std::uint8_t tag) noexcept {
    return !in.empty() && in.rest()[0] == tag;
}

// Name: SEQUENCE OF (SET OF (SEQUENCE of OID and value))    RFC 5280 section 4.1.2.4
Parse read_name(ByteView name, FixedVector<ByteView, Certificate::kAttributesMax>& oids,
                ByteView& common_name) noexcept {
    ByteReader sets(name);
    while (!sets.empty()) {
        ByteView set;
        if (!read_tagged(sets, kSet, set)) return Parse::malformed;
        ByteReader attributes(set);
        while (!attributes.empty()) {
            ByteView attribute;
            if (!read_tagged(attributes, kSequence, attribute)) return Parse::malformed;
            ByteReader in(attribute);
            ByteView oid;
            Value value;
            if (!read_tagged(in, kOid, oid) || !read_value(in, value)) return Parse::malformed;
            if (!oids.push(oid)) return Parse::limit;
            if (same(oid, kCommonNameOid)) common_name = value.content;
        }
    }
    return Parse::ok;
}

// Days since 1970-01-01 of a date in the Gregorian calendar, years from 1 on.
std::int64_t days_since_1970(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
    // Years begin in March here, so that a leap day is the last of its year.
    if (month <= 2) --year;
    const std::int64_t month_from_march = (month + 9) % 12;
    const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719'468;
}

// YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ (RFC 5280 section 4.1.2.5) in seconds since 1970; 0: not a time.
std::int64_t seconds_of(ByteView text, std::uint8_t tag) noexcept {
    const std::size_t year_digits = tag == kUtcTime ? 2 : 4;
    if (text.size() != year_digits + 11 || text.back() != 'Z') return 0;
    std::array<std::int64_t, 6> parts{};  // year, month, day, hour, minute, second
    std::size_t at = 0;
    for (std::size_t part = 0; part < parts.size(); ++part) {
        const std::size_t digits = part == 0 ? year_digits : 2;
        for (std::size_t i = 0; i < digits; ++i, ++at) {
            if (text[at] < '0' || text[at] > '9') return 0;
            parts[part] = parts[part] * 10 + (text[at] - '0');
        }
    }
    if (tag == kUtcTime) parts[0] += parts[0] >= 50 ? 1900 : 2000;
    if (parts[0] < 1 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31 ||
        parts[3] > 23 || parts[4] > 59 || parts[5] > 60) {
        return 0;
    }
    return days_since_1970(parts[0], parts[1], parts[2]) * 86'400 + parts[3] * 3'600 +
           parts[4] * 60 + parts[5];
}

bool read_time(ByteReader& in, ByteView& text, std::int64_t& seconds) noexcept {
    Value value;
    if (!read_value(in, value)) return false;
    if (value.tag != kUtcTime && value.tag != kGeneralizedTime) return false;
    text = value.content;
    seconds = seconds_of(text, value.tag);
    return true;
}

// GeneralNames of subjectAltName; what is broken in them ends the list and harms nothing else.
void read_dns_names(ByteView octets, Certificate& out) noexcept {
    ByteReader in(octets);
    ByteView names;
    if (!read_tagged(in, kSequence, names)) return;
    ByteReader list(names);
    Value name;
    while (!list.empty() && read_value(list, name)) {
        if (name.tag != kDnsName) continue;
        ++out.dns_name_count;
        static_cast<void>(out.dns_names.push(name.content));  // the first ones are kept
    }
}

// [3] EXPLICIT SEQUENCE OF (SEQUENCE of OID, BOOLEAN if critical, OCTET STRING)
Parse read_extensions(ByteView outer, Certificate& out) noexcept {
    ByteReader in(outer);
    ByteView all;
    if (!read_tagged(in, kSequence, all)) return Parse::malformed;
    ByteReader list(all);
    while (!list.empty()) {
        ByteView ext;
        if (!read_tagged(list, kSequence, ext)) return Parse::malformed;
        ByteReader parts(ext);
        ByteView oid;
        if (!read_tagged(parts, kOid, oid)) return Parse::malformed;
        if (!out.extension_oids.push(oid)) return Parse::limit;
        if (!same(oid, kSubjectAltNameOid)) continue;
        Value value;
        while (!parts.empty() && read_value(parts, value)) {
            if (value.tag == kOctetString) read_dns_names(value.content, out);
        }
    }
    return Parse::ok;
}

Parse read_to_be_signed(ByteView tbs, Certificate& out) noexcept {
    ByteReader in(tbs);
    ByteView ignored;
    ByteView issuer;
    ByteView validity;
    ByteView subject;
    if (at_tag(in, kVersion) && !read_tagged(in, kVersion, ignored)) return Parse::malformed;
    if (!read_tagged(in, kInteger, out.serial)) return Parse::malformed;
    if (!read_tagged(in, kSequence, ignored)) return Parse::malformed;  // signature algorithm
    if (!read_tagged(in, kSequence, issuer)) return Parse::malformed;
    if (!read_tagged(in, kSequence, validity)) return Parse::malformed;
    if (!read_tagged(in, kSequence, subject)) return Parse::malformed;
    if (!read_tagged(in, kSequence, ignored)) return Parse::malformed;  // public key

    const Parse issuer_name = read_name(issuer, out.issuer_oids, out.issuer_common_name);
    if (issuer_name != Parse::ok) return issuer_name;
    const Parse subject_name = read_name(subject, out.subject_oids, out.subject_common_name);
    if (subject_name != Parse::ok) return subject_name;
    ByteReader times(validity);
    if (!read_time(times, out.not_before, out.not_before_s) ||
        !read_time(times, out.not_after, out.not_after_s)) {
        return Parse::malformed;
    }
    while (!in.empty()) {
        Value value;
        if (!read_value(in, value)) return Parse::malformed;
        if (value.tag == kExtensions) return read_extensions(value.content, out);
        if (value.tag != kIssuerUniqueId && value.tag != kSubjectUniqueId) return Parse::malformed;
    }
    return Parse::ok;
}

}  // namespace

Parse read_certificate_list(ByteView body, CertificateList& out) noexcept {
    out.certificates.clear();
    ByteReader in(body);
    ByteReader list(in.vec24());
    if (in.failed() || !in.empty()) return Parse::malformed;
    while (!list.empty()) {
        const ByteView der = list.vec24();
        if (list.failed() || der.empty()) return Parse::malformed;
        if (!out.certificates.push(der)) return Parse::limit;
    }
    return Parse::ok;
}

Parse read_certificate(ByteView der, Certificate& out) noexcept {
    out = {};
    ByteReader in(der);
    ByteView certificate;
    if (!read_tagged(in, kSequence, certificate)) return Parse::malformed;
    ByteReader parts(certificate);
    ByteView tbs;
    if (!read_tagged(parts, kSequence, tbs)) return Parse::malformed;
    return read_to_be_signed(tbs, out);
}

}  // namespace seine::tls
