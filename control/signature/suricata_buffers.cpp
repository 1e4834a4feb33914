#include "control/signature/suricata_buffers.h"

#include <algorithm>
#include <iterator>

namespace seine::control_signature {
namespace {

constexpr std::string_view kNoCase = "names are compared without case";
constexpr std::string_view kPath = "the path as sent is looked at, not its query, and nothing is decoded";
constexpr std::string_view kFirst = "the first 4096 bytes of the body are looked at";

constexpr SuricataBuffer kBuffers[] = {
    {"tls.sni", "tls.sni", BufferForm::plain, Speaker::client, false, kNoCase},
    {"quic.sni", "tls.sni", BufferForm::plain, Speaker::client, false, kNoCase},
    {"tls.alpn", "tls.alpn", BufferForm::plain, Speaker::client},
    {"tls.subjectaltname", "cert.san", BufferForm::plain, Speaker::server, false, kNoCase},
    {"tls.cert_subject", "cert.subject", BufferForm::common_name, Speaker::server, false, kNoCase},
    {"tls.cert_issuer", "cert.issuer", BufferForm::common_name, Speaker::server, false, kNoCase},
    {"tls.cert_serial", "cert.serial", BufferForm::serial, Speaker::server},
    {"ja3.hash", "tls.ja3", BufferForm::plain, Speaker::client},
    {"ja3s.hash", "tls.ja3s", BufferForm::plain, Speaker::server},
    {"ja4.hash", "tls.ja4", BufferForm::plain, Speaker::client},
    {"quic.version", "quic.version", BufferForm::quic_version, Speaker::client},
    {"http.method", "http.method", BufferForm::plain, Speaker::client},
    {"http.uri", "http.path", BufferForm::path, Speaker::client, false, kPath},
    {"http.uri.raw", "http.path", BufferForm::path, Speaker::client, false, kPath},
    {"http.host", "http.host", BufferForm::plain, Speaker::client, false, kNoCase},
    {"http.host.raw", "http.host", BufferForm::plain, Speaker::client, false, kNoCase},
    {"http.user_agent", "http.user_agent", BufferForm::plain, Speaker::client},
    {"http.header", "", BufferForm::header_block, Speaker::client},
    {"http.header.raw", "", BufferForm::header_block, Speaker::client},
    {"http.accept", "http.header.accept", BufferForm::plain, Speaker::client},
    {"http.accept_enc", "http.header.accept-encoding", BufferForm::plain, Speaker::client},
    {"http.accept_lang", "http.header.accept-language", BufferForm::plain, Speaker::client},
    {"http.referer", "http.header.referer", BufferForm::plain, Speaker::client},
    {"http.cookie", "http.header.cookie", BufferForm::plain, Speaker::client},
    {"http.content_type", "http.header.content-type", BufferForm::plain, Speaker::client},
    {"http.content_len", "http.header.content-length", BufferForm::plain, Speaker::client},
    {"http.connection", "http.header.connection", BufferForm::plain, Speaker::client},
    {"http.protocol", "http.version", BufferForm::protocol, Speaker::client},
    {"http.request_body", "http.body", BufferForm::plain, Speaker::client, false, kFirst},
    {"http.response_body", "http.response_body", BufferForm::plain, Speaker::server, false, kFirst},
    {"ssh.software", "ssh.client", BufferForm::ssh_software, Speaker::client, true},
    {"ssh.proto", "ssh.client", BufferForm::ssh_protocol, Speaker::client, true},
    {"ssh.hassh", "ssh.hassh", BufferForm::plain, Speaker::client},
    {"ssh.hassh.server", "ssh.hassh_server", BufferForm::plain, Speaker::server},
};

struct Name {
    std::string_view from;
    std::string_view to;
};
constexpr Name kModern[] = {
    {"http_method", "http.method"},
    {"http_uri", "http.uri"},
    {"http_raw_uri", "http.uri.raw"},
    {"http_host", "http.host"},
    {"http_raw_host", "http.host.raw"},
    {"http_user_agent", "http.user_agent"},
    {"http_header", "http.header"},
    {"http_raw_header", "http.header.raw"},
    {"http_server_body", "http.response_body"},
    {"http_cookie", "http.cookie"},
    {"http_client_body", "http.request_body"},
    {"tls_sni", "tls.sni"},
    {"tls_cert_subject", "tls.cert_subject"},
    {"tls_cert_issuer", "tls.cert_issuer"},
    {"tls_cert_serial", "tls.cert_serial"},
    {"ja3_hash", "ja3.hash"},
    {"ja3s_hash", "ja3s.hash"},
    {"ssh_software", "ssh.software"},
    {"ssh_proto", "ssh.proto"},
};

constexpr Name kRefused[] = {
    {"lua", "runs a script"},
    {"luajit", "runs a script"},
    {"byte_test", "computes with bytes of the payload"},
    {"byte_jump", "computes with bytes of the payload"},
    {"byte_extract", "computes with bytes of the payload"},
    {"byte_math", "computes with bytes of the payload"},
    {"isdataat", "asks for a length, not for what is there"},
    {"dsize", "asks for the size of a packet; rules here are about flows and requests"},
    {"urilen", "asks for a length, not for what is there"},
    {"flowbits", "remembers between rules"},
    {"flowint", "remembers between rules"},
    {"xbits", "remembers between rules"},
    {"hostbits", "remembers between rules"},
    {"dataset", "names a data set; write a list and a rule with list = \"FILE\""},
    {"datarep", "names a data set; write a list and a rule with list = \"FILE\""},
    {"iprep", "names a reputation list; write a list and a rule with list = \"FILE\""},
    {"geoip", "asks where an address is"},
    {"filestore", "is about files"},
    {"filemagic", "is about files"},
    {"fileext", "is about files"},
    {"filename", "is about files"},
    {"file.data", "is about files"},
    {"file_data", "is about files"},
    {"filemd5", "is about files"},
    {"http.stat_code", "is about the answer"},
    {"http.stat_msg", "is about the answer"},
    {"http.server", "is about the answer"},
    {"http.location", "is about the answer"},
    {"http.response_header", "is about the answer"},
    {"http.request_header", "joins name and value in another way; write http.header with content:\"Name|3a 20|value\""},
    {"http_stat_code", "is about the answer"},
    {"http_stat_msg", "is about the answer"},
    {"http2.frametype", "is about single frames of HTTP/2"},
    {"http2.errorcode", "is about single frames of HTTP/2"},
    {"http2.settings", "is about single frames of HTTP/2; http2.settings here is a descriptor"},
    {"http2.size_update", "is about single frames of HTTP/2"},
    {"http2.window", "is about single frames of HTTP/2"},
    {"http2.priority", "is about single frames of HTTP/2"},
    {"http2.header_name", "is about single frames of HTTP/2"},
    {"ssh.protoversion", "is the old form of ssh.proto; write that"},
    {"ssh.softwareversion", "is the old form of ssh.software; write that"},
    {"http.start", "looks at the raw head"},
    {"http.request_line", "looks at the raw head"},
    {"http.response_line", "looks at the raw head"},
    {"http.header_names", "spells the names another way than http.header_names here"},
    {"ja3.string", "looks at JA3 before its hash, which is not kept"},
    {"ja3s.string", "looks at JA3S before its hash, which is not kept"},
    {"tls.cert_fingerprint", "looks at a certificate's digest, which is not kept"},
    {"tls.certs", "looks at the raw certificates"},
    {"tls.random", "looks at the random of the hello"},
    {"tls.version", "says a version where this import does not know whose"},
    {"tls.cert_chain_len", "counts certificates"},
    {"tls.store", "stores certificates"},
    {"tls.subject", "is the old form of tls.cert_subject; write that"},
    {"tls.issuerdn", "is the old form of tls.cert_issuer; write that"},
    {"tls.fingerprint", "looks at a certificate's digest, which is not kept"},
    {"ssl_version", "says a version where this import does not know whose"},
    {"ssl_state", "is about a state of the handshake"},
    {"tls_cert_expired", "asks for dates of a certificate"},
    {"tls_cert_notbefore", "asks for dates of a certificate"},
    {"tls_cert_notafter", "asks for dates of a certificate"},
    {"quic.ua", "looks at a tag of old QUIC versions"},
    {"quic.cyu.hash", "looks at a tag of old QUIC versions"},
    {"quic.cyu.string", "looks at a tag of old QUIC versions"},
    {"ssh.hassh.string", "looks at HASSH before its hash, which is not kept"},
    {"ssh.hassh.server.string", "looks at HASSH before its hash, which is not kept"},
    {"pkt_data", "goes back to the payload"},
    {"base64_decode", "decodes before it looks"},
    {"base64_data", "decodes before it looks"},
    {"dotprefix", "changes the buffer before it looks"},
    {"to_lowercase", "changes the buffer before it looks"},
    {"to_uppercase", "changes the buffer before it looks"},
    {"strip_whitespace", "changes the buffer before it looks"},
    {"compress_whitespace", "changes the buffer before it looks"},
    {"to_md5", "changes the buffer before it looks"},
    {"to_sha1", "changes the buffer before it looks"},
    {"to_sha256", "changes the buffer before it looks"},
    {"url_decode", "changes the buffer before it looks"},
    {"xor", "changes the buffer before it looks"},
    {"rawbytes", "looks at bytes before they were normalised"},
    {"app-layer-event", "is about an event of a parser"},
    {"app-layer-protocol", "asks for a protocol by name"},
    {"noalert", "does not alert"},
    {"tag", "records what follows"},
    {"replace", "changes the traffic"},
    {"detection_filter", "counts before it alerts"},
    {"bypass", "changes what is inspected"},
};

constexpr std::string_view kNothing[] = {"gid",       "metadata",     "classtype", "priority",
                                         "reference", "fast_pattern", "prefilter", "target", "sid",
                                         "rev",       "msg"};

template <typename Row, std::size_t kCount>
std::vector<std::string_view> words_of(const Row (&rows)[kCount], std::string_view Row::*word) {
    std::vector<std::string_view> out;
    for (const Row& row : rows) out.push_back(row.*word);
    return out;
}

}  // namespace

const SuricataBuffer* find_buffer(std::string_view keyword) {
    const auto found =
        std::find_if(std::begin(kBuffers), std::end(kBuffers),
                     [&](const SuricataBuffer& one) { return one.keyword == keyword; });
    return found == std::end(kBuffers) ? nullptr : found;
}

std::string_view modern_name(std::string_view keyword) {
    for (const Name& one : kModern)
        if (one.from == keyword) return one.to;
    return {};
}

std::string_view refusal_of(std::string_view keyword) {
    for (const Name& one : kRefused)
        if (one.from == keyword) return one.to;
    return {};
}

std::vector<std::string_view> buffer_keywords() { return words_of(kBuffers, &SuricataBuffer::keyword); }
std::vector<std::string_view> refused_keywords() { return words_of(kRefused, &Name::from); }
std::vector<std::string_view> old_names() { return words_of(kModern, &Name::from); }

bool says_nothing(std::string_view keyword) {
    return std::find(std::begin(kNothing), std::end(kNothing), keyword) != std::end(kNothing);
}

}  // namespace seine::control_signature
