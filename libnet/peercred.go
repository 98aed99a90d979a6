package libnet

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Credentials are those of the process at the other end of a Unix socket, as of its connect (SO_PEERCRED, unix(7)).
type Credentials struct {
	PID int32
	UID uint32
	GID uint32
}

// PeerCredentials asks the kernel who is at the other end of c.
func PeerCredentials(c *net.UnixConn) (Credentials, error) {
	var peer Credentials
	err := control(c, func(fd int) error {
		u, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return os.NewSyscallError("getsockopt SO_PEERCRED", err)
		}
		peer = Credentials{PID: u.Pid, UID: u.Uid, GID: u.Gid}
		return nil
	})
	return peer, err
}
