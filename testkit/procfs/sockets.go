package procfs

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// tcpEstablished is TCP_ESTABLISHED as /proc/net/tcp writes it.
const tcpEstablished = "01"

// ClientPorts are the ports at the other end of the established connections that a process holds on its IPv4 address
// local. With them a client on this machine knows which process has accepted a connection of its own.
func ClientPorts(pid int, local netip.AddrPort) (map[uint16]bool, error) {
	inodes, err := socketInodes(pid)
	if err != nil {
		return nil, fmt.Errorf("procfs: sockets of process %d: %w", pid, err)
	}
	path := fmt.Sprintf("/proc/%d/net/tcp", pid)
	table, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("procfs: %w", err)
	}
	ports, err := clientPorts(string(table), local, inodes)
	if err != nil {
		return nil, fmt.Errorf("procfs: %s: %w", path, err)
	}
	return ports, nil
}

// socketInodes are the inode numbers of the sockets among a process's descriptors.
func socketInodes(pid int) (map[string]bool, error) {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	inodes := make(map[string]bool)
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(folder, entry.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		if inode, is := strings.CutPrefix(target, "socket:["); is {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes, nil
}

// clientPorts picks the lines of a table of TCP sockets: "sl local remote state …", the inode in the tenth column.
func clientPorts(table string, local netip.AddrPort, inodes map[string]bool) (map[uint16]bool, error) {
	ports := make(map[uint16]bool)
	first := true
	for line := range strings.Lines(table) {
		if first { // the heading
			first = false
			continue
		}
		columns := strings.Fields(line)
		if len(columns) < 10 {
			return nil, fmt.Errorf("%w: line %q", ErrFormat, line)
		}
		if columns[3] != tcpEstablished || columns[1] != hexAddress(local) || !inodes[columns[9]] {
			continue
		}
		_, hexPort, _ := strings.Cut(columns[2], ":")
		port, err := strconv.ParseUint(hexPort, 16, 16)
		if err != nil {
			return nil, fmt.Errorf("%w: address %q", ErrFormat, columns[2])
		}
		ports[uint16(port)] = true
	}
	return ports, nil
}

// hexAddress is how the kernel writes an IPv4 address there: its bytes as a number of this machine, and the port.
func hexAddress(a netip.AddrPort) string {
	ip := a.Addr().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip[:]), a.Port())
}
