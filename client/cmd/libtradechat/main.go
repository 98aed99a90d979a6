// Command libtradechat is built as a C library: all of include/tradechat, in one Go runtime. See package capi.
package main

import (
	_ "tradechat.internal/client/capi/log" // they export the functions
	_ "tradechat.internal/client/capi/net"
	_ "tradechat.internal/client/capi/proto"
)

func main() {}
