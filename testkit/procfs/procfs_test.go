package procfs

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestParseStatus(t *testing.T) {
	const status = "Name:\tx\nVmRSS:\t  300 kB\nRssAnon:\t     100 kB\nRssFile:\t     150 kB\nRssShmem:\t      50 kB\nThreads:\t3\n"
	got, err := parseStatus(status)
	want := Memory{AnonBytes: 100 << 10, FileBytes: 150 << 10, ShmemBytes: 50 << 10}
	if err != nil || got != want {
		t.Fatalf("parseStatus = %+v, %v; want %+v", got, err, want)
	}
	if got.PrivateBytes() != 250<<10 || got.Add(want).Sub(got) != want {
		t.Errorf("private %d, sum and difference %+v", got.PrivateBytes(), got.Add(want).Sub(got))
	}
	for name, bad := range map[string]string{
		"a line is missing": "RssAnon:\t 1 kB\nRssFile:\t 1 kB\n",
		"another unit":      "RssAnon:\t 1 MB\nRssFile:\t 1 kB\nRssShmem:\t 1 kB\n",
		"no number":         "RssAnon:\t x kB\nRssFile:\t 1 kB\nRssShmem:\t 1 kB\n",
	} {
		if m, err := parseStatus(bad); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestResidentMemoryGrowsWithWhatIsTouched(t *testing.T) {
	const size = 32 << 20
	before, err := ResidentMemory(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	after, err := ResidentMemoryOf([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	if grown := after.Sub(before).AnonBytes; grown < size*9/10 {
		t.Errorf("touched %d bytes, resident memory grew by %d", size, grown)
	}
	if block[0] != 1 {
		t.Error("the block is needed until here")
	}
}

func TestParsePss(t *testing.T) {
	got, err := parsePss("55d0-7ffe ---p 00000000 00:00 0  [rollup]\nRss:  900 kB\nPss:     12 kB\nPss_Dirty:  3 kB\n")
	if err != nil || got != 12<<10 {
		t.Errorf("%d, %v; want %d", got, err, 12<<10)
	}
	for _, bad := range []string{"", "Rss: 1 kB\n", "Pss: 1 MB\n"} {
		if got, err := parsePss(bad); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %d, %v", bad, got, err)
		}
	}
}

// Shares of pages are never more than the pages; two times leaves room for what is touched in between.
func TestProportionalBytesOfThisProcess(t *testing.T) {
	one, err := ProportionalBytes([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	resident, err := ResidentMemory(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if one <= 0 || one > 2*(resident.PrivateBytes()+resident.ShmemBytes) {
		t.Errorf("%d proportional, %+v resident", one, resident)
	}
	if _, err := ProportionalBytes([]int{1<<22 + 1}); err == nil {
		t.Error("a process above the kernel's highest pid has memory")
	}
}

func TestFamilyIsAllDescendants(t *testing.T) {
	child := exec.Command("/bin/sh", "-c", "sleep 60 & echo ready; wait")
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer syscall.Kill(-child.Process.Pid, syscall.SIGKILL)
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	family, err := Family(child.Process.Pid)
	if err != nil || len(family) != 2 || family[0] != child.Process.Pid {
		t.Fatalf("%v, %v; want %d and its child", family, err, child.Process.Pid)
	}
	if mine, err := Family(os.Getpid()); err != nil || !slices.Contains(mine, family[1]) {
		t.Errorf("%v, %v; want a grandchild %d in it", mine, err, family[1])
	}
}

func TestCPUTimeCountsWork(t *testing.T) {
	before, err := CPUTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const work = 20 * time.Millisecond
	for now := before; now-before < work; {
		if now, err = CPUTimeOf([]int{os.Getpid()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := CPUTime(1<<22 + 1); err == nil {
		t.Error("a process above the kernel's highest pid has a processor time")
	}
}

func TestClientPortsNamesTheConnectionsOfAProcess(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	local := netip.MustParseAddrPort(listener.Addr().String())
	mine, err := net.Dial("tcp4", local.String())
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	port := netip.MustParseAddrPort(mine.LocalAddr().String()).Port()
	if ports, err := ClientPorts(os.Getpid(), local); err != nil || ports[port] {
		t.Errorf("before accept: %v, %v", ports, err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	if ports, err := ClientPorts(os.Getpid(), local); err != nil || len(ports) != 1 || !ports[port] {
		t.Errorf("after accept: %v, %v; want %d", ports, err, port)
	}
}

func TestClientPortsRefusesWhatItDoesNotKnow(t *testing.T) {
	local := netip.MustParseAddrPort("127.0.0.1:7878")
	const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for name, table := range map[string]string{
		"short line": heading + "0: 0100007F:1EC6 0100007F:9C40 01\n",
		"bad port":   heading + "0: " + hexAddress(local) + " 0100007F:XY 01 0:0 0:0 0 0 0 77\n",
	} {
		if ports, err := clientPorts(table, local, map[string]bool{"77": true}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, %v", name, ports, err)
		}
	}
}
