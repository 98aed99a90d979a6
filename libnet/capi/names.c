/* What needs no Go: versions and texts. They work in a child of fork(2), too. */
#define _GNU_SOURCE
#include <tradechat/net.h>

#include <string.h>

int tc_net_version(void) { return TC_NET_VERSION; }

int tc_net_errno(int result) { return result < TC_NET_E_ERRNO && result >= TC_NET_E_ERRNO - 4095 ? TC_NET_E_ERRNO - result : 0; }

const char *tc_net_strerror(int result) {
    if (tc_net_errno(result) != 0) {
        const char *text = strerrordesc_np(tc_net_errno(result));
        return text != NULL ? text : "an unknown error of the system";
    }
    if (result >= 0)
        return "no error";
    switch ((tc_net_error)result) {
    case TC_NET_OK: return "no error";
    case TC_NET_E_ARGUMENT: return "a null pointer, or a number out of its range";
    case TC_NET_E_SHORT: return "the buffer is too short";
    case TC_NET_E_LIMIT: return "more bytes or sockets than one call handles";
    case TC_NET_E_FORKED: return "the library cannot be used in a child of fork(2): load it there, or call exec";
    case TC_NET_E_INTERNAL: return "a mistake of the library";
    case TC_NET_E_TIMEOUT: return "the time was up";
    case TC_NET_E_EOF: return "the peer closed the connection";
    case TC_NET_E_UNEXPECTED_EOF: return "the peer closed the connection in between";
    case TC_NET_E_ADDRESS: return "the address cannot be parsed, resolved, or used as written";
    case TC_NET_E_NONBLOCKING: return "the descriptor is nonblocking, where a blocking one is needed";
    case TC_NET_E_ERRNO: break;
    }
    return "unknown result";
}
