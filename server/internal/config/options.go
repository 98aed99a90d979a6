package config

import (
	"fmt"
	"strings"

	"tradechat.internal/libproto"
)

// EnvPrefix begins the name of every setting in the environment.
const EnvPrefix = "TRADECHAT_"

// clientVariables are the TRADECHAT_ variables that the client reads: the server lets them pass.
var clientVariables = []string{"TRADECHAT_SERVER", "TRADECHAT_USER", "TRADECHAT_PASSWORD"}

// option is one row of the table of settings.
type option struct {
	name     string // the flag and the file's key
	help     string
	value    value
	computed string // what stands in help and docs for a default that depends on the machine
	flagOnly bool   // not in the file or the environment: an act, not a setting
}

// options is the table of settings, in the order of help and docs; the values are c's fields.
func options(c *Config) []option {
	return []option{
		{name: "listen", help: "address to accept clients on; port 0 lets the kernel choose, the ready line says which",
			value: text{&c.Listen, "host:port", "host:port, port 0 … 65535", validAddress}},
		{name: "workers", help: "worker processes",
			value: number[int]{&c.Workers, 1, WorkersMax, ""}, computed: "number of processors, at most 64"},
		{name: "data", help: "folder of everything that must outlive a run; made if missing",
			value: text{&c.Data, "folder", "a path", validFolder}},
		{name: "shm-name", help: "name of the shared-memory segment under /dev/shm",
			value: text{&c.SegmentName, "name", fmt.Sprintf("1 … %d of A-Z a-z 0-9 _ . - not beginning with a dot",
				SegmentNameLenMax), validSegmentName}, computed: "derived from the data folder's path"},
		{name: "fresh", help: "do not use the segment that a crashed run left: start from the journal, which may lack what nobody was told of",
			value: toggle{&c.Fresh}, flagOnly: true},
		{name: "registration", help: "whether clients may create users (REGISTER); otherwise users are added on the admin socket",
			value: choice{&c.Registration, []string{RegistrationOpen, RegistrationClosed}}},
		{name: "lock-mode", help: "one lock per account, or one for all of them (for comparison)",
			value: choice{&c.LockMode, []string{LockAccount, LockGlobal}}},
		{name: "durability", help: "what an answer about money promises: sync, it is on disk; async, it will be within 50 ms; none, it will be written within 5 ms, and the system brings it to disk when it likes",
			value: choice{&c.Durability, []string{DurabilitySync, DurabilityAsync, DurabilityNone}}},
		{name: "snapshot-every", help: "records after which the books are written down whole, so that a start reads no more than that (but never fewer than there are users)",
			value: number[uint32]{&c.SnapshotEvery, SnapshotEveryLeast, SnapshotEveryMost, ""}},
		{name: "journal-retain", help: "files of the journal to keep that no snapshot needs any more; the older ones are removed",
			value: number[uint32]{&c.JournalRetain, 1, JournalRetainMost, "all of them, the whole history"}},
		{name: "journal-file", help: "size of a file of the journal, in MiB",
			value: number[uint32]{&c.JournalFileMiB, JournalFileLeast, JournalFileMost, ""}},
		{name: "session-ttl", help: "how long a session can be resumed after its connection has ended",
			value: span{&c.SessionTTL, sessionLeast, sessionMost, ""}},
		{name: "log-records", help: "transactions that are kept in memory, for histories and retries; a power of two",
			value: power{number[uint32]{&c.LogRecords, LogRecordsLeast, LogRecordsMost, ""}}},
		{name: "max-users", help: "users that there is room for",
			value: number[uint32]{&c.UsersMax, 16, UsersMax, ""}},
		{name: "max-sessions", help: "sessions that there is room for, on all workers together",
			value: number[uint32]{&c.SessionsMax, 16, SessionsMax, ""}},
		{name: "max-rooms", help: "rooms that there is room for",
			value: number[uint32]{&c.RoomsMax, 1, RoomsMax, ""}},
		{name: "max-body", help: "longest body of a frame after LOGIN, in bytes",
			value: number[uint32]{&c.BodyBytesMax, BodyBytesLeast, BodyBytesMost, ""}},
		{name: "max-message", help: "longest chat message, in bytes",
			value: number[uint32]{&c.MessageBytesMax, 1, MessageBytesMost, ""}},
		{name: "max-outbound", help: "bytes of pushes queued for a connection at which it is cut off as a slow consumer",
			value: number[uint32]{&c.OutboundBytesMax, OutboundBytesLeast, OutboundBytesMost, ""}},
		{name: "rate-limit", help: "requests a second that one connection may make, each transfer of a batch counting as one; more are answered ERR_SERVER_BUSY",
			value: number[uint32]{&c.RateLimit, 1, RateMost, "no limit"}},
		{name: "max-per-address", help: "connections that one network address may have open, on all workers together",
			value: number[uint32]{&c.PerAddressMax, 1, PerAddressMost, "no limit"}},
		{name: "idle-timeout", help: "silence after which a connection is closed",
			value: span{&c.IdleTimeout, idleLeast, idleMost, ""}},
		{name: "login-timeout", help: "time from accept to LOGIN after which a connection is closed",
			value: span{&c.LoginTimeout, loginLeast, loginMost, ""}},
		{name: "heartbeat-interval", help: "how often clients are told to send a HEARTBEAT when they have nothing else to say",
			value: span{&c.HeartbeatInterval, heartbeatLeast, heartbeatMost, ""}},
		{name: "kdf-iterations", help: "PBKDF2 iterations of the password keys; changing it locks out the users that there are",
			value: number[uint32]{&c.KDFIterations, libproto.KDFIterationsMin, libproto.KDFIterationsMax, ""}},
		{name: "watchdog", help: "age of a worker's heartbeat at which the master kills and replaces it",
			value: span{&c.Watchdog, watchdogLeast, watchdogMost, ""}},
		{name: "stats-every", help: "interval of the stats line in the log",
			value: span{&c.StatsEvery, statsLeast, statsMost, "no stats line"}},
		{name: "log-level", help: "least severe message that is logged",
			value: choice{&c.LogLevel, []string{"trace", "debug", "info", "warn", "error"}}},
		{name: "log-format", help: "form of the log on stderr; auto is console on a terminal and json elsewhere",
			value: choice{&c.LogFormat, []string{"auto", "console", "json"}}},
	}
}

// env is the option's name in the environment.
func (o option) env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// defaultText is the default for help and docs.
func (o option) defaultText() string {
	if o.computed != "" {
		return o.computed
	}
	return o.value.String()
}

// refusal is the error of a value that the option does not take; source is empty for a flag.
func (o option) refusal(given, source string) error {
	if source != "" {
		source = " (from " + source + ")"
	}
	return fmt.Errorf("%w: --%s %q%s: allowed: %s", ErrInvalid, o.name, given, source, o.value.allowed())
}

func optionByName(table []option, name string) (option, bool) {
	for _, o := range table {
		if o.name == name {
			return o, true
		}
	}
	return option{}, false
}
