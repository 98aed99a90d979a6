/* What the functions do when they are used as they should be; the test looks at what comes out.
 *
 *     works login PASSWORD USER SALT ITERATIONS CLIENT_NONCE SERVER_NONCE BINDING    in hex; prints keys, proof, signature
 *     works log FILE          writes events of every kind
 *     works console           one event on stderr
 *     works net FOLDER        sockets of every kind; prints nothing when all is right */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <tradechat/log.h>
#include <tradechat/net.h>
#include <tradechat/proto.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MUST(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s; %s\n", __FILE__, __LINE__, #condition, tc_net_detail()); \
            exit(1); \
        } \
    } while (0)

/* ---- login -------------------------------------------------------------------------------------------------------- */

static void unhex(const char *text, uint8_t *out, size_t n) {
    MUST(strlen(text) == 2 * n);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        MUST(sscanf(text + 2 * i, "%2x", &byte) == 1);
        out[i] = (uint8_t)byte;
    }
}

static void print_hex(const char *name, const uint8_t *p) {
    printf("%s ", name);
    for (size_t i = 0; i < TC_PROTO_KEY_LEN; i++)
        printf("%02x", p[i]);
    putchar('\n');
}

static void login(char **arg) {
    uint8_t salt[TC_PROTO_SALT_LEN], proof[TC_PROTO_KEY_LEN], signature[TC_PROTO_KEY_LEN];
    tc_proto_login l;
    tc_proto_keys k;

    memset(&l, 0, sizeof l);
    l.username = tc_proto_text(arg[1]);
    unhex(arg[2], salt, sizeof salt);
    unhex(arg[4], l.client_nonce, sizeof l.client_nonce);
    unhex(arg[5], l.server_nonce, sizeof l.server_nonce);
    unhex(arg[6], l.channel_binding, sizeof l.channel_binding);
    MUST(tc_proto_derive_keys(tc_proto_text(arg[0]), l.username, salt, (uint32_t)atoi(arg[3]), &k) == TC_PROTO_OK);
    MUST(tc_proto_login_proof(&k, &l, proof) == TC_PROTO_OK && tc_proto_check_proof(&k, &l, proof) == TC_PROTO_OK);
    MUST(tc_proto_server_signature(&k, &l, signature) == TC_PROTO_OK);
    MUST(tc_proto_check_server_signature(&k, &l, signature) == TC_PROTO_OK);
    print_hex("stored_key", k.stored);
    print_hex("server_key", k.server);
    print_hex("proof", proof);
    print_hex("server_signature", signature);
}

/* ---- log ---------------------------------------------------------------------------------------------------------- */

static tc_log_event event(int level, const char *message) {
    tc_log_event e;
    memset(&e, 0, sizeof e);
    e.level = level;
    e.message = message;
    return e;
}

static void write_all_kinds(tc_log *l) {
    tc_log_event e = event(TC_LOG_WARN, "refused \"so\" €");
    tc_log_field f[7];

    memset(f, 0, sizeof f);
    f[0].key = "i", f[0].type = TC_LOG_I64, f[0].value.i64 = INT64_MIN;
    f[1].key = "u", f[1].type = TC_LOG_U64, f[1].value.u64 = UINT64_MAX;
    f[2].key = "f", f[2].type = TC_LOG_F64, f[2].value.f64 = 0.25;
    f[3].key = "b", f[3].type = TC_LOG_BOOL, f[3].value.boolean = 1;
    f[4].key = "t", f[4].type = TC_LOG_TEXT, f[4].value.text = "line\nbreak";
    f[5].key = "nan", f[5].type = TC_LOG_F64, f[5].value.f64 = NAN;
    f[6].key = "empty", f[6].type = TC_LOG_TEXT, f[6].value.text = "";
    e.conn = 88;
    e.req_id = UINT64_MAX;
    e.opcode = tc_proto_opcode_name(TC_PROTO_OP_TRANSFER);
    e.status = tc_proto_status_name(TC_PROTO_STATUS_NOT_FOUND);
    e.fields = f;
    e.fields_count = 7;
    MUST(tc_log_write(l, &e) == 1);
}

static void write_log(const char *file) {
    tc_log_options o;
    tc_log *l = NULL;

    memset(&o, 0, sizeof o);
    o.path = file;
    o.role = "works";
    o.repeat_events = 2;
    o.window_ms = 3600000;
    MUST(tc_log_open(&o, &l) == TC_LOG_OK);
    write_all_kinds(l);

    tc_log_event e = event(TC_LOG_DEBUG, "not yet");
    MUST(tc_log_write(l, &e) == 0 && tc_log_enabled(l, TC_LOG_DEBUG) == 0);
    MUST(tc_log_set_level(l, TC_LOG_TRACE) == TC_LOG_OK && tc_log_enabled(l, TC_LOG_TRACE) == 1);
    e = event(TC_LOG_TRACE, "now");
    MUST(tc_log_write(l, &e) == 1);
    MUST(tc_log_set_level(l, TC_LOG_OFF) == TC_LOG_OK);
    e = event(TC_LOG_ERROR, "never");
    MUST(tc_log_write(l, &e) == 0 && tc_log_enabled(l, TC_LOG_ERROR) == 0);
    MUST(tc_log_set_level(l, TC_LOG_INFO) == TC_LOG_OK);

    e = event(TC_LOG_INFO, "again");
    e.repeat = "flood";
    for (int i = 0; i < 100; i++)
        MUST(tc_log_write(l, &e) == (i < 2));
    MUST(tc_log_flush(l) == TC_LOG_OK); /* tells of 98 */
    MUST(tc_log_write(l, &e) == 0);
    MUST(tc_log_close(l) == TC_LOG_OK); /* tells of one */

    o.format = TC_LOG_CONSOLE; /* appends */
    MUST(tc_log_open(&o, &l) == TC_LOG_OK);
    e = event(TC_LOG_ERROR, NULL);
    MUST(tc_log_write(l, &e) == 1 && tc_log_close(l) == TC_LOG_OK);
}

static void console(void) {
    tc_log_event e = event(TC_LOG_WARN, "for people");
    tc_log_options o;
    tc_log *l = NULL;

    memset(&o, 0, sizeof o);
    o.format = TC_LOG_CONSOLE;
    MUST(tc_log_open(&o, &l) == TC_LOG_OK);
    MUST(tc_log_write(l, &e) == 1 && tc_log_close(l) == TC_LOG_OK);
    MUST(fcntl(STDERR_FILENO, F_GETFD) >= 0); /* it is the program's own */
}

/* ---- net ---------------------------------------------------------------------------------------------------------- */

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t n = sizeof value;
    MUST(getsockopt(fd, level, name, &value, &n) == 0);
    return value;
}

static int take(int listening) {
    struct pollfd p = {listening, POLLIN, 0};
    MUST(poll(&p, 1, 20000) == 1);
    return accept4(listening, NULL, NULL, SOCK_CLOEXEC);
}

static void dial_and_talk(void) {
    char address[TC_NET_ADDRESS_MAX], got[5];
    tc_net_dial_options o;
    tc_net_keepalive off;
    int listening, fd, peer;
    size_t done = 0;

    memset(&o, 0, sizeof o);
    memset(&off, 0, sizeof off);
    o.socket.keepalive.idle_s = 11;
    o.socket.keepalive.interval_s = 7;
    o.socket.keepalive.count = 3;
    o.socket.receive_buffer_bytes = 8192;
    MUST(tc_net_listen("127.0.0.1:0", NULL, &listening, 1) == TC_NET_OK);
    MUST(tc_net_address(listening, address, sizeof address) == TC_NET_OK);
    MUST((fcntl(listening, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(listening, F_GETFD) & FD_CLOEXEC) != 0);
    MUST(option(listening, SOL_SOCKET, SO_REUSEPORT) == 0);

    MUST((fd = tc_net_dial("tcp", address, &o)) >= 3);
    MUST((peer = take(listening)) >= 0);
    MUST((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    MUST(option(fd, IPPROTO_TCP, TCP_NODELAY) != 0 && option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0);
    MUST(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 11 && option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 7);
    MUST(option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 3 && option(fd, SOL_SOCKET, SO_RCVBUF) == 2 * 8192);

    MUST(tc_net_writen(fd, "hello", 5, 20000, &done) == TC_NET_OK && done == 5);
    MUST(tc_net_readn(peer, got, 5, 20000, &done) == TC_NET_OK && done == 5 && memcmp(got, "hello", 5) == 0);
    MUST(tc_net_set_timeouts(fd, 10, 10) == TC_NET_OK);
    MUST(recv(fd, got, 1, 0) == -1 && errno == EAGAIN);
    MUST(tc_net_set_keepalive(fd, &off) == TC_NET_OK && option(fd, SOL_SOCKET, SO_KEEPALIVE) == 0);
    MUST(tc_net_set_nodelay(fd, 0) == TC_NET_OK && option(fd, IPPROTO_TCP, TCP_NODELAY) == 0);
    MUST(tc_net_set_buffers(fd, 0, 16384) == TC_NET_OK && option(fd, SOL_SOCKET, SO_SNDBUF) == 2 * 16384);
    MUST(tc_net_set_nonblocking(fd, 1) == TC_NET_OK && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    close(fd);
    MUST(tc_net_readn(peer, got, 5, 20000, &done) == TC_NET_E_EOF && done == 0);
    close(peer);
    o.nonblocking = 1;
    MUST((fd = tc_net_dial("tcp4", address, &o)) >= 3 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    close(fd);
    close(listening);
}

/* Sockets that share a port get connections each. */
static void group(void) {
    char address[TC_NET_ADDRESS_MAX], again[TC_NET_ADDRESS_MAX];
    int fds[3], seen[3] = {0, 0, 0};

    MUST(tc_net_listen("127.0.0.1:0", NULL, fds, 3) == TC_NET_OK);
    MUST(tc_net_address(fds[0], address, sizeof address) == TC_NET_OK);
    for (int i = 0; i < 3; i++) {
        MUST(option(fds[i], SOL_SOCKET, SO_REUSEPORT) != 0);
        MUST(tc_net_address(fds[i], again, sizeof again) == TC_NET_OK && strcmp(address, again) == 0);
    }
    for (int left = 3, tries = 0; left > 0; tries++) {
        struct pollfd p[3] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}, {fds[2], POLLIN, 0}};
        int fd = tc_net_dial("tcp", address, NULL);
        MUST(fd >= 0 && tries < 10000 && poll(p, 3, 20000) > 0);
        for (int i = 0; i < 3; i++)
            if (p[i].revents != 0) {
                close(accept4(fds[i], NULL, NULL, SOCK_CLOEXEC));
                left -= !seen[i];
                seen[i] = 1;
            }
        close(fd);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* A server that comes late is waited for. */
static void *late(void *path) {
    struct sockaddr_un a;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(&a, 0, sizeof a);
    a.sun_family = AF_UNIX;
    snprintf(a.sun_path, sizeof a.sun_path, "%s", (const char *)path);
    usleep(50000);
    MUST(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0);
    close(take(fd));
    close(fd);
    return NULL;
}

static void backoff(const char *folder) {
    char path[100];
    tc_net_dial_options o;
    pthread_t t;
    uint8_t byte;

    memset(&o, 0, sizeof o);
    o.backoff_base_ms = 1;
    o.backoff_cap_ms = 10;
    snprintf(path, sizeof path, "%s/late.sock", folder);
    MUST(pthread_create(&t, NULL, late, path) == 0);
    int fd = tc_net_dial("unix", path, &o);
    MUST(fd >= 0 && tc_net_detail()[0] == '\0');
    MUST(tc_net_readn(fd, &byte, 1, 20000, NULL) == TC_NET_E_EOF);
    MUST(strstr(tc_net_detail(), "EOF") != NULL);
    close(fd);
    MUST(pthread_join(t, NULL) == 0);
}

int main(int argc, char **argv) {
    if (argc == 9 && strcmp(argv[1], "login") == 0)
        login(argv + 2);
    else if (argc == 3 && strcmp(argv[1], "log") == 0)
        write_log(argv[2]);
    else if (argc == 2 && strcmp(argv[1], "console") == 0)
        console();
    else if (argc == 3 && strcmp(argv[1], "net") == 0) {
        dial_and_talk();
        group();
        backoff(argv[2]);
    } else
        return 2;
    return 0;
}
