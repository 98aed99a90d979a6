module tradechat.internal/client

go 1.26.0

require (
	github.com/rs/zerolog v1.35.1
	github.com/spf13/cobra v1.10.2
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
	pgregory.net/rapid v1.3.0
	tradechat.internal/liblog v0.0.0
	tradechat.internal/libnet v0.0.0
	tradechat.internal/libproto v0.0.0
	tradechat.internal/shmstore v0.0.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/klauspost/crc32 v1.3.0 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
)

replace (
	tradechat.internal/liblog => ../liblog
	tradechat.internal/libnet => ../libnet
	tradechat.internal/libproto => ../libproto
	tradechat.internal/shmstore => ../shmstore
)
