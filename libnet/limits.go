package libnet

import "time"

const (
	// ListenGroupMax bounds the sockets of one ListenGroup: one a worker slot.
	ListenGroupMax = 256

	// BacklogDefault is the accept queue's length in connections when ListenOptions names none.
	// The kernel cuts it to net.core.somaxconn (listen(2)).
	BacklogDefault = 4096

	// InheritedFirst is the child's number for the first descriptor of Spawn.Inherit; 0, 1 and 2 are its stdio.
	InheritedFirst = 3

	// InheritedMax bounds the descriptors that one child inherits beside its stdio.
	InheritedMax = 80

	// BackoffBase and BackoffCap are the window of the first wait and the widest window of a zero Backoff.
	BackoffBase = 50 * time.Millisecond
	BackoffCap  = 5 * time.Second

	// DialAttemptTimeout bounds one connection attempt when Dialer names no other limit.
	DialAttemptTimeout = 10 * time.Second

	// FutexForever is a time-out for FutexWait that is never reached (292 years).
	FutexForever time.Duration = 1<<63 - 1
)
