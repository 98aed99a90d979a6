package clib

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/programs"
	"tradechat.internal/testkit/server"
)

// examples builds both examples as their Makefile does, from an installed tree; without pkg-config, by the same flags.
func examples(t *testing.T) (chat, dump string) {
	t.Helper()
	s := install(t)
	t.Setenv("LD_LIBRARY_PATH", s.lib())
	if _, err := exec.LookPath("pkg-config"); err != nil {
		t.Log("there is no pkg-config on this machine: the flags are given by hand")
		gnu := language{"C11", "gcc", "gnu11"}
		return compile(t, gnu, absolute(t, "examples/c/chat.c"), "-L"+s.lib(), "-ltradechat"),
			compile(t, gnu, absolute(t, "examples/c/dump.c"), s.lib()+"/tradechat/libproto.a")
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(absolute(t, "examples/c"))); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"chat", "dump"} {
		if err := os.RemoveAll(filepath.Join(folder, old)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := command(t, "make", "-C", folder, "CFLAGS=-Wall -Wextra -Werror -pedantic -Wconversion",
		"PKG_CONFIG=pkg-config --define-variable=prefix="+s.destdir+s.prefix)
	cmd.Env = append(os.Environ(), "PKG_CONFIG_LIBDIR="+s.lib()+"/pkgconfig", "MAKEFLAGS=")
	run(t, cmd)
	return filepath.Join(folder, "chat"), filepath.Join(folder, "dump")
}

// startServer runs a tradechatd of our own that anybody may register at.
func startServer(t *testing.T) *server.Server {
	t.Helper()
	binaries, err := proc.FindBinaries(programs.Folder(t, "tradechatd"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(t.Context(), binaries, server.Options{Workers: 2, Args: []string{"--registration", "open"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Discard)
	return s
}

// A recording lets one connection through to a server and keeps what goes both ways.
type recording struct {
	address         string
	asked, answered bytes.Buffer
	done            sync.WaitGroup
}

func record(t *testing.T, server string) *recording {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &recording{address: l.Addr().String()}
	r.done.Go(func() {
		in, err := l.Accept()
		if err != nil {
			return
		}
		defer in.Close()
		out, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer out.Close()
		var back sync.WaitGroup
		back.Go(func() { _, _ = io.Copy(in, io.TeeReader(out, &r.answered)) })
		_, _ = io.Copy(out, io.TeeReader(in, &r.asked))
		_ = out.(*net.TCPConn).CloseWrite()
		back.Wait()
	})
	return r
}

// A chatter is a running examples/c/chat.
type chatter struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan string
	stderr bytes.Buffer
}

func startChat(t *testing.T, program, address, user string) *chatter {
	t.Helper()
	c := &chatter{cmd: command(t, program, address, user, "--register"), lines: make(chan string, 1000)}
	c.cmd.Env = append(os.Environ(), "TRADECHAT_PASSWORD=correct-horse-battery")
	c.cmd.Stderr = &c.stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	return c
}

// say writes lines.
func (c *chatter) say(t *testing.T, lines ...string) {
	t.Helper()
	if _, err := io.WriteString(c.in, strings.Join(lines, "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
}

// hear waits for these lines, in that order, among others.
func (c *chatter) hear(t *testing.T, want ...string) {
	t.Helper()
	limit := time.After(runMax)
	for _, w := range want {
		for found := false; !found; {
			select {
			case line, ok := <-c.lines:
				if !ok {
					t.Fatalf("ended before it said %q\n%s", w, &c.stderr)
				}
				found = strings.HasPrefix(line, w)
			case <-limit:
				t.Fatalf("has not said %q", w)
			}
		}
	}
}

// end closes stdin; the program must end well.
func (c *chatter) end(t *testing.T) {
	t.Helper()
	c.in.Close()
	for range c.lines {
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("%s: %v\n%s", c.cmd, err, &c.stderr)
	}
}

func TestExamplesWithALiveServer(t *testing.T) {
	chat, dump := examples(t)
	s := startServer(t)
	r := record(t, s.Address)

	first := command(t, tutorial(t), s.Address)
	out := run(t, first)
	if !strings.HasPrefix(out, "tradechat") || !strings.HasSuffix(out, ", protocol 1, bodies up to 65536 bytes\n") {
		t.Errorf("the tutorial's program printed %q", out)
	}

	bob := startChat(t, chat, s.Address, "bob")
	bob.hear(t, "you are bob, user 1, balance 0", "joined the lobby, 1 there")
	alice := startChat(t, chat, r.address, "alice")
	alice.hear(t, "you are alice, user 2, balance 0", "joined the lobby, 2 there")
	alice.say(t, "hello, bob €", "/deposit 1000", "/pay bob 250", "/pay nobody 1", "/pay bob 99999", "/balance", "b\xffd", "/what")
	alice.hear(t, "done: transaction 4, balance 1000", "done: transaction 5, balance 750", "refused: ERR_NOT_FOUND",
		"refused: ERR_INSUFFICIENT_FUNDS", "balance 750", "refused: that is not UTF-8", "there are /deposit")
	bob.hear(t, "alice: hello, bob €")
	bob.say(t, "thank you", "/balance")
	bob.hear(t, "balance 250")
	alice.hear(t, "bob: thank you")
	alice.end(t)
	bob.end(t)
	for _, part := range []string{`"role":"chat","req_id":`, `"status":"ERR_INSUFFICIENT_FUNDS"`} {
		if !strings.Contains(alice.stderr.String(), part) {
			t.Errorf("alice's log lacks %s:\n%s", part, &alice.stderr)
		}
	}
	if _, err := s.Stop(); err != nil {
		t.Error(err)
	}
	r.done.Wait()
	checkDump(t, dump, r)
}

// tutorial is the program of docs/c-api.md.
func tutorial(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/c-api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(text), "```c\n")
	code, _, ok := strings.Cut(code, "```\n")
	if !ok {
		t.Fatal("the tutorial has no program")
	}
	source := filepath.Join(t.TempDir(), "first.c")
	if err := os.WriteFile(source, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	return compile(t, c11, source, archive(libs(t), "tradechat")...)
}

// checkDump lets the dumper read what was recorded.
func checkDump(t *testing.T, dump string, r *recording) {
	t.Helper()
	wantLines(t, dump, r.asked.Bytes(), nil,
		"request  HELLO", "request  REGISTER", "request  LOGIN", "request  JOIN_ROOM", `message="hello, bob €"`,
		"request  DEPOSIT", "request  USER_LOOKUP", "to=1 amount=250", "request  BALANCE", "request  LOGOUT")
	wantLines(t, dump, r.answered.Bytes(), nil,
		"response HELLO", "response LOGIN", `from="alice" message="hello, bob €"`, "balance=750 txn=5",
		"ERR_NOT_FOUND", "response LOGOUT")

	damaged := bytes.Clone(r.asked.Bytes())
	damaged[40] ^= 1
	wantLines(t, dump, damaged, []string{"exit status 1"}, "DAMAGED: the checksum differs", "request  LOGOUT")
	damaged[0] = 'X'
	wantLines(t, dump, damaged, []string{"exit status 1", "at byte 0: wrong magic"})
	wantLines(t, dump, r.asked.Bytes()[:r.asked.Len()-1], []string{"exit status 1", "31 bytes into it"}, "request  BALANCE")
}

// wantLines runs the dumper; its output holds the parts in that order, and its failure the words.
func wantLines(t *testing.T, dump string, stream []byte, failure []string, parts ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, dump)
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stream), &out, &problems
	err := cmd.Run()
	if (err != nil) != (failure != nil) {
		t.Errorf("dump: %v\n%s", err, &problems)
	}
	for _, word := range failure {
		if err != nil && !strings.Contains(err.Error()+problems.String(), word) {
			t.Errorf("dump: %v, %s; want %q", err, &problems, word)
		}
	}
	rest := out.String()
	for _, part := range parts {
		var ok bool
		if _, rest, ok = strings.Cut(rest, part); !ok {
			t.Errorf("dump lacks %q, or has it in another place:\n%s", part, &out)
		}
	}
}
