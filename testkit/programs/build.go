// Package programs makes the binaries for tests that run the real programs, once for all tests of a package, and runs them.
//
// A package that uses it has a TestMain that calls Main, or Remove: that removes what was made.
package programs

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// modules has the module that each program is made from.
var modules = map[string]string{
	"tradechatd": "server", "tradechat": "cli", "tradechat-loadgen": "loadgen", "tradechat-proof": "proof", "tradechat-bench": "bench",
}

var errNoRoot = errors.New("no go.work above the test's folder")

// made is what the tests of this package have asked for so far.
var made struct {
	sync.Mutex
	folder string
	names  map[string]bool
}

// Build makes programs in a folder, side by side, if race is set with the race detector.
func Build(folder string, race bool, names ...string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	flags := []string{"build", "-buildvcs=false"}
	if race {
		flags = append(flags, "-race")
	}
	errs := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			cmd := exec.Command("go", append(slices.Clone(flags), "-o", filepath.Join(folder, name), "./cmd/"+name)...)
			cmd.Dir = filepath.Join(root, modules[name])
			cmd.Env = append(os.Environ(), "GOWORK=off")
			if out, err := cmd.CombinedOutput(); err != nil {
				errs[i] = fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Root is the folder of the source tree, above the one that a test runs in.
func Root() (string, error) {
	at, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(at, "go.work")); missing == nil {
			return at, nil
		}
		above := filepath.Dir(at)
		if above == at {
			err = errNoRoot
		}
		at = above
	}
	return "", err
}

// Main runs a package's tests and removes the programs.
func Main(m *testing.M) {
	code := m.Run()
	Remove()
	os.Exit(code)
}

// Remove is for a TestMain that has more to do: it removes what was made.
func Remove() {
	if made.folder != "" {
		os.RemoveAll(made.folder)
	}
}

// Folder is where the named programs are, or all if none is named. Each is made when it is asked for first.
func Folder(t *testing.T, names ...string) string {
	t.Helper()
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(modules))
	}
	folder, err := makeOnce(names)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func makeOnce(names []string) (string, error) {
	made.Lock()
	defer made.Unlock()
	if made.folder == "" {
		folder, err := os.MkdirTemp("", "tradechat-programs-")
		if err != nil {
			return "", err
		}
		made.folder, made.names = folder, make(map[string]bool)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return made.names[name] })
	if err := Build(made.folder, false, names...); err != nil {
		return "", err
	}
	for _, name := range names {
		made.names[name] = true
	}
	return made.folder, nil
}
