package heritage

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The line is a pair of connected sockets (unix(7), SOCK_SEQPACKET), one for each child. A message is one packet:
//
//	child ──▶ master    verdict u8 │ reason u8 │ text …     once, when the child knows whether it can work
//	master ──▶ child    order u8                            once, when the child is to end
//	end of file         the other process is gone
//
// Signals say nothing to a child: whoever sends one to the group sends it to all at once, and a child that ended by it would be gone
// before those that need it.

// Verdict is what a child says once, when it knows whether it can work.
type Verdict uint8

const (
	VerdictReady   Verdict = 1
	VerdictDoubt   Verdict = 2 // the segment is not what disk says
	VerdictRefused Verdict = 3 // the journal cannot be used
)

// Reason is why, as far as the master has something of its own to say about it.
type Reason uint8

const (
	ReasonOther      Reason = 0
	ReasonDiskBehind Reason = 1 // disk has less than it once had
	ReasonTableFull  Reason = 2 // a table of the segment is too small for what disk has
)

// Word is a verdict with its reason. The text is for a person: no program looks into it.
type Word struct {
	Verdict Verdict
	Reason  Reason
	Text    string
}

const (
	wordHeadBytes = 2
	textBytesMax  = 2048 // of a word: the rest is cut off

	orderEnd byte = 1
)

var (
	// ErrOrphaned is why a child ends whose master is gone.
	ErrOrphaned = errors.New("the master is gone")

	// errWord is a packet that is none of the above.
	errWord = errors.New("heritage: not a message of this build")
)

// NewLine makes the two ends of a line. The child's is to be closed here once the child is started.
func NewLine() (master *os.File, child int, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, os.NewSyscallError("socketpair", err)
	}
	if err := unix.SetNonblock(ends[0], true); err != nil { // for the runtime's poller: no thread waits for a child
		return nil, -1, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(ends[0]), unix.Close(ends[1]))
	}
	return os.NewFile(uintptr(ends[0]), "line"), ends[1], nil
}

func (w Word) encode() []byte {
	return append([]byte{byte(w.Verdict), byte(w.Reason)}, w.Text[:min(len(w.Text), textBytesMax)]...)
}

func decodeWord(packet []byte) (Word, error) {
	if len(packet) < wordHeadBytes {
		return Word{}, fmt.Errorf("%w: % x", errWord, packet)
	}
	w := Word{Verdict: Verdict(packet[0]), Reason: Reason(packet[1]), Text: string(packet[wordHeadBytes:])}
	if w.Verdict < VerdictReady || w.Verdict > VerdictRefused || w.Reason > ReasonTableFull {
		return Word{}, fmt.Errorf("%w: verdict %d, reason %d", errWord, w.Verdict, w.Reason)
	}
	return w, nil
}

// Hear waits at the master's end for the child's next word. io.EOF: the child is gone.
func Hear(line *os.File) (Word, error) {
	packet := make([]byte, wordHeadBytes+textBytesMax)
	n, err := line.Read(packet)
	if err != nil {
		return Word{}, err
	}
	return decodeWord(packet[:n])
}

// AskToEnd tells the child to end. One that is gone does not hear it.
func AskToEnd(line *os.File) error {
	_, err := line.Write([]byte{orderEnd})
	return err
}

// Ready tells the master that this process works.
func (h Heritage) Ready() error { return h.Say(Word{Verdict: VerdictReady}) }

// Say tells the master a verdict.
func (h Heritage) Say(w Word) error {
	if _, err := unix.Write(h.LineFD, w.encode()); err != nil {
		return fmt.Errorf("heritage: the line to the master: %w", err)
	}
	return nil
}

// Obey calls end when the master asks this process to end, and returns nil when the master is gone, however it went. It holds a
// thread until then.
func (h Heritage) Obey(end func()) error {
	var order [1]byte
	for {
		n, err := unix.Read(h.LineFD, order[:])
		switch {
		case err == unix.EINTR:
		case err == unix.ECONNRESET: // gone, without having read our last word
			return nil
		case err != nil:
			return fmt.Errorf("heritage: the line to the master: %w", err)
		case n == 0:
			return nil
		case order[0] == orderEnd:
			end()
		default:
			return fmt.Errorf("heritage: the line to the master: %w: order %d", errWord, order[0])
		}
	}
}
