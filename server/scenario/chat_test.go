package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// room is a room that sessions of the script are in.
type room struct {
	id      uint32
	lastSeq uint64 // of the latest message that a talk has sent
}

// cmdJoin opens a room and has sessions join it.
func cmdJoin(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	name := in.next("room")
	for len(in.rest) > 0 {
		ts.Check(w.join(w.session(ts, in.next("session")), name))
	}
}

func (w *world) join(s *session, name string) error {
	var opened libproto.RoomOpenResponse
	if err := s.get(libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte(name)}, &opened); err != nil {
		return err
	}
	var joined libproto.JoinRoomResponse
	if err := s.get(libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: opened.RoomID}, &joined); err != nil {
		return err
	}
	if w.rooms[name] == nil {
		w.rooms[name] = &room{id: opened.RoomID, lastSeq: joined.LastSeq}
	}
	return nil
}

// heard is one message as a member got it.
type heard struct {
	seq        uint64
	from, text string
}

// speaker is one session in a talk: it says count messages and listens until all of everybody's have come.
type speaker struct {
	*session
	room         uint32
	count, total int
	length       int // least bytes of a message

	underWay map[uint64]string // text by req_id
	again    []string          // refused as busy
	said     map[string]uint64 // room_seq that the server gave to a text
	heard    []heard
}

// cmdTalk has sessions talk in a room, all at once, while others listen: then every one of them must have heard the same,
// which is everything, once and in the order of room_seq.
func cmdTalk(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	name := in.next("room")
	r := w.rooms[name]
	if r == nil {
		ts.Fatalf("nobody has joined the room %s", name)
	}
	count, length := in.number("messages each"), 0
	if in.skip("of") {
		length = in.number("bytes")
	}
	senders, listeners := splitAt(in.rest, "to")
	var speakers []*speaker
	for i, session := range slices.Concat(senders, listeners) {
		if slices.ContainsFunc(speakers, func(p *speaker) bool { return p.name == session }) {
			ts.Fatalf("%s is named twice", session)
		}
		p := &speaker{
			session: w.session(ts, session), room: r.id, total: count * len(senders), length: length,
			underWay: make(map[uint64]string), said: make(map[string]uint64),
		}
		if i < len(senders) {
			p.count = count
		}
		speakers = append(speakers, p)
	}
	ts.Check(together(speakers, (*speaker).converse))
	ts.Check(checkTalk(speakers, r.lastSeq))
	r.lastSeq += uint64(count * len(senders))
}

// together runs f for all at the same time.
func together[T any](all []T, f func(T) error) error {
	var wg sync.WaitGroup
	errs := make([]error, len(all))
	for i := range all {
		wg.Go(func() { errs[i] = f(all[i]) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// converse keeps talkWindow messages under way and takes what comes.
func (p *speaker) converse() error {
	over := time.Now().Add(workMax)
	for next := 0; len(p.said) < p.count || len(p.heard) < p.total; {
		if time.Now().After(over) {
			return fmt.Errorf("%s: %w: %d of %d messages are said", p.name, errPatience, len(p.said), p.count)
		}
		for len(p.underWay) < talkWindow && (next < p.count || len(p.again) > 0) {
			text := p.compose(next)
			if len(p.again) > 0 {
				text, p.again = p.again[0], p.again[1:]
			} else {
				next++
			}
			if err := p.say(text); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
		if err := p.take(); err != nil {
			return fmt.Errorf("%s, which has said %d of %d and heard %d of %d: %w", p.name, len(p.said), p.count, len(p.heard), p.total, err)
		}
	}
	return nil
}

// compose is a text that no other message has.
func (p *speaker) compose(n int) string {
	text := fmt.Sprintf("%s says %d", p.name, n)
	return text + strings.Repeat(".", max(0, p.length-len(text)))
}

func (p *speaker) say(text string) error {
	frame := p.request(libproto.OpChatSend, libproto.ChatSendRequest{RoomID: p.room, Message: []byte(text)})
	p.underWay[p.reqID] = text
	return p.write(frame)
}

// take reads one frame.
func (p *speaker) take() error {
	f, err := p.any()
	if err != nil {
		return err
	}
	switch {
	case f.Flags&libproto.FlagResponse != 0:
		return p.acknowledged(f)
	case f.Op == libproto.OpChatBroadcast:
		return p.hear(f)
	case f.Op == libproto.OpRoomEvent:
		return p.happened(f)
	}
	return fmt.Errorf("pushed %v", f.Op)
}

func (p *speaker) acknowledged(f libproto.Frame) error {
	text, asked := p.underWay[f.ReqID]
	if !asked {
		return fmt.Errorf("a response for req_id %d", f.ReqID)
	}
	delete(p.underWay, f.ReqID)
	var r libproto.ChatSendResponse
	err := decode(f, &r)
	if refusedWith(err, libproto.StatusServerBusy) {
		p.again = append(p.again, text)
		return nil
	}
	p.said[text] = r.RoomSeq
	return err
}

func (p *speaker) hear(f libproto.Frame) error {
	var b libproto.ChatBroadcast
	if err := decode(f, &b); err != nil {
		return err
	}
	if b.RoomID == p.room && b.Flags&libproto.ChatReplay == 0 {
		p.heard = append(p.heard, heard{seq: b.RoomSeq, from: string(b.FromName), text: string(b.Message)})
	}
	return nil
}

// happened lets joins and leaves pass; a gap would be a message that was not delivered.
func (p *speaker) happened(f libproto.Frame) error {
	var b libproto.RoomEvent
	if err := decode(f, &b); err != nil {
		return err
	}
	if b.Kind == libproto.RoomEventGap {
		return fmt.Errorf("gap %d … %d", b.FirstSeq, b.LastSeq)
	}
	return nil
}

// checkTalk compares what the members of a room have heard with what was said in it.
func checkTalk(speakers []*speaker, lastSeq uint64) error {
	said := make(map[string]uint64)
	for _, p := range speakers {
		for text, seq := range p.said {
			said[text] = seq
		}
	}
	for _, p := range speakers {
		for i, h := range p.heard {
			author, _, _ := strings.Cut(h.text, " says ")
			author, _, _ = strings.Cut(author, "/")
			switch seq, known := said[h.text]; {
			case h.seq != lastSeq+uint64(i)+1:
				return fmt.Errorf("%s: message %d has room_seq %d, not %d", p.name, i, h.seq, lastSeq+uint64(i)+1)
			case !known || seq != h.seq:
				return fmt.Errorf("%s: %q has room_seq %d, its sender was told %d", p.name, h.text, h.seq, seq)
			case h.from != author:
				return fmt.Errorf("%s: %q comes from %s", p.name, h.text, h.from)
			}
		}
	}
	return nil
}
