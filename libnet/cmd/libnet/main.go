// Command libnet is built as a C library: include/tradechat/net.h, and nothing else. See package capi.
package main

import _ "tradechat.internal/libnet/capi" // exports the functions

func main() {}
