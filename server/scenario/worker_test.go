package scenario

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/proc"
)

// workerProcess is the process of one worker slot, or the journal.
type workerProcess struct {
	pid int
	fd  pidfd
}

// remember notes the processes of the slots; replaced, same and gone compare with them.
func (s *server) remember() error {
	report, err := s.stats()
	if err != nil {
		return err
	}
	for _, w := range append(s.workers, s.logWriter) {
		w.fd.close()
	}
	s.workers = s.workers[:0]
	for _, w := range report.Workers {
		process, err := rememberProcess(w.PID)
		if err != nil {
			return err
		}
		s.workers = append(s.workers, process)
	}
	s.logWriter, err = rememberProcess(report.Journal.PID)
	return err
}

func rememberProcess(pid int) (workerProcess, error) {
	fd, err := openPidfd(pid)
	return workerProcess{pid: pid, fd: fd}, err
}

// pids are the processes of the slots now; 0 where none runs.
func (s *server) pids() ([]int, error) {
	report, err := s.stats()
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, w := range report.Workers {
		pids = append(pids, w.PID)
	}
	return pids, nil
}

func cmdWorker(ts *testscript.TestScript, w *world, args []string) {
	s, in := w.running(ts), &words{ts, args}
	slot := in.number("slot")
	if slot < 0 || slot >= len(s.workers) {
		ts.Fatalf("slot %d: there are %d", slot, len(s.workers))
	}
	switch verb := in.next("signal, replaced or holds"); verb {
	case "signal":
		ts.Check(s.workers[slot].signal(in.next("signal")))
		in.end()
	case "replaced":
		ts.Check(s.replaced(slot, in.within()))
		in.end()
	case "holds":
		limit := in.number("MiB")
		in.end()
		kibibytes, err := s.holds(slot)
		ts.Check(err)
		if ts.Logf("%d KiB", kibibytes); kibibytes > limit<<10 {
			ts.Fatalf("worker %d holds more than %d MiB", slot, limit)
		}
	default:
		ts.Fatalf("worker %s: no such verb", verb)
	}
}

func cmdWorkers(ts *testscript.TestScript, w *world, args []string) {
	s, in := w.running(ts), &words{ts, args}
	switch verb := in.next("same or gone"); verb {
	case "same":
		ts.Check(s.same())
	case "gone":
		ts.Check(s.gone(in.within()))
	default:
		ts.Fatalf("workers %s: no such verb", verb)
	}
	in.end()
}

// signal sends a signal; after STOP the process has stopped with all its threads.
func (p workerProcess) signal(name string) error {
	sig, err := signalNamed(name)
	if err == nil {
		err = unix.PidfdSendSignal(int(p.fd), sig, nil, 0)
	}
	if err != nil || sig != unix.SIGSTOP {
		return err
	}
	return proc.AwaitFrozen(p.pid)
}

// replaced waits until another process than the remembered one accepts in a slot, and remembers that.
func (s *server) replaced(slot int, within time.Duration) error {
	begin, last, before := time.Now(), error(nil), s.workers[slot].pid
	err := await(fmt.Sprintf("successor of worker %d", slot), func() bool {
		var report serverstats.Report
		report, last = s.stats()
		return last == nil && report.Workers[slot].State == serverstats.StateRunning && report.Workers[slot].PID != before
	})
	if err != nil {
		return errors.Join(err, last)
	}
	if took := time.Since(begin); within > 0 && took > within {
		return fmt.Errorf("worker %d had a successor after %v, not within %v", slot, took, within)
	}
	return s.remember()
}

// same checks that no worker has died: the slots have the processes that were remembered.
func (s *server) same() error {
	pids, err := s.pids()
	if err != nil {
		return err
	}
	for slot, pid := range pids {
		if pid != s.workers[slot].pid {
			return fmt.Errorf("worker %d is process %d, was %d; log:\n%s", slot, pid, s.workers[slot].pid, s.stderr.String())
		}
	}
	return nil
}

// cmdLogWriter deals with the log writer.
func cmdLogWriter(ts *testscript.TestScript, w *world, args []string) {
	s, in := w.running(ts), &words{ts, args}
	switch verb := in.next("signal or replaced"); verb {
	case "signal":
		ts.Check(s.logWriter.signal(in.next("signal")))
	case "replaced":
		ts.Check(s.logWriterReplaced())
	default:
		ts.Fatalf("logwriter %s: no such verb", verb)
	}
	in.end()
}

// logWriterReplaced waits until another process than the remembered one is the log writer.
func (s *server) logWriterReplaced() error {
	var last error
	err := await("successor of the log writer", func() bool {
		var report serverstats.Report
		report, last = s.stats()
		return last == nil && report.Journal.State == string(serverstats.StateRunning) && report.Journal.PID != s.logWriter.pid
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return s.remember()
}

// gone waits for the end of all remembered workers.
func (s *server) gone(within time.Duration) error {
	if within == 0 {
		within = patience
	}
	for slot, w := range s.workers {
		if !w.fd.gone(within) {
			return fmt.Errorf("worker %d, process %d, has not ended within %v", slot, w.pid, within)
		}
	}
	return nil
}

// holds is the memory of a worker that is its own, in KiB: the heap, without the segment and without the program.
func (s *server) holds(slot int) (kibibytes int, err error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", s.workers[slot].pid))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "RssAnon: %d kB", &kibibytes); n == 1 {
			return kibibytes, nil
		}
	}
	return 0, fmt.Errorf("%s has no RssAnon", file.Name())
}

// slotOf says which worker serves a connection, by its port on our side; -1 while none has accepted it. It asks the
// kernel: whose descriptor is the socket that the server has for it.
func (s *server) slotOf(port int) (int, error) {
	inode, err := s.inodeOf(port)
	if err != nil || inode == 0 {
		return -1, err
	}
	pids, err := s.pids()
	if err != nil {
		return -1, err
	}
	for slot, pid := range pids {
		if holdsSocket(pid, inode) {
			return slot, nil
		}
	}
	return -1, nil
}

func holdsSocket(pid int, inode uint64) bool {
	name := fmt.Sprintf("socket:[%d]", inode)
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == name {
			return true
		}
	}
	return false
}

// socketRow is one line of /proc/net/tcp (proc_net_tcp(5) in the kernel's documentation).
type socketRow struct {
	localPort, remotePort int
	listening             bool
	queue                 int // of a listening socket: connections that wait to be accepted
	inode                 uint64
}

// socketRows are those of the server's port.
func (s *server) socketRows() (rows []socketRow, err error) {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(table)) {
		if row, ok := parseSocketRow(strings.Fields(line)); ok && row.localPort == s.port() {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (s *server) port() int {
	port, _ := strconv.Atoi(s.address[strings.LastIndexByte(s.address, ':')+1:])
	return port
}

func parseSocketRow(fields []string) (row socketRow, ok bool) {
	const local, remote, state, queues, inode = 1, 2, 3, 4, 9
	if len(fields) <= inode || !strings.Contains(fields[local], ":") {
		return row, false
	}
	row.localPort, row.remotePort = hexAfterColon(fields[local]), hexAfterColon(fields[remote])
	row.listening = fields[state] == "0A"
	row.queue = hexAfterColon(fields[queues])
	row.inode, _ = strconv.ParseUint(fields[inode], 10, 64)
	return row, true
}

func hexAfterColon(s string) int {
	n, _ := strconv.ParseInt(s[strings.IndexByte(s, ':')+1:], 16, 64)
	return int(n)
}

// inodeOf is the inode of the server's socket for a connection; 0 while that waits to be accepted.
func (s *server) inodeOf(port int) (uint64, error) {
	rows, err := s.socketRows()
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if !row.listening && row.remotePort == port {
			return row.inode, nil
		}
	}
	return 0, fmt.Errorf("the kernel has no socket for port %d", port)
}

// waiting is how many connections wait to be accepted, on all listening sockets together.
func (s *server) waiting() (n int, err error) {
	rows, err := s.socketRows()
	for _, row := range rows {
		if row.listening {
			n += row.queue
		}
	}
	return n, err
}
