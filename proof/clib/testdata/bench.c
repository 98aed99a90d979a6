/* What the calls cost: bench KIND COUNT. Prints the nanoseconds of processor time that COUNT operations took. The kinds whose names
 * begin with hand are the same work written in C, for scale. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <tradechat/proto.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FRAME = 44, MANY = 256 };

static uint8_t stream[FRAME * MANY];
static tc_proto_frame frames[MANY];
static uint64_t sink;

/* This thread's processor time: other programs on the machine disturb it less. */
static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void must(int ok) {
    if (!ok)
        abort();
}

/* ---- The same by hand: CRC-32 by eight tables, as good as plain C gets ------------------------------------------------ */

static uint32_t table[8][256];

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xEDB88320u ^ c >> 1 : c >> 1;
        table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
}

static uint32_t crc(uint32_t c, const uint8_t *p, size_t n) {
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        w ^= c;
        c = table[7][w & 0xff] ^ table[6][w >> 8 & 0xff] ^ table[5][w >> 16 & 0xff] ^ table[4][w >> 24 & 0xff] ^
            table[3][w >> 32 & 0xff] ^ table[2][w >> 40 & 0xff] ^ table[1][w >> 48 & 0xff] ^ table[0][w >> 56];
    }
    for (; n > 0; n--, p++)
        c = c >> 8 ^ table[0][(c ^ *p) & 0xff];
    return c;
}

static uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static uint32_t be32(const uint8_t *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }

static uint64_t be64(const uint8_t *p) { return (uint64_t)be32(p) << 32 | be32(p + 4); }

static int hand_header(const uint8_t *p, tc_proto_header *h) {
    h->flags = p[3];
    h->body_len = be32(p + 6);
    h->opcode = be16(p + 10);
    h->status = be16(p + 12);
    h->req_id = be64(p + 14);
    h->checksum = be32(p + 22);
    return be16(p) == 0x4E53 && p[2] == 1 && be16(p + 4) == 32 && be16(p + 26) == 0 && be32(p + 28) == 0 && h->flags < 16;
}

static void hand_frames(size_t n) {
    const uint8_t *p = stream;
    for (size_t i = 0; i < n; i++) {
        tc_proto_frame *f = &frames[i];
        must(hand_header(p, &f->header) && f->header.body_len <= 65536);
        f->body = p + 32;
        uint32_t c = crc(crc(crc(0xFFFFFFFFu, p, 22), p + 26, 6), f->body, f->header.body_len);
        f->error = ~c == f->header.checksum ? TC_PROTO_OK : TC_PROTO_E_CHECKSUM;
        must(f->error == TC_PROTO_OK);
        p += 32 + f->header.body_len;
    }
}

/* ---- What is measured ------------------------------------------------------------------------------------------------- */

static void encode(uint64_t id, uint8_t *out) {
    tc_proto_header h;
    tc_proto_transfer_request t;
    size_t len;
    memset(&h, 0, sizeof h);
    memset(&t, 0, sizeof t);
    h.opcode = TC_PROTO_OP_TRANSFER;
    h.req_id = id;
    t.to_user_id = 9;
    t.amount = id;
    must(tc_proto_encode_transfer_request(&h, &t, out, FRAME, &len) == TC_PROTO_OK);
}

static void batch(size_t n) {
    size_t count, consumed;
    must(tc_proto_decode_frames(stream, n * FRAME, NULL, frames, n, &count, &consumed) == TC_PROTO_OK && count == n);
}

/* The kind is told by its first letters, so that telling it costs nothing. */
static void one(const char *kind, uint64_t i) {
    tc_proto_header h;
    tc_proto_transfer_request t;
    h.req_id = t.amount = 0;
    if (kind[0] == 'e')
        encode(i, stream);
    else if (kind[0] == 'h' && kind[1] == 'e')
        must(tc_proto_decode_header(stream, FRAME, &h) == TC_PROTO_OK);
    else if (kind[0] == 'b')
        must(tc_proto_decode_transfer_request(&frames[i % MANY], &t) == TC_PROTO_OK);
    else if (kind[0] == 'h')
        must(hand_header(stream + i % MANY * FRAME, &h));
    else
        must(0);
    sink += h.req_id + t.amount;
}

int main(int argc, char **argv) {
    must(argc == 3);
    const char *kind = argv[1];
    uint64_t count = strtoull(argv[2], NULL, 10);
    size_t n = 1;

    make_table();
    for (uint64_t i = 0; i < MANY; i++)
        encode(i + 1, stream + i * FRAME);
    batch(MANY);
    if (strncmp(kind, "batch-", 6) == 0)
        n = (size_t)atoi(kind + 6);
    if (strncmp(kind, "hand-frames-", 12) == 0)
        n = (size_t)atoi(kind + 12);
    must(n >= 1 && n <= MANY);

    uint64_t start = now();
    if (strncmp(kind, "batch-", 6) == 0)
        for (uint64_t i = 0; i < count; i += n)
            batch(n);
    else if (strncmp(kind, "hand-frames-", 12) == 0)
        for (uint64_t i = 0; i < count; i += n)
            hand_frames(n);
    else
        for (uint64_t i = 0; i < count; i++)
            one(kind, i);
    printf("%" PRIu64 "\n", now() - start);
    return sink == 42;
}
