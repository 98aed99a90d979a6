package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// check is a selection of one package's tests.
type check struct {
	name    string
	program string   // the package, from the root of the repository
	args    []string // that select the tests
	folders []string // whose files are part of the program
}

const (
	killed    = "^Test(KilledAtEveryInstruction|AKillLeavesWhatWasCopied|ARestoreThatWasCutShort)"
	frozen    = "^TestFrozenAtEveryInstruction$"
	woken     = "^TestNoWakeUpIsLost$"
	processes = "^Test(TransfersFromSeveralProcesses|KilledProcesses|AStopped|AWaiter|AZombie|ARecycled|ChatBetween|ASegmentWhose)" +
		"|^Test(VerifyBeside|HistoryBeside)"
	elsewhere = killed + "|" + frozen + "|" + woken + "|" + processes

	// byteByByte damages or cuts a journal at each byte in turn, which takes longer than all other tests together.
	byteByByte = "^Test(EveryByteCounts|CutAtEveryByte)$"

	// allocations waits for good if the journal is not woken, which another test of the worker tells at once.
	allocations = "^TestWorkerUnderLoadAllocatesNothing$"
)

// The folders of the product.
const (
	store   = "shmstore"
	files   = "ledger/journal"
	journal = "server/internal/logwriter"
	worker  = "server/internal/worker"
)

// checks come in this order for each mutant, until one fails.
var checks = []check{
	{"killed", store, []string{"-test.run", killed}, []string{store}},
	{"unit", store, []string{"-test.skip", elsewhere}, []string{store}},
	{"frozen", store, []string{"-test.run", frozen}, []string{store}},
	{"woken", store, []string{"-test.run", woken}, []string{store}},
	{"processes", store, []string{"-test.run", processes}, []string{store}},
	{"journal files", files, []string{"-test.skip", byteByByte}, []string{files}},
	{"log writer", journal, nil, []string{store, files, journal}},
	{"worker", worker, []string{"-test.skip", allocations}, []string{store, worker}},
	{"server", "server/scenario", nil, []string{store, files, journal, worker}},
}

// checkTimeMax is what one check may take: a mutant that stands still is caught by that.
const checkTimeMax = 90 * time.Second

// sees tells whether the check can notice what is in a file.
func (c *check) sees(file string) bool { return slices.Contains(c.folders, path.Dir(file)) }

// laboratory is where mutants are built.
type laboratory struct {
	root    string // of the repository
	folder  string // for overlays and programs
	overlay string // of the mutant under test; "": the product as it is
	subject string // the mutant's name, or "product"
	output  bytes.Buffer
}

var errBuild = errors.New("does not build")

// program builds a check's tests, once a subject.
func (lab *laboratory) program(ctx context.Context, c *check) (program string, err error) {
	program = filepath.Join(lab.folder, lab.subject+"-"+strings.ReplaceAll(c.program, "/", "-")+".test")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	args := []string{"test", "-c", "-o", program}
	if lab.overlay != "" {
		args = append(args, "-overlay", lab.overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+c.program)...)
	cmd.Dir = lab.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s %w: %w\n%s", lab.subject, errBuild, err, out)
	}
	return program, nil
}

// catches runs a check on the subject, and what failed once more: a test that passes then has failed for another reason.
func (lab *laboratory) catches(ctx context.Context, c *check) (failed string, err error) {
	failed, err = lab.run(ctx, c)
	if failed == "" || err != nil {
		return "", err
	}
	test, _, _ := strings.Cut(failed, " ")
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(test), "/", "$/^") + "$"
	again := check{c.name, c.program, []string{"-test.run", pattern}, c.folders}
	if second, err := lab.run(ctx, &again); second != "" || err != nil {
		return failed, err
	}
	progress("%s: %s failed once and then passed: that does not count", lab.subject, failed)
	return "", nil
}

// run runs a check on the subject; failed names the test that failed first, "" if none did. What the tests wrote is in lab.output.
func (lab *laboratory) run(ctx context.Context, c *check) (failed string, err error) {
	program, err := lab.program(ctx, c)
	if err != nil {
		return "", err
	}
	args := append([]string{"-test.v", "-test.failfast", "-test.timeout", checkTimeMax.String()}, c.args...)
	lab.output.Reset()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = filepath.Join(lab.root, c.program)
	cmd.Stdout, cmd.Stderr = &lab.output, &lab.output
	// Tests that fail may leave processes behind; their output must not be waited for.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		removeSegments(cmd.Process.Pid)
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return firstFailure(lab.output.Bytes(), exit), nil
	} else if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return "", err
}

// removeSegments removes what a test program that was cut short has left in /dev/shm.
func removeSegments(pid int) {
	left, _ := filepath.Glob("/dev/shm/tradechat-test-" + strconv.Itoa(pid) + "-*")
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// firstFailure is the innermost test that failed first, or the one that ran when the program ended.
func firstFailure(out []byte, exit error) (failed string) {
	running := "before any test"
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if name, ok := strings.CutPrefix(line, "=== RUN   "); ok {
			running = name
		}
		name, ok := strings.CutPrefix(line, "--- FAIL: ")
		name, _, _ = strings.Cut(name, " ")
		switch {
		case !ok:
		case failed == "" || strings.HasPrefix(name, failed+"/"):
			failed = name
		default:
			return failed
		}
	}
	if failed == "" {
		failed = fmt.Sprintf("%s (the program ended: %v)", running, exit)
	}
	return failed
}
