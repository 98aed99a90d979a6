module tradechat.internal/libproto

go 1.26.0

require (
	github.com/klauspost/crc32 v1.3.0
	pgregory.net/rapid v1.3.0
	tradechat.internal/capi v0.0.0
)

require golang.org/x/sys v0.34.0 // indirect

replace tradechat.internal/capi => ../capi
