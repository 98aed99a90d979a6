/* What needs no Go: versions and texts. They work in a child of fork(2), too. */
#include <tradechat/log.h>

int tc_log_version(void) { return TC_LOG_VERSION; }

const char *tc_log_strerror(int result) {
    if (result >= 0)
        return "no error";
    switch ((tc_log_error)result) {
    case TC_LOG_OK: return "no error";
    case TC_LOG_E_ARGUMENT: return "a null pointer, or a number out of its range";
    case TC_LOG_E_HANDLE: return "the log was closed, or is none";
    case TC_LOG_E_LIMIT: return "more logs, more fields or a longer text than the library takes";
    case TC_LOG_E_FORKED: return "the library cannot be used in a child of fork(2): load it there, or call exec";
    case TC_LOG_E_INTERNAL: return "a mistake of the library";
    case TC_LOG_E_UTF8: return "a text is not valid UTF-8";
    case TC_LOG_E_KEY: return "a field's key is empty, too long, or one that the log writes itself";
    case TC_LOG_E_OPEN: return "the file cannot be opened for appending, or there is no stderr";
    case TC_LOG_E_WRITE: return "the line could not be written whole";
    }
    return "unknown result";
}
