// Command liblog is built as a C library: include/tradechat/log.h, and nothing else. See package capi.
package main

import _ "tradechat.internal/liblog/capi" // exports the functions

func main() {}
