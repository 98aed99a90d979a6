/* tradechat/net.h: sockets for C and C++: dialling with backoff, listening sockets, exact reads and writes with a deadline.
 *
 * Everything is a plain file descriptor of the caller's: use it with poll(2), epoll(7), accept4(2), recv(2) and close(2) as
 * any other. A tutorial is docs/c-api.md.
 *
 *     int fd = tc_net_dial("tcp", "127.0.0.1:7878", NULL);
 *     if (fd < 0)
 *         fprintf(stderr, "%s\n", tc_net_detail());
 *     rc = tc_net_writen(fd, frame, len, 5000, NULL);
 *     rc = tc_net_readn(fd, header, 32, 5000, NULL);
 *
 * RULES THAT HOLD FOR EVERY FUNCTION
 *
 * Results     A function that returns int returns TC_NET_OK or a negative code, unless it says otherwise. A code is a
 *             tc_net_error, or stands for an errno: tc_net_errno tells.
 * Units       Names ending in _ms are milliseconds, _s seconds, _bytes bytes. A time-out bounds the whole call, however
 *             many system calls it takes.
 * Ownership   The caller owns all memory and all descriptors. A descriptor that a function returns is close-on-exec and
 *             the caller's to close. A function that is given a descriptor leaves it open. No pointer is kept.
 * Bad input   A null pointer, a length over TC_NET_IO_MAX, a text without end within TC_NET_TEXT_MAX, a descriptor that
 *             is not open or no socket: a code. A pointer that is neither null nor valid may crash.
 * Threads     Every function may be called from any thread at any time. On one socket, one thread at a time may be in
 *             tc_net_readn and one in tc_net_writen.
 * Signals     No call raises SIGPIPE. A signal that a handler catches does not end a call, and handlers need SA_ONSTACK.
 *             No function may be called from a signal handler.
 * Fork        After fork(2) without exec, the child gets TC_NET_E_FORKED, if the library was loaded before. Descriptors
 *             stay good there. The functions that return no int work there, too, and tc_net_version and tc_net_errno.
 *
 * Needs Linux, glibc 2.34 or newer. Plain C99, C++98 with <stdint.h>, and everything newer. */
#ifndef TRADECHAT_NET_H
#define TRADECHAT_NET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Versions ---------------------------------------------------------------------------------------------------- */

/* The version of this header; tc_net_version() is the library's, counted in the same way. The library fits a program when
 * its major version is that of the header, and its minor version is not older. */
#define TC_NET_VERSION_MAJOR 0
#define TC_NET_VERSION_MINOR 1
#define TC_NET_VERSION_PATCH 0
#define TC_NET_VERSION (TC_NET_VERSION_MAJOR * 1000000 + TC_NET_VERSION_MINOR * 1000 + TC_NET_VERSION_PATCH)

int tc_net_version(void);

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

typedef enum tc_net_error {
    TC_NET_OK = 0,

    TC_NET_E_ARGUMENT = -1, /* a null pointer, or a number out of its range */
    TC_NET_E_SHORT = -2,    /* the caller's buffer is too short */
    TC_NET_E_LIMIT = -4,    /* more bytes or sockets than one call handles */
    TC_NET_E_FORKED = -5,   /* called in a child of fork(2) */
    TC_NET_E_INTERNAL = -6, /* a mistake of the library, caught; please report it */

    TC_NET_E_TIMEOUT = -20,        /* the time was up */
    TC_NET_E_EOF = -21,            /* the peer closed before the first byte */
    TC_NET_E_UNEXPECTED_EOF = -22, /* the peer closed in between */
    TC_NET_E_ADDRESS = -23,        /* an address that cannot be parsed, resolved, or used as written */
    TC_NET_E_NONBLOCKING = -24,    /* the descriptor is nonblocking: tc_net_readn and tc_net_writen need a blocking one */

    TC_NET_E_ERRNO = -1000 /* codes from here down are TC_NET_E_ERRNO - errno: ECONNREFUSED is -1111 on Linux */
} tc_net_error;

/* The errno that a result stands for; 0 if it stands for none. */
int tc_net_errno(int result);

/* A sentence in English about a result, of static storage, never null. */
const char *tc_net_strerror(int result);

/* What went wrong in this thread's last call that returned a negative code, with the values that matter, such as
 * "libnet: dial tcp 127.0.0.1:1: gave up after 3 attempts in 120ms; last: …". Empty when there was none. It is good until
 * the thread's next call of this library. */
const char *tc_net_detail(void);

/* ---- Limits ------------------------------------------------------------------------------------------------------ */

enum {
    TC_NET_IO_MAX = 1073741824, /* bytes of one tc_net_readn or tc_net_writen */
    TC_NET_TEXT_MAX = 1024,     /* bytes of an address */
    TC_NET_ADDRESS_MAX = 64,    /* bytes that tc_net_address writes at most, its NUL included */
    TC_NET_LISTEN_MAX = 256,    /* sockets of one tc_net_listen */
    TC_NET_DETAIL_MAX = 512     /* bytes of tc_net_detail, its NUL included */
};

#define TC_NET_FOREVER (-1) /* as a time-out: none */

/* ---- Connect ----------------------------------------------------------------------------------------------------- */

/* Probes of a silent peer (tcp(7)). All zeros: none. */
typedef struct tc_net_keepalive {
    uint32_t idle_s;     /* silence before the first probe */
    uint32_t interval_s; /* between probes */
    uint32_t count;      /* unanswered probes before the connection is dropped */
} tc_net_keepalive;

/* Options of a TCP socket; zeros are defaults. TCP_NODELAY is always set. */
typedef struct tc_net_socket_options {
    tc_net_keepalive keepalive;
    uint32_t receive_buffer_bytes; /* 0: the kernel tunes it */
    uint32_t send_buffer_bytes;    /* 0: the kernel tunes it */
} tc_net_socket_options;

/* How tc_net_dial tries; zeros are defaults. Between attempts it waits for a random time in 0 … a window, which begins at
 * backoff_base_ms and doubles up to backoff_cap_ms. */
typedef struct tc_net_dial_options {
    int64_t timeout_ms;         /* of everything; 0: 30 seconds; TC_NET_FOREVER */
    int64_t attempt_timeout_ms; /* of one attempt; 0: 10 seconds */
    int64_t backoff_base_ms;    /* 0: 50 ms */
    int64_t backoff_cap_ms;     /* 0: 5 seconds */
    uint32_t attempts;          /* 0: as many as timeout_ms allows */
    uint32_t nonblocking;       /* 1: the descriptor is nonblocking; 0: it blocks */
    tc_net_socket_options socket;
} tc_net_dial_options;

/* Connects: a descriptor (>= 0) or a negative code. network is "tcp", "tcp4", "tcp6" or "unix"; address is "host:port", or
 * the path of a Unix socket. options may be null. An address that can never work is TC_NET_E_ADDRESS at once. When the time
 * is up: TC_NET_E_TIMEOUT; when the attempts are used up: the code of the last. */
int tc_net_dial(const char *network, const char *address, const tc_net_dial_options *options);

/* ---- Listen ------------------------------------------------------------------------------------------------------ */

typedef struct tc_net_listen_options {
    uint32_t backlog; /* connections that may wait to be accepted; 0: 4,096. The kernel cuts it to net.core.somaxconn */
    tc_net_socket_options socket; /* accepted connections inherit them */
} tc_net_listen_options;

/* Makes count listening TCP sockets on one address and writes their descriptors to fds: nonblocking, close-on-exec, for
 * accept4(2). With one socket nobody else can listen on that port. Two and more share it by SO_REUSEPORT, and the kernel
 * spreads connections over them; another server cannot join in by accident. address is "host:port"; an empty host is every
 * interface, port 0 a free port (tc_net_address says which). options may be null. On an error fds is left alone. */
int tc_net_listen(const char *address, const tc_net_listen_options *options, int *fds, size_t count);

/* Writes the local address of a TCP socket to out, "127.0.0.1:7878", with a NUL. TC_NET_ADDRESS_MAX bytes are enough. */
int tc_net_address(int fd, char *out, size_t cap);

/* ---- Read and write ---------------------------------------------------------------------------------------------- */

/* Fills buf from a blocking socket, or writes all of it. timeout_ms bounds the whole call; a negative one is none. *done,
 * unless null, says how many bytes were moved, also after an error. They leave SO_RCVTIMEO or SO_SNDTIMEO set.
 * A peer that is gone is TC_NET_E_EOF or TC_NET_E_UNEXPECTED_EOF when reading, the code of EPIPE or ECONNRESET when
 * writing. */
int tc_net_readn(int fd, void *buf, size_t len, int64_t timeout_ms, size_t *done);
int tc_net_writen(int fd, const void *buf, size_t len, int64_t timeout_ms, size_t *done);

/* ---- Options of a socket ----------------------------------------------------------------------------------------- */

/* The time that one recv(2) and one send(2) on a blocking socket may take (SO_RCVTIMEO, SO_SNDTIMEO); 0 and less: no limit.
 * Such a call then fails with EAGAIN. */
int tc_net_set_timeouts(int fd, int64_t receive_ms, int64_t send_ms);

/* Null or all zeros turn probing off. */
int tc_net_set_keepalive(int fd, const tc_net_keepalive *keepalive);

int tc_net_set_nodelay(int fd, int on);

/* O_NONBLOCK: 1 or 0. */
int tc_net_set_nonblocking(int fd, int on);

/* SO_RCVBUF and SO_SNDBUF; 0 leaves one as it is. */
int tc_net_set_buffers(int fd, uint32_t receive_bytes, uint32_t send_bytes);

#ifdef __cplusplus
}
#endif

#endif
