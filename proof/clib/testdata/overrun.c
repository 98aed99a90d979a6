/* Says that a buffer is longer than it is. */
#include <tradechat/proto.h>

#include <stdlib.h>

int main(void) {
    tc_proto_header h = {0};
    tc_proto_transfer_request t = {0};
    size_t len;
    uint8_t *buf = malloc(40);

    h.opcode = TC_PROTO_OP_TRANSFER;
    return buf == NULL || tc_proto_encode_transfer_request(&h, &t, buf, 44, &len) != TC_PROTO_OK;
}
