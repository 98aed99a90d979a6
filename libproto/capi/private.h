/* What the C and the Go half of this package share, beside the public header. */
#ifndef TRADECHAT_CAPI_PROTO_PRIVATE_H
#define TRADECHAT_CAPI_PROTO_PRIVATE_H

#include <tradechat/proto.h>

/* Every body but the empty one. For each, calls.c defines tc_proto_encode_X and tc_proto_decode_X, and codec_unsafe.go
 * has a row. */
#define BODIES(X) \
    X(error_body) \
    X(hello_request) X(hello_response) X(login_request) X(login_response) X(heartbeat_request) X(heartbeat_response) \
    X(register_request) X(register_response) X(going_away) \
    X(join_room_request) X(join_room_response) X(leave_room_request) X(room_open_request) X(room_open_response) \
    X(room_list_request) X(room_list_response) X(room_history_request) X(room_history_response) X(room_event) \
    X(chat_send_request) X(chat_send_response) X(chat_broadcast) \
    X(direct_send_request) X(direct_send_response) X(direct_message) \
    X(who_request) X(who_response) X(user_lookup_request) X(user_lookup_response) \
    X(amount_request) X(txn_response) X(transfer_request) X(balance_response) \
    X(txn_history_request) X(txn_history_response) X(transfer_batch_request) X(transfer_batch_response) \
    X(txn_status_request) X(txn_status_response) \
    X(user_add_request) X(server_stats_response)

enum {
    KIND_empty,
#define X(name) KIND_##name,
    BODIES(X)
#undef X
    KINDS
};

#endif
