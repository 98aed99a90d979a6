module tradechat.internal/shmstore

go 1.26.0

require (
	golang.org/x/sys v0.49.0
	tradechat.internal/libnet v0.0.0
)

require pgregory.net/rapid v1.3.0 // indirect

replace tradechat.internal/libnet => ../libnet
