module tradechat.internal/bench

go 1.26.0

require (
	github.com/panjf2000/gnet/v2 v2.9.8
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.9
	golang.org/x/sys v0.49.0
	pgregory.net/rapid v1.3.0
	tradechat.internal/client v0.0.0
	tradechat.internal/liblog v0.0.0
	tradechat.internal/libnet v0.0.0
	tradechat.internal/libproto v0.0.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.9.1 // indirect
	github.com/klauspost/crc32 v1.3.0 // indirect
	github.com/panjf2000/ants/v2 v2.12.1 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	go.uber.org/zap v1.28.0 // indirect
	golang.org/x/sync v0.17.0 // indirect
	golang.org/x/text v0.29.0 // indirect
	gopkg.in/natefinch/lumberjack.v2 v2.2.1 // indirect
)

replace (
	tradechat.internal/client => ../client
	tradechat.internal/liblog => ../liblog
	tradechat.internal/libnet => ../libnet
	tradechat.internal/libproto => ../libproto
)
