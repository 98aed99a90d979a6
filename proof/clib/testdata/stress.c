/* All three libraries at once, under threads and signals: stress FOLDER MILLISECONDS [LIBRARIES], where FOLDER is empty and
 * LIBRARIES the folder of libproto.so, libnet.so and liblog.so, to be loaded by dlopen if DLOPEN is defined. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <tradechat/log.h>
#include <tradechat/net.h>
#include <tradechat/proto.h>

#include <dlfcn.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifdef DLOPEN
/* Every function that is used is a pointer of the same name. */
#define FUNCTIONS(X) \
    X("libproto.so", tc_proto_encode_transfer_request) X("libproto.so", tc_proto_decode_frames) \
    X("libproto.so", tc_proto_decode_transfer_request) X("libproto.so", tc_proto_decoder_new) \
    X("libproto.so", tc_proto_decoder_feed) X("libproto.so", tc_proto_decoder_next) X("libproto.so", tc_proto_decoder_free) \
    X("libproto.so", tc_proto_derive_keys) X("libproto.so", tc_proto_text) \
    X("libnet.so", tc_net_listen) X("libnet.so", tc_net_address) X("libnet.so", tc_net_dial) X("libnet.so", tc_net_readn) \
    X("libnet.so", tc_net_writen) X("libnet.so", tc_net_set_nonblocking) X("libnet.so", tc_net_detail) \
    X("liblog.so", tc_log_open) X("liblog.so", tc_log_write) X("liblog.so", tc_log_close)

#define X(library, name) static __typeof__(name) *p_##name;
FUNCTIONS(X)
#undef X

static void load_one(const char *folder, const char *library, const char *name, void *to) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, library);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle != NULL ? dlsym(handle, name) : NULL;
    if (symbol == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    memcpy(to, &symbol, sizeof symbol);
}

static void load(const char *folder) {
#define X(library, name) load_one(folder, library, #name, &p_##name);
    FUNCTIONS(X)
#undef X
}

#define tc_proto_encode_transfer_request p_tc_proto_encode_transfer_request
#define tc_proto_decode_frames p_tc_proto_decode_frames
#define tc_proto_decode_transfer_request p_tc_proto_decode_transfer_request
#define tc_proto_decoder_new p_tc_proto_decoder_new
#define tc_proto_decoder_feed p_tc_proto_decoder_feed
#define tc_proto_decoder_next p_tc_proto_decoder_next
#define tc_proto_decoder_free p_tc_proto_decoder_free
#define tc_proto_derive_keys p_tc_proto_derive_keys
#define tc_proto_text p_tc_proto_text
#define tc_net_listen p_tc_net_listen
#define tc_net_address p_tc_net_address
#define tc_net_dial p_tc_net_dial
#define tc_net_readn p_tc_net_readn
#define tc_net_writen p_tc_net_writen
#define tc_net_set_nonblocking p_tc_net_set_nonblocking
#define tc_net_detail p_tc_net_detail
#define tc_log_open p_tc_log_open
#define tc_log_write p_tc_log_write
#define tc_log_close p_tc_log_close
#endif

static atomic_int over;
static atomic_long frames, echoes, lines, derived;
static volatile sig_atomic_t alarms;
static char address[TC_NET_ADDRESS_MAX];
static int listening, faults;
static tc_log *shared_log;

#define MUST(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1); \
        } \
    } while (0)

static void *codec(void *unused) {
    static const size_t cap = 64 * 44;
    uint8_t *buf = malloc(cap), body[64];
    tc_proto_frame *f = malloc(64 * sizeof *f), one;
    tc_proto_decoder *d = NULL;

    (void)unused;
    MUST(buf != NULL && f != NULL && tc_proto_decoder_new(NULL, &d) == TC_PROTO_OK);
    for (uint64_t id = 1; !over; id += 64) {
        size_t at = 0, len = 0, count = 0, consumed = 0;
        for (uint64_t i = 0; i < 64; i++, at += len) {
            tc_proto_header h = {0};
            tc_proto_transfer_request t = {0};
            h.opcode = TC_PROTO_OP_TRANSFER;
            h.req_id = id + i;
            t.amount = id * i;
            MUST(tc_proto_encode_transfer_request(&h, &t, buf + at, cap - at, &len) == TC_PROTO_OK && len == 44);
        }
        MUST(tc_proto_decode_frames(buf, at, NULL, f, 64, &count, &consumed) == TC_PROTO_OK && count == 64 && consumed == at);
        MUST(tc_proto_decoder_feed(d, buf, at) == TC_PROTO_OK);
        for (uint64_t i = 0; i < 64; i++) {
            tc_proto_transfer_request t;
            MUST(tc_proto_decode_transfer_request(&f[i], &t) == TC_PROTO_OK && t.amount == id * i);
            MUST(tc_proto_decoder_next(d, &one, body, sizeof body) == 1 && one.header.req_id == id + i);
        }
        MUST(tc_proto_decoder_next(d, &one, body, sizeof body) == 0);
        if (faults) { /* a fault within Go, caught at the border */
            tc_proto_header h = {0};
            tc_proto_transfer_request t = {0};
            h.opcode = TC_PROTO_OP_TRANSFER;
            MUST(tc_proto_encode_transfer_request(&h, &t, (uint8_t *)8, 64, &len) == TC_PROTO_E_INTERNAL);
        }
        frames += 64;
    }
    MUST(tc_proto_decoder_free(d) == TC_PROTO_OK);
    free(buf);
    free(f);
    return NULL;
}

/* Allocates in Go, so that its garbage collector runs, and computes for long. */
static void *deriver(void *unused) {
    static const uint8_t salt[TC_PROTO_SALT_LEN];
    (void)unused;
    while (!over) {
        tc_proto_keys k;
        MUST(tc_proto_derive_keys(tc_proto_text("secret"), tc_proto_text("alice"), salt, 4096, &k) == TC_PROTO_OK);
        derived++;
    }
    return NULL;
}

static void *server(void *unused) {
    (void)unused;
    while (!over) {
        struct pollfd p = {listening, POLLIN, 0};
        uint8_t buf[256];
        if (poll(&p, 1, 20) <= 0)
            continue;
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        MUST(tc_net_readn(fd, buf, sizeof buf, 20000, NULL) == TC_NET_OK);
        MUST(tc_net_writen(fd, buf, sizeof buf, 20000, NULL) == TC_NET_OK);
        close(fd);
    }
    return NULL;
}

static void *echo(void *unused) {
    (void)unused;
    while (!over) {
        uint8_t out[256], in[256];
        tc_net_dial_options o = {0};
        o.timeout_ms = 20000;
        int fd = tc_net_dial("tcp", address, &o);
        MUST(fd >= 0);
        memset(out, fd, sizeof out);
        MUST(tc_net_writen(fd, out, sizeof out, 20000, NULL) == TC_NET_OK);
        int rc = tc_net_readn(fd, in, sizeof in, 20000, NULL);
        MUST((rc == TC_NET_OK && memcmp(in, out, sizeof in) == 0) || over); /* the server may have gone first */
        close(fd);
        echoes++;
        nanosleep(&(struct timespec){0, 200000}, NULL); /* so as not to use up the ports of loopback */
    }
    return NULL;
}

static void *writer(void *unused) {
    (void)unused;
    while (!over) {
        tc_log_event e = {0};
        e.level = TC_LOG_WARN;
        e.message = "stress";
        e.req_id = 7;
        MUST(tc_log_write(shared_log, &e) == 1);
        lines++;
        nanosleep(&(struct timespec){0, 20000}, NULL); /* the file stays small */
    }
    return NULL;
}

static void on_alarm(int signal) {
    (void)signal;
    alarms++;
}

static void start_alarms(void) {
    struct sigaction a;
    struct itimerval every = {{0, 2000}, {0, 2000}};
    memset(&a, 0, sizeof a);
    a.sa_handler = on_alarm;
    a.sa_flags = SA_RESTART | SA_ONSTACK;
    MUST(sigaction(SIGALRM, &a, NULL) == 0 && setitimer(ITIMER_REAL, &every, NULL) == 0);
}

static long count_lines(const char *path) {
    FILE *f = fopen(path, "r");
    long n = 0;
    int c;
    MUST(f != NULL);
    while ((c = getc(f)) != EOF)
        n += c == '\n';
    fclose(f);
    return n;
}

int main(int argc, char **argv) {
    static void *(*const work[])(void *) = {codec, codec, deriver, server, echo, writer, writer};
    enum { WORKERS = sizeof work / sizeof *work };
    pthread_t threads[WORKERS];
    char path[512];
    tc_log_options o = {0};

    MUST(argc == 3 || argc == 4);
    faults = getenv("NO_SMALL_POINTERS") == NULL;
#ifdef DLOPEN
    MUST(argc == 4);
    load(argv[3]);
#endif
    snprintf(path, sizeof path, "%s/stress.log", argv[1]);
    o.path = path;
    o.format = TC_LOG_JSON;
    MUST(tc_log_open(&o, &shared_log) == TC_LOG_OK);
    MUST(tc_net_listen("127.0.0.1:0", NULL, &listening, 1) == TC_NET_OK);
    MUST(tc_net_address(listening, address, sizeof address) == TC_NET_OK);
    start_alarms();
    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_create(&threads[i], NULL, work[i], NULL) == 0);

    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += atoi(argv[2]) / 1000;
    end.tv_nsec += atoi(argv[2]) % 1000 * 1000000L;
    do {
        nanosleep(&(struct timespec){0, 10000000}, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec) || frames == 0 || echoes == 0 ||
             lines == 0 || derived == 0 || alarms == 0);
    over = 1;
    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    MUST(tc_log_close(shared_log) == TC_LOG_OK);
    MUST(count_lines(path) == lines);
    printf("frames=%ld echoes=%ld lines=%ld derived=%ld alarms=%d\n", frames, echoes, lines, derived, (int)alarms);
    return 0;
}
