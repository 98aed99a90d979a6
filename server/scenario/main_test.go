// Package scenario runs scripts against the real programs: a tradechatd with its workers, the tradechat command and
// tradechat-loadgen, all as processes, over loopback. The scripts are in scripts/, one a question that somebody may ask of
// the server; README.md lists the words that they are written in.
//
//	script ── exec, exits ──▶ tradechat, tradechat-loadgen          (the programs, as a person runs them)
//	       ── server ───────▶ tradechatd ─▶ worker 0, worker 1 …    (one master at a time; found by its ready line)
//	       ── worker ───────▶ signals to one process
//	       ── login, ask … ─▶ sessions: a socket and libproto        (in the test process, and put on a worker at will)
//
// # Invariants
//
//  1. A script owns what it makes: a work folder, a segment name, a port that the kernel chose. Scripts run in parallel.
//  2. A script waits for events (a line, a number in SERVER_STATS, the end of a process, a frame), each with the same
//     generous deadline; no result depends on how long something takes, unless the script says "within".
//  3. Whatever a script started has ended when the script has, also when it failed: the master by its pid, stopped workers
//     by pidfds.
package scenario

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/programs"
)

// raceVariable, set to anything, has the programs built with the race detector.
const raceVariable = "TRADECHAT_SCENARIO_RACE"

// The folders of this run: the built programs, and the scripts' work folders. Paths are short, since a socket's address
// must hold one.
var binFolder, workFolder string

func TestMain(m *testing.M) {
	ownMounts()
	os.Exit(run(m))
}

// mountsVariable says that this process has a mount namespace of its own.
const mountsVariable = "TRADECHAT_SCENARIO_MOUNTS"

// ownMounts starts this program again in a mount namespace of its own, where that is allowed: whatever a script mounts goes
// with it, however it ends. Elsewhere it goes on as it is.
func ownMounts() {
	if os.Geteuid() != 0 || os.Getenv(mountsVariable) != "" {
		return
	}
	runtime.LockOSThread() // exec makes this thread the process
	defer runtime.UnlockOSThread()
	if unix.Unshare(unix.CLONE_NEWNS) != nil || unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") != nil {
		return
	}
	err := unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), mountsVariable+"=own"))
	fmt.Fprintln(os.Stderr, "cannot start again in a mount namespace:", err)
	os.Exit(1)
}

func run(m *testing.M) (code int) {
	flag.Parse()
	folder, err := os.MkdirTemp("", "tradechat-scn-")
	if err == nil {
		defer removeUnlessAsked(folder)
		err = prepare(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// removeUnlessAsked keeps the folder for -testwork.
func removeUnlessAsked(folder string) {
	if f := flag.Lookup("testwork"); f == nil || f.Value.String() != "true" {
		_ = os.RemoveAll(folder)
	}
}

func prepare(folder string) error {
	binFolder, workFolder = filepath.Join(folder, "bin"), filepath.Join(folder, "w")
	return errors.Join(
		os.Chmod(folder, 0o755), // the programs are also run by processes of other users
		os.Mkdir(binFolder, 0o755), os.Mkdir(workFolder, 0o700), programs.Build(binFolder, os.Getenv(raceVariable) != "", "tradechatd", "tradechat", "tradechat-loadgen"))
}

func TestScripts(t *testing.T) {
	folder, err := os.MkdirTemp(workFolder, "") // of its own for each of -count's runs; short, for the sockets' paths
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                "scripts",
		Cmds:               commands,
		Setup:              setUp,
		Condition:          condition,
		RequireUniqueNames: true,
		WorkdirRoot:        folder,
	})
}

// commands are the words of the scripts beyond testscript's own; README.md describes them.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":      cmdExits,
	"json":       cmdJSON,
	"poke":       cmdPoke,
	"server":     positive(cmdServer),
	"worker":     positive(cmdWorker),
	"workers":    positive(cmdWorkers),
	"stats":      positive(cmdStats),
	"connect":    positive(cmdConnect),
	"login":      positive(cmdLogin),
	"leave":      positive(cmdLeave),
	"resume":     positive(cmdResume),
	"logwriter":  positive(cmdLogWriter),
	"join":       positive(cmdJoin),
	"ask":        positive(cmdAsk),
	"push":       positive(cmdPush),
	"wake":       positive(cmdWake),
	"closed":     positive(cmdClosed),
	"frames":     positive(cmdFrames),
	"golden":     positive(cmdGolden),
	"talk":       positive(cmdTalk),
	"trade":      positive(cmdTrade),
	"balances":   positive(cmdBalances),
	"watch":      positive(cmdWatch),
	"watched":    positive(cmdWatched),
	"flood":      positive(cmdFlood),
	"crowd":      positive(cmdCrowd),
	"queue":      positive(cmdQueue),
	"queued":     positive(cmdQueued),
	"garbage":    positive(cmdGarbage),
	"bombs":      positive(cmdBombs),
	"storm":      positive(cmdStorm),
	"disk":       positive(cmdDisk),
	"tear":       positive(cmdTear),
	"fill":       positive(cmdFill),
	"midway":     positive(cmdMidway),
	"decided":    positive(cmdDecided),
	"send":       positive(cmdSend),
	"answer":     positive(cmdAnswer),
	"unanswered": positive(cmdUnanswered),
}

// positive is a command that has no negation.
func positive(run func(ts *testscript.TestScript, w *world, args []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command cannot be negated")
		}
		run(ts, worldOf(ts), args)
	}
}

// condition knows [mountns], whether this machine lets us have a /dev/shm of our own, [root], and [race].
func condition(word string) (bool, error) {
	switch word {
	case "mountns":
		return mountNamespaces(), nil
	case "root":
		return os.Geteuid() == 0, nil
	case "race":
		return os.Getenv(raceVariable) != "", nil
	}
	return false, fmt.Errorf("unknown condition %q", word)
}

// worldKey finds the script's world among testscript's values.
type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func setUp(env *testscript.Env) error {
	w := newWorld(env.WorkDir)
	env.Values[worldKey{}] = w
	env.Defer(w.cleanUp)
	env.Setenv("PATH", binFolder+string(filepath.ListSeparator)+env.Getenv("PATH"))
	env.Setenv("BIN", binFolder)
	env.Setenv("DATA", w.data)
	env.Setenv("TRADECHAT_PASSWORD", password)
	env.Setenv("TRADECHAT_DATA", w.data)
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("GORACE", "atexit_sleep_ms=10") // else every program built with the race detector takes a second to end
	return nil
}

// TestEveryScriptIsDescribed: the README's list and the folder agree.
func TestEveryScriptIsDescribed(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("scripts/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts: %v, %v", scripts, err)
	}
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".txtar")
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("README.md does not list the script %s", name)
		}
	}
	for name := range commands {
		if !strings.Contains(string(readme), "`"+name+" ") && !strings.Contains(string(readme), "`! "+name+" ") {
			t.Errorf("README.md does not describe the command %s", name)
		}
	}
}
