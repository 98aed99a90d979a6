// Command libtradechat is built as a C library: all of include/tradechat, in one Go runtime. See package capi.
package main

import (
	_ "tradechat.internal/liblog/capi" // they export the functions
	_ "tradechat.internal/libnet/capi"
	_ "tradechat.internal/libproto/capi"
)

func main() {}
