package clib

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tradechat.internal/testkit/programs"
)

var extent = flag.String("clib", "quick", "`extent` of the tests of the C libraries: quick, or all")

const (
	root       = "../.." // of the source tree
	vectorFile = root + "/libproto/testdata/frames.json"

	buildMax = 8 * time.Minute // of one build of the libraries, on a machine that has never compiled any of it
	runMax   = 2 * time.Minute // of one program
)

// strict is what every C and C++ program here is compiled with.
var strict = []string{"-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-g", "-O1", "-I" + root + "/include"}

// A language is a compiler and the standard that it is told to follow.
type language struct{ name, compiler, standard string }

var (
	c11   = language{"C11", "gcc", "c11"}
	cxx17 = language{"C++17", "g++", "c++17"}
)

// madeFolder holds what the tests have built; TestMain removes it.
var madeFolder string

func TestMain(m *testing.M) {
	flag.Parse()
	if *extent != "quick" && *extent != "all" {
		fmt.Fprintf(os.Stderr, "-clib=%s: want quick or all\n", *extent)
		os.Exit(2)
	}
	var err error
	if madeFolder, err = os.MkdirTemp("", "tradechat-clib-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(madeFolder)
	programs.Remove()
	os.Exit(code)
}

// libraries builds them, once for all tests.
var libraries = sync.OnceValues(func() (folder string, err error) {
	folder = filepath.Join(madeFolder, "lib")
	return folder, buildLibraries(folder)
})

func buildLibraries(folder string, env ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), buildMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, root+"/scripts/c-libs.sh", folder)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// libs is the folder with the libraries.
func libs(t testing.TB) string {
	t.Helper()
	need(t, "gcc", "ar", "ld", "objcopy", "nm")
	folder, err := libraries()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// need skips the test unless all these programs are there.
func need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("SKIPPED: there is no %s on this machine, and this test is about what it does", p)
		}
	}
}

// archive and shared are the arguments that link one library.
func archive(folder, name string) []string { return []string{filepath.Join(folder, "lib"+name+".a")} }

func shared(folder, name string) []string {
	return []string{"-L" + folder, "-l" + name, "-Wl,-rpath," + folder}
}

// eachLanguage runs f with a program in every language: C with the static library of that name, C++ with the shared one.
func eachLanguage(t *testing.T, source, library string, f func(t *testing.T, program string), args ...string) {
	t.Helper()
	folder := libs(t)
	for l, link := range map[language][]string{c11: archive(folder, library), cxx17: shared(folder, library)} {
		t.Run(l.name, func(t *testing.T) { f(t, compile(t, l, source, append(link, args...)...)) })
	}
}

// compiled are the programs made so far, by their command lines.
var compiled = map[string]string{}

// compile makes a program in the language from a source in testdata, or of an absolute path. Tests that want the same one
// share it.
func compile(t testing.TB, l language, source string, args ...string) (program string) {
	t.Helper()
	need(t, l.compiler)
	if !filepath.IsAbs(source) {
		source = filepath.Join("testdata", source)
	}
	language := map[string]string{"gcc": "c", "g++": "c++"}[l.compiler]
	all := slices.Concat([]string{"-std=" + l.standard}, strict, []string{"-x", language, source, "-x", "none"}, args)
	line := strings.Join(append(all, l.compiler), " ")
	if program = compiled[line]; program == "" {
		program = filepath.Join(madeFolder, fmt.Sprintf("%s-%d", strings.TrimSuffix(filepath.Base(source), ".c"), len(compiled)))
		run(t, command(t, l.compiler, append(all, "-o", program)...))
		compiled[line] = program
	}
	return program
}

// command is one that ends with the test, and in any case in time.
func command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runMax)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, name, args...)
}

// run runs a command that has to succeed and returns what it printed on stdout.
func run(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, tail(stdout.String()), tail(stderr.String()))
	}
	return stdout.String()
}

// tail is the end of a long text.
func tail(text string) string { return text[max(0, len(text)-4000):] }
