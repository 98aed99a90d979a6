module tradechat.internal/client

go 1.26.0

require (
	tradechat.internal/libnet v0.0.0
	tradechat.internal/libproto v0.0.0
	tradechat.internal/testkit v0.0.0
)

require (
	github.com/klauspost/crc32 v1.3.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace (
	tradechat.internal/capi => ../capi
	tradechat.internal/liblog => ../liblog
	tradechat.internal/libnet => ../libnet
	tradechat.internal/libproto => ../libproto
	tradechat.internal/testkit => ../testkit
)
