module tradechat.internal/capi

go 1.26.0
