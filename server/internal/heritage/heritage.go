// Package heritage is the whole of what a child process gets from the master: one struct, defined here and nowhere else.
//
// The master re-executes its own binary (Go cannot fork without exec) through /proc/self/exe, so a child is the same
// build even when the file was replaced meanwhile. The child learns its role from the environment, not from its
// arguments; argv[0] is for people:
//
//	$ ps -o pid,args            4711 tradechatd --listen :7878
//	                            4712 tradechatd: worker 0
//	                            4713 tradechatd: worker 1
//	                            4714 tradechatd: log writer
//
//	TRADECHATD_HERITAGE         the Heritage as JSON: role, slot, address, configuration
//	descriptor 0, 1, 2          /dev/null, the master's stderr, the master's stderr (stdout belongs to the master)
//	descriptor 3                listening socket of this slot; the master holds it too, and each successor gets the same
//	                            (a role that does not listen has /dev/null)
//	descriptor 4                shared-memory segment
//	descriptor 5                line to the master: whether this process can work, that it is to end, that the master is
//	                            gone (line.go)
//	descriptor 6                lock of the data folder: free only when the last process that has it is gone
//	descriptor 7 + i            eventfd of slot i, for the Config.Workers workers and, the last, the master
//
// A child ignores SIGTERM, SIGINT, SIGHUP and SIGUSR1: they are the master's, who asks it to end by the line.
//
// Everything here is the same for each process that a slot ever has; what differs between two of them (generation,
// pid) is in the segment, where shmstore's Bind writes it.
package heritage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/role"
)

// Variable is the environment variable that makes a process a child. It is not one of the TRADECHAT_ settings.
const Variable = "TRADECHATD_HERITAGE"

// Start says what the log writer finds in the segment.
type Start string

const (
	StartCold    Start = "cold"    // nothing: it is to be filled from disk
	StartWarm    Start = "warm"    // what a crashed run left, repaired: it is to be compared with disk
	StartRespawn Start = "respawn" // what the server is working on
)

// The numbers of the inherited descriptors.
const (
	listenerFD = libnet.InheritedFirst + iota
	segmentFD
	lineFD
	lockFD
	firstEventFD
)

// ErrHeritage is the error of a child that did not get what it must have.
var ErrHeritage = errors.New("heritage: not usable")

// Heritage is what a child process works with. The descriptors are its own: it may close them.
type Heritage struct {
	Role    role.Name
	Slot    int
	Address string // host:port of the listening socket, the port as bound
	Start   Start  `json:",omitempty"` // role.LogWriter
	Config  config.Config

	ListenerFD int   `json:"-"` // blocking or not as libnet.ListenGroup made it
	SegmentFD  int   `json:"-"`
	LineFD     int   `json:"-"` // blocking
	LockFD     int   `json:"-"` // only held, never used
	EventFDs   []int `json:"-"` // by slot, nonblocking
}

// Descriptors is the master's side: its numbers for what the child gets.
type Descriptors struct {
	Null, Stderr                  int
	Listener, Segment, Line, Lock int
	Events                        []int // by slot
}

// inherit is what the child gets from listenerFD on.
func (d Descriptors) inherit() []int {
	return append([]int{d.Listener, d.Segment, d.Line, d.Lock}, d.Events...)
}

// Spawn starts a child with this heritage and returns its pid; the caller must reap it. environ is the caller's own.
func (h Heritage) Spawn(d Descriptors, environ []string) (pid int, err error) {
	policy, known := role.Of(h.Role)
	if !known {
		return 0, fmt.Errorf("%w: role %q", ErrHeritage, h.Role)
	}
	described, err := json.Marshal(h)
	if err != nil {
		return 0, fmt.Errorf("heritage: %w", err)
	}
	child, err := libnet.Spawn{
		Path: "/proc/self/exe", Args: []string{"tradechatd: " + policy.Call(h.Slot)},
		Env:     append(withoutSettings(environ), Variable+"="+string(described)),
		Stdio:   [3]int{d.Null, d.Stderr, d.Stderr},
		Inherit: d.inherit(),
	}.Start()
	if err == nil && child.PidFD >= 0 {
		err = unix.Close(child.PidFD) // an unreaped child keeps its pid: the number is enough
	}
	return child.PID, err
}

// Signals are those that a terminal, a service manager or a careless kill sends to every process of the server. They are for the master.
var Signals = []os.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1}

// IgnoreSignals is the first act of a child. Go's runtime lets nothing of it be inherited: a signal that comes within the few
// milliseconds before still ends the process, and the master then starts another one, or stops.
func IgnoreSignals() { signal.Ignore(append([]os.Signal{unix.SIGPIPE}, Signals...)...) }

// withoutSettings drops the TRADECHAT_ variables: the child has the finished Config, and no need of a password.
func withoutSettings(environ []string) []string {
	kept := make([]string, 0, len(environ)+1)
	for _, entry := range environ {
		if !strings.HasPrefix(entry, config.EnvPrefix) && !strings.HasPrefix(entry, Variable+"=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// Inherited reports whether this process was started as a child.
func Inherited() bool {
	_, ok := os.LookupEnv(Variable)
	return ok
}

// Load returns the heritage of this process, checked: the configuration is valid, and each descriptor is open and of its
// kind. All of them are made close-on-exec, and the variable is removed, so that nothing is passed on by accident.
func Load() (Heritage, error) {
	described, ok := os.LookupEnv(Variable)
	if !ok {
		return Heritage{}, fmt.Errorf("%w: %s is not set; the master sets it", ErrHeritage, Variable)
	}
	h, err := parse(described)
	if err != nil {
		return Heritage{}, err
	}
	if err := h.adopt(); err != nil {
		return Heritage{}, err
	}
	return h, os.Unsetenv(Variable)
}

func parse(described string) (Heritage, error) {
	var h Heritage
	decoder := json.NewDecoder(bytes.NewReader([]byte(described)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&h); err != nil {
		return Heritage{}, fmt.Errorf("%w: %s: %w", ErrHeritage, Variable, err)
	}
	if err := h.Config.Validate(); err != nil {
		return Heritage{}, fmt.Errorf("%w: %w", ErrHeritage, err)
	}
	policy, known := role.Of(h.Role)
	if !known || !slices.Contains(policy.Slots(h.Config), h.Slot) {
		return Heritage{}, fmt.Errorf("%w: role %q, slot %d of %d", ErrHeritage, h.Role, h.Slot, h.Config.Workers)
	}
	return h, nil
}

// adopt fills in the descriptors.
func (h *Heritage) adopt() error {
	h.ListenerFD, h.SegmentFD, h.LineFD, h.LockFD = listenerFD, segmentFD, lineFD, lockFD
	h.EventFDs = make([]int, h.Config.Workers+1)
	for slot := range h.EventFDs {
		h.EventFDs[slot] = firstEventFD + slot
	}
	listener := uint32(unix.S_IFSOCK)
	if policy, _ := role.Of(h.Role); !policy.Listens {
		listener = unix.S_IFCHR
	}
	kinds := []struct {
		fd   int
		kind uint32
	}{{listenerFD, listener}, {segmentFD, unix.S_IFREG}, {lineFD, unix.S_IFSOCK}, {lockFD, unix.S_IFDIR}}
	for _, k := range kinds {
		if err := adoptFD(k.fd, k.kind); err != nil {
			return err
		}
	}
	for _, fd := range h.EventFDs {
		if err := adoptFD(fd, 0); err != nil { // an eventfd's inode has no type
			return err
		}
	}
	return nil
}

func adoptFD(fd int, kind uint32) error {
	if _, err := libnet.Inherited(fd - libnet.InheritedFirst); err != nil {
		return fmt.Errorf("%w: %w", ErrHeritage, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("%w: descriptor %d: %w", ErrHeritage, fd, err)
	}
	if st.Mode&unix.S_IFMT != kind {
		return fmt.Errorf("%w: descriptor %d has file type %#o, not %#o", ErrHeritage, fd, st.Mode&unix.S_IFMT, kind)
	}
	return nil
}
