/* A program's own functions with names that the Go runtime uses, too; nothing in the libraries may call them. */
#include <stdlib.h>

void fatalf(const char *format, ...);
void crosscall2(void);
void x_cgo_init(void);

void fatalf(const char *format, ...) {
    (void)format;
    abort();
}

void crosscall2(void) { abort(); }

void x_cgo_init(void) { abort(); }
