package libnet

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Spawn describes a child process and the descriptors that it inherits, as bare numbers: no os.File whose finalizer
// would close one, nothing put into the runtime's poller, no description made blocking.
type Spawn struct {
	Path    string   // executable, used as it is
	Args    []string // argv, with its own argv[0]
	Env     []string // nil means this process's
	Stdio   [3]int   // this process's descriptors for the child's 0, 1 and 2
	Inherit []int    // the i-th becomes the child's InheritedFirst+i; at most InheritedMax

	// Attr is for process groups, death signals and the like; Start sets PidFD in a copy. With Pdeathsig, call
	// Start from a goroutine locked to a thread that stays: the signal is sent when that thread ends.
	Attr syscall.SysProcAttr
}

// Child is a process that Start made and that the caller must reap.
type Child struct {
	PID   int
	PidFD int // readable once the child ends (pidfd_open(2)); the caller closes it; -1 before Linux 5.4
}

// Start forks and executes the child. The passed descriptors stay open here, too.
func (s Spawn) Start() (Child, error) {
	if len(s.Inherit) > InheritedMax {
		return Child{}, fmt.Errorf("libnet: start %s with %d descriptors: %w (%d)", s.Path, len(s.Inherit), ErrLimit, InheritedMax)
	}
	env := s.Env
	if env == nil {
		env = os.Environ()
	}
	child := Child{PidFD: -1}
	attr := s.Attr
	attr.PidFD = &child.PidFD
	pid, err := syscall.ForkExec(s.Path, s.Args, &syscall.ProcAttr{Env: env, Files: s.files(), Sys: &attr})
	if err != nil {
		return Child{}, fmt.Errorf("libnet: start %s: %w", s.Path, err)
	}
	child.PID = pid
	return child, nil
}

func (s Spawn) files() []uintptr {
	files := make([]uintptr, 0, len(s.Stdio)+len(s.Inherit))
	for _, fd := range s.Stdio {
		files = append(files, uintptr(fd))
	}
	for _, fd := range s.Inherit {
		files = append(files, uintptr(fd))
	}
	return files
}

// Inherited is, in the child, the descriptor that was the i-th of Spawn.Inherit. It is made close-on-exec, so that
// the child's own children do not get it. ErrNotInherited if there is no such open descriptor.
func Inherited(i int) (int, error) {
	fd := InheritedFirst + i
	if i < 0 || i >= InheritedMax {
		return -1, fmt.Errorf("libnet: inherited descriptor %d: %w (%d)", i, ErrLimit, InheritedMax)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		return -1, fmt.Errorf("libnet: inherited descriptor %d (number %d): %w: %w", i, fd, ErrNotInherited, err)
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags|unix.FD_CLOEXEC)
	return fd, os.NewSyscallError("fcntl", err)
}

// ListenerFromFD makes a net.Listener of a listening TCP or Unix socket. fd stays the caller's and open; the
// listener has a duplicate of its own, so its Close stops this process's accepting while the socket lives on.
//
// The description, which other processes may share, is nonblocking afterwards, as the sockets of ListenGroup are
// from the start. Never call File().Fd() on the listener: that makes it blocking for all of them.
func ListenerFromFD(fd int) (net.Listener, error) {
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return nil, fmt.Errorf("libnet: listener of descriptor %d: %w: %w", fd, ErrNotListening, err)
	}
	if listening == 0 {
		return nil, fmt.Errorf("libnet: listener of descriptor %d: %w", fd, ErrNotListening)
	}
	// os.File owns what it is given and closes it: give it a duplicate.
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(own), "listener")
	defer file.Close()
	l, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("libnet: listener of descriptor %d: %w", fd, err)
	}
	return l, nil
}
