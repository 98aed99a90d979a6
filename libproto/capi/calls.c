/* The public functions. Each turns away a child of fork(2), which has none of the Go runtime's threads, and goes to Go. */
#include "_cgo_export.h"
#include "private.h"

#include <pthread.h>

static int forked;

static void in_child(void) { forked = 1; }

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(NULL, NULL, in_child); }

#define ENTER(call) (__builtin_expect(forked, 0) ? TC_PROTO_E_FORKED : (call))

/* fault is where Go notes a field that cannot be encoded: on this stack, so that Go need not allocate it. */
static int encode(int kind, const tc_proto_header *header, const void *body, uint8_t *out, size_t cap, size_t *len) {
    int fault = TC_PROTO_OK;
    return ENTER(tcgo_proto_encode(kind, (tc_proto_header *)header, (void *)body, out, cap, len, &fault));
}

#define X(name) \
    int tc_proto_encode_##name(const tc_proto_header *header, const tc_proto_##name *body, uint8_t *out, size_t cap, \
                               size_t *len) { \
        return body == NULL ? TC_PROTO_E_ARGUMENT : encode(KIND_##name, header, body, out, cap, len); \
    } \
    int tc_proto_decode_##name(const tc_proto_frame *frame, tc_proto_##name *body) { \
        return body == NULL ? TC_PROTO_E_ARGUMENT : ENTER(tcgo_proto_decode(KIND_##name, (tc_proto_frame *)frame, body)); \
    }
BODIES(X)
#undef X

int tc_proto_encode_empty(const tc_proto_header *header, uint8_t *out, size_t cap, size_t *len) {
    return encode(KIND_empty, header, NULL, out, cap, len);
}

int tc_proto_decode_empty(const tc_proto_frame *frame) {
    return ENTER(tcgo_proto_decode(KIND_empty, (tc_proto_frame *)frame, NULL));
}

int tc_proto_encode_header(const tc_proto_header *header, uint8_t *out, size_t cap) {
    return ENTER(tcgo_proto_encode_header((tc_proto_header *)header, out, cap));
}

int tc_proto_seal(uint8_t *frame, size_t len) { return ENTER(tcgo_proto_seal(frame, len)); }

int tc_proto_decode_header(const uint8_t *data, size_t len, tc_proto_header *header) {
    return ENTER(tcgo_proto_decode_header((uint8_t *)data, len, header));
}

int tc_proto_checksum(const uint8_t *frame, size_t len, uint32_t *checksum) {
    return ENTER(tcgo_proto_checksum((uint8_t *)frame, len, checksum));
}

int tc_proto_encode_frame(const tc_proto_header *header, const uint8_t *body, size_t body_len, uint8_t *out, size_t cap,
                          size_t *len) {
    return ENTER(tcgo_proto_encode_frame((tc_proto_header *)header, (uint8_t *)body, body_len, out, cap, len));
}

int tc_proto_decode_frames(const uint8_t *data, size_t len, const tc_proto_rules *rules, tc_proto_frame *frames,
                           size_t frames_cap, size_t *count, size_t *consumed) {
    return ENTER(tcgo_proto_decode_frames((uint8_t *)data, len, (tc_proto_rules *)rules, frames, frames_cap, count, consumed));
}

int tc_proto_check_request(const tc_proto_header *header) {
    return ENTER(tcgo_proto_check_request((tc_proto_header *)header));
}

int tc_proto_decoder_new(const tc_proto_rules *rules, tc_proto_decoder **decoder) {
    uintptr_t handle = 0;
    int result = decoder == NULL ? TC_PROTO_E_ARGUMENT : ENTER(tcgo_proto_decoder_new((tc_proto_rules *)rules, &handle));
    if (result == TC_PROTO_OK)
        *decoder = (tc_proto_decoder *)handle;
    return result;
}

int tc_proto_decoder_set_rules(tc_proto_decoder *decoder, const tc_proto_rules *rules) {
    return ENTER(tcgo_proto_decoder_set_rules((uintptr_t)decoder, (tc_proto_rules *)rules));
}

int tc_proto_decoder_feed(tc_proto_decoder *decoder, const uint8_t *data, size_t len) {
    return ENTER(tcgo_proto_decoder_feed((uintptr_t)decoder, (uint8_t *)data, len));
}

int tc_proto_decoder_next(tc_proto_decoder *decoder, tc_proto_frame *frame, uint8_t *body, size_t body_cap) {
    return ENTER(tcgo_proto_decoder_next((uintptr_t)decoder, frame, body, body_cap));
}

int tc_proto_decoder_pending(tc_proto_decoder *decoder, size_t *bytes) {
    return ENTER(tcgo_proto_decoder_pending((uintptr_t)decoder, bytes));
}

int tc_proto_decoder_free(tc_proto_decoder *decoder) {
    return decoder == NULL ? TC_PROTO_OK : ENTER(tcgo_proto_decoder_free((uintptr_t)decoder));
}

int tc_proto_random(uint8_t *out, size_t len) { return ENTER(tcgo_proto_random(out, len)); }

int tc_proto_derive_keys(tc_proto_bytes password, tc_proto_bytes username, const uint8_t *realm_salt, uint32_t iterations,
                         tc_proto_keys *keys) {
    return ENTER(tcgo_proto_derive_keys(&password, &username, (uint8_t *)realm_salt, iterations, keys));
}

int tc_proto_login_proof(const tc_proto_keys *keys, const tc_proto_login *login, uint8_t *proof) {
    return ENTER(tcgo_proto_login_proof((tc_proto_keys *)keys, (tc_proto_login *)login, proof));
}

int tc_proto_check_server_signature(const tc_proto_keys *keys, const tc_proto_login *login, const uint8_t *signature) {
    return ENTER(tcgo_proto_check_server_signature((tc_proto_keys *)keys, (tc_proto_login *)login, (uint8_t *)signature));
}

int tc_proto_check_proof(const tc_proto_keys *keys, const tc_proto_login *login, const uint8_t *proof) {
    return ENTER(tcgo_proto_check_proof((tc_proto_keys *)keys, (tc_proto_login *)login, (uint8_t *)proof));
}

int tc_proto_server_signature(const tc_proto_keys *keys, const tc_proto_login *login, uint8_t *signature) {
    return ENTER(tcgo_proto_server_signature((tc_proto_keys *)keys, (tc_proto_login *)login, signature));
}
