package scenario

import (
	"fmt"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// cmdResume has a new connection take over the session that another one has or had.
func cmdResume(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	name, slot := in.next("name"), -1
	if !in.skip("from") {
		ts.Fatalf("resume NAME from SESSION [on SLOT] [gets ANSWER]")
	}
	past := w.past[in.next("session")]
	if past == nil {
		ts.Fatalf("nobody of that name has logged in")
	}
	if in.skip("on") {
		slot = in.number("slot")
	}
	answer := []string{libproto.StatusOK.String()}
	if in.skip("gets") {
		answer = in.rest
	}
	s, err := w.greeted(w.newName(ts, name), slot, false)
	if err == nil {
		err = w.resume(s, past, answer)
	}
	ts.Check(err)
	if answer[0] == libproto.StatusOK.String() {
		w.sessions[name], w.past[name] = s, s
	} else {
		s.hangUp()
	}
}

// resume makes the LOGIN, whose answer must be as expected, and goes on with the req_ids of the session.
func (w *world) resume(s, past *session, answer []string) error {
	u := w.users[s.user()]
	f, err := s.call(libproto.OpLogin, libproto.LoginRequest{
		Username: []byte(s.user()), Proof: s.proof(u.keys), ResumeSessionID: past.id,
	})
	if err != nil {
		return err
	}
	if err := w.matchAnswer(f, answer); err != nil {
		return err
	}
	if f.Status != libproto.StatusOK {
		return nil
	}
	var r libproto.LoginResponse
	if err := r.Decode(f.Body); err != nil {
		return err
	}
	if r.SessionID != past.id || r.LastReqID > past.reqID {
		return fmt.Errorf("%s: session %d with last req_id %d was resumed as %d with %d", s.name, past.id, past.reqID, r.SessionID, r.LastReqID)
	}
	s.id, s.reqID = past.id, max(past.reqID, s.reqID)
	return nil
}
