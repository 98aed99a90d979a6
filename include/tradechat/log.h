/* tradechat/log.h: the structured log of tradechat for C and C++: one event a line, JSON for machines or a console format
 * for people, with the field names that all tradechat processes use. A tutorial is docs/c-api.md.
 *
 *     tc_log *log;
 *     tc_log_options o = {0};
 *     o.role = "bot";
 *     int rc = tc_log_open(&o, &log);
 *
 *     tc_log_event e = {0};
 *     e.level = TC_LOG_WARN;
 *     e.message = "refused";
 *     e.req_id = 7;
 *     e.opcode = "TRANSFER";
 *     e.status = "ERR_INSUFFICIENT_FUNDS";
 *     rc = tc_log_write(log, &e);
 *
 *     {"level":"warn","pid":4711,"role":"bot","req_id":7,"opcode":"TRANSFER","status":"ERR_INSUFFICIENT_FUNDS",
 *      "time":"2026-01-02T03:04:05.678901Z","message":"refused"}
 *
 * RULES THAT HOLD FOR EVERY FUNCTION
 *
 * Results     A function that returns int returns TC_LOG_OK or a negative tc_log_error, unless it says otherwise.
 * Units       Times of lines are UTC. window_ms is milliseconds.
 * Ownership   The caller owns all memory; no pointer is kept after a call. A tc_log is the caller's until tc_log_close.
 * Texts       NUL-terminated UTF-8, at most TC_LOG_TEXT_MAX bytes. Anything else is an error and writes nothing.
 * Bad input   A null pointer, a number out of its range, a handle that was closed or was never one: an error code. A
 *             pointer that is neither null nor valid may crash.
 * Threads     Every function may be called from any thread at any time, on one log, too. A line is one write(2): the lines
 *             of several threads, and of processes that append to one file, do not mix.
 * Buffers     There are none: when tc_log_write has returned, the line has been written to the descriptor.
 * Fork        After fork(2) without exec, the child gets TC_LOG_E_FORKED, if the library was loaded before.
 * Signals     No function may be called from a signal handler. Writing to a pipe that nobody reads is TC_LOG_E_WRITE, and
 *             does not end the program by SIGPIPE.
 *
 * Needs Linux, glibc 2.34 or newer. Plain C99, C++98 with <stdint.h>, and everything newer. */
#ifndef TRADECHAT_LOG_H
#define TRADECHAT_LOG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Versions ---------------------------------------------------------------------------------------------------- */

/* The version of this header; tc_log_version() is the library's, counted in the same way. The library fits a program when
 * its major version is that of the header, and its minor version is not older. */
#define TC_LOG_VERSION_MAJOR 0
#define TC_LOG_VERSION_MINOR 1
#define TC_LOG_VERSION_PATCH 0
#define TC_LOG_VERSION (TC_LOG_VERSION_MAJOR * 1000000 + TC_LOG_VERSION_MINOR * 1000 + TC_LOG_VERSION_PATCH)

int tc_log_version(void);

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

typedef enum tc_log_error {
    TC_LOG_OK = 0,

    TC_LOG_E_ARGUMENT = -1, /* a null pointer, or a number out of its range */
    TC_LOG_E_HANDLE = -3,   /* the log was closed, or is none */
    TC_LOG_E_LIMIT = -4,    /* more logs, more fields or a longer text than TC_LOG_…_MAX */
    TC_LOG_E_FORKED = -5,   /* called in a child of fork(2) */
    TC_LOG_E_INTERNAL = -6, /* a mistake of the library, caught; please report it */

    TC_LOG_E_UTF8 = -20,  /* a text is not valid UTF-8 */
    TC_LOG_E_KEY = -21,   /* the key of a field is empty, too long, or one that the log writes itself */
    TC_LOG_E_OPEN = -22,  /* the file cannot be opened for appending, or there is no stderr */
    TC_LOG_E_WRITE = -23  /* the line could not be written whole */
} tc_log_error;

/* A sentence in English about a result, of static storage, never null. */
const char *tc_log_strerror(int result);

enum {
    TC_LOG_TEXT_MAX = 65536, /* bytes of one text */
    TC_LOG_KEY_MAX = 64,     /* bytes of a field's key */
    TC_LOG_FIELDS_MAX = 64,  /* fields of one event */
    TC_LOG_LOGS_MAX = 1024   /* logs that may be open at a time */
};

/* ---- Open and close ---------------------------------------------------------------------------------------------- */

typedef enum tc_log_level {
    TC_LOG_TRACE = -2,
    TC_LOG_DEBUG = -1,
    TC_LOG_INFO = 0,
    TC_LOG_WARN = 1,
    TC_LOG_ERROR = 2,
    TC_LOG_OFF = 3 /* as the level of a log: nothing is written */
} tc_log_level;

typedef enum tc_log_format {
    TC_LOG_AUTO = 0,    /* console on a terminal, JSON otherwise */
    TC_LOG_CONSOLE = 1, /* coloured on a terminal, unless NO_COLOR is set */
    TC_LOG_JSON = 2
} tc_log_format;

/* Zeros are defaults: JSON or console on stderr, from INFO up. */
typedef struct tc_log_options {
    const char *path;       /* a file to append to, made with mode 0644; null: what stderr is now */
    const char *role;       /* every line's "role"; null: none */
    int32_t level;          /* a tc_log_level: the least severity that is written */
    int32_t format;         /* a tc_log_format */
    uint32_t repeat_events; /* of each repeat key in each window; 0: 5 */
    uint32_t window_ms;     /* 0: 10,000 */
} tc_log_options;

typedef struct tc_log tc_log;

/* Opens a log; *log is the caller's, to be closed. options may be null. */
int tc_log_open(const tc_log_options *options, tc_log **log);

/* Writes what is still to be written (tc_log_flush) and closes the log and its file. Null is TC_LOG_OK, a log that was
 * closed before is TC_LOG_E_HANDLE. After TC_LOG_E_WRITE the log is closed all the same. */
int tc_log_close(tc_log *log);

/* Writes the counts of repeated events that were held back, and brings the file to disk (fdatasync(2)). */
int tc_log_flush(tc_log *log);

/* Changes the least severity that is written. */
int tc_log_set_level(tc_log *log, int level);

/* Whether an event of that level would be written: 1 or 0, or an error. Ask before making costly fields. */
int tc_log_enabled(tc_log *log, int level);

/* ---- Events ------------------------------------------------------------------------------------------------------ */

typedef enum tc_log_type { TC_LOG_I64 = 1, TC_LOG_U64 = 2, TC_LOG_F64 = 3, TC_LOG_BOOL = 4, TC_LOG_TEXT = 5 } tc_log_type;

/* A typed field: key and type, and the member of value that type names. */
typedef struct tc_log_field {
    const char *key;
    int32_t type; /* a tc_log_type */
    int32_t reserved;
    union {
        int64_t i64;
        uint64_t u64;
        double f64;
        int32_t boolean; /* 0: false; anything else: true */
        const char *text;
    } value;
} tc_log_field;

/* An event. pid, role and time are added by the log. What is null or 0 is left out. */
typedef struct tc_log_event {
    const char *message;
    const char *repeat; /* a key for events that may come in masses: only so many a window are written, and the next line
                           of the key says how many were not ("suppressed"). A constant, never made of input: 256 keys
                           are told apart */
    const char *opcode; /* by name: tc_proto_opcode_name */
    const char *status; /* by name: tc_proto_status_name */
    uint64_t req_id;
    uint64_t conn; /* a number for the connection */
    const tc_log_field *fields;
    size_t fields_count;
    int32_t level; /* TC_LOG_TRACE … TC_LOG_ERROR */
    int32_t reserved;
} tc_log_event;

/* Writes an event: 1 when it was written, 0 when its level is not written or its repeat key has had its share. */
int tc_log_write(tc_log *log, const tc_log_event *event);

#ifdef __cplusplus
}
#endif

#endif
