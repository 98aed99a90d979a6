// Package programs makes the binaries for tests that run the real programs, once for all tests of a package, and runs them.
//
// A package that uses it has a TestMain that calls Main, which removes what was made.
package programs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// modules has the module that each program is made from.
var modules = map[string]string{
	"tradechatd": "server", "tradechat": "cli", "tradechat-loadgen": "loadgen", "tradechat-proof": "proof", "tradechat-bench": "bench",
}

var errNoRoot = errors.New("no go.work above the test's folder")

// folder makes the programs; madeFolder names what Main removes.
var (
	folder = sync.OnceValues(func() (string, error) {
		root, err := Root()
		if err != nil {
			return "", err
		}
		made, err := os.MkdirTemp("", "tradechat-programs-")
		if err != nil {
			return "", err
		}
		madeFolder = made
		for name, module := range modules {
			cmd := exec.Command("go", "build", "-o", filepath.Join(made, name), "./cmd/"+name)
			cmd.Dir = filepath.Join(root, module)
			cmd.Env = append(os.Environ(), "GOWORK=off")
			if out, err := cmd.CombinedOutput(); err != nil {
				return made, fmt.Errorf("go build %s: %w\n%s", name, err, out)
			}
		}
		return made, nil
	})
	madeFolder string
)

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
	if madeFolder != "" {
		os.RemoveAll(madeFolder)
	}
	os.Exit(code)
}

// Folder is where the real programs are.
func Folder(t *testing.T) string {
	t.Helper()
	made, err := folder()
	if err != nil {
		t.Fatal(err)
	}
	return made
}
