package worker

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"

	"tradechat.internal/libproto"
)

// echoServer answers every request-sized piece of input with a response-sized piece of nothing: the least that a server
// on the same event loop can do.
type echoServer struct {
	gnet.BuiltinEventEngine
	answer []byte
	out    []byte
}

const (
	transferLen = libproto.HeaderLen + 12
	answerLen   = libproto.HeaderLen + 16
)

func (e *echoServer) OnTraffic(c gnet.Conn) gnet.Action {
	in, _ := c.Peek(-1)
	n := len(in) / transferLen
	if n == 0 {
		return gnet.None
	}
	e.out = e.out[:0]
	for range n {
		e.out = append(e.out, e.answer...)
	}
	_, _ = c.Discard(n * transferLen)
	_, _ = c.Write(e.out)
	return gnet.None
}

// serveEcho accepts and enrols as the worker does, so that the loops are the same.
func serveEcho(t *testing.T) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	echo := &echoServer{answer: make([]byte, answerLen)}
	client, err := gnet.NewClient(echo, gnet.WithNumEventLoop(1), gnet.WithLogger(loopLog{testLog(t)}))
	must(t, err)
	must(t, client.Start())
	go func() {
		for {
			socket, err := listener.AcceptTCP()
			if err != nil {
				return
			}
			_, _ = client.Enroll(socket)
		}
	}()
	fmt.Println("addr", listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// cpuTime is what a process has used, in steps of 10 ms (proc_pid_stat(5)).
func cpuTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	total := 0
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		must(t, err)
		total += n
	}
	return time.Duration(total) * 10 * time.Millisecond
}

// BenchmarkCPUAgainstEcho compares the processor time of a worker for a TRANSFER with that of an echo of the same
// lengths, over 100 connections. The two take turns, so that both see the same machine.
//
//	go test -run '^$' -bench CPUAgainstEcho -benchtime 200000x ./internal/worker
func BenchmarkCPUAgainstEcho(b *testing.B) {
	const connections = 100
	for _, depth := range []int{1, 16} {
		b.Run(fmt.Sprintf("depth%d", depth), func(b *testing.B) {
			worker, echo := startChild(b, modeServe), startChild(b, modeEcho)
			var toWorker, toEcho []*replayer
			transfer := libproto.TransferRequest{ToUserID: 2, Amount: 1}
			for range connections {
				p := dial(b, worker.addr)
				p.login("alice")
				toWorker = append(toWorker, p.replayer(libproto.OpTransfer, transfer, depth))
				toEcho = append(toEcho, dial(b, echo.addr).replayer(libproto.OpTransfer, transfer, depth))
			}
			var used [2]time.Duration
			requests := 0
			for range 4 {
				requests += b.N
				for i, side := range []struct {
					child *child
					peers []*replayer
				}{{worker, toWorker}, {echo, toEcho}} {
					before := cpuTime(b, side.child.cmd.Process.Pid)
					rounds(side.peers, b.N/depth)
					used[i] += cpuTime(b, side.child.cmd.Process.Pid) - before
				}
			}
			b.ReportMetric(float64(used[0])/float64(requests), "worker-cpu-ns/req")
			b.ReportMetric(float64(used[1])/float64(requests), "echo-cpu-ns/req")
			b.ReportMetric(float64(used[0])/float64(used[1]), "ratio")
		})
	}
}

// BenchmarkIdleConnections reports what 10,000 logged-in connections that do nothing add to a worker's memory.
//
//	go test -run '^$' -bench IdleConnections -benchtime 1x ./internal/worker
func BenchmarkIdleConnections(b *testing.B) {
	const connections = 10_000
	c := startChild(b, modeServe)
	before := residentBytes(b, c.cmd.Process.Pid)
	for range connections {
		dial(b, c.addr).login("alice")
	}
	after := residentBytes(b, c.cmd.Process.Pid)
	b.ReportMetric(float64(after-before)/connections, "resident-B/conn")
}

// residentBytes is the memory of a process that is its own: without the segment, which it shares (proc_pid_status(5)).
func residentBytes(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	kibibytes, err := strconv.Atoi(strings.Fields(rest)[0])
	must(t, err)
	return kibibytes << 10
}

// rounds shares n rounds out to all connections, each of which has one under way at any time.
func rounds(peers []*replayer, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for _, p := range peers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				p.round()
			}
		})
	}
	all.Wait()
}
