// Command liblog is built as a C library: include/tradechat/log.h, and nothing else. See package capi.
package main

import _ "tradechat.internal/client/capi/log" // exports the functions

func main() {}
