package gen

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tradechat.internal/libproto"
)

// Every body of every opcode goes through tshark: each frame is known by its name, every field is shown, and none is malformed.
func TestDissectorKnowsEveryField(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: apt-get install tshark")
	}
	var frames [][]byte
	var bodies []*Struct
	var titles []string
	add := func(op *Op, what string, flags libproto.Flags, status libproto.Status, s *Struct, body libproto.DecodableBody) {
		if s == nil {
			return
		}
		fill(reflect.ValueOf(body).Elem())
		header := libproto.Header{Op: libproto.Opcode(op.Value), ReqID: 7, Flags: flags, Status: status}
		frames, bodies, titles = append(frames, libproto.AppendFrame(nil, header, body)), append(bodies, s), append(titles, op.Wire+" "+what)
	}
	p := read(t)
	for _, op := range p.Ops {
		o := libproto.Opcode(op.Value)
		add(op, "request", 0, 0, op.Request, libproto.NewRequest(o))
		add(op, "response", libproto.FlagResponse, 0, op.Response, libproto.NewResponse(o))
		add(op, "push", 0, 0, op.Push, libproto.NewPush(o))
	}
	add(p.Ops[0], "response ERR_LIMIT", libproto.FlagResponse, libproto.StatusLimit, p.Bodies[0], new(libproto.ErrorBody))
	shown := dissect(t, tshark, frames)
	if len(shown) != len(frames) || len(frames) < 50 {
		t.Fatalf("%d of %d frames are shown", len(shown), len(frames))
	}
	for i := range frames {
		checkShown(t, titles[i], shown[i], bodies[i])
	}
}

// fill gives every field a value, and every list a row.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.CanUint():
			f.SetUint(1)
		case f.CanInt():
			f.SetInt(-1)
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
			fill(f.Index(0))
		case f.Kind() == reflect.Slice:
			f.SetBytes([]byte("x"))
		}
	}
}

func checkShown(t *testing.T, name, shown string, body *Struct) {
	t.Helper()
	if strings.Contains(shown, "malformed") || strings.Contains(shown, "Malformed") || !strings.Contains(shown, "tradechat "+name+"\n") {
		t.Errorf("%s:\n%s", name, shown)
	}
	for i := range body.Fields {
		f := &body.Fields[i]
		if f.Kind == List {
			checkShown(t, name, shown, f.Row)
		} else if !strings.Contains(shown, " "+WireName(f.Go)+": ") {
			t.Errorf("%s: no %s in\n%s", name, WireName(f.Go), shown)
		}
	}
}

// dissect is what tshark prints of each frame, every one of which a TCP segment to port 7878 carries.
func dissect(t *testing.T, tshark string, frames [][]byte) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "frames.pcap")
	if err := os.WriteFile(path, capture(frames), 0o600); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs(filepath.Join(root, "contrib/wireshark/tradechat.lua"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tshark, "-n", "-X", "lua_script:"+script, "-r", path, "-O", "tradechat")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	parts := strings.Split("\n"+string(out), "\nFrame ")
	return parts[1:]
}

// capture is a file of packets (pcap-savefile(5), link type raw IP), each an IPv4 header, a TCP header, and a payload; each is of a
// connection of its own.
func capture(payloads [][]byte) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = le.AppendUint16(le.AppendUint16(file, 2), 4)
	file = append(file, make([]byte, 8)...)
	file = le.AppendUint32(le.AppendUint32(file, 1<<18), 101)
	for i, payload := range payloads {
		length := 20 + 20 + len(payload)
		file = append(file, make([]byte, 8)...)
		file = le.AppendUint32(le.AppendUint32(file, uint32(length)), uint32(length))
		ip := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1}
		be.PutUint16(ip[2:], uint16(length))
		tcp := []byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0}
		be.PutUint16(tcp, uint16(40000+i))
		be.PutUint16(tcp[2:], 7878)
		file = append(append(append(file, ip...), tcp...), payload...)
	}
	return file
}
