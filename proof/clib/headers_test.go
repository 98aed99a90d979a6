package clib

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var headers = []string{"proto", "net", "log"}

// Each header compiles by itself, in whatever a program is written in.
func TestHeadersAlone(t *testing.T) {
	for _, l := range []struct {
		compiler, language string
		standards          []string
	}{
		{"gcc", "c", []string{"c99", "c11", "c17"}},
		{"g++", "c++", []string{"c++98", "c++11", "c++14", "c++17", "c++20"}},
	} {
		for _, standard := range l.standards {
			t.Run(standard, func(t *testing.T) {
				need(t, l.compiler)
				for _, h := range headers {
					cmd := command(t, l.compiler, append(slices.Clone(strict), "-std="+standard, "-fsyntax-only", "-x", l.language, "-")...)
					cmd.Stdin = strings.NewReader(fmt.Sprintf("#include <tradechat/%s.h>\nint main(void) { return 0; }\n", h))
					run(t, cmd)
				}
			})
		}
	}
}

// The headers have one version, which is that of the package.
func TestHeadersHaveOneVersion(t *testing.T) {
	version := regexp.MustCompile(`#define TC_\w+_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)`)
	for _, h := range headers {
		var numbers []string
		for _, m := range version.FindAllStringSubmatch(readHeader(t, h), -1) {
			numbers = append(numbers, m[1])
		}
		if got := strings.Join(numbers, "."); got != packageVersion {
			t.Errorf("%s.h has version %s, want %s", h, got, packageVersion)
		}
	}
}

// The functions that the headers declare, and no others, are what the libraries export.
func TestOnlyDeclaredSymbolsAreExported(t *testing.T) {
	folder := libs(t)
	var all []string
	for _, h := range headers {
		want := declared(t, h)
		all = append(all, want...)
		wantExported(t, folder, "lib"+h, want)
	}
	wantExported(t, folder, "libtradechat", all)
}

// declared are the functions of a header.
func declared(t *testing.T, header string) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^[a-z][\w ]*[ *](tc_\w+)\(`).FindAllStringSubmatch(readHeader(t, header), -1) {
		names = append(names, m[1])
	}
	if len(names) < 5 {
		t.Fatalf("%s.h declares only %v", header, names)
	}
	return names
}

func readHeader(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "include/tradechat", name+".h"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantExported(t *testing.T, folder, name string, want []string) {
	t.Helper()
	slices.Sort(want)
	for file, flags := range map[string][]string{name + ".so": {"-D"}, name + ".a": {"-g"}} {
		out := run(t, command(t, "nm", append(flags, "--defined-only", "-P", filepath.Join(folder, file))...))
		var got []string
		for line := range strings.Lines(out) {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[1] == "A" { // the archive's member; the version's own name
				continue
			}
			symbol, version, _ := strings.Cut(fields[0], "@@")
			if wanted := strings.ToUpper(name) + "_0"; flags[0] == "-D" && version != wanted {
				t.Errorf("%s: %s has version %q, want %s", file, symbol, version, wanted)
			}
			got = append(got, symbol)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s exports what is not declared, or lacks what is:\n%v", file, difference(got, want))
		}
	}
}

// difference is what is in one of two lists only.
func difference(got, want []string) (d []string) {
	for _, s := range got {
		if !slices.Contains(want, s) {
			d = append(d, "+"+s)
		}
	}
	for _, s := range want {
		if !slices.Contains(got, s) {
			d = append(d, "-"+s)
		}
	}
	return d
}

// A program that has another libnet beside ours finds the right one: the names at run time differ.
func TestNamesAtRunTime(t *testing.T) {
	folder := libs(t)
	need(t, "readelf")
	for name, want := range map[string]string{
		"libproto": "libtradechat-proto.so.0", "libnet": "libtradechat-net.so.0", "liblog": "libtradechat-log.so.0",
		"libtradechat": "libtradechat.so.0",
	} {
		out := run(t, command(t, "readelf", "-dW", filepath.Join(folder, name+".so")))
		if !strings.Contains(out, "soname: ["+want+"]") {
			t.Errorf("%s.so is not called %s:\n%s", name, want, out)
		}
	}
}

// Without cgo everything still builds; the C packages are empty then.
func TestBuildsWithoutCgo(t *testing.T) {
	for _, module := range []string{"libproto", "libnet", "liblog", "libtradechat"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, "./...")
		cmd.Dir = filepath.Join(root, module)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s in %s: %v\n%s", cmd, module, err, out)
		}
	}
}
