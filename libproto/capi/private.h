/* What the C and the Go half of this package share, beside the public header. */
#ifndef TRADECHAT_CAPI_PROTO_PRIVATE_H
#define TRADECHAT_CAPI_PROTO_PRIVATE_H

#include <tradechat/proto.h>

/* BODIES(X) is every body but the empty one. For each, calls.c defines tc_proto_encode_X and tc_proto_decode_X, and codecs_gen.go
 * has a row. */
#include "kinds_gen.h"

enum {
    KIND_empty,
#define X(name) KIND_##name,
    BODIES(X)
#undef X
    KINDS
};

#endif
