/* Tells Seine whose request it was: one record by datagram. Link seine_account.c and libcrypto. */
#ifndef SEINE_ACCOUNT_H
#define SEINE_ACCOUNT_H
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif
#endif
