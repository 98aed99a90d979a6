/* What needs no Go: versions and texts; names_gen.c has the names. They work in a child of fork(2), too. */
#include <tradechat/proto.h>

#include <string.h>

int tc_proto_version(void) { return TC_PROTO_VERSION; }

tc_proto_bytes tc_proto_text(const char *s) {
    tc_proto_bytes b = {(const uint8_t *)s, s == NULL ? 0 : strlen(s)};
    return b;
}

int tc_proto_is_fatal(int result) { return result <= TC_PROTO_E_MAGIC && result >= TC_PROTO_E_BODY_TOO_LONG; }

const char *tc_proto_strerror(int result) {
    if (result > 0)
        return "no error";
    switch ((tc_proto_error)result) {
    case TC_PROTO_OK: return "no error";
    case TC_PROTO_E_ARGUMENT: return "a null pointer, or a number out of its range";
    case TC_PROTO_E_SHORT: return "the buffer is too short";
    case TC_PROTO_E_HANDLE: return "the decoder was freed, or is none";
    case TC_PROTO_E_LIMIT: return "more decoders, or more bytes in one, than the library keeps";
    case TC_PROTO_E_FORKED: return "the library cannot be used in a child of fork(2): load it there, or call exec";
    case TC_PROTO_E_INTERNAL: return "a mistake of the library";
    case TC_PROTO_E_BODY_TYPE: return "a frame with this opcode, status and direction has another body";
    case TC_PROTO_E_SIGNATURE: return "the proof or signature is wrong";
    case TC_PROTO_E_MAGIC: return "wrong magic: this is not the NS protocol";
    case TC_PROTO_E_PROTOCOL_VERSION: return "unknown protocol version";
    case TC_PROTO_E_HEADER_LEN: return "wrong header_len";
    case TC_PROTO_E_RESERVED: return "reserved bytes of the header are not zero";
    case TC_PROTO_E_FLAGS: return "unknown flag, or one that was not agreed on";
    case TC_PROTO_E_BODY_TOO_LONG: return "body_len is over the limit in force";
    case TC_PROTO_E_CHECKSUM: return "the checksum differs: the frame was damaged";
    case TC_PROTO_E_NOT_REQUEST: return "a request with the marks of a response";
    case TC_PROTO_E_BODY_SHORT: return "the body is too short";
    case TC_PROTO_E_TRAILING: return "there are bytes after the end of the body";
    case TC_PROTO_E_UTF8: return "a text is not valid UTF-8";
    case TC_PROTO_E_NUL: return "a text holds a NUL";
    case TC_PROTO_E_LENGTH: return "a field is too long, or does not have its fixed length";
    case TC_PROTO_E_COUNT: return "a list has too few or too many rows";
    case TC_PROTO_E_BOOL: return "a yes-or-no field is neither 0 nor 1";
    case TC_PROTO_E_ITERATIONS: return "key derivation iterations out of range";
    }
    return "unknown result";
}
