module tradechat.internal/shmstore

go 1.26.0

require (
	golang.org/x/sys v0.49.0
	pgregory.net/rapid v1.3.0
	tradechat.internal/ledger v0.0.0
	tradechat.internal/libnet v0.0.0
)

replace (
	tradechat.internal/capi => ../capi
	tradechat.internal/ledger => ../ledger
	tradechat.internal/libnet => ../libnet
)
