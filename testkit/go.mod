module tradechat.internal/testkit

go 1.26.0

require tradechat.internal/libproto v0.0.0

require (
	github.com/klauspost/crc32 v1.3.0 // indirect
	golang.org/x/sys v0.34.0 // indirect
)

replace (
	tradechat.internal/capi => ../capi
	tradechat.internal/libproto => ../libproto
)
