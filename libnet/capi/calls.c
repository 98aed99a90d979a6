/* The public functions. Each turns away a child of fork(2), which has none of the Go runtime's threads, and goes to Go. */
#include "_cgo_export.h"

#include <tradechat/net.h>

#include <pthread.h>
#include <string.h>

static int forked;

static void in_child(void) { forked = 1; }

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(NULL, NULL, in_child); }

static _Thread_local char detail[TC_NET_DETAIL_MAX];

const char *tc_net_detail(void) { return detail; }

/* note gives a result its sentence where Go has left none. */
static int note(int result) {
    if (result < 0 && detail[0] == '\0')
        strncpy(detail, tc_net_strerror(result), sizeof detail - 1);
    return result;
}

#define ENTER(call) (detail[0] = '\0', note(__builtin_expect(forked, 0) ? TC_NET_E_FORKED : (call)))

/* Whether s is a text that ends in time. */
static int text(const char *s) { return s != NULL && strnlen(s, TC_NET_TEXT_MAX + 1) <= TC_NET_TEXT_MAX; }

int tc_net_dial(const char *network, const char *address, const tc_net_dial_options *options) {
    tc_net_dial_options o = {0};
    if (options != NULL)
        o = *options;
    return ENTER(text(network) && text(address) ? tcgo_net_dial((char *)network, (char *)address, &o, detail)
                                                : TC_NET_E_ARGUMENT);
}

int tc_net_listen(const char *address, const tc_net_listen_options *options, int *fds, size_t count) {
    tc_net_listen_options o = {0};
    if (options != NULL)
        o = *options;
    return ENTER(text(address) && fds != NULL ? tcgo_net_listen((char *)address, &o, fds, count, detail) : TC_NET_E_ARGUMENT);
}

int tc_net_address(int fd, char *out, size_t cap) { return ENTER(tcgo_net_address(fd, out, cap, detail)); }

int tc_net_readn(int fd, void *buf, size_t len, int64_t timeout_ms, size_t *done) {
    size_t moved = 0;
    int result = ENTER(tcgo_net_read_all(fd, buf, len, timeout_ms, &moved, detail));
    if (done != NULL)
        *done = moved;
    return result;
}

int tc_net_writen(int fd, const void *buf, size_t len, int64_t timeout_ms, size_t *done) {
    size_t moved = 0;
    int result = ENTER(tcgo_net_write_all(fd, (void *)buf, len, timeout_ms, &moved, detail));
    if (done != NULL)
        *done = moved;
    return result;
}

int tc_net_set_timeouts(int fd, int64_t receive_ms, int64_t send_ms) {
    return ENTER(tcgo_net_set_timeouts(fd, receive_ms, send_ms, detail));
}

int tc_net_set_keepalive(int fd, const tc_net_keepalive *keepalive) {
    tc_net_keepalive k = {0};
    if (keepalive != NULL)
        k = *keepalive;
    return ENTER(tcgo_net_set_keepalive(fd, &k, detail));
}

int tc_net_set_nodelay(int fd, int on) { return ENTER(tcgo_net_set_nodelay(fd, on, detail)); }

int tc_net_set_nonblocking(int fd, int on) { return ENTER(tcgo_net_set_nonblocking(fd, on, detail)); }

int tc_net_set_buffers(int fd, uint32_t receive_bytes, uint32_t send_bytes) {
    return ENTER(tcgo_net_set_buffers(fd, receive_bytes, send_bytes, detail));
}
