/* tradechat/proto.h: the NS protocol, version 1, for C and C++.
 *
 * Frames, the typed bodies of every opcode, an incremental decoder, and the proofs of a login. Nothing here opens a
 * socket. The protocol itself is described in docs/protocol.md, a tutorial is docs/c-api.md.
 *
 *   0        2   3   4        6            10       12       14                 22           26          32
 *   +--------+---+---+--------+------------+--------+--------+------------------+------------+-----------+------~
 *   | magic  |ver|flg| h. len | body_len   | opcode | status | req_id           | checksum   | reserved  | body
 *   +--------+---+---+--------+------------+--------+--------+------------------+------------+-----------+------~
 *
 * To send: fill a header and a body, and encode both into a whole frame.
 *
 *     tc_proto_header h = {0};
 *     tc_proto_transfer_request r = {0};
 *     h.opcode = TC_PROTO_OP_TRANSFER;
 *     h.req_id = 7;
 *     r.to_user_id = 9;
 *     r.amount = 250;
 *     int rc = tc_proto_encode_transfer_request(&h, &r, buf, sizeof buf, &len);
 *
 * To receive: take the frames off what has arrived (tc_proto_decode_frames, or a tc_proto_decoder), then decode the
 * body that the frame's opcode says it has.
 *
 * RULES THAT HOLD FOR EVERY FUNCTION
 *
 * Results     A function that returns int returns TC_PROTO_OK or a negative tc_proto_error, unless it says otherwise.
 *             After an error nothing that the function would have written means anything, except where it says so.
 * Units       Lengths and sizes are bytes. Money is minor units (cents). Names ending in _ns are nanoseconds since
 *             the Unix epoch, UTC; names ending in _ms are milliseconds. Integers are in the machine's byte order.
 * Ownership   The caller owns all memory. The library keeps no pointer that it was given, after it has returned.
 *             What it decodes points into the caller's buffer: a frame's body into the bytes that held the frame, a
 *             tc_proto_bytes of a body into the frame's body. Such a pointer is good for as long as the buffer is
 *             left alone. Only a tc_proto_decoder holds memory, until tc_proto_decoder_free.
 * Bad input   A null pointer, a length that is over PTRDIFF_MAX, a handle that was freed or was never one: an error
 *             code. A pointer that is neither null nor valid is the caller's mistake and may crash.
 * Threads     Every function may be called from any thread at any time. Calls on one tc_proto_decoder wait for each
 *             other; a stream of frames makes sense only when one thread feeds it.
 * Fork        After fork(2) without exec, the child gets TC_PROTO_E_FORKED, if the library was loaded before. The
 *             functions that return no int (versions and names) work there, too.
 * Signals     No function may be called from a signal handler.
 *
 * Needs Linux, glibc 2.34 or newer. Plain C99, C++98 with <stdint.h>, and everything newer. */
#ifndef TRADECHAT_PROTO_H
#define TRADECHAT_PROTO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Versions ---------------------------------------------------------------------------------------------------- */

/* The version of this header. The library's own is tc_proto_version(). */
#define TC_PROTO_VERSION_MAJOR 0
#define TC_PROTO_VERSION_MINOR 1
#define TC_PROTO_VERSION_PATCH 0
#define TC_PROTO_VERSION (TC_PROTO_VERSION_MAJOR * 1000000 + TC_PROTO_VERSION_MINOR * 1000 + TC_PROTO_VERSION_PATCH)

/* The version of the library that is loaded, as TC_PROTO_VERSION counts. The library fits a program when its major
 * version is that of the header, and its minor version is not older. */
int tc_proto_version(void);

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

typedef enum tc_proto_error {
    TC_PROTO_OK = 0,

    TC_PROTO_E_ARGUMENT = -1,  /* a null pointer, or a number out of its range */
    TC_PROTO_E_SHORT = -2,     /* the caller's buffer or array is too short; the length or count says what is needed */
    TC_PROTO_E_HANDLE = -3,    /* the handle was freed, or is none of this library */
    TC_PROTO_E_LIMIT = -4,     /* more handles or more bytes than the library keeps */
    TC_PROTO_E_FORKED = -5,    /* called in a child of fork(2) */
    TC_PROTO_E_INTERNAL = -6,  /* a mistake of the library, caught; please report it */
    TC_PROTO_E_BODY_TYPE = -7, /* opcode, status and flags of the header say that the body is another one */
    TC_PROTO_E_SIGNATURE = -8, /* a proof or a signature is wrong */

    /* Faults of a header. A stream cannot go on after one of them: where the next frame begins is not known. */
    TC_PROTO_E_MAGIC = -20,
    TC_PROTO_E_PROTOCOL_VERSION = -21,
    TC_PROTO_E_HEADER_LEN = -22,
    TC_PROTO_E_RESERVED = -23,
    TC_PROTO_E_FLAGS = -24,         /* unknown, or not agreed on */
    TC_PROTO_E_BODY_TOO_LONG = -25, /* over the limit in force */

    TC_PROTO_E_CHECKSUM = -30,    /* the frame was damaged; the frames after it can still be read */
    TC_PROTO_E_NOT_REQUEST = -31, /* a request with the marks of a response */

    /* Faults of a body. */
    TC_PROTO_E_BODY_SHORT = -40,
    TC_PROTO_E_TRAILING = -41,
    TC_PROTO_E_UTF8 = -42,
    TC_PROTO_E_NUL = -43,    /* a string holds a NUL */
    TC_PROTO_E_LENGTH = -44, /* a field does not have its fixed length, or is longer than 65,535 bytes */
    TC_PROTO_E_COUNT = -45,  /* a list has too few or too many rows */
    TC_PROTO_E_BOOL = -46,   /* a yes-or-no field is neither 0 nor 1 */

    TC_PROTO_E_ITERATIONS = -50 /* tc_proto_derive_keys: not TC_PROTO_KDF_ITERATIONS_MIN … _MAX */
} tc_proto_error;

/* A sentence in English about a result, of static storage, never null. */
const char *tc_proto_strerror(int result);

/* Whether a result is a fault of a header, that is, whether the stream has to end: 1 or 0. */
int tc_proto_is_fatal(int result);

/* ---- Constants of the protocol ----------------------------------------------------------------------------------- */

enum {
    TC_PROTO_HEADER_LEN = 32,
    TC_PROTO_BODY_LEN_MAX_BEFORE_LOGIN = 1024,
    TC_PROTO_BODY_LEN_MAX_DEFAULT = 65536,    /* tc_proto_hello_response.body_len_max says the one in force after LOGIN */
    TC_PROTO_BODY_LEN_MAX_DECODER = 16777216, /* the most that a tc_proto_decoder accepts */
    TC_PROTO_FEED_MAX = 65536,                /* the most bytes of one tc_proto_decoder_feed */
    TC_PROTO_DECODERS_MAX = 65536,            /* decoders that may be open at a time */
    TC_PROTO_FIELD_LEN_MAX = 65535,
    TC_PROTO_NAME_LEN_MAX = 32, /* of a user's or a room's name */
    TC_PROTO_NONCE_LEN = 32,
    TC_PROTO_KEY_LEN = 32, /* of a key, a proof, a signature, a channel binding */
    TC_PROTO_SALT_LEN = 16,
    TC_PROTO_BATCH_LEGS_MAX = 1024, /* of one TRANSFER_BATCH; the least is 1 */
    TC_PROTO_LIST_ROWS_MAX = 512,   /* of every other list */
    TC_PROTO_KDF_ITERATIONS_MIN = 4096,
    TC_PROTO_KDF_ITERATIONS_MAX = 10000000,
    TC_PROTO_LOBBY_ROOM_ID = 1
};

#define TC_PROTO_AMOUNT_MAX INT64_MAX /* the largest amount and the largest balance */

/* generated: opcodes */
typedef enum tc_proto_opcode {
    TC_PROTO_OP_HELLO = 0x0001,
    TC_PROTO_OP_LOGIN = 0x0002,
    TC_PROTO_OP_LOGOUT = 0x0003,
    TC_PROTO_OP_HEARTBEAT = 0x0004,
    TC_PROTO_OP_REGISTER = 0x0005,
    TC_PROTO_OP_GOING_AWAY = 0x0006, /* push */
    TC_PROTO_OP_JOIN_ROOM = 0x0101,
    TC_PROTO_OP_LEAVE_ROOM = 0x0102,
    TC_PROTO_OP_CHAT_SEND = 0x0103,
    TC_PROTO_OP_CHAT_BROADCAST = 0x0104, /* push */
    TC_PROTO_OP_ROOM_OPEN = 0x0105,
    TC_PROTO_OP_ROOM_LIST = 0x0106,
    TC_PROTO_OP_ROOM_HISTORY = 0x0107,
    TC_PROTO_OP_ROOM_EVENT = 0x0108, /* push */
    TC_PROTO_OP_DIRECT_SEND = 0x0109,
    TC_PROTO_OP_DIRECT_MESSAGE = 0x010A, /* push */
    TC_PROTO_OP_WHO = 0x010B,
    TC_PROTO_OP_USER_LOOKUP = 0x010C,
    TC_PROTO_OP_DEPOSIT = 0x0201,
    TC_PROTO_OP_WITHDRAW = 0x0202,
    TC_PROTO_OP_TRANSFER = 0x0203,
    TC_PROTO_OP_BALANCE = 0x0204,
    TC_PROTO_OP_TXN_HISTORY = 0x0205,
    TC_PROTO_OP_TRANSFER_BATCH = 0x0206,
    TC_PROTO_OP_TXN_STATUS = 0x0207,
    TC_PROTO_OP_USER_ADD = 0x0301,      /* admin socket only */
    TC_PROTO_OP_USER_SET_KEYS = 0x0302, /* admin socket only */
    TC_PROTO_OP_SERVER_STATS = 0x0303   /* admin socket only */
} tc_proto_opcode;
/* end of generated */

/* generated: statuses */
typedef enum tc_proto_status {
    TC_PROTO_STATUS_OK = 0,                 /* done */
    TC_PROTO_STATUS_BAD_PACKET = 1,         /* the frame or its body breaks a rule of this page */
    TC_PROTO_STATUS_CHECKSUM_FAIL = 2,      /* the frame was damaged on its way */
    TC_PROTO_STATUS_UNAUTHORIZED = 3,       /* not in this state, not in this room, or not with this proof */
    TC_PROTO_STATUS_NOT_FOUND = 4,          /* no such user or room */
    TC_PROTO_STATUS_INSUFFICIENT_FUNDS = 5, /* the account holds less than the amount */
    TC_PROTO_STATUS_SERVER_BUSY = 6,        /* try again after retry_after_ms; also called ERR_RATE_LIMIT */
    TC_PROTO_STATUS_TIMEOUT = 7,            /* the outcome is not known: retry with the same req_id */
    TC_PROTO_STATUS_UNSUPPORTED = 8,        /* an unknown opcode or protocol version */
    TC_PROTO_STATUS_INVALID_ARGUMENT = 9,   /* a field has a value that cannot be */
    TC_PROTO_STATUS_ALREADY_EXISTS = 10,    /* the name is taken */
    TC_PROTO_STATUS_LIMIT = 11,             /* a table is full, or a sum would overflow */
    TC_PROTO_STATUS_EXPIRED = 12,           /* the log no longer reaches back that far, or the session is gone */
    TC_PROTO_STATUS_READ_ONLY = 13,         /* the journal failed: nothing can be promised any more */
    TC_PROTO_STATUS_INTERNAL = 14,          /* a fault of the server */
    TC_PROTO_STATUS_RATE_LIMIT = 6          /* the other name of the same */
} tc_proto_status;
/* end of generated */

/* The wire's name of an opcode or a status, such as "TRANSFER" or "ERR_NOT_FOUND", of static storage; null when there
 * is none with that number. */
const char *tc_proto_opcode_name(uint16_t opcode);
const char *tc_proto_status_name(uint16_t status);

/* generated: enums */
/* Bits of a header's flags. */
enum {
    TC_PROTO_FLAG_ENCRYPTED = 1,  /* the body is encrypted */
    TC_PROTO_FLAG_COMPRESSED = 2, /* the body is compressed */
    TC_PROTO_FLAG_RESPONSE = 4,   /* the frame answers the request with the same req_id */
    TC_PROTO_FLAG_REPLAYED = 8    /* a response that repeats what was recorded when the request was first run */
};

/* Bits of capabilities. */
enum {
    TC_PROTO_CAP_ENCRYPTION = 1,
    TC_PROTO_CAP_COMPRESSION = 2,
    TC_PROTO_CAP_RESUME = 4,
    TC_PROTO_CAP_BATCH = 8
};

/* tc_proto_going_away.reason */
enum {
    TC_PROTO_AWAY_SHUTDOWN = 1,
    TC_PROTO_AWAY_IDLE = 2,
    TC_PROTO_AWAY_SLOW_CONSUMER = 3,
    TC_PROTO_AWAY_RESUMED = 4, /* the session was resumed on another connection */
    TC_PROTO_AWAY_ABUSE = 5
};

/* tc_proto_chat_broadcast.flags */
enum {
    TC_PROTO_CHAT_REPLAY = 1
};

/* tc_proto_room_event.kind */
enum {
    TC_PROTO_ROOM_JOINED = 1,
    TC_PROTO_ROOM_LEFT = 2,
    TC_PROTO_ROOM_GAP = 3
};

/* tc_proto_txn_info.kind */
enum {
    TC_PROTO_TXN_DEPOSIT = 1,
    TC_PROTO_TXN_WITHDRAW = 2,
    TC_PROTO_TXN_TRANSFER_OUT = 3,
    TC_PROTO_TXN_TRANSFER_IN = 4
};

/* tc_proto_txn_status_response.outcome */
enum {
    TC_PROTO_TXN_NOT_APPLIED = 0,
    TC_PROTO_TXN_APPLIED = 1,
    TC_PROTO_TXN_FORGOTTEN = 2 /* the log does not reach back that far */
};
/* end of generated */

/* ---- Basic types ------------------------------------------------------------------------------------------------- */

/* Bytes that somebody else owns. data may be null when len is 0. No NUL follows the last byte: print a text with
 * printf("%.*s", (int)b.len, (const char *)b.data). */
typedef struct tc_proto_bytes {
    const uint8_t *data;
    size_t len;
} tc_proto_bytes;

/* The bytes of a NUL-terminated string, without its NUL; none for a null pointer. */
tc_proto_bytes tc_proto_text(const char *s);

/* A header without its constant fields. */
typedef struct tc_proto_header {
    uint64_t req_id;   /* chosen by the client, repeated in the response; 0 in pushes */
    uint32_t body_len; /* encoding sets it itself */
    uint32_t checksum; /* encoding sets it itself */
    uint16_t opcode;   /* a tc_proto_opcode */
    uint16_t status;   /* a tc_proto_status; 0 in requests and pushes */
    uint8_t flags;     /* TC_PROTO_FLAG_… */
    uint8_t reserved[3];
} tc_proto_header;

/* A frame that was received. */
typedef struct tc_proto_frame {
    tc_proto_header header;
    const uint8_t *body; /* header.body_len bytes; they lie in the buffer that the frame was decoded from */
    int32_t error;       /* TC_PROTO_OK, or TC_PROTO_E_CHECKSUM: then header says what the frame seemed to be */
    int32_t reserved;
} tc_proto_frame;

/* What a receiver takes. Wherever a function takes a pointer to rules, null means TC_PROTO_BODY_LEN_MAX_DEFAULT and no
 * flags. A server takes only TC_PROTO_BODY_LEN_MAX_BEFORE_LOGIN from a peer that has not logged in. */
typedef struct tc_proto_rules {
    uint32_t body_len_max;
    uint8_t agreed_flags; /* which of TC_PROTO_FLAG_ENCRYPTED and _COMPRESSED were agreed on */
    uint8_t reserved[3];
} tc_proto_rules;

/* ---- Headers and frames ------------------------------------------------------------------------------------------ */

/* Writes the 32 bytes of a header to out, with body_len and checksum 0: put the body behind it and call tc_proto_seal.
 * TC_PROTO_E_SHORT when cap is less than TC_PROTO_HEADER_LEN. */
int tc_proto_encode_header(const tc_proto_header *header, uint8_t *out, size_t cap);

/* Completes a frame in place: sets body_len to what follows the header in the frame's len bytes, and the checksum.
 * TC_PROTO_E_SHORT when len is less than a header, TC_PROTO_E_BODY_TOO_LONG when body_len cannot say it. */
int tc_proto_seal(uint8_t *frame, size_t len);

/* Reads a header off the front of data and checks its constant fields; flags and body_len may be anything, and the
 * checksum is not looked at. TC_PROTO_E_SHORT when len is less than TC_PROTO_HEADER_LEN. After a fault of the header,
 * *header holds what was read. */
int tc_proto_decode_header(const uint8_t *data, size_t len, tc_proto_header *header);

/* The checksum that a frame with these bytes ought to have: CRC-32 over the header without its checksum field, and over
 * the body. TC_PROTO_E_SHORT when len is less than a header. */
int tc_proto_checksum(const uint8_t *frame, size_t len, uint32_t *checksum);

/* Encodes a whole frame around a body that is encoded already. *len is the length of the frame: written, or needed when
 * the result is TC_PROTO_E_SHORT. body may be null when body_len is 0, and may lie at out + TC_PROTO_HEADER_LEN. */
int tc_proto_encode_frame(const tc_proto_header *header, const uint8_t *body, size_t body_len, uint8_t *out, size_t cap,
                          size_t *len);

/* Takes whole frames off the front of a buffer, up to frames_cap of them. *count says how many there are in frames, and
 * *consumed how many bytes they took: drop that many, and call again when more has arrived. Both are valid also after a
 * fault of a header, for the frames before it. A frame whose checksum differs is delivered as well; look at its error.
 * One call for many frames costs much less than many calls. */
int tc_proto_decode_frames(const uint8_t *data, size_t len, const tc_proto_rules *rules, tc_proto_frame *frames,
                           size_t frames_cap, size_t *count, size_t *consumed);

/* TC_PROTO_E_NOT_REQUEST for a header that no client may send: one with a status, or with a response's flags. */
int tc_proto_check_request(const tc_proto_header *header);

/* ---- Incremental decoder ----------------------------------------------------------------------------------------- */

/* Keeps the bytes of a stream that were not taken out yet. After each feed, take frames out until there is none:
 *
 *     rc = tc_proto_decoder_feed(d, data, len);
 *     while (rc >= 0 && (rc = tc_proto_decoder_next(d, &frame, body, sizeof body)) == 1)
 *         handle(&frame); */
typedef struct tc_proto_decoder tc_proto_decoder;

/* Makes a decoder; *decoder is the caller's, to be freed. rules.body_len_max is at most TC_PROTO_BODY_LEN_MAX_DECODER,
 * else TC_PROTO_E_ARGUMENT. TC_PROTO_E_LIMIT when TC_PROTO_DECODERS_MAX are open. */
int tc_proto_decoder_new(const tc_proto_rules *rules, tc_proto_decoder **decoder);

/* Changes the rules for the frames that were not taken out yet. */
int tc_proto_decoder_set_rules(tc_proto_decoder *decoder, const tc_proto_rules *rules);

/* Copies len bytes that have arrived into the decoder, at most TC_PROTO_FEED_MAX at once. TC_PROTO_E_LIMIT, and nothing
 * is taken, when more than that, or when frames were not taken out: it keeps one frame of the longest kind and one feed. */
int tc_proto_decoder_feed(tc_proto_decoder *decoder, const uint8_t *data, size_t len);

/* Takes the next frame out: 1 when there is one, 0 when more bytes are needed. The body is copied to the caller's body
 * buffer, and frame->body points there. TC_PROTO_E_SHORT when body_cap is less than frame->header.body_len: the frame
 * stays. A fault of a header comes again with each call: free the decoder and close the connection. */
int tc_proto_decoder_next(tc_proto_decoder *decoder, tc_proto_frame *frame, uint8_t *body, size_t body_cap);

/* How many bytes are in the decoder that were not taken out. */
int tc_proto_decoder_pending(tc_proto_decoder *decoder, size_t *bytes);

/* Frees a decoder. Null is TC_PROTO_OK, a decoder that was freed before is TC_PROTO_E_HANDLE. */
int tc_proto_decoder_free(tc_proto_decoder *decoder);

/* ---- Login ------------------------------------------------------------------------------------------------------- */

/* What a password becomes: a client keeps all three, a server stores stored and server. Wipe them after use. */
typedef struct tc_proto_keys {
    uint8_t client[TC_PROTO_KEY_LEN];
    uint8_t stored[TC_PROTO_KEY_LEN];
    uint8_t server[TC_PROTO_KEY_LEN];
} tc_proto_keys;

/* What a proof is about. */
typedef struct tc_proto_login {
    tc_proto_bytes username;
    uint8_t client_nonce[TC_PROTO_NONCE_LEN];
    uint8_t server_nonce[TC_PROTO_NONCE_LEN];
    uint8_t channel_binding[TC_PROTO_KEY_LEN]; /* zeros on a plain connection */
} tc_proto_login;

/* Fills out with len unpredictable bytes, for a nonce. At most 65,536 at once. */
int tc_proto_random(uint8_t *out, size_t len);

/* Makes the keys of a user. realm_salt has TC_PROTO_SALT_LEN bytes and comes with iterations in the response to HELLO.
 * It takes a time in proportion to iterations: some tenths of a second for the usual 600,000. The password is used as it is. */
int tc_proto_derive_keys(tc_proto_bytes password, tc_proto_bytes username, const uint8_t *realm_salt, uint32_t iterations,
                         tc_proto_keys *keys);

/* The proof for LOGIN, TC_PROTO_KEY_LEN bytes. It reads keys->client and keys->stored. */
int tc_proto_login_proof(const tc_proto_keys *keys, const tc_proto_login *login, uint8_t *proof);

/* A client checks that the server knows the user: TC_PROTO_OK, or TC_PROTO_E_SIGNATURE. signature has TC_PROTO_KEY_LEN
 * bytes. It reads keys->server and takes the same time wherever a wrong one differs. */
int tc_proto_check_server_signature(const tc_proto_keys *keys, const tc_proto_login *login, const uint8_t *signature);

/* A server checks a proof: TC_PROTO_OK, or TC_PROTO_E_SIGNATURE. It reads keys->stored. */
int tc_proto_check_proof(const tc_proto_keys *keys, const tc_proto_login *login, const uint8_t *proof);

/* What a server answers a right proof with, TC_PROTO_KEY_LEN bytes. It reads keys->server. */
int tc_proto_server_signature(const tc_proto_keys *keys, const tc_proto_login *login, uint8_t *signature);

/* ---- Bodies ------------------------------------------------------------------------------------------------------ */

/* For each body X below there are two functions:
 *
 *     int tc_proto_encode_X(const tc_proto_header *header, const tc_proto_X *body, uint8_t *out, size_t cap, size_t *len);
 *     int tc_proto_decode_X(const tc_proto_frame *frame, tc_proto_X *body);
 *
 * encode writes a whole frame, header and checksum included, to out. header says opcode, status, req_id and flags: set
 * TC_PROTO_FLAG_RESPONSE for a response. *len is the length of the frame: written, or needed when the result is
 * TC_PROTO_E_SHORT. Texts are checked: TC_PROTO_E_UTF8, TC_PROTO_E_NUL.
 *
 * decode takes apart the body of a frame that was received; anything that does not fit exactly is an error. The
 * tc_proto_bytes of the result lie in frame->body.
 *
 * Both answer TC_PROTO_E_BODY_TYPE when header.opcode does not have this body, or has it in the other direction. A
 * response with a status other than TC_PROTO_STATUS_OK has a tc_proto_error_body, whatever its opcode.
 *
 * Lists: the caller provides rows. To decode, set rows and rows_cap before; count says how many rows were written, or are
 * needed when the result is TC_PROTO_E_SHORT. To encode, set rows and count. TC_PROTO_LIST_ROWS_MAX rows are always
 * enough for what a server sends, TC_PROTO_BATCH_LEGS_MAX for the lists of a TRANSFER_BATCH.
 *
 * A reserved member is 0. A member called text in a comment is valid UTF-8 without NUL, a name is 1 … 32 bytes of
 * A–Z a–z 0–9 _ . - */

/* generated: bodies */
/* No body at all: LOGOUT, BALANCE and SERVER_STATS requests; LOGOUT, LEAVE_ROOM and USER_SET_KEYS responses. */
int tc_proto_encode_empty(const tc_proto_header *header, uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_empty(const tc_proto_frame *frame);

/* the body of every response whose status is not TC_PROTO_STATUS_OK. */
typedef struct tc_proto_error_body {
    tc_proto_bytes detail;   /* text; for a person; may be empty */
    uint32_t retry_after_ms; /* how long to wait before trying again; 0: nothing is said */
    uint32_t reserved;
} tc_proto_error_body;

/* HELLO request: opens a connection: what the client speaks and can do. */
typedef struct tc_proto_hello_request {
    tc_proto_bytes handshake; /* empty without encryption */
    tc_proto_bytes agent;     /* text; the program and its version */
    uint32_t capabilities;    /* TC_PROTO_CAP_… */
    uint8_t version_min;      /* 1 */
    uint8_t version_max;      /* 1 */
    uint8_t reserved[2];
    uint8_t client_nonce[TC_PROTO_NONCE_LEN];
} tc_proto_hello_request;

/* HELLO response: says what was agreed, the limits in force, and what LOGIN needs. */
typedef struct tc_proto_hello_response {
    tc_proto_bytes handshake; /* empty without encryption */
    tc_proto_bytes agent;     /* text */
    uint32_t capabilities;    /* TC_PROTO_CAP_…; what both have */
    uint32_t body_len_max;    /* bytes, in force after LOGIN */
    uint32_t message_len_max; /* bytes of a chat message */
    uint32_t heartbeat_interval_ms;
    uint32_t idle_timeout_ms;
    uint32_t kdf_iterations;
    uint8_t version;
    uint8_t reserved[7];
    uint8_t server_nonce[TC_PROTO_NONCE_LEN];
    uint8_t realm_salt[TC_PROTO_SALT_LEN];
} tc_proto_hello_response;

/* LOGIN request: proves that the client knows the password, and asks for a session. */
typedef struct tc_proto_login_request {
    tc_proto_bytes username;         /* name */
    uint64_t resume_session_id;      /* 0: a new session */
    uint8_t proof[TC_PROTO_KEY_LEN]; /* see tc_proto_login_proof */
} tc_proto_login_request;

/* LOGIN response: tells the session, and proves that the server knows the user's keys. */
typedef struct tc_proto_login_response {
    uint64_t session_id;
    uint64_t last_req_id; /* the highest req_id of a money request that the session applied: use higher ones */
    int64_t balance;      /* minor units */
    uint32_t user_id;
    uint32_t reserved;
    uint8_t server_signature[TC_PROTO_KEY_LEN]; /* see tc_proto_check_server_signature */
} tc_proto_login_response;

/* HEARTBEAT request: keeps a connection from idling out. */
typedef struct tc_proto_heartbeat_request {
    uint64_t client_time_ns; /* the sender's clock, since the Unix epoch */
} tc_proto_heartbeat_request;

/* HEARTBEAT response: echoes the client's time beside the server's. */
typedef struct tc_proto_heartbeat_response {
    uint64_t client_time_ns;
    uint64_t server_time_ns;
} tc_proto_heartbeat_response;

/* REGISTER and USER_SET_KEYS requests: brings the keys of a user's password. */
typedef struct tc_proto_register_request {
    tc_proto_bytes username; /* name */
    uint8_t stored_key[TC_PROTO_KEY_LEN];
    uint8_t server_key[TC_PROTO_KEY_LEN];
} tc_proto_register_request;

/* REGISTER and USER_ADD responses: tells the new user's id. */
typedef struct tc_proto_register_response {
    uint32_t user_id;
} tc_proto_register_response;

/* GOING_AWAY push: the push that comes before the server closes a connection of its own accord. */
typedef struct tc_proto_going_away {
    tc_proto_bytes detail; /* text; for a person */
    uint32_t reconnect_after_ms;
    uint16_t reason; /* TC_PROTO_AWAY_… */
    uint16_t reserved;
} tc_proto_going_away;

/* JOIN_ROOM request: makes the session a member of a room. */
typedef struct tc_proto_join_room_request {
    uint32_t room_id;
    uint16_t replay_count; /* how many of the last messages to push again */
    uint16_t reserved;
} tc_proto_join_room_request;

/* JOIN_ROOM response: tells where the room stands. */
typedef struct tc_proto_join_room_response {
    uint64_t last_seq;
    uint32_t member_count; /* sessions */
    uint32_t reserved;
} tc_proto_join_room_response;

/* LEAVE_ROOM request: ends the session's membership of a room. */
typedef struct tc_proto_leave_room_request {
    uint32_t room_id;
} tc_proto_leave_room_request;

/* CHAT_SEND request: sends a message to a room that the session is in. */
typedef struct tc_proto_chat_send_request {
    tc_proto_bytes message; /* text; 1 … tc_proto_hello_response.message_len_max bytes */
    uint32_t room_id;
    uint32_t reserved;
} tc_proto_chat_send_request;

/* CHAT_SEND response: tells the message's place in the room. */
typedef struct tc_proto_chat_send_response {
    uint64_t room_seq;
    uint64_t time_ns; /* since the Unix epoch */
} tc_proto_chat_send_response;

/* CHAT_BROADCAST push: the push of a room's message to each of its members. */
typedef struct tc_proto_chat_broadcast {
    tc_proto_bytes from_name; /* name */
    tc_proto_bytes message;   /* text */
    uint64_t room_seq;
    uint64_t time_ns; /* since the Unix epoch */
    uint32_t room_id;
    uint32_t from_user_id;
    uint8_t flags; /* TC_PROTO_CHAT_… */
    uint8_t reserved[7];
} tc_proto_chat_broadcast;

/* ROOM_OPEN request: finds a room by its name, or creates it. */
typedef struct tc_proto_room_open_request {
    tc_proto_bytes name; /* name */
} tc_proto_room_open_request;

/* ROOM_OPEN response: tells the room, and whether it is new. */
typedef struct tc_proto_room_open_response {
    uint32_t room_id;
    uint8_t created; /* 1 or 0 */
    uint8_t reserved[3];
} tc_proto_room_open_response;

/* ROOM_LIST request: asks for rooms in ascending order of their ids. */
typedef struct tc_proto_room_list_request {
    uint32_t after_room_id; /* 0: from the first */
    uint16_t rows_max;
    uint16_t reserved;
} tc_proto_room_list_request;

/* one room of a list. */
typedef struct tc_proto_room_info {
    tc_proto_bytes name; /* name */
    uint64_t last_seq;
    uint32_t room_id;
    uint32_t member_count; /* sessions */
} tc_proto_room_info;

/* ROOM_LIST response: lists rooms. */
typedef struct tc_proto_room_list_response {
    tc_proto_room_info *rows;
    size_t rows_cap;
    size_t count;
} tc_proto_room_list_response;

/* ROOM_HISTORY request: asks for messages of a room that are still retained, going back from before_seq. */
typedef struct tc_proto_room_history_request {
    uint64_t before_seq; /* 0: from the newest */
    uint32_t room_id;
    uint16_t rows_max;
    uint16_t reserved;
} tc_proto_room_history_request;

/* one message of a room's history. */
typedef struct tc_proto_room_message {
    tc_proto_bytes from_name; /* name */
    tc_proto_bytes message;   /* text */
    uint64_t room_seq;
    uint64_t time_ns; /* since the Unix epoch */
    uint32_t from_user_id;
    uint32_t reserved;
} tc_proto_room_message;

/* ROOM_HISTORY response: holds messages, the oldest first. */
typedef struct tc_proto_room_history_response {
    tc_proto_room_message *rows;
    size_t rows_cap;
    size_t count;
} tc_proto_room_history_response;

/* ROOM_EVENT push: the push that tells members who came and went, or which messages they were not sent. */
typedef struct tc_proto_room_event {
    tc_proto_bytes name; /* name */
    uint64_t first_seq;  /* the messages that a gap skipped */
    uint64_t last_seq;   /* the messages that a gap skipped */
    uint32_t room_id;
    uint32_t user_id; /* who joined or left */
    uint8_t kind;     /* TC_PROTO_ROOM_… */
    uint8_t reserved[7];
} tc_proto_room_event;

/* DIRECT_SEND request: sends a message to every live session of one user. */
typedef struct tc_proto_direct_send_request {
    tc_proto_bytes to_username; /* name */
    tc_proto_bytes message;     /* text */
} tc_proto_direct_send_request;

/* DIRECT_SEND response: tells how many sessions the message went to: 0 for a user who is not online. */
typedef struct tc_proto_direct_send_response {
    uint64_t time_ns; /* since the Unix epoch */
    uint8_t sessions_reached;
    uint8_t reserved[7];
} tc_proto_direct_send_response;

/* DIRECT_MESSAGE push: the push of a message to one user. */
typedef struct tc_proto_direct_message {
    tc_proto_bytes from_name; /* name */
    tc_proto_bytes message;   /* text */
    uint64_t time_ns;         /* since the Unix epoch */
    uint32_t from_user_id;
    uint32_t reserved;
} tc_proto_direct_message;

/* WHO request: asks who is online, in a room or on the whole server, in ascending order of the users' ids. */
typedef struct tc_proto_who_request {
    uint32_t room_id;       /* 0: the whole server */
    uint32_t after_user_id; /* 0: from the first */
    uint16_t rows_max;
    uint16_t reserved;
} tc_proto_who_request;

/* one user of a list. */
typedef struct tc_proto_user_info {
    tc_proto_bytes username; /* name */
    uint32_t user_id;
    uint32_t reserved;
} tc_proto_user_info;

/* WHO response: lists users, each once however many sessions it has. */
typedef struct tc_proto_who_response {
    tc_proto_user_info *rows;
    size_t rows_cap;
    size_t count;
} tc_proto_who_response;

/* USER_LOOKUP request: finds a user by name. */
typedef struct tc_proto_user_lookup_request {
    tc_proto_bytes username; /* name */
} tc_proto_user_lookup_request;

/* USER_LOOKUP response: tells the user's id and whether it has a live session. */
typedef struct tc_proto_user_lookup_response {
    uint32_t user_id;
    uint8_t online; /* 1 or 0 */
    uint8_t reserved[3];
} tc_proto_user_lookup_response;

/* DEPOSIT and WITHDRAW requests: brings money in or takes it out. */
typedef struct tc_proto_amount_request {
    uint64_t amount; /* minor units, 1 … TC_PROTO_AMOUNT_MAX */
} tc_proto_amount_request;

/* DEPOSIT, WITHDRAW and TRANSFER responses: tells what an applied transaction left on the account. */
typedef struct tc_proto_txn_response {
    int64_t balance; /* minor units */
    uint64_t txn_id; /* its number in the server's one sequence of transactions */
} tc_proto_txn_response;

/* TRANSFER request: gives money to another user. */
typedef struct tc_proto_transfer_request {
    uint64_t amount; /* minor units, 1 … TC_PROTO_AMOUNT_MAX */
    uint32_t to_user_id;
    uint32_t reserved;
} tc_proto_transfer_request;

/* BALANCE response: tells what is on the account. */
typedef struct tc_proto_balance_response {
    int64_t balance;      /* minor units */
    uint64_t last_txn_id; /* the account's last transaction, 0: none */
} tc_proto_balance_response;

/* TXN_HISTORY request: asks for one's own transactions, going back from before_txn_id. */
typedef struct tc_proto_txn_history_request {
    uint64_t before_txn_id; /* 0: from the newest */
    uint16_t rows_max;
    uint8_t reserved[6];
} tc_proto_txn_history_request;

/* one transaction of an account's history. */
typedef struct tc_proto_txn_info {
    uint64_t txn_id;
    uint64_t time_ns;      /* since the Unix epoch */
    int64_t delta;         /* minor units, negative when money left */
    int64_t balance_after; /* minor units */
    uint32_t peer_user_id; /* the other side of a transfer */
    uint8_t kind;          /* TC_PROTO_TXN_… */
    uint8_t reserved[3];
} tc_proto_txn_info;

/* TXN_HISTORY response: holds transactions, the newest first. */
typedef struct tc_proto_txn_history_response {
    tc_proto_txn_info *rows;
    size_t rows_cap;
    size_t count;
} tc_proto_txn_history_response;

/* TRANSFER_BATCH request: holds 1 … TC_PROTO_BATCH_LEGS_MAX transfers, which run in order and independently of each
 * other. */
typedef struct tc_proto_transfer_batch_request {
    tc_proto_transfer_request *rows; /* 1 … TC_PROTO_BATCH_LEGS_MAX */
    size_t rows_cap;
    size_t count;
} tc_proto_transfer_batch_request;

/* what became of one leg. */
typedef struct tc_proto_leg_result {
    uint64_t txn_id; /* 0 unless the status is TC_PROTO_STATUS_OK */
    uint16_t status; /* a tc_proto_status */
    uint8_t reserved[6];
} tc_proto_leg_result;

/* TRANSFER_BATCH response: holds a result for each leg, in the order of the legs. */
typedef struct tc_proto_transfer_batch_response {
    tc_proto_leg_result *rows; /* 0 … TC_PROTO_BATCH_LEGS_MAX */
    size_t rows_cap;
    size_t count;
    int64_t balance; /* minor units, after the last leg */
} tc_proto_transfer_batch_response;

/* TXN_STATUS request: asks what became of a money request, of this session or an earlier one. */
typedef struct tc_proto_txn_status_request {
    uint64_t session_id;
    uint64_t req_id;
} tc_proto_txn_status_request;

/* TXN_STATUS response: tells it; the other fields are 0 unless the outcome is TC_PROTO_TXN_APPLIED. */
typedef struct tc_proto_txn_status_response {
    uint64_t txn_id;
    int64_t balance_after; /* minor units */
    uint8_t outcome;       /* TC_PROTO_TXN_… */
    uint8_t reserved[7];
} tc_proto_txn_status_response;

/* USER_ADD request: makes an account for somebody. */
typedef struct tc_proto_user_add_request {
    tc_proto_bytes username;  /* name */
    uint64_t opening_deposit; /* minor units, 0 … TC_PROTO_AMOUNT_MAX */
    uint8_t stored_key[TC_PROTO_KEY_LEN];
    uint8_t server_key[TC_PROTO_KEY_LEN];
} tc_proto_user_add_request;

/* SERVER_STATS response: holds the server's counters. */
typedef struct tc_proto_server_stats_response {
    tc_proto_bytes json; /* at most TC_PROTO_FIELD_LEN_MAX of them */
} tc_proto_server_stats_response;

int tc_proto_encode_error_body(const tc_proto_header *header, const tc_proto_error_body *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_error_body(const tc_proto_frame *frame, tc_proto_error_body *body);
int tc_proto_encode_hello_request(const tc_proto_header *header, const tc_proto_hello_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_hello_request(const tc_proto_frame *frame, tc_proto_hello_request *body);
int tc_proto_encode_hello_response(const tc_proto_header *header, const tc_proto_hello_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_hello_response(const tc_proto_frame *frame, tc_proto_hello_response *body);
int tc_proto_encode_login_request(const tc_proto_header *header, const tc_proto_login_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_login_request(const tc_proto_frame *frame, tc_proto_login_request *body);
int tc_proto_encode_login_response(const tc_proto_header *header, const tc_proto_login_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_login_response(const tc_proto_frame *frame, tc_proto_login_response *body);
int tc_proto_encode_heartbeat_request(const tc_proto_header *header, const tc_proto_heartbeat_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_heartbeat_request(const tc_proto_frame *frame, tc_proto_heartbeat_request *body);
int tc_proto_encode_heartbeat_response(const tc_proto_header *header, const tc_proto_heartbeat_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_heartbeat_response(const tc_proto_frame *frame, tc_proto_heartbeat_response *body);
int tc_proto_encode_register_request(const tc_proto_header *header, const tc_proto_register_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_register_request(const tc_proto_frame *frame, tc_proto_register_request *body);
int tc_proto_encode_register_response(const tc_proto_header *header, const tc_proto_register_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_register_response(const tc_proto_frame *frame, tc_proto_register_response *body);
int tc_proto_encode_going_away(const tc_proto_header *header, const tc_proto_going_away *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_going_away(const tc_proto_frame *frame, tc_proto_going_away *body);
int tc_proto_encode_join_room_request(const tc_proto_header *header, const tc_proto_join_room_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_join_room_request(const tc_proto_frame *frame, tc_proto_join_room_request *body);
int tc_proto_encode_join_room_response(const tc_proto_header *header, const tc_proto_join_room_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_join_room_response(const tc_proto_frame *frame, tc_proto_join_room_response *body);
int tc_proto_encode_leave_room_request(const tc_proto_header *header, const tc_proto_leave_room_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_leave_room_request(const tc_proto_frame *frame, tc_proto_leave_room_request *body);
int tc_proto_encode_chat_send_request(const tc_proto_header *header, const tc_proto_chat_send_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_chat_send_request(const tc_proto_frame *frame, tc_proto_chat_send_request *body);
int tc_proto_encode_chat_send_response(const tc_proto_header *header, const tc_proto_chat_send_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_chat_send_response(const tc_proto_frame *frame, tc_proto_chat_send_response *body);
int tc_proto_encode_chat_broadcast(const tc_proto_header *header, const tc_proto_chat_broadcast *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_chat_broadcast(const tc_proto_frame *frame, tc_proto_chat_broadcast *body);
int tc_proto_encode_room_open_request(const tc_proto_header *header, const tc_proto_room_open_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_room_open_request(const tc_proto_frame *frame, tc_proto_room_open_request *body);
int tc_proto_encode_room_open_response(const tc_proto_header *header, const tc_proto_room_open_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_room_open_response(const tc_proto_frame *frame, tc_proto_room_open_response *body);
int tc_proto_encode_room_list_request(const tc_proto_header *header, const tc_proto_room_list_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_room_list_request(const tc_proto_frame *frame, tc_proto_room_list_request *body);
int tc_proto_encode_room_list_response(const tc_proto_header *header, const tc_proto_room_list_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_room_list_response(const tc_proto_frame *frame, tc_proto_room_list_response *body);
int tc_proto_encode_room_history_request(const tc_proto_header *header, const tc_proto_room_history_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_room_history_request(const tc_proto_frame *frame, tc_proto_room_history_request *body);
int tc_proto_encode_room_history_response(const tc_proto_header *header, const tc_proto_room_history_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_room_history_response(const tc_proto_frame *frame, tc_proto_room_history_response *body);
int tc_proto_encode_room_event(const tc_proto_header *header, const tc_proto_room_event *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_room_event(const tc_proto_frame *frame, tc_proto_room_event *body);
int tc_proto_encode_direct_send_request(const tc_proto_header *header, const tc_proto_direct_send_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_direct_send_request(const tc_proto_frame *frame, tc_proto_direct_send_request *body);
int tc_proto_encode_direct_send_response(const tc_proto_header *header, const tc_proto_direct_send_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_direct_send_response(const tc_proto_frame *frame, tc_proto_direct_send_response *body);
int tc_proto_encode_direct_message(const tc_proto_header *header, const tc_proto_direct_message *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_direct_message(const tc_proto_frame *frame, tc_proto_direct_message *body);
int tc_proto_encode_who_request(const tc_proto_header *header, const tc_proto_who_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_who_request(const tc_proto_frame *frame, tc_proto_who_request *body);
int tc_proto_encode_who_response(const tc_proto_header *header, const tc_proto_who_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_who_response(const tc_proto_frame *frame, tc_proto_who_response *body);
int tc_proto_encode_user_lookup_request(const tc_proto_header *header, const tc_proto_user_lookup_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_user_lookup_request(const tc_proto_frame *frame, tc_proto_user_lookup_request *body);
int tc_proto_encode_user_lookup_response(const tc_proto_header *header, const tc_proto_user_lookup_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_user_lookup_response(const tc_proto_frame *frame, tc_proto_user_lookup_response *body);
int tc_proto_encode_amount_request(const tc_proto_header *header, const tc_proto_amount_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_amount_request(const tc_proto_frame *frame, tc_proto_amount_request *body);
int tc_proto_encode_txn_response(const tc_proto_header *header, const tc_proto_txn_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_txn_response(const tc_proto_frame *frame, tc_proto_txn_response *body);
int tc_proto_encode_transfer_request(const tc_proto_header *header, const tc_proto_transfer_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_transfer_request(const tc_proto_frame *frame, tc_proto_transfer_request *body);
int tc_proto_encode_balance_response(const tc_proto_header *header, const tc_proto_balance_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_balance_response(const tc_proto_frame *frame, tc_proto_balance_response *body);
int tc_proto_encode_txn_history_request(const tc_proto_header *header, const tc_proto_txn_history_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_txn_history_request(const tc_proto_frame *frame, tc_proto_txn_history_request *body);
int tc_proto_encode_txn_history_response(const tc_proto_header *header, const tc_proto_txn_history_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_txn_history_response(const tc_proto_frame *frame, tc_proto_txn_history_response *body);
int tc_proto_encode_transfer_batch_request(const tc_proto_header *header, const tc_proto_transfer_batch_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_transfer_batch_request(const tc_proto_frame *frame, tc_proto_transfer_batch_request *body);
int tc_proto_encode_transfer_batch_response(const tc_proto_header *header, const tc_proto_transfer_batch_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_transfer_batch_response(const tc_proto_frame *frame, tc_proto_transfer_batch_response *body);
int tc_proto_encode_txn_status_request(const tc_proto_header *header, const tc_proto_txn_status_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_txn_status_request(const tc_proto_frame *frame, tc_proto_txn_status_request *body);
int tc_proto_encode_txn_status_response(const tc_proto_header *header, const tc_proto_txn_status_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_txn_status_response(const tc_proto_frame *frame, tc_proto_txn_status_response *body);
int tc_proto_encode_user_add_request(const tc_proto_header *header, const tc_proto_user_add_request *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_user_add_request(const tc_proto_frame *frame, tc_proto_user_add_request *body);
int tc_proto_encode_server_stats_response(const tc_proto_header *header, const tc_proto_server_stats_response *body,
    uint8_t *out, size_t cap, size_t *len);
int tc_proto_decode_server_stats_response(const tc_proto_frame *frame, tc_proto_server_stats_response *body);
/* end of generated */

#ifdef __cplusplus
}
#endif

#endif
