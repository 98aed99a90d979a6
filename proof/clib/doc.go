// Package clib tries the C libraries from the outside: it builds them as `make libs` does, compiles C and C++ programs
// against the public headers, and runs them, some against a server of its own.
//
//	libproto ── frames of every body ──▶ C program: decode, print every field, encode ──▶ compared
//	                                     hostile.c: null, short, huge, stale, malformed ──▶ error codes
//	                                     stress.c: three libraries at once, threads, signals
//	                                     examples/c ◀──▶ tradechatd
//
// What needs a tool that is not there (a C++ compiler, pkg-config) is skipped and says so. The flag -clib=all adds what takes
// long: sanitizers, and ten seconds of every stress instead of a moment.
package clib
