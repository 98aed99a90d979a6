package scenario

import (
	"slices"
	"strings"
	"testing"

	"tradechat.internal/libproto"
)

// A check that cannot fail proves nothing: these are what the commands of the scripts must find.

func TestCheckTalkFindsWhatItMust(t *testing.T) {
	talk := func(damage func(*speaker)) error {
		said := map[string]uint64{"ann says 0": 8, "ann says 1": 9}
		all := []heard{{8, "ann", "ann says 0"}, {9, "ann", "ann says 1"}}
		ann := &speaker{session: &session{name: "ann"}, said: said, heard: slices.Clone(all)}
		bob := &speaker{session: &session{name: "bob/2"}, heard: slices.Clone(all)}
		damage(bob)
		return checkTalk([]*speaker{ann, bob}, 7)
	}
	if err := talk(func(*speaker) {}); err != nil {
		t.Errorf("a good talk: %v", err)
	}
	for name, damage := range map[string]func(*speaker){
		"twice":        func(p *speaker) { p.heard[1] = p.heard[0] },
		"other order":  func(p *speaker) { slices.Reverse(p.heard) },
		"a hole":       func(p *speaker) { p.heard[1].seq = 10 },
		"the first":    func(p *speaker) { p.heard = p.heard[1:] },
		"other text":   func(p *speaker) { p.heard[1].text = "ann says 2" },
		"other author": func(p *speaker) { p.heard[1].from = "eve" },
	} {
		if talk(damage) == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestLaneFindsANegativeBalance(t *testing.T) {
	for balance, good := range map[int64]bool{0: true, 12: true, -1: false} {
		body := libproto.TxnResponse{Balance: balance, TxnID: 3}.AppendTo(nil)
		if err := new(lane).book(libproto.Frame{Body: body}); (err == nil) != good {
			t.Errorf("balance %d: %v", balance, err)
		}
	}
}

func TestComparison(t *testing.T) {
	const document = `{"a":{"b":[{"c":9223372036854775807},{"c":2}],"word":"up","yes":true}}`
	for text, want := range map[string]bool{
		"a.b.0.c == 9223372036854775807": true,
		"a.b.0.c == 9223372036854775806": false,
		"a.b.1.c > 1":                    true,
		"a.b.1.c > 2":                    false,
		"a.b.1.c >= 2":                   true,
		"a.b.1.c < 2":                    false,
		"a.b.1.c <= 2":                   true,
		"a.b.length == 2":                true,
		"a.word == up":                   true,
		"a.word != up":                   false,
		"a.word > 1":                     false,
		"a.yes == true":                  true,
		"a.none == 1":                    false,
		"a.b.2.c == 1":                   false,
		"a.word.x == 1":                  false,
		"a.b.1.c ~ 2":                    false,
	} {
		parts := strings.Fields(text)
		if err := (comparison{parts[0], parts[1], parts[2]}).check([]byte(document)); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMatchAnswer(t *testing.T) {
	w := newWorld(t.TempDir())
	w.users["ann"] = user{id: 7}
	body := libproto.LoginResponse{UserID: 7, SessionID: 9, Balance: -3}.AppendTo(nil)
	signature := "bytes:" + strings.Repeat("00", libproto.KeyLen)
	for text, want := range map[string]bool{
		"OK":                        true,
		"OK …":                      true,
		"OK user:ann …":             true,
		"OK u32:8 …":                false,
		"OK u32:>6 u64:<10 u64:* …": true,
		"OK u32:>7 …":               false,
		"OK u32:7 u64:9":            false, // more follows
		"OK u32:7 u64:9 u64:0 i64:-3 " + signature: true,
		"OK u32:7 u64:9 u64:0 i64:-3 bytes:* u8:0": false, // nothing follows
		"ERR_LIMIT": false,
		"NONE":      false,
	} {
		if err := w.matchAnswer(libproto.Frame{Body: body}, strings.Fields(text)); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestChangesOfAFrame(t *testing.T) {
	w, s := newWorld(t.TempDir()), &session{name: "ann"}
	decode := func(request string) (libproto.Frame, error) {
		e, err := w.encode(s, strings.Fields(request))
		if err != nil {
			t.Fatal(err)
		}
		decoder := libproto.Decoder{BodyLenMax: 1 << 16}
		f, _, err := decoder.Next(e.bytes)
		return f, err
	}
	for request, want := range map[string]error{
		"HEARTBEAT u64:9":              nil,
		"HEARTBEAT u64:9 set:39=01":    nil, // the checksum is made right again
		"HEARTBEAT u64:9 add:00":       nil,
		"HEARTBEAT u64:9 flip:39=01":   libproto.ErrChecksum,
		"HEARTBEAT u64:9 flip:22=01":   libproto.ErrChecksum,
		"HEARTBEAT u64:9 set:0=58":     libproto.ErrMagic,
		"HEARTBEAT u64:9 set:6=ff":     libproto.ErrBodyTooLong,
		"ROOM_OPEN str:tea u8:1 cut:1": nil,
	} {
		if _, err := decode(request); err != want {
			t.Errorf("%s: %v, not %v", request, err, want)
		}
	}
	if f, _ := decode("ROOM_OPEN str:tea u8:1 cut:1"); string(f.Body) != "\x00\x03tea" {
		t.Errorf("body %q", f.Body)
	}
	for _, request := range []string{"NONE", "HEARTBEAT u64:x", "HEARTBEAT 9", "TRANSFER user:nobody", "HEARTBEAT set:99=00", "0x10000"} {
		if _, err := w.encode(s, strings.Fields(request)); err == nil {
			t.Errorf("%s: taken", request)
		}
	}
}

func TestSocketRow(t *testing.T) {
	listening := "0: 0100007F:1EC6 00000000:0000 0A 00000000:00000011 00:00000000 00000000 0 0 4242 1 0 100 0 0 10 0"
	row, ok := parseSocketRow(strings.Fields(listening))
	if want := (socketRow{localPort: 0x1EC6, listening: true, queue: 17, inode: 4242}); !ok || row != want {
		t.Errorf("%+v, %v", row, ok)
	}
	if _, ok := parseSocketRow(strings.Fields("sl  local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode")); ok {
		t.Error("the head of the table was taken for a row")
	}
}
