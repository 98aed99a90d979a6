/* Takes frames apart and puts them together again, by the public functions. Every line of stdin is "KIND HEX", a body's name
 * (or "-") and a frame; every line of stdout says what became of it. bodies.inc, made of the header by the test, has a
 * function for each kind. */
#include <tradechat/proto.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 1 << 19, ROWS = TC_PROTO_BATCH_LEGS_MAX };

static void print_hex(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        printf("%02x", p[i]);
}

static void print_bytes(const char *at, const char *name, const uint8_t *p, size_t n) {
    printf(" %s%s=", at, name);
    print_hex(p, n);
}

static void print_u(const char *at, const char *name, uint64_t v) { printf(" %s%s=%" PRIu64, at, name, v); }

static void print_i(const char *at, const char *name, int64_t v) { printf(" %s%s=%" PRId64, at, name, v); }

#include "bodies.inc"

static int digit(char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; }

static size_t unhex(const char *text, uint8_t *out) {
    size_t n = 0;
    for (; text[0] > ' ' && text[1] > ' '; text += 2)
        out[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
    return n;
}

static int convert(const char *name, const tc_proto_frame *f, uint8_t *out, size_t cap, size_t *len) {
    if (strcmp(name, "empty") == 0) {
        int rc = tc_proto_decode_empty(f);
        return rc == TC_PROTO_OK ? tc_proto_encode_empty(&f->header, out, cap, len) : rc;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(name, kinds[i].name) == 0)
            return kinds[i].convert(f, out, cap, len);
    fprintf(stderr, "no kind %s\n", name);
    exit(2);
}

static void handle(const char *kind, const uint8_t *data, size_t n) {
    static uint8_t again[BYTES];
    tc_proto_rules rules;
    tc_proto_frame f;
    tc_proto_header h;
    size_t count = 99, consumed = 99, len = 0;
    uint32_t sum = 0;

    memset(&rules, 0, sizeof rules);
    memset(&f, 0xA5, sizeof f); /* what is there before must not matter */
    memset(&h, 0xA5, sizeof h);
    rules.body_len_max = BYTES;
    if (strcmp(kind, "-") == 0)
        rules.body_len_max = TC_PROTO_BODY_LEN_MAX_DEFAULT;
    int rc = tc_proto_decode_frames(data, n, &rules, &f, 1, &count, &consumed);
    printf("frames=%d count=%zu consumed=%zu", rc, count, consumed);
    printf(" header=%d", tc_proto_decode_header(data, n, &h));
    printf(" opcode=%u flags=%u status=%u req_id=%" PRIu64 " body_len=%" PRIu32, h.opcode, h.flags, h.status, h.req_id, h.body_len);
    printf(" request=%d", tc_proto_check_request(&h));
    if (rc != TC_PROTO_OK || count != 1)
        return;
    printf(" error=%d sum=%d", f.error, tc_proto_checksum(data, consumed, &sum) != TC_PROTO_OK || sum != f.header.checksum);
    if (strcmp(kind, "-") == 0 || f.error != TC_PROTO_OK)
        return;
    rc = convert(kind, &f, again, sizeof again, &len);
    printf(" convert=%d again=", rc);
    if (rc == TC_PROTO_OK)
        print_hex(again, len);

    /* The same body by hand: header, body, seal. */
    if (rc == TC_PROTO_OK) {
        static uint8_t raw[BYTES];
        size_t raw_len = 0;
        int same = tc_proto_encode_frame(&f.header, f.body, f.header.body_len, raw, sizeof raw, &raw_len) == TC_PROTO_OK &&
                   raw_len == len && memcmp(raw, again, len) == 0;
        memset(raw, 0xA5, TC_PROTO_HEADER_LEN);
        same = same && tc_proto_encode_header(&f.header, raw, sizeof raw) == TC_PROTO_OK &&
               tc_proto_seal(raw, len) == TC_PROTO_OK && memcmp(raw, again, len) == 0;
        printf(" raw=%d", same);
        printf(" exact=%d short=%d", convert(kind, &f, again, len, &raw_len), convert(kind, &f, again, len - 1, &raw_len));
        printf(" needed=%zu", raw_len);
    }
}

int main(int argc, char **argv) {
    static char line[2 * BYTES + 64];
    static uint8_t data[BYTES];

    if (argc == 2 && strcmp(argv[1], "names") == 0) {
        for (unsigned i = 0; i <= UINT16_MAX; i++) {
            const char *opcode = tc_proto_opcode_name((uint16_t)i), *status = tc_proto_status_name((uint16_t)i);
            if (opcode != NULL)
                printf("opcode %u %s\n", i, opcode);
            if (status != NULL)
                printf("status %u %s\n", i, status);
        }
        return 0;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *space = strchr(line, ' ');
        if (space == NULL)
            return 2;
        *space = '\0';
        handle(line, data, unhex(space + 1, data));
        putchar('\n');
    }
    return 0;
}
