package run

import (
	"net"
	"slices"
	"sync"
	"testing"

	"tradechat.internal/libproto"
)

// deeds are what a server does wrong, or unkindly. A number says at which occasion, counted from 1; 0 is never.
type deeds struct {
	dropPush, repeatPush, swapPush, corruptPush int // broadcasts
	gapPush, gapPushForever                     int // a broadcast becomes a gap; forever: its history is gone, too
	pushUnasked                                 int // before which a DEPOSIT answer arrives as a push
	extraCent, forgetDeposit                    int // DEPOSITs
	forgetTransferHalf                          int // TRANSFERs
	forgetLeg, dropLeg                          int // TRANSFER_BATCHes: the last leg is not carried out; a result is missing
	negativeBalance                             int // BALANCEs
	wrongReqID, wrongOpcode, damagedAnswer      int // answers to a request of the load
	killBefore, killAfter                       int // every so many requests of the load: before or after carrying it out
	busyEvery, silentEvery, lateEvery           int // requests of the load
	goAway                                      int // requests of the load
	refuseLogin, impostor                       bool
	forgetOutcomes                              bool // TXN_STATUS no longer knows
	forgetUnapplied                             bool // nor does it, of what was not applied
}

// server speaks the protocol over real sockets: users, sessions, rooms and money in memory, behind one mutex.
type server struct {
	listener net.Listener
	deeds    deeds
	work     sync.WaitGroup

	enough chan struct{} // closed when so many requests of the load were served that a run may end

	mu       sync.Mutex
	requests int
	counts   map[*int]int // by field of deeds
	peers    map[*peer]struct{}
	users    map[string]*user
	byID     []*user
	rooms    []*room
	sessions map[uint64]map[uint64]uint64 // by session and req_id: the transaction
	txn      uint64
}

type user struct {
	id             uint32
	name           string
	stored, server [libproto.KeyLen]byte
	balance        int64
}

type room struct {
	name    string
	members []*peer
	said    []libproto.RoomMessage
	lost    int // so many of the first are no longer in the history
	held    *libproto.ChatBroadcast
	heldFor *peer
}

// peer is one connection. What is to be sent is queued, so that nobody waits for a reader.
type peer struct {
	server  *server
	conn    net.Conn
	user    *user
	session uint64
	nonces  [2][libproto.NonceLen]byte
	late    *libproto.Frame

	mu     sync.Mutex
	queued *sync.Cond
	out    []byte
	closed bool
}

// enoughRequests is how long the tests' runs are. A run ends by a count and not by a time, so that every deed has its
// occasion on a slow machine, too.
const enoughRequests = 5000

func startServer(t *testing.T, d deeds) *server {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		listener: listener,
		deeds:    d,
		enough:   make(chan struct{}),
		counts:   make(map[*int]int),
		peers:    make(map[*peer]struct{}),
		users:    make(map[string]*user),
		byID:     []*user{nil},
		rooms:    []*room{{name: libproto.LobbyName}},
		sessions: make(map[uint64]map[uint64]uint64),
	}
	s.work.Go(s.accept)
	t.Cleanup(s.stop)
	return s
}

func (s *server) addr() string { return s.listener.Addr().String() }

func (s *server) stop() {
	s.listener.Close()
	s.mu.Lock()
	for p := range s.peers {
		p.close()
	}
	s.mu.Unlock()
	s.work.Wait()
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		p := &peer{server: s, conn: conn}
		p.queued = sync.NewCond(&p.mu)
		s.mu.Lock()
		s.peers[p] = struct{}{}
		s.mu.Unlock()
		s.work.Go(p.read)
		s.work.Go(p.write)
	}
}

// again begins to count the requests of one more run.
func (s *server) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.enough = 0, make(chan struct{})
}

// strikes reports whether a deed happens now; every so many occasions if again is set. s.mu is held.
func (s *server) strikes(deed *int, again bool) bool {
	if *deed == 0 {
		return false
	}
	s.counts[deed]++
	return s.counts[deed] == *deed || again && s.counts[deed]%*deed == 0
}

func (p *peer) read() {
	defer p.leave()
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	var in []byte
	piece := make([]byte, 64<<10)
	for {
		frame, n, err := decoder.Next(in)
		if err != nil {
			return
		}
		if n > 0 {
			p.handle(frame)
			in = in[n:]
			continue
		}
		got, err := p.conn.Read(piece)
		if err != nil {
			return
		}
		in = append(in, piece[:got]...)
	}
}

func (p *peer) write() {
	for {
		p.mu.Lock()
		for len(p.out) == 0 && !p.closed {
			p.queued.Wait()
		}
		out, closed := p.out, p.closed
		p.out = nil
		p.mu.Unlock()
		if len(out) > 0 {
			if _, err := p.conn.Write(out); err != nil {
				closed = true
			}
		}
		if closed {
			p.conn.Close()
			return
		}
	}
}

func (p *peer) queue(h libproto.Header, body libproto.Body) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed { // a stream that ends has no holes before its end
		p.out = libproto.AppendFrame(p.out, h, body)
		p.queued.Signal()
	}
}

// close closes the connection once what is queued was sent.
func (p *peer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.queued.Signal()
}

func (p *peer) leave() {
	p.close()
	s := p.server
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, p)
	for _, r := range s.rooms {
		r.members = slices.DeleteFunc(r.members, func(m *peer) bool { return m == p })
	}
}

func (p *peer) answer(f libproto.Frame, body libproto.Body) {
	p.queue(libproto.Header{Op: f.Op, ReqID: f.ReqID, Flags: libproto.FlagResponse}, body)
}

func (p *peer) refuse(f libproto.Frame, status libproto.Status, retryAfterMs uint32) {
	h := libproto.Header{Op: f.Op, ReqID: f.ReqID, Flags: libproto.FlagResponse, Status: status}
	p.queue(h, libproto.ErrorBody{RetryAfterMs: retryAfterMs, Detail: []byte("as asked")})
}

func (p *peer) push(op libproto.Opcode, body libproto.Body) { p.queue(libproto.Header{Op: op}, body) }

// handle answers one request.
func (p *peer) handle(f libproto.Frame) {
	s := p.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if isLoad(f) {
		if s.requests++; s.requests == enoughRequests {
			close(s.enough)
		}
	}
	if p.late != nil {
		s.serve(p, *p.late)
		p.late = nil
	}
	if isLoad(f) && p.misbehave(&f) {
		return
	}
	s.serve(p, f)
	if isLoad(f) && s.strikes(&s.deeds.killAfter, true) {
		p.mu.Lock()
		p.out = nil
		p.mu.Unlock()
		p.close()
	}
}

// isLoad tells the load's requests from those that prepare and audit, whose req_ids count from 1.
func isLoad(f libproto.Frame) bool {
	if f.ReqID < 1<<12 {
		return false
	}
	switch f.Op {
	case libproto.OpHeartbeat, libproto.OpChatSend, libproto.OpDeposit, libproto.OpWithdraw, libproto.OpTransfer, libproto.OpBalance,
		libproto.OpTransferBatch:
		return true
	}
	return false
}

// misbehave does what is wrong with an answer or instead of one. done tells that the request is dealt with.
func (p *peer) misbehave(f *libproto.Frame) (done bool) {
	s, d := p.server, &p.server.deeds
	switch {
	case s.strikes(&d.killBefore, true):
		p.close()
	case s.strikes(&d.busyEvery, true):
		p.refuse(*f, libproto.StatusServerBusy, 20)
	case s.strikes(&d.silentEvery, true):
	case s.strikes(&d.lateEvery, true):
		p.late = &libproto.Frame{Header: f.Header, Body: slices.Clone(f.Body)} // until the next request
	case s.strikes(&d.goAway, false):
		p.push(libproto.OpGoingAway, libproto.GoingAway{Reason: libproto.GoingAwayShutdown, ReconnectAfterMs: 10})
		return false
	case s.strikes(&d.pushUnasked, false):
		p.push(libproto.OpDeposit, libproto.TxnResponse{Balance: 1, TxnID: 1})
		return false
	case s.strikes(&d.wrongReqID, false):
		f.ReqID++
		return false
	case s.strikes(&d.wrongOpcode, false):
		p.answer(libproto.Frame{Header: libproto.Header{Op: libproto.OpWho, ReqID: f.ReqID}}, libproto.WhoResponse{})
	case s.strikes(&d.damagedAnswer, false):
		p.damage(*f)
	default:
		return false
	}
	return true
}

// damage answers with a frame whose last byte is wrong.
func (p *peer) damage(f libproto.Frame) {
	frame := libproto.AppendFrame(nil, libproto.Header{Op: f.Op, ReqID: f.ReqID, Flags: libproto.FlagResponse},
		libproto.TxnResponse{Balance: 1, TxnID: 1})
	frame[len(frame)-1] ^= 1
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = append(p.out, frame...)
	p.queued.Signal()
}
