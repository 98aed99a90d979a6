package clib

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packageVersion is what headers, files and pkg-config modules have to agree on.
const packageVersion = "0.1.0"

// A stage is what `make install DESTDIR=… PREFIX=/opt/tradechat` makes of the libraries.
type stage struct{ destdir, prefix string }

func install(t *testing.T) stage {
	t.Helper()
	s := stage{destdir: t.TempDir(), prefix: "/opt/tradechat"}
	s.script(t, "install")
	return s
}

func (s stage) script(t *testing.T, action string) {
	t.Helper()
	cmd := command(t, root+"/scripts/c-install.sh", action, libs(t))
	cmd.Env = append(os.Environ(), "PREFIX="+s.prefix, "DESTDIR="+s.destdir, "LIBDIR=", "INCLUDEDIR=", "MANDIR=")
	run(t, cmd)
}

func (s stage) lib() string { return s.destdir + s.prefix + "/lib" }

// pkgConfig asks for what is staged, where it lies now.
func (s stage) pkgConfig(t *testing.T, args ...string) []string {
	t.Helper()
	need(t, "pkg-config")
	cmd := command(t, "pkg-config", append([]string{"--define-variable=prefix=" + s.destdir + s.prefix}, args...)...)
	cmd.Env = append(os.Environ(), "PKG_CONFIG_LIBDIR="+s.lib()+"/pkgconfig")
	return strings.Fields(run(t, cmd))
}

// files are the names of what is there, without folders.
func (s stage) files(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(s.destdir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, strings.TrimPrefix(path, s.destdir+s.prefix+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

var installed = []string{
	"include/tradechat/log.h", "include/tradechat/net.h", "include/tradechat/proto.h",
	"lib/libtradechat-log.so.0", "lib/libtradechat-log.so.0.1.0", "lib/libtradechat-net.so.0", "lib/libtradechat-net.so.0.1.0",
	"lib/libtradechat-proto.so.0", "lib/libtradechat-proto.so.0.1.0",
	"lib/libtradechat.a", "lib/libtradechat.so", "lib/libtradechat.so.0", "lib/libtradechat.so.0.1.0",
	"lib/pkgconfig/tradechat-log.pc", "lib/pkgconfig/tradechat-net.pc", "lib/pkgconfig/tradechat-proto.pc",
	"lib/pkgconfig/tradechat.pc",
	"lib/tradechat/liblog.a", "lib/tradechat/liblog.so", "lib/tradechat/libnet.a", "lib/tradechat/libnet.so",
	"lib/tradechat/libproto.a", "lib/tradechat/libproto.so",
	"share/man/man3/tradechat-proto.3",
}

func TestInstallAndUninstall(t *testing.T) {
	s := install(t)
	if got := s.files(t); !slices.Equal(got, installed) {
		t.Errorf("installed is not what it should be: %v", difference(got, installed))
	}
	for _, name := range installed {
		if _, err := os.Stat(filepath.Join(s.destdir+s.prefix, name)); err != nil {
			t.Errorf("a link leads nowhere: %v", err)
		}
	}
	s.script(t, "uninstall")
	if got := s.files(t); len(got) != 0 {
		t.Errorf("left after uninstall: %v", got)
	}
}

// What pkg-config says makes programs, shared and static, and a shared one needs what it ought to.
func TestPkgConfig(t *testing.T) {
	s := install(t)
	for module, needed := range map[string]string{
		"tradechat-proto": "libtradechat-proto.so.0", "tradechat": "libtradechat.so.0",
	} {
		if got := s.pkgConfig(t, "--modversion", module); !slices.Equal(got, []string{packageVersion}) {
			t.Errorf("%s has version %v", module, got)
		}
		for kind, args := range map[string][]string{
			"shared":  s.pkgConfig(t, "--cflags", "--libs", module),
			"archive": append(s.pkgConfig(t, "--cflags", module), s.pkgConfig(t, "--variable=archive", module)...),
			"static":  append(s.pkgConfig(t, "--static", "--cflags", "--libs", module), "-static"),
		} {
			t.Run(module+" "+kind, func(t *testing.T) {
				program := compile(t, c11, absolute(t, "examples/c/dump.c"), append([]string{"-D_GNU_SOURCE"}, args...)...)
				if got := strings.Contains(run(t, command(t, "readelf", "-dW", program)), "["+needed+"]"); got != (kind == "shared") {
					t.Errorf("the program needs %s: %v", needed, got)
				}
				cmd := command(t, program)
				cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+s.lib())
				run(t, cmd)
			})
		}
	}
}

// A prefix with a blank makes pkg-config files that work, and one that no such file can hold is refused.
func TestPkgConfigOfAPrefixWithABlank(t *testing.T) {
	need(t, "pkg-config")
	s := stage{destdir: t.TempDir(), prefix: "/opt/my trade chat"}
	s.script(t, "install")
	program := filepath.Join(t.TempDir(), "dump")
	for _, module := range []string{"tradechat", "tradechat-proto"} {
		cmd := command(t, "sh", "-c", `eval "${CC:-gcc} -D_GNU_SOURCE -o '$PROGRAM' '$SOURCE' $(pkg-config --define-variable=prefix="$ROOT" --cflags --libs $MODULE)"`)
		cmd.Env = append(os.Environ(), "PKG_CONFIG_LIBDIR="+s.lib()+"/pkgconfig", "ROOT="+s.destdir+s.prefix, "MODULE="+module,
			"PROGRAM="+program, "SOURCE="+absolute(t, "examples/c/dump.c"))
		run(t, cmd)
		cmd = command(t, program)
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+s.lib())
		run(t, cmd)
	}
	s.script(t, "uninstall")
	if got := s.files(t); len(got) != 0 {
		t.Errorf("left after uninstall: %v", got)
	}
	for _, prefix := range []string{"relative/folder", "/opt/a\"b", "/opt/$HOME", "/opt/a\nb", `/opt/a\b`} {
		cmd := command(t, root+"/scripts/c-install.sh", "install", libs(t))
		cmd.Env = append(os.Environ(), "PREFIX="+prefix, "DESTDIR="+t.TempDir(), "LIBDIR=", "INCLUDEDIR=", "MANDIR=")
		if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "→") {
			t.Errorf("prefix %q: %v, %s", prefix, err, out)
		}
	}
}

// The three libraries one by one, all through pkg-config, in one program.
func TestPkgConfigOfThree(t *testing.T) {
	s := install(t)
	args := s.pkgConfig(t, "--cflags", "--libs", "tradechat-proto", "tradechat-net", "tradechat-log")
	program := compile(t, c11, "stress.c", append(args, "-pthread")...)
	cmd := command(t, program, t.TempDir(), "50")
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+s.lib())
	run(t, cmd)
}

// The manual's example compiles, and what it prints is a frame.
func TestManual(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/man/tradechat-proto.3")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(text), ".SH EXAMPLES\n.nf\n")
	code, _, ok := strings.Cut(code, "\n.fi")
	if !ok {
		t.Fatal("the manual has no example")
	}
	source := filepath.Join(t.TempDir(), "example.c")
	if err := os.WriteFile(source, []byte(strings.ReplaceAll(code, `\e`, `\`)), 0o644); err != nil {
		t.Fatal(err)
	}
	frame := run(t, command(t, compile(t, c11, source, archive(libs(t), "proto")...)))
	if len(frame) != 44 || !strings.HasPrefix(frame, "NS") {
		t.Errorf("the example printed %q", frame)
	}
	if _, err := exec.LookPath("man"); err == nil {
		out, err := command(t, "man", "--warnings", "-l", root+"/docs/man/tradechat-proto.3").CombinedOutput()
		if err != nil || strings.Contains(string(out), "warning") {
			t.Errorf("man: %v\n%s", err, out)
		}
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
