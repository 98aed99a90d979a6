package clib

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Bad input to every function, as C with the static library and as C++ with the shared one.
func TestBadInput(t *testing.T) {
	eachLanguage(t, "hostile.c", "tradechat", func(t *testing.T, program string) {
		run(t, command(t, program, t.TempDir()))
	})
}

// The three libraries in one program, with three Go runtimes, however they come in; and the one that is all of them.
func TestStress(t *testing.T) {
	folder := libs(t)
	three := func(link func(folder, name string) []string) (args []string) {
		for _, name := range headers {
			args = append(args, link(folder, name)...)
		}
		return args
	}
	for name, args := range map[string][]string{
		"three archives":   three(archive),
		"three shared":     three(shared),
		"three by dlopen":  {"-DDLOPEN", "-ldl"},
		"one for all":      archive(folder, "tradechat"),
		"one for all .so":  shared(folder, "tradechat"),
		"beside a fatalf":  append(three(archive), "testdata/fatalf.c"),
		"archive and .sos": append(append(archive(folder, "proto"), shared(folder, "net")...), shared(folder, "log")...),
	} {
		t.Run(name, func(t *testing.T) {
			milliseconds := "200"
			if *extent == "all" {
				milliseconds = "10000"
			}
			program := compile(t, c11, "stress.c", append([]string{"-pthread"}, args...)...)
			start := time.Now()
			arguments := []string{t.TempDir(), milliseconds}
			if name == "three by dlopen" {
				arguments = append(arguments, folder)
			}
			t.Logf("%s in %v", strings.TrimSpace(run(t, command(t, program, arguments...))), time.Since(start).Round(time.Millisecond))
		})
	}
}

// With libraries that were built for it, the address sanitizer sees what Go does to the caller's memory, too.
func TestAddressSanitizer(t *testing.T) {
	if *extent != "all" {
		t.Skip("SKIPPED: builds everything anew; -clib=all runs it")
	}
	folder := filepath.Join(t.TempDir(), "lib")
	if err := buildLibraries(folder, "GOFLAGS_EXTRA=-asan"); err != nil {
		t.Fatal(err)
	}
	link := append(archive(folder, "tradechat"), "-fsanitize=address")

	cmd := command(t, compile(t, c11, "hostile.c", link...), t.TempDir())
	cmd.Env = append(os.Environ(), "NO_SMALL_POINTERS=1", "ASAN_OPTIONS=detect_leaks=0")
	run(t, cmd)
	cmd = command(t, compile(t, c11, "stress.c", append(link, "-pthread")...), t.TempDir(), "3000")
	cmd.Env = append(os.Environ(), "NO_SMALL_POINTERS=1", "ASAN_OPTIONS=detect_leaks=0")
	run(t, cmd)

	// It does see it: a buffer that is shorter than the caller says.
	cmd = command(t, compile(t, c11, "overrun.c", link...))
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "heap-buffer-overflow") {
		t.Errorf("a caller's short buffer went unseen: %v\n%s", err, out)
	}
}
