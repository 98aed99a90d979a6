module tradechat.internal/loadgen

go 1.26.0

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.9
	golang.org/x/sys v0.49.0
	pgregory.net/rapid v1.3.0
	tradechat.internal/liblog v0.0.0
	tradechat.internal/libnet v0.0.0
	tradechat.internal/libproto v0.0.0
	tradechat.internal/testkit v0.0.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/klauspost/crc32 v1.3.0 // indirect
	tradechat.internal/client v0.0.0 // indirect
)

replace (
	tradechat.internal/capi => ../capi
	tradechat.internal/client => ../client
	tradechat.internal/liblog => ../liblog
	tradechat.internal/libnet => ../libnet
	tradechat.internal/libproto => ../libproto
	tradechat.internal/testkit => ../testkit
)
