package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
)

const repository = "../.."

// TestVersions: a tag that is a version is the version; else Go's own rule for commits without one.
func TestVersions(t *testing.T) {
	r := revision{repository: t.TempDir()}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", r.repository, "-c", "user.name=t", "-c", "user.email=t@t"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-02-03T04:05:06+02:00")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	want := func(version string) {
		t.Helper()
		got, err := readRevision(r.repository)
		if version = strings.ReplaceAll(version, "HASH", got.hash[:revisionLen]); err != nil || got.version != version {
			t.Errorf("version %s, %v; want %s", got.version, err, version)
		}
	}
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "one")
	want("v0.0.0-20260203020506-HASH")
	git("tag", "nightly")
	git("tag", "v0.1")
	want("v0.0.0-20260203020506-HASH")
	git("tag", "v0.9.0")
	git("tag", "v0.10.0")
	want("v0.10.0")
	git("commit", "-q", "--allow-empty", "-m", "two")
	want("v0.10.1-0.20260203020506-HASH")
	git("tag", "v2.0.0")
	if _, err := readRevision(r.repository); err == nil || !strings.Contains(err.Error(), "→") {
		t.Errorf("v2.0.0 for paths without /v2: %v", err)
	}
}

func TestList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	for _, version := range []string{"v0.10.0", "v0.9.0", "v0.10.0", "v0.10.1-0.20260203020506-0123456789ab"} {
		if err := writeList(path, version); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "v0.9.0\nv0.10.0\n" {
		t.Errorf("the list is %q, %v", text, err)
	}
}

// program is somebody's own: it is built outside of this tree.
const program = `package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
)

func main() {
	frame := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpTransfer, ReqID: 7}, libproto.TransferRequest{ToUserID: 2, Amount: 1250})
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	got, n, err := decoder.Next(frame)
	var body libproto.TransferRequest
	if err != nil || n != len(frame) || body.Decode(got.Body) != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(got.Op, got.ReqID, body.ToUserID, body.Amount)
	cfg := client.DefaultConfig()
	cfg.Address = os.Args[1]
	_, err = client.Dial(context.Background(), cfg)
	fmt.Println(err != nil, errors.Is(err, client.ErrConfig))
}
`

// TestAProgramOutsideRequiresTheModules publishes the commit that is checked out, and builds and runs a program against it.
func TestAProgramOutsideRequiresTheModules(t *testing.T) {
	if out, err := exec.Command("git", "-C", repository, "rev-parse", "--verify", "HEAD").CombinedOutput(); err != nil {
		t.Skipf("this is no git repository: %s", out)
	}
	r, err := readRevision(repository)
	if err != nil {
		t.Fatal(err)
	}
	proxy, folder := filepath.Join(t.TempDir(), "proxy"), t.TempDir()
	if err := run(repository, proxy, false); err != nil {
		t.Fatal(err)
	}
	if err := module.Check("tradechat.internal/libproto", r.version); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	// Modules of others come from where this machine has them, or else from its proxy.
	have := goEnv(t, "GOMODCACHE")
	environ := append(os.Environ(), "GOWORK=off", "GONOSUMDB=tradechat.internal", "GOFLAGS=-mod=mod -modcacherw", "GOMODCACHE="+t.TempDir(),
		"GOPROXY=file://"+proxy+",file://"+have+"/cache/download,"+goEnv(t, "GOPROXY"))
	for _, args := range [][]string{
		{"mod", "init", "example.org/shop"},
		{"get", "tradechat.internal/libproto@" + r.version, "tradechat.internal/client@" + r.version},
		{"build", "-o", "shop", "."},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = folder, environ
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "shop"), "127.0.0.1:1").CombinedOutput()
	if want := "TRANSFER 7 2 1250\ntrue false\n"; err != nil || string(out) != want {
		t.Errorf("the program printed %q, %v; want %q", out, err, want)
	}
	required, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil || !strings.Contains(string(required), "tradechat.internal/libproto "+r.version) || strings.Contains(string(required), "replace") {
		t.Errorf("go.mod: %v\n%s", err, required)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
