package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

// said is a room that keeps what was sent to it, and gives it back to its sender, as servers do: before the answer or after.
type said struct {
	mu    sync.Mutex
	texts []string
}

func (s *said) take(t *testing.T, f libproto.Frame) (seq uint64, text []byte) {
	var req libproto.ChatSendRequest
	if err := req.Decode(f.Body); err != nil {
		t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = append(s.texts, string(req.Message))
	return uint64(10 + len(s.texts)), req.Message
}

func (s *said) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.texts)
}

func newTalk(t *testing.T, pushFirst bool) (*bed, *said) {
	b := newRoom(t, func(*peertest.Conn) {})
	s := &said{}
	b.peer.Handle(libproto.OpChatSend, func(c *peertest.Conn, f libproto.Frame) {
		seq, text := s.take(t, f)
		own := libproto.ChatBroadcast{RoomID: 5, RoomSeq: seq, TimeNs: timeNs, FromUserID: 1, FromName: []byte(alice), Message: text}
		if pushFirst {
			c.Push(libproto.OpChatBroadcast, own)
		}
		c.Reply(f, libproto.ChatSendResponse{RoomSeq: seq, TimeNs: timeNs})
		if !pushFirst {
			c.Push(libproto.OpChatBroadcast, own)
		}
	})
	return b, s
}

func (b *bed) runReading(stdin io.Reader, args ...string) outcome {
	b.t.Helper()
	var out, errs strings.Builder
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*peertest.Patience)
	defer cancel()
	code := Run(ctx, args, Streams{In: stdin, Out: &out, Err: &errs, Getenv: func(name string) string { return b.env[name] }})
	return outcome{code, out.String(), errs.String()}
}

// TestJoinSendsLines: a pipe's lines are sent one by one, come back once, and a bad one does not stop the others.
func TestJoinSendsLines(t *testing.T) {
	for _, pushFirst := range []bool{false, true} {
		b, s := newTalk(t, pushFirst)
		stdin := "one\r\n\ntwo\n" + strings.Repeat("x", 4097) + "\n" + strings.Repeat("z", 10_000) + "\n\xff\n" + strings.Repeat("y", 4096) + "\nlast"
		got := b.runReading(strings.NewReader(stdin), "join", "den", "--count", "4")
		if want := []string{"one", "two", strings.Repeat("y", 4096), "last"}; !slices.Equal(s.all(), want) {
			t.Errorf("the room got %d messages: %.80q", len(s.all()), s.all())
		}
		want := "22:13:20 alice: one\n22:13:20 alice: two\n22:13:20 alice: " + strings.Repeat("y", 4096) + "\n22:13:20 alice: last\n"
		if got.code != program.ExitOK || got.out != want {
			t.Errorf("code %d, stdout %.200q", got.code, got.out)
		}
		for _, part := range []string{
			"-- not sent: " + strings.Repeat("x", lineHeadLen) + ": the line is too long: this server takes at most 4096 bytes\n",
			"-- not sent: " + strings.Repeat("z", lineHeadLen) + ": the line is too long", "not UTF-8",
		} {
			if !strings.Contains(got.err, part) {
				t.Errorf("stderr lacks %q: %s", part, got.err)
			}
		}
	}
}

// TestJoinGoesOnWithoutStdin: the end of what is no terminal ends nothing.
func TestJoinGoesOnWithoutStdin(t *testing.T) {
	b := newRoom(t, func(c *peertest.Conn) { c.Push(libproto.OpChatBroadcast, chat(11, "hi")) })
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, stdin := range map[string]io.Reader{"/dev/null": null, "closed": closed, "none": nil} {
		if got := b.runReading(stdin, "join", "den", "--count", "1"); got.code != program.ExitOK || got.out != "22:13:20 bob: hi\n" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestJoinOnATerminal: what the terminal has echoed is not printed again, whenever the message comes, and Ctrl-D leaves.
func TestJoinOnATerminal(t *testing.T) {
	for _, pushFirst := range []bool{false, true} {
		b, s := newTalk(t, pushFirst)
		keyboard, terminal := openTerminal(t)
		keyboard.WriteString("one\ntwo\n")
		if got := b.runReading(terminal, "join", "den", "--count", "2"); got.code != program.ExitOK || got.out != "" {
			t.Errorf("own messages are doubled: %+v", got)
		}
		keyboard, terminal = openTerminal(t)
		keyboard.WriteString("three\n\x04")
		if got := b.runReading(terminal, "join", "den"); got.code != program.ExitOK {
			t.Errorf("Ctrl-D: %+v", got)
		}
		if want := []string{"one", "two", "three"}; !slices.Equal(s.all(), want) {
			t.Errorf("the room got %q, want %q", s.all(), want)
		}
	}
}

// TestWhatWasTypedIsForgotten: nothing is left for a shell to run.
func TestWhatWasTypedIsForgotten(t *testing.T) {
	b := newRoom(t, func(c *peertest.Conn) {
		c.Push(libproto.OpChatBroadcast, chat(11, "hi"))
	})
	b.peer.Handle(libproto.OpChatSend, func(*peertest.Conn, libproto.Frame) {}) // never answered: the second line stays unread
	keyboard, terminal := openTerminal(t)
	keyboard.WriteString("one\nrm -rf precious\ntouch owned\n")
	b.runReading(terminal, "join", "den", "--count", "1")
	waiting := []unix.PollFd{{Fd: int32(terminal.Fd()), Events: unix.POLLIN}}
	if n, err := unix.Poll(waiting, 0); err != nil || n != 0 {
		t.Errorf("the terminal has input left: %d, %v", n, err)
	}
}

// TestSendReadsLines: each line is a message, and the first that fails ends it with the number of the line.
func TestSendReadsLines(t *testing.T) {
	b, s := newTalk(t, false)
	got := b.runReading(strings.NewReader("one\ntwo\n"), "send", "den", "-")
	if want := "sent to den as message 11\nsent to den as message 12\n"; got != (outcome{out: want}) || !slices.Equal(s.all(), []string{"one", "two"}) {
		t.Errorf("got %+v, the room %q", got, s.all())
	}
	got = b.runReading(strings.NewReader("three\n"+strings.Repeat("x", 5000)+"\nfour"), "send", "den", "-")
	if got.code != program.ExitUsage || !strings.Contains(got.err, "line 2: the line is too long") || len(s.all()) != 3 {
		t.Errorf("got %+v, the room %q", got, s.all())
	}
}

// TestReaderThatLeaves: the end of a pipe's reader ends a join like Ctrl-C does.
func TestReaderThatLeaves(t *testing.T) {
	program.SurviveClosedPipes()
	b := newRoom(t, func(c *peertest.Conn) { c.Push(libproto.OpChatBroadcast, chat(11, "hi")) })
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader.Close()
	var errs strings.Builder
	code := Run(t.Context(), []string{"join", "den"}, Streams{Out: writer, Err: &errs, Getenv: func(name string) string { return b.env[name] }})
	if code != program.ExitOK || strings.Contains(errs.String(), "tradechat:") {
		t.Errorf("code %d, %s", code, errs.String())
	}
}
