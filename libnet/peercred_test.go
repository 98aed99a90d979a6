package libnet

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestPeerCredentialsAreThisProcesss(t *testing.T) {
	l := must(net.Listen("unix", filepath.Join(t.TempDir(), "s")))(t)
	defer l.Close()
	client := must(net.Dial("unix", l.Addr().String()))(t)
	defer client.Close()
	conn := must(l.Accept())(t)
	defer conn.Close()
	got := must(PeerCredentials(conn.(*net.UnixConn)))(t)
	want := Credentials{PID: int32(os.Getpid()), UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}
	if got != want {
		t.Errorf("PeerCredentials = %+v, want %+v", got, want)
	}
}
