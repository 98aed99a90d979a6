/* The public functions. Each turns away a child of fork(2), which has none of the Go runtime's threads, and goes to Go. */
#include "_cgo_export.h"

#include <tradechat/log.h>

#include <pthread.h>

static int forked;

static void in_child(void) { forked = 1; }

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(NULL, NULL, in_child); }

#define ENTER(call) (__builtin_expect(forked, 0) ? TC_LOG_E_FORKED : (call))

int tc_log_open(const tc_log_options *options, tc_log **log) {
    tc_log_options o = {0};
    uintptr_t handle = 0;
    if (log == NULL)
        return TC_LOG_E_ARGUMENT;
    if (options != NULL)
        o = *options;
    int result = ENTER(tcgo_log_open(&o, &handle));
    if (result == TC_LOG_OK)
        *log = (tc_log *)handle;
    return result;
}

int tc_log_close(tc_log *log) { return log == NULL ? TC_LOG_OK : ENTER(tcgo_log_close((uintptr_t)log)); }

int tc_log_flush(tc_log *log) { return ENTER(tcgo_log_flush((uintptr_t)log)); }

int tc_log_set_level(tc_log *log, int level) { return ENTER(tcgo_log_set_level((uintptr_t)log, level)); }

int tc_log_enabled(tc_log *log, int level) { return ENTER(tcgo_log_enabled((uintptr_t)log, level)); }

int tc_log_write(tc_log *log, const tc_log_event *event) {
    return ENTER(tcgo_log_write((uintptr_t)log, (tc_log_event *)event));
}
