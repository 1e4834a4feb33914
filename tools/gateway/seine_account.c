// Tells Seine whose request it was: fills an account record (version 1, 160 bytes, little endian) and sends it by
// datagram, with its MAC. One file of C11 to copy into a gateway: include it in one source of yours, or compile it and
// take the declarations along. Link libcrypto.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

/* What one record says; start from zero bytes. Field by field in docs/records.md. */
struct seine_account_record {
    uint16_t flags; /* 1 IPv6, 2 resumed, 4 HTTP/2, 8 HTTP/3, 16 signup, 32 key created, 64 declared intermediary */
    uint64_t t_req_us;  /* start of the request, us since 1970 */
    uint64_t t_conn_us; /* start of the connection; 0: not known */
    uint8_t client_ip[16]; /* IPv4 as ::ffff:a.b.c.d: see seine_account_ends() */
    uint16_t client_port;
    uint8_t server_ip[16];
    uint16_t server_port; /* 0: not said */
    uint8_t proto;        /* 6 TCP, 17 QUIC, 0 none */
    uint32_t stream_no;
    uint8_t account_tag[16]; /* see seine_account_tag() */
    uint8_t org_tag[16];     /* zero: not known */
    uint8_t type;            /* 0 request, 1 rekey, 2 closed, 3 directory */
    uint64_t key_tag;        /* 0: not known */
    uint16_t tag_epoch;
    uint16_t endpoint_id, model_id;
    uint8_t status_class, limit_flag;
    uint8_t tok_in_b, tok_out_b; /* log2 of the tokens; 255: not known */
    uint8_t tier, trust;
    uint32_t first_seen_day;
    uint64_t session_hint;
    uint16_t platform_id;
    uint64_t header_desc;
};

/* A sender is one process; sequence numbers are its own. */
struct seine_account_sender {
    int fd;
    uint32_t gateway_id;
    uint32_t seq;
    uint16_t boot_epoch;
    uint8_t mac_key_id;
    uint8_t mac_key[16];
    int has_mac;
};

/* `target` is unix:/path or udp:ADDRESS:PORT; `mac_file` the 16 bytes of `seinectl account key mac NUMBER FILE`, NULL
 * for none (Unix sockets alone). 0, or -1 with errno. Never blocks later: what the kernel cannot take is lost, and its
 * number shows as a gap. */
int seine_account_open(struct seine_account_sender *sender, const char *target, uint32_t gateway_id, const char *mac_file,
                       uint8_t mac_key_id);
void seine_account_close(struct seine_account_sender *sender);
/* Sends one record. 0, or -1 with errno. */
int seine_account_send(struct seine_account_sender *sender, const struct seine_account_record *record);

/* First 16 bytes of HMAC-SHA256(key, kind "\0" name); kind is "acct" or "org", key the 32 bytes of the epoch's tag key. */
int seine_account_tag(uint8_t tag[16], const uint8_t key[32], const char *kind, const char *name, size_t name_bytes);
/* Fills client and server from getpeername() and getsockname() of an accepted connection. */
int seine_account_ends(struct seine_account_record *record, int connection);

enum { kRecordBytes = 160, kMacAt = 152 };

struct cursor {
    uint8_t *at;
};
static void put(struct cursor *out, const void *value, size_t bytes) {
    memcpy(out->at, value, bytes);
    out->at += bytes;
}
static void put_number(struct cursor *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) *out->at++ = (uint8_t)(value >> (8 * i));
}

static void lay_down(uint8_t bytes[kRecordBytes], const struct seine_account_sender *sender,
                     const struct seine_account_record *r) {
    struct cursor out = {bytes};
    put(&out, "SA", 2);
    put_number(&out, 1, 1);
    put_number(&out, r->flags, 2);
    put_number(&out, sender->gateway_id, 4);
    put_number(&out, sender->seq, 4);
    put_number(&out, r->t_req_us, 8);
    put_number(&out, r->t_conn_us, 8);
    put(&out, r->client_ip, 16);
    put_number(&out, r->client_port, 2);
    put(&out, r->server_ip, 16);
    put_number(&out, r->server_port, 2);
    put_number(&out, r->proto, 1);
    put_number(&out, r->stream_no, 4);
    put(&out, r->account_tag, 16);
    put(&out, r->org_tag, 16);
    put_number(&out, sender->boot_epoch, 2);
    put_number(&out, r->type, 1);
    put_number(&out, sender->has_mac ? sender->mac_key_id : 0, 1);
    put_number(&out, 0, 4);
    put_number(&out, r->key_tag, 8);
    put_number(&out, r->tag_epoch, 2);
    put_number(&out, r->endpoint_id, 2);
    put_number(&out, r->model_id, 2);
    put_number(&out, r->status_class, 1);
    put_number(&out, r->limit_flag, 1);
    put_number(&out, r->tok_in_b, 1);
    put_number(&out, r->tok_out_b, 1);
    put_number(&out, r->tier, 1);
    put_number(&out, r->trust, 1);
    put_number(&out, r->first_seen_day, 4);
    put_number(&out, r->session_hint, 8);
    put_number(&out, r->platform_id, 2);
    put_number(&out, r->header_desc, 8);
    put_number(&out, 0, 8);
}

/* SipHash-2-4 of 8 bytes by libcrypto. */
static int siphash(uint8_t mac[8], const uint8_t key[16], const uint8_t *bytes, size_t count) {
    size_t size = 8;
    size_t made = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end()};
    return EVP_Q_mac(NULL, "SIPHASH", NULL, NULL, params, key, 16, bytes, count, mac, 8, &made) != NULL && made == 8 ? 0 : -1;
}

static int connect_to(int fd, const char *target) {
    if (strncmp(target, "unix:", 5) == 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (strlen(target + 5) >= sizeof address.sun_path) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(address.sun_path, target + 5, strlen(target + 5));
        return connect(fd, (const struct sockaddr *)&address, sizeof address);
    }
    struct sockaddr_in address = {.sin_family = AF_INET};
    char host[64];
    unsigned port = 0;
    if (sscanf(target, "udp:%63[0-9.]:%u", host, &port) != 2 || port > 65535 || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    address.sin_port = htons((uint16_t)port);
    return connect(fd, (const struct sockaddr *)&address, sizeof address);
}

int seine_account_open(struct seine_account_sender *sender, const char *target, uint32_t gateway_id, const char *mac_file,
                       uint8_t mac_key_id) {
    memset(sender, 0, sizeof *sender);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    sender->gateway_id = gateway_id;
    sender->boot_epoch = (uint16_t)((uint64_t)now.tv_sec ^ (uint64_t)now.tv_nsec >> 10 ^ (uint64_t)getpid() << 3);
    sender->mac_key_id = mac_key_id;
    if (mac_file != NULL) {
        const int file = open(mac_file, O_RDONLY | O_CLOEXEC);
        const ssize_t got = file < 0 ? -1 : read(file, sender->mac_key, sizeof sender->mac_key);
        if (file >= 0) close(file);
        if (got != (ssize_t)sizeof sender->mac_key) {
            if (got >= 0) errno = EINVAL;
            return -1;
        }
        sender->has_mac = 1;
    }
    sender->fd = socket(strncmp(target, "unix:", 5) == 0 ? AF_UNIX : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sender->fd < 0) return -1;
    if (connect_to(sender->fd, target) == 0) return 0;
    const int error = errno;
    seine_account_close(sender);
    errno = error;
    return -1;
}

void seine_account_close(struct seine_account_sender *sender) {
    if (sender->fd >= 0) close(sender->fd);
    sender->fd = -1;
    OPENSSL_cleanse(sender->mac_key, sizeof sender->mac_key);
}

int seine_account_send(struct seine_account_sender *sender, const struct seine_account_record *record) {
    uint8_t bytes[kRecordBytes];
    ++sender->seq;
    lay_down(bytes, sender, record);
    if (sender->has_mac && siphash(bytes + kMacAt, sender->mac_key, bytes, kMacAt) != 0) {
        errno = EIO;
        return -1;
    }
    return send(sender->fd, bytes, sizeof bytes, MSG_NOSIGNAL) == (ssize_t)sizeof bytes ? 0 : -1;
}

int seine_account_tag(uint8_t tag[16], const uint8_t key[32], const char *kind, const char *name, size_t name_bytes) {
    uint8_t message[1024 + 8];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes = 0;
    const size_t kind_bytes = strlen(kind) + 1;
    if (kind_bytes > 8 || name_bytes > 1024) {
        errno = EINVAL;
        return -1;
    }
    memcpy(message, kind, kind_bytes);
    memcpy(message + kind_bytes, name, name_bytes);
    const int ok = HMAC(EVP_sha256(), key, 32, message, kind_bytes + name_bytes, digest, &digest_bytes) != NULL;
    OPENSSL_cleanse(message, sizeof message);
    if (!ok) return -1;
    memcpy(tag, digest, 16);
    return 0;
}

static void take_end(const struct sockaddr_storage *end, uint8_t ip[16], uint16_t *port, uint16_t *flags) {
    memset(ip, 0, 16);
    if (end->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)end;
        ip[10] = ip[11] = 0xff;
        memcpy(ip + 12, &four->sin_addr, 4);
        *port = ntohs(four->sin_port);
    } else if (end->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)end;
        memcpy(ip, &six->sin6_addr, 16);
        *port = ntohs(six->sin6_port);
        if (!IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) *flags |= 1;
    }
}

int seine_account_ends(struct seine_account_record *record, int connection) {
    struct sockaddr_storage end;
    socklen_t bytes = sizeof end;
    if (getpeername(connection, (struct sockaddr *)&end, &bytes) != 0) return -1;
    take_end(&end, record->client_ip, &record->client_port, &record->flags);
    bytes = sizeof end;
    if (getsockname(connection, (struct sockaddr *)&end, &bytes) != 0) return -1;
    take_end(&end, record->server_ip, &record->server_port, &record->flags);
    record->proto = 6;
    return 0;
}

#ifdef SEINE_ACCOUNT_PROGRAM
/* Sends a record a line of stdin: TARGET GATEWAY MAC-FILE|- MAC-NUMBER on the command line, then lines of
 *   client port server port account-tag(32 hex) t_req_us
 * An example of use, and what the tests drive. */
static int read_line(char *line, struct seine_account_record *r) {
    char client[64], server[64], tag[40];
    unsigned client_port, server_port;
    unsigned long long at;
    if (sscanf(line, "%63s %u %63s %u %39s %llu", client, &client_port, server, &server_port, tag, &at) != 6) return -1;
    memset(r, 0, sizeof *r);
    r->client_ip[10] = r->client_ip[11] = r->server_ip[10] = r->server_ip[11] = 0xff;
    if (inet_pton(AF_INET, client, r->client_ip + 12) != 1 || inet_pton(AF_INET, server, r->server_ip + 12) != 1) return -1;
    for (int i = 0; i < 16; ++i) {
        unsigned byte;
        if (sscanf(tag + 2 * i, "%2x", &byte) != 1) return -1;
        r->account_tag[i] = (uint8_t)byte;
    }
    r->client_port = (uint16_t)client_port;
    r->server_port = (uint16_t)server_port;
    r->t_req_us = at;
    r->proto = 6;
    r->status_class = 2;
    r->tok_in_b = r->tok_out_b = 255;
    return 0;
}

int main(int argc, char **argv) {
    struct seine_account_sender sender;
    struct seine_account_record record;
    char line[512];
    if (argc != 5) {
        fprintf(stderr, "usage: %s TARGET GATEWAY MAC-FILE|- MAC-NUMBER\n", argv[0]);
        return 2;
    }
    const char *mac = strcmp(argv[3], "-") == 0 ? NULL : argv[3];
    if (seine_account_open(&sender, argv[1], (uint32_t)strtoul(argv[2], NULL, 10), mac, (uint8_t)atoi(argv[4])) != 0) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (read_line(line, &record) != 0 || seine_account_send(&sender, &record) != 0) {
            fprintf(stderr, "not sent: %s\n", strerror(errno));
            return 1;
        }
    }
    seine_account_close(&sender);
    return 0;
}
#endif
