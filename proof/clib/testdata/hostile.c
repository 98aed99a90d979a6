/* Bad input to every function of the three headers: each must answer with its error, and nothing may crash.
 * Usage: hostile FOLDER, an empty folder. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <tradechat/log.h>
#include <tradechat/net.h>
#include <tradechat/proto.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int wrong;

#define WANT(want, call) \
    do { \
        int got_ = (call), want_ = (want); \
        if (got_ != want_) { \
            printf("%s:%d: %s is %d, want %d\n", __FILE__, __LINE__, #call, got_, want_); \
            wrong++; \
        } \
    } while (0)

#define ZERO(type, name) \
    type name; \
    memset(&name, 0, sizeof name)

/* A handle of the kind, with this value. */
static tc_proto_decoder *decoder_at(uintptr_t v) {
    tc_proto_decoder *d;
    memcpy(&d, &v, sizeof d);
    return d;
}

static tc_log *log_at(uintptr_t v) {
    tc_log *l;
    memcpy(&l, &v, sizeof l);
    return l;
}

static uint8_t buf[70000];
static uint8_t frame[128];
static size_t frame_len;

static tc_proto_header transfer_header(void) {
    ZERO(tc_proto_header, h);
    h.opcode = TC_PROTO_OP_TRANSFER;
    h.req_id = 7;
    return h;
}

static tc_proto_header chat_header(void) {
    ZERO(tc_proto_header, h);
    h.opcode = TC_PROTO_OP_CHAT_SEND;
    h.req_id = 8;
    return h;
}

static void encoding(void) {
    tc_proto_header h = transfer_header();
    ZERO(tc_proto_transfer_request, t);
    size_t len = 0;

    WANT(TC_PROTO_OK, tc_proto_encode_transfer_request(&h, &t, frame, sizeof frame, &frame_len));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_transfer_request(NULL, &t, buf, sizeof buf, &len));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_transfer_request(&h, NULL, buf, sizeof buf, &len));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_transfer_request(&h, &t, NULL, sizeof buf, &len));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_transfer_request(&h, &t, buf, sizeof buf, NULL));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_transfer_request(&h, &t, buf, SIZE_MAX, &len));
    WANT(TC_PROTO_E_SHORT, tc_proto_encode_transfer_request(&h, &t, NULL, 0, &len));
    WANT(44, (int)len);
    memset(buf, 0x5A, 64);
    for (size_t cap = 0; cap < 44; cap++) {
        len = 0;
        WANT(TC_PROTO_E_SHORT, tc_proto_encode_transfer_request(&h, &t, buf, cap, &len));
        WANT(44, (int)len);
        WANT(0x5A, buf[cap]);
    }
    WANT(TC_PROTO_OK, tc_proto_encode_transfer_request(&h, &t, buf, 44, &len));
    WANT(0x5A, buf[44]);

    h.opcode = TC_PROTO_OP_DEPOSIT; /* has another body */
    WANT(TC_PROTO_E_BODY_TYPE, tc_proto_encode_transfer_request(&h, &t, buf, sizeof buf, &len));
    h = transfer_header();
    h.flags = TC_PROTO_FLAG_RESPONSE; /* and so has its response */
    WANT(TC_PROTO_E_BODY_TYPE, tc_proto_encode_transfer_request(&h, &t, buf, sizeof buf, &len));
    h.flags = 0xF0;
    WANT(TC_PROTO_E_FLAGS, tc_proto_encode_transfer_request(&h, &t, buf, sizeof buf, &len));

    /* A pointer into the first page is caught, too: the library's own fault would look like that. */
    h = transfer_header();
    if (getenv("NO_SMALL_POINTERS") == NULL)
        WANT(TC_PROTO_E_INTERNAL, tc_proto_encode_transfer_request(&h, &t, (uint8_t *)8, 64, &len));
}

static void texts(void) {
    static const char *const bad[] = {"\xff", "\xc3", "a\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"};
    tc_proto_header h = chat_header();
    ZERO(tc_proto_chat_send_request, c);
    size_t len = 0;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c.message = tc_proto_text(bad[i]);
        WANT(TC_PROTO_E_UTF8, tc_proto_encode_chat_send_request(&h, &c, buf, sizeof buf, &len));
    }
    c.message = tc_proto_text("a");
    c.message.len = 2; /* its NUL */
    WANT(TC_PROTO_E_NUL, tc_proto_encode_chat_send_request(&h, &c, buf, sizeof buf, &len));
    c.message.data = NULL;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_chat_send_request(&h, &c, buf, sizeof buf, &len));
    c.message.len = 65536;
    WANT(TC_PROTO_E_LENGTH, tc_proto_encode_chat_send_request(&h, &c, buf, sizeof buf, &len));
    c.message.len = SIZE_MAX;
    WANT(TC_PROTO_E_LENGTH, tc_proto_encode_chat_send_request(&h, &c, buf, sizeof buf, &len));
    c.message = tc_proto_text(NULL);
    WANT(TC_PROTO_OK, tc_proto_encode_chat_send_request(&h, &c, buf, sizeof buf, &len));

    ZERO(tc_proto_room_open_response, r);
    h.opcode = TC_PROTO_OP_ROOM_OPEN;
    h.flags = TC_PROTO_FLAG_RESPONSE;
    r.created = 2;
    WANT(TC_PROTO_E_BOOL, tc_proto_encode_room_open_response(&h, &r, buf, sizeof buf, &len));
}

static void lists(void) {
    ZERO(tc_proto_transfer_batch_request, b);
    ZERO(tc_proto_frame, f);
    tc_proto_transfer_request leg[3];
    tc_proto_header h = transfer_header();
    size_t len = 0, count = 0, consumed = 0;

    memset(leg, 0, sizeof leg);
    h.opcode = TC_PROTO_OP_TRANSFER_BATCH;
    WANT(TC_PROTO_E_COUNT, tc_proto_encode_transfer_batch_request(&h, &b, buf, sizeof buf, &len));
    b.count = 3;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_transfer_batch_request(&h, &b, buf, sizeof buf, &len));
    b.rows = leg;
    b.count = TC_PROTO_BATCH_LEGS_MAX + 1;
    WANT(TC_PROTO_E_COUNT, tc_proto_encode_transfer_batch_request(&h, &b, buf, sizeof buf, &len));
    b.count = SIZE_MAX;
    WANT(TC_PROTO_E_COUNT, tc_proto_encode_transfer_batch_request(&h, &b, buf, sizeof buf, &len));
    b.count = 3;
    WANT(TC_PROTO_OK, tc_proto_encode_transfer_batch_request(&h, &b, buf, sizeof buf, &len));
    WANT(TC_PROTO_OK, tc_proto_decode_frames(buf, len, NULL, &f, 1, &count, &consumed));
    b.rows_cap = 2;
    b.count = 0;
    WANT(TC_PROTO_E_SHORT, tc_proto_decode_transfer_batch_request(&f, &b));
    WANT(3, (int)b.count);
    b.rows = NULL;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_transfer_batch_request(&f, &b));
    b.rows = leg;
    b.rows_cap = SIZE_MAX;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_transfer_batch_request(&f, &b));
    b.rows_cap = 0;
    WANT(TC_PROTO_E_SHORT, tc_proto_decode_transfer_batch_request(&f, &b));
}

static void frames(void) {
    ZERO(tc_proto_header, h);
    ZERO(tc_proto_frame, f);
    ZERO(tc_proto_transfer_request, t);
    size_t count = 0, consumed = 0, len = 0;
    uint32_t sum = 0;

    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_frames(NULL, 44, NULL, &f, 1, &count, &consumed));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_frames(frame, frame_len, NULL, NULL, 1, &count, &consumed));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_frames(frame, frame_len, NULL, &f, 1, NULL, &consumed));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_frames(frame, frame_len, NULL, &f, 1, &count, NULL));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_frames(frame, SIZE_MAX, NULL, &f, 1, &count, &consumed));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_frames(frame, frame_len, NULL, &f, SIZE_MAX, &count, &consumed));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_frames(frame, frame_len, NULL, &f, SIZE_MAX / sizeof f, &count, &consumed));
    for (size_t n = 0; n < frame_len; n++) { /* not whole */
        count = consumed = 9;
        WANT(TC_PROTO_OK, tc_proto_decode_frames(frame, n, NULL, &f, 1, &count, &consumed));
        WANT(0, (int)(count + consumed));
    }
    WANT(TC_PROTO_OK, tc_proto_decode_frames(frame, frame_len, NULL, &f, 0, &count, &consumed));
    WANT(0, (int)count);
    WANT(TC_PROTO_OK, tc_proto_decode_frames(frame, frame_len, NULL, &f, 1, &count, &consumed));

    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_transfer_request(NULL, &t));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_transfer_request(&f, NULL));
    f.body = NULL;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_transfer_request(&f, &t));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_empty(NULL));

    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_header(NULL, buf, sizeof buf));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_header(&h, NULL, sizeof buf));
    WANT(TC_PROTO_E_SHORT, tc_proto_encode_header(&h, buf, 31));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_header(&h, buf, SIZE_MAX));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_header(NULL, 32, &h));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decode_header(frame, 32, NULL));
    WANT(TC_PROTO_E_SHORT, tc_proto_decode_header(frame, 31, &h));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_seal(NULL, 32));
    WANT(TC_PROTO_E_SHORT, tc_proto_seal(buf, 31));
    WANT(TC_PROTO_E_BODY_TOO_LONG, tc_proto_seal(buf, (size_t)1 << 33));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_seal(buf, SIZE_MAX));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_checksum(NULL, 32, &sum));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_checksum(frame, 32, NULL));
    WANT(TC_PROTO_E_SHORT, tc_proto_checksum(frame, 31, &sum));
    WANT(TC_PROTO_E_BODY_TOO_LONG, tc_proto_checksum(frame, (size_t)1 << 33, &sum));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_frame(&h, NULL, 1, buf, sizeof buf, &len));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_frame(NULL, NULL, 0, buf, sizeof buf, &len));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_encode_frame(&h, frame, SIZE_MAX, buf, sizeof buf, &len));
    WANT(TC_PROTO_E_BODY_TOO_LONG, tc_proto_encode_frame(&h, frame, (size_t)1 << 33, buf, sizeof buf, &len));
    WANT(TC_PROTO_E_SHORT, tc_proto_encode_frame(&h, frame, 4, buf, 35, &len));
    WANT(36, (int)len);
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_check_request(NULL));
}

/* Every byte of a frame changed in every bit: an error or a frame, and never anything else. */
static void flipped(void) {
    uint8_t bad[128];
    ZERO(tc_proto_frame, f);

    for (size_t bit = 0; bit < 8 * frame_len; bit++) {
        size_t count = 0, consumed = 0;
        memcpy(bad, frame, frame_len);
        bad[bit / 8] = (uint8_t)(bad[bit / 8] ^ 1u << bit % 8);
        int rc = tc_proto_decode_frames(bad, frame_len, NULL, &f, 1, &count, &consumed);
        if (rc == TC_PROTO_OK && count == 1)
            WANT(TC_PROTO_E_CHECKSUM, f.error);
        else if (rc == TC_PROTO_OK) /* body_len is longer now */
            WANT(1, bit / 8 >= 6 && bit / 8 < 10);
        else
            WANT(1, tc_proto_is_fatal(rc));
    }
}

static void decoders(void) {
    ZERO(tc_proto_rules, rules);
    ZERO(tc_proto_frame, f);
    tc_proto_decoder *d = NULL, *other = NULL;
    uint8_t body[64];
    size_t pending = 0;

    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_new(NULL, NULL));
    rules.body_len_max = TC_PROTO_BODY_LEN_MAX_DECODER + 1;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_new(&rules, &d));
    WANT(TC_PROTO_OK, tc_proto_decoder_new(NULL, &d));
    WANT(TC_PROTO_OK, tc_proto_decoder_new(NULL, &other));
    WANT(TC_PROTO_OK, tc_proto_decoder_free(other));

    tc_proto_decoder *bad[] = {NULL, other, decoder_at(1), decoder_at((uintptr_t)&rules), decoder_at(UINTPTR_MAX),
                               decoder_at(0x15 + 0x1000)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        WANT(TC_PROTO_E_HANDLE, tc_proto_decoder_feed(bad[i], frame, frame_len));
        WANT(TC_PROTO_E_HANDLE, tc_proto_decoder_next(bad[i], &f, body, sizeof body));
        WANT(TC_PROTO_E_HANDLE, tc_proto_decoder_set_rules(bad[i], NULL));
        WANT(TC_PROTO_E_HANDLE, tc_proto_decoder_pending(bad[i], &pending));
        WANT(bad[i] == NULL ? TC_PROTO_OK : TC_PROTO_E_HANDLE, tc_proto_decoder_free(bad[i]));
    }
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_set_rules(d, &rules));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_feed(d, NULL, 1));
    WANT(TC_PROTO_OK, tc_proto_decoder_feed(d, NULL, 0));
    WANT(TC_PROTO_E_LIMIT, tc_proto_decoder_feed(d, buf, TC_PROTO_FEED_MAX + 1));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_feed(d, buf, SIZE_MAX));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_pending(d, NULL));

    for (size_t i = 0; i < frame_len; i++) { /* byte by byte */
        WANT(0, tc_proto_decoder_next(d, &f, body, sizeof body));
        WANT(TC_PROTO_OK, tc_proto_decoder_feed(d, frame + i, 1));
    }
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_next(d, NULL, body, sizeof body));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_next(d, &f, NULL, sizeof body));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_decoder_next(d, &f, body, SIZE_MAX));
    WANT(TC_PROTO_E_SHORT, tc_proto_decoder_next(d, &f, body, 11));
    WANT(12, (int)f.header.body_len);
    WANT(1, tc_proto_decoder_next(d, &f, body, 12));
    WANT(1, f.body == body && memcmp(body, frame + 32, 12) == 0);
    WANT(TC_PROTO_OK, tc_proto_decoder_pending(d, &pending));
    WANT(0, (int)pending);

    memset(buf, 0, sizeof buf); /* not a header: it says so again and again, and takes no more than its limit */
    WANT(TC_PROTO_OK, tc_proto_decoder_feed(d, buf, TC_PROTO_FEED_MAX));
    WANT(TC_PROTO_E_MAGIC, tc_proto_decoder_next(d, &f, body, sizeof body));
    WANT(TC_PROTO_E_MAGIC, tc_proto_decoder_next(d, &f, body, sizeof body));
    WANT(TC_PROTO_OK, tc_proto_decoder_feed(d, buf, TC_PROTO_FEED_MAX));
    WANT(TC_PROTO_E_LIMIT, tc_proto_decoder_feed(d, buf, TC_PROTO_FEED_MAX));
    WANT(TC_PROTO_OK, tc_proto_decoder_free(d));
    WANT(TC_PROTO_E_HANDLE, tc_proto_decoder_free(d));
}

static void many_decoders(void) {
    static tc_proto_decoder *all[TC_PROTO_DECODERS_MAX];
    tc_proto_decoder *more = NULL;

    for (size_t i = 0; i < TC_PROTO_DECODERS_MAX; i++)
        WANT(TC_PROTO_OK, tc_proto_decoder_new(NULL, &all[i]));
    WANT(TC_PROTO_E_LIMIT, tc_proto_decoder_new(NULL, &more));
    WANT(1, more == NULL);
    for (size_t i = 0; i < TC_PROTO_DECODERS_MAX; i++)
        WANT(TC_PROTO_OK, tc_proto_decoder_free(all[i]));
}

static void logins(void) {
    ZERO(tc_proto_keys, k);
    ZERO(tc_proto_login, l);
    uint8_t salt[TC_PROTO_SALT_LEN] = {0}, proof[TC_PROTO_KEY_LEN];
    tc_proto_bytes name = tc_proto_text("alice"), password = tc_proto_text("secret"), bad = tc_proto_text("\xff");

    WANT(TC_PROTO_E_ARGUMENT, tc_proto_derive_keys(password, name, NULL, 4096, &k));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_derive_keys(password, name, salt, 4096, NULL));
    WANT(TC_PROTO_E_ITERATIONS, tc_proto_derive_keys(password, name, salt, 4095, &k));
    WANT(TC_PROTO_E_ITERATIONS, tc_proto_derive_keys(password, name, salt, UINT32_MAX, &k));
    WANT(TC_PROTO_E_UTF8, tc_proto_derive_keys(password, bad, salt, 4096, &k));
    bad.data = NULL;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_derive_keys(bad, name, salt, 4096, &k));
    WANT(TC_PROTO_OK, tc_proto_derive_keys(password, name, salt, 4096, &k));

    l.username = name;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_login_proof(NULL, &l, proof));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_login_proof(&k, NULL, proof));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_login_proof(&k, &l, NULL));
    WANT(TC_PROTO_OK, tc_proto_login_proof(&k, &l, proof));
    WANT(TC_PROTO_OK, tc_proto_check_proof(&k, &l, proof));
    proof[31] ^= 1;
    WANT(TC_PROTO_E_SIGNATURE, tc_proto_check_proof(&k, &l, proof));
    WANT(TC_PROTO_OK, tc_proto_server_signature(&k, &l, proof));
    WANT(TC_PROTO_OK, tc_proto_check_server_signature(&k, &l, proof));
    l.client_nonce[0] ^= 1;
    WANT(TC_PROTO_E_SIGNATURE, tc_proto_check_server_signature(&k, &l, proof));
    l.username.data = NULL;
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_check_server_signature(&k, &l, proof));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_random(NULL, 1));
    WANT(TC_PROTO_E_ARGUMENT, tc_proto_random(buf, SIZE_MAX));
    WANT(TC_PROTO_OK, tc_proto_random(NULL, 0));
    memset(buf, 0, 64);
    WANT(TC_PROTO_OK, tc_proto_random(buf, 64));
    WANT(1, memcmp(buf, buf + 32, 32) != 0);
}

static void sockets(void) {
    static char long_name[TC_NET_TEXT_MAX + 2];
    ZERO(tc_net_dial_options, quick);
    ZERO(tc_net_keepalive, keepalive);
    int fds[2] = {-1, -1}, pair[2], fd;
    char address[TC_NET_ADDRESS_MAX], small[4];
    size_t done = 99;

    quick.attempts = 2;
    quick.backoff_base_ms = quick.backoff_cap_ms = 1;
    memset(long_name, 'a', sizeof long_name - 1);
    WANT(TC_NET_E_ARGUMENT, tc_net_dial(NULL, "127.0.0.1:1", &quick));
    WANT(TC_NET_E_ARGUMENT, tc_net_dial("tcp", NULL, &quick));
    WANT(TC_NET_E_ARGUMENT, tc_net_dial("tcp", long_name, &quick));
    WANT(1, tc_net_detail()[0] != '\0');
    WANT(TC_NET_E_ADDRESS, tc_net_dial("tcp", "no port", NULL));
    WANT(TC_NET_E_ADDRESS, tc_net_dial("pigeon", "127.0.0.1:1", NULL));
    WANT(TC_NET_E_ADDRESS, tc_net_dial("tcp", "\xff\xfe:x:1", NULL));
    WANT(ENOENT, tc_net_errno(tc_net_dial("unix", "/nowhere/at/all", &quick)));
    WANT(1, strstr(tc_net_detail(), "/nowhere/at/all") != NULL);

    WANT(TC_NET_E_ARGUMENT, tc_net_listen(NULL, NULL, fds, 1));
    WANT(TC_NET_E_ARGUMENT, tc_net_listen("127.0.0.1:0", NULL, NULL, 1));
    WANT(TC_NET_E_LIMIT, tc_net_listen("127.0.0.1:0", NULL, fds, 0));
    WANT(TC_NET_E_LIMIT, tc_net_listen("127.0.0.1:0", NULL, fds, TC_NET_LISTEN_MAX + 1));
    WANT(TC_NET_E_LIMIT, tc_net_listen("127.0.0.1:0", NULL, fds, SIZE_MAX));
    WANT(TC_NET_E_ADDRESS, tc_net_listen("127.0.0.1", NULL, fds, 1));
    WANT(-1, fds[0]);
    WANT(TC_NET_OK, tc_net_listen("127.0.0.1:0", NULL, fds, 2));
    WANT(TC_NET_E_ARGUMENT, tc_net_address(fds[0], NULL, 64));
    WANT(TC_NET_E_SHORT, tc_net_address(fds[0], small, sizeof small));
    WANT(TC_NET_E_SHORT, tc_net_address(fds[0], small, 0));
    WANT(TC_NET_OK, tc_net_address(fds[0], address, SIZE_MAX));
    WANT(EADDRINUSE, tc_net_errno(tc_net_listen(address, NULL, &fd, 1)));
    close(fds[0]);
    close(fds[1]);
    WANT(ECONNREFUSED, tc_net_errno(tc_net_dial("tcp", address, &quick)));
    quick.attempts = 0;
    quick.timeout_ms = 30;
    WANT(TC_NET_E_TIMEOUT, tc_net_dial("tcp", address, &quick));

    WANT(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    WANT(TC_NET_E_ARGUMENT, tc_net_readn(pair[0], NULL, 1, 10, &done));
    WANT(0, (int)done);
    WANT(TC_NET_E_ARGUMENT, tc_net_writen(pair[0], NULL, 1, 10, NULL));
    WANT(TC_NET_E_LIMIT, tc_net_readn(pair[0], buf, SIZE_MAX, 10, NULL));
    WANT(TC_NET_E_LIMIT, tc_net_writen(pair[0], buf, (size_t)TC_NET_IO_MAX + 1, 10, NULL));
    WANT(TC_NET_OK, tc_net_readn(pair[0], NULL, 0, 10, NULL));
    WANT(TC_NET_E_TIMEOUT, tc_net_readn(pair[0], buf, 1, 10, NULL));
    WANT(TC_NET_E_TIMEOUT, tc_net_readn(pair[0], buf, 1, 0, NULL));
    WANT(TC_NET_OK, tc_net_set_nonblocking(pair[0], 1));
    WANT(TC_NET_E_NONBLOCKING, tc_net_readn(pair[0], buf, 1, 10, NULL));
    WANT(TC_NET_OK, tc_net_set_nonblocking(pair[0], 0));
    WANT(TC_NET_OK, tc_net_writen(pair[1], "abc", 3, INT64_MAX, &done));
    WANT(3, (int)done);
    close(pair[1]);
    WANT(TC_NET_E_UNEXPECTED_EOF, tc_net_readn(pair[0], buf, 4, TC_NET_FOREVER, &done));
    WANT(3, (int)done);
    WANT(TC_NET_E_EOF, tc_net_readn(pair[0], buf, 4, INT64_MIN, &done));
    WANT(EPIPE, tc_net_errno(tc_net_writen(pair[0], "abc", 3, 10, NULL)));
    close(pair[0]);

    WANT(EBADF, tc_net_errno(tc_net_readn(pair[0], buf, 4, 10, NULL)));
    WANT(EBADF, tc_net_errno(tc_net_writen(-1, "abc", 3, 10, NULL)));
    WANT(EBADF, tc_net_errno(tc_net_set_timeouts(-1, 1, 1)));
    WANT(EBADF, tc_net_errno(tc_net_set_keepalive(-1, NULL)));
    keepalive.idle_s = keepalive.interval_s = keepalive.count = UINT32_MAX;
    WANT(EBADF, tc_net_errno(tc_net_set_keepalive(-1, &keepalive)));
    WANT(EBADF, tc_net_errno(tc_net_set_nodelay(-1, 1)));
    WANT(EBADF, tc_net_errno(tc_net_set_nonblocking(-1, 1)));
    WANT(EBADF, tc_net_errno(tc_net_set_buffers(-1, 1, UINT32_MAX)));
    WANT(EBADF, tc_net_errno(tc_net_address(-1, address, sizeof address)));
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    WANT(ENOTSOCK, tc_net_errno(tc_net_readn(fd, buf, 4, 10, NULL)));
    close(fd);
    WANT(0, strcmp(tc_net_strerror(TC_NET_E_ERRNO - ECONNREFUSED), "Connection refused"));
    WANT(0, tc_net_errno(TC_NET_OK) + tc_net_errno(TC_NET_E_TIMEOUT) + tc_net_errno(INT32_MIN) + tc_net_errno(TC_NET_E_ERRNO));
}

static tc_log_field field(const char *key, int type) {
    ZERO(tc_log_field, f);
    f.key = key;
    f.type = type;
    f.value.text = "x";
    return f;
}

static void fields(tc_log *l) {
    static char long_key[TC_LOG_KEY_MAX + 2], long_text[TC_LOG_TEXT_MAX + 2];
    static tc_log_field many[TC_LOG_FIELDS_MAX + 1];
    ZERO(tc_log_event, e);

    memset(long_key, 'k', sizeof long_key - 1);
    memset(long_text, 't', sizeof long_text - 1);
    tc_log_field bad[] = {field(NULL, TC_LOG_TEXT), field("", TC_LOG_TEXT),  field(long_key, TC_LOG_TEXT),
                          field("pid", TC_LOG_I64), field("time", TC_LOG_I64)};
    e.fields_count = 1;
    WANT(TC_LOG_E_ARGUMENT, tc_log_write(l, &e));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e.fields = &bad[i];
        WANT(TC_LOG_E_KEY, tc_log_write(l, &e));
    }
    bad[0] = field("\xff", TC_LOG_TEXT);
    e.fields = bad;
    WANT(TC_LOG_E_UTF8, tc_log_write(l, &e));
    bad[0] = field("k", 99);
    WANT(TC_LOG_E_ARGUMENT, tc_log_write(l, &e));
    bad[0] = field("k", TC_LOG_TEXT);
    bad[0].value.text = NULL;
    WANT(TC_LOG_E_ARGUMENT, tc_log_write(l, &e));
    bad[0].value.text = "\xff";
    WANT(TC_LOG_E_UTF8, tc_log_write(l, &e));
    bad[0].value.text = long_text;
    WANT(TC_LOG_E_LIMIT, tc_log_write(l, &e));
    e.fields_count = SIZE_MAX;
    WANT(TC_LOG_E_LIMIT, tc_log_write(l, &e));
    e.fields = many;
    e.fields_count = TC_LOG_FIELDS_MAX + 1;
    WANT(TC_LOG_E_LIMIT, tc_log_write(l, &e));
    e.fields_count = 0;
    e.message = "\xff";
    WANT(TC_LOG_E_UTF8, tc_log_write(l, &e));
    e.message = long_text;
    WANT(TC_LOG_E_LIMIT, tc_log_write(l, &e));
}

static void logs(const char *folder) {
    char path[512];
    ZERO(tc_log_options, o);
    ZERO(tc_log_event, e);
    tc_log *l = NULL, *full = NULL, *stale = NULL;

    WANT(TC_LOG_E_ARGUMENT, tc_log_open(&o, NULL));
    o.level = 4;
    WANT(TC_LOG_E_ARGUMENT, tc_log_open(&o, &l));
    o.level = INT32_MIN;
    WANT(TC_LOG_E_ARGUMENT, tc_log_open(&o, &l));
    o.level = 0;
    o.format = 3;
    WANT(TC_LOG_E_ARGUMENT, tc_log_open(&o, &l));
    o.format = TC_LOG_JSON;
    o.role = "\xff";
    WANT(TC_LOG_E_UTF8, tc_log_open(&o, &l));
    o.role = NULL;
    o.path = "";
    WANT(TC_LOG_E_OPEN, tc_log_open(&o, &l));
    o.path = folder;
    WANT(TC_LOG_E_OPEN, tc_log_open(&o, &l));
    snprintf(path, sizeof path, "%s/hostile.log", folder);
    o.path = path;
    WANT(TC_LOG_OK, tc_log_open(&o, &l));
    WANT(TC_LOG_OK, tc_log_open(&o, &stale));
    WANT(TC_LOG_OK, tc_log_close(stale));
    WANT(TC_LOG_OK, tc_log_close(NULL));

    tc_log *bad[] = {NULL, stale, log_at(3), log_at((uintptr_t)&o), log_at(UINTPTR_MAX)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        WANT(TC_LOG_E_HANDLE, tc_log_write(bad[i], &e));
        WANT(TC_LOG_E_HANDLE, tc_log_flush(bad[i]));
        WANT(TC_LOG_E_HANDLE, tc_log_set_level(bad[i], 0));
        WANT(TC_LOG_E_HANDLE, tc_log_enabled(bad[i], 0));
        WANT(bad[i] == NULL ? TC_LOG_OK : TC_LOG_E_HANDLE, tc_log_close(bad[i]));
    }
    WANT(TC_LOG_E_ARGUMENT, tc_log_write(l, NULL));
    e.level = TC_LOG_OFF;
    WANT(TC_LOG_E_ARGUMENT, tc_log_write(l, &e));
    WANT(TC_LOG_E_ARGUMENT, tc_log_enabled(l, TC_LOG_OFF));
    WANT(TC_LOG_E_ARGUMENT, tc_log_set_level(l, 256));
    e.level = TC_LOG_DEBUG;
    WANT(0, tc_log_write(l, &e) + tc_log_enabled(l, TC_LOG_DEBUG));
    fields(l);

    o.path = "/dev/full";
    WANT(TC_LOG_OK, tc_log_open(&o, &full));
    e.level = TC_LOG_ERROR;
    WANT(TC_LOG_E_WRITE, tc_log_write(full, &e));
    WANT(TC_LOG_OK, tc_log_close(full));

    /* A pipe that nobody reads ends neither the log nor the program. */
    int pipe_fds[2], saved = dup(STDERR_FILENO);
    WANT(0, pipe(pipe_fds));
    close(pipe_fds[0]);
    dup2(pipe_fds[1], STDERR_FILENO);
    WANT(TC_LOG_OK, tc_log_open(NULL, &full));
    WANT(TC_LOG_E_WRITE, tc_log_write(full, &e));
    WANT(TC_LOG_OK, tc_log_close(full));
    close(STDERR_FILENO);
    WANT(TC_LOG_E_OPEN, tc_log_open(NULL, &full));
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_fds[1]);

    /* A handle of another kind. */
    tc_proto_decoder *d = NULL;
    WANT(TC_PROTO_OK, tc_proto_decoder_new(NULL, &d));
    WANT(TC_LOG_E_HANDLE, tc_log_flush(log_at((uintptr_t)d)));
    WANT(TC_PROTO_E_HANDLE, tc_proto_decoder_feed(decoder_at((uintptr_t)l), frame, 1));
    WANT(TC_PROTO_OK, tc_proto_decoder_free(d));
    WANT(TC_LOG_OK, tc_log_close(l));
}

/* A child of fork gets an answer, and does not hang. */
static void forked(void) {
    pid_t child = fork();
    if (child == 0) {
        ZERO(tc_proto_header, h);
        ZERO(tc_log_event, e);
        int before = wrong;
        tc_proto_decoder *d = NULL;
        tc_log *l = NULL;
        size_t len = 0;
        alarm(10);
        WANT(TC_PROTO_E_FORKED, tc_proto_encode_empty(&h, buf, sizeof buf, &len));
        WANT(TC_PROTO_E_FORKED, tc_proto_decoder_new(NULL, &d));
        WANT(TC_NET_E_FORKED, tc_net_dial("tcp", "127.0.0.1:1", NULL));
        WANT(TC_LOG_E_FORKED, tc_log_open(NULL, &l));
        WANT(TC_LOG_E_FORKED, tc_log_write(l, &e));
        WANT(0, strcmp(tc_proto_opcode_name(TC_PROTO_OP_TRANSFER), "TRANSFER"));
        WANT(1, strstr(tc_net_strerror(TC_NET_E_FORKED), "fork") != NULL);
        fflush(stdout);
        _exit(wrong - before != 0);
    }
    int status = -1;
    WANT(1, waitpid(child, &status, 0) == child);
    WANT(0, status);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    WANT(TC_PROTO_VERSION, tc_proto_version());
    WANT(TC_NET_VERSION, tc_net_version());
    WANT(TC_LOG_VERSION, tc_log_version());
    for (int rc = -2000; rc < 10; rc++) /* never null */
        WANT(1, tc_proto_strerror(rc)[0] != '\0' && tc_net_strerror(rc)[0] != '\0' && tc_log_strerror(rc)[0] != '\0');
    encoding();
    texts();
    lists();
    frames();
    flipped();
    decoders();
    many_decoders();
    logins();
    sockets();
    logs(argv[1]);
    fflush(stdout); /* before fork: what waits in the buffer would be printed twice */
    forked();
    if (wrong == 0)
        puts("all as it should be");
    return wrong != 0;
}
