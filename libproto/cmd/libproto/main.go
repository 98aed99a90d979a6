// Command libproto is built as a C library: include/tradechat/proto.h, and nothing else. See package capi.
package main

import _ "tradechat.internal/libproto/capi" // exports the functions

func main() {}
