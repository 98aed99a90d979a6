package config

import (
	"time"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/driver"
	"tradechat.internal/loadgen/internal/roster"
)

// Bounds of the settings.
const (
	connectionsMax    = 1 << 17
	threadsMax        = 256
	usersMax          = 1 << 20
	roomsMax          = 1 << 14
	roomSizeMax       = 1 << 14
	pipelineMax       = driver.PipelineMax
	payloadMin        = chatcheck.MessageLenMin
	payloadMax        = 15 << 10
	amountMax         = 1_000_000_000
	rateMin           = 0.1
	connectRateMax    = 1_000_000
	thinkMax          = time.Hour
	openingDepositMax = 1_000_000_000_000
	prefixLenMax      = roster.PrefixLenMax

	intervalMin, intervalMax = 100 * time.Millisecond, time.Hour
	durationMin, durationMax = 100 * time.Millisecond, 24 * time.Hour
	timeoutMin, timeoutMax   = 10 * time.Millisecond, 5 * time.Minute
	drainMin, drainMax       = 100 * time.Millisecond, 10 * time.Minute

	// passwordBytesMax bounds the password file.
	passwordBytesMax = 4096

	// spareDescriptors are what a run opens beside its connections: a thread's epoll and eventfd come on top.
	spareDescriptors = 64
)
