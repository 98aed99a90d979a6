/* dump: reads one direction of an NS stream on stdin and prints its frames, one a line. Uses libproto alone.
 *
 *     cc dump.c $(pkg-config --cflags tradechat-proto) $(pkg-config --variable=archive tradechat-proto) -o dump
 *     ./dump < recorded
 *
 * Exit code 0 when the stream was whole, 1 when it was damaged or ended within a frame, 2 for a wrong use. */
#include <tradechat/proto.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = TC_PROTO_HEADER_LEN + TC_PROTO_BODY_LEN_MAX_DEFAULT, FRAMES = 256 };

static const char *kind(const tc_proto_header *h) {
    if (h->flags & TC_PROTO_FLAG_RESPONSE)
        return h->flags & TC_PROTO_FLAG_REPLAYED ? "replayed" : "response";
    return h->req_id == 0 ? "push" : "request";
}

static void print_text(const char *what, tc_proto_bytes text) {
    printf(" %s=\"%.*s\"", what, (int)text.len, (const char *)text.data);
}

/* print_body prints what is known of some bodies. A body that is of another type is simply not that. */
static void print_body(const tc_proto_frame *f) {
    tc_proto_error_body error;
    tc_proto_chat_send_request send;
    tc_proto_chat_broadcast broadcast;
    tc_proto_transfer_request transfer;
    tc_proto_txn_response txn;

    if (tc_proto_decode_error_body(f, &error) == TC_PROTO_OK) {
        print_text("detail", error.detail);
    } else if (tc_proto_decode_chat_send_request(f, &send) == TC_PROTO_OK) {
        printf(" room=%" PRIu32, send.room_id);
        print_text("message", send.message);
    } else if (tc_proto_decode_chat_broadcast(f, &broadcast) == TC_PROTO_OK) {
        printf(" room=%" PRIu32 " seq=%" PRIu64, broadcast.room_id, broadcast.room_seq);
        print_text("from", broadcast.from_name);
        print_text("message", broadcast.message);
    } else if (tc_proto_decode_transfer_request(f, &transfer) == TC_PROTO_OK) {
        printf(" to=%" PRIu32 " amount=%" PRIu64, transfer.to_user_id, transfer.amount);
    } else if (tc_proto_decode_txn_response(f, &txn) == TC_PROTO_OK) {
        printf(" balance=%" PRId64 " txn=%" PRIu64, txn.balance, txn.txn_id);
    }
}

static void print_frame(uint64_t at, const tc_proto_frame *f) {
    const char *opcode = tc_proto_opcode_name(f->header.opcode);
    const char *status = tc_proto_status_name(f->header.status);

    printf("%8" PRIu64 " %-8s %-14s %-10s req_id=%" PRIu64 " body_len=%" PRIu32, at, kind(&f->header),
           opcode != NULL ? opcode : "unknown", status != NULL ? status : "unknown", f->header.req_id, f->header.body_len);
    if (f->error == TC_PROTO_OK)
        print_body(f);
    else
        printf(" DAMAGED: %s", tc_proto_strerror(f->error));
    putchar('\n');
}

int main(int argc, char **argv) {
    static uint8_t buffer[BUFFER];
    static tc_proto_frame frames[FRAMES];
    size_t have = 0;
    uint64_t at = 0; /* of buffer, in the stream */
    int damaged = 0;
    ssize_t got;

    if (argc != 1) {
        fprintf(stderr, "usage: %s < recorded\n", argv[0]);
        return 2;
    }
    while ((got = read(STDIN_FILENO, buffer + have, sizeof buffer - have)) > 0) {
        size_t count, consumed = 0, used = 0;
        int rc;

        have += (size_t)got;
        do { /* one call takes up to FRAMES of them */
            rc = tc_proto_decode_frames(buffer + used, have - used, NULL, frames, FRAMES, &count, &consumed);
            used += consumed;
            for (size_t i = 0; i < count; i++) {
                print_frame(at, &frames[i]);
                at += TC_PROTO_HEADER_LEN + frames[i].header.body_len;
                damaged |= frames[i].error != TC_PROTO_OK;
            }
        } while (rc == TC_PROTO_OK && count == FRAMES);
        if (rc != TC_PROTO_OK) {
            fprintf(stderr, "dump: at byte %" PRIu64 ": %s\n", at, tc_proto_strerror(rc));
            return 1;
        }
        memmove(buffer, buffer + used, have - used);
        have -= used;
    }
    if (got < 0)
        perror("dump: stdin");
    if (have > 0)
        fprintf(stderr, "dump: the stream ends within a frame, %zu bytes into it\n", have);
    return got < 0 || have > 0 || damaged;
}
