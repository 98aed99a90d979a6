module tradechat.internal/bench

go 1.26
