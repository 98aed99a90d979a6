package run

import (
	"crypto/sha256"
	"slices"

	"tradechat.internal/libproto"
)

// serve carries out one request, with s.mu held.
func (s *server) serve(p *peer, f libproto.Frame) {
	switch f.Op {
	case libproto.OpHello:
		s.hello(p, f)
	case libproto.OpRegister:
		s.register(p, f)
	case libproto.OpLogin:
		s.login(p, f)
	case libproto.OpLogout:
		p.answer(f, libproto.Empty{})
	case libproto.OpHeartbeat:
		request := parse[libproto.HeartbeatRequest](f)
		p.answer(f, libproto.HeartbeatResponse{ClientTimeNs: request.ClientTimeNs, ServerTimeNs: 1})
	case libproto.OpRoomOpen, libproto.OpJoinRoom, libproto.OpChatSend, libproto.OpRoomHistory:
		s.serveRoom(p, f)
	default:
		s.serveMoney(p, f)
	}
}

// parse decodes a request. One that is malformed is the load generator's fault, and ends the test.
func parse[T any, P interface {
	*T
	libproto.DecodableBody
}](f libproto.Frame) T {
	var body T
	if err := P(&body).Decode(f.Body); err != nil {
		panic(err)
	}
	return body
}

func (s *server) hello(p *peer, f libproto.Frame) {
	request := parse[libproto.HelloRequest](f)
	p.nonces[0] = request.ClientNonce
	p.nonces[1] = sha256.Sum256(request.ClientNonce[:])
	p.answer(f, libproto.HelloResponse{
		Version:       libproto.Version,
		BodyLenMax:    libproto.BodyLenMaxDefault,
		MessageLenMax: 4096,
		ServerNonce:   p.nonces[1],
		KDFIterations: libproto.KDFIterationsMin,
		Agent:         []byte("test server"),
	})
}

func (s *server) register(p *peer, f libproto.Frame) {
	request := parse[libproto.RegisterRequest](f)
	name := string(request.Username)
	if s.users[name] != nil {
		p.refuse(f, libproto.StatusAlreadyExists, 0)
		return
	}
	u := &user{id: uint32(len(s.byID)), name: name, stored: request.StoredKey, server: request.ServerKey}
	s.users[name] = u
	s.byID = append(s.byID, u)
	p.answer(f, libproto.RegisterResponse{UserID: u.id})
}

func (s *server) login(p *peer, f libproto.Frame) {
	request := parse[libproto.LoginRequest](f)
	u := s.users[string(request.Username)]
	var plain [libproto.KeyLen]byte
	if u == nil || s.deeds.refuseLogin ||
		!libproto.VerifyProof(u.stored, request.Proof, p.nonces[0], p.nonces[1], plain, request.Username) {
		p.refuse(f, libproto.StatusUnauthorized, 0)
		return
	}
	signer := u.server
	if s.deeds.impostor {
		signer[0] ^= 1
	}
	p.user = u
	p.session = uint64(len(s.sessions) + 1)
	s.sessions[p.session] = make(map[uint64]uint64)
	p.answer(f, libproto.LoginResponse{
		UserID: u.id, SessionID: p.session, Balance: u.balance,
		ServerSignature: libproto.ServerSignature(signer, p.nonces[0], p.nonces[1], plain, request.Username),
	})
}

func (s *server) serveRoom(p *peer, f libproto.Frame) {
	switch f.Op {
	case libproto.OpRoomOpen:
		request := parse[libproto.RoomOpenRequest](f)
		at := slices.IndexFunc(s.rooms, func(r *room) bool { return r.name == string(request.Name) })
		if at < 0 {
			at = len(s.rooms)
			s.rooms = append(s.rooms, &room{name: string(request.Name)})
		}
		p.answer(f, libproto.RoomOpenResponse{RoomID: uint32(at + 1)})
	case libproto.OpJoinRoom:
		request := parse[libproto.JoinRoomRequest](f)
		r := s.rooms[request.RoomID-1]
		if !slices.Contains(r.members, p) {
			r.members = append(r.members, p)
		}
		p.answer(f, libproto.JoinRoomResponse{LastSeq: uint64(len(r.said)), MemberCount: uint32(len(r.members))})
	case libproto.OpChatSend:
		s.chatSend(p, f)
	case libproto.OpRoomHistory:
		s.roomHistory(p, f)
	}
}

func (s *server) chatSend(p *peer, f libproto.Frame) {
	request := parse[libproto.ChatSendRequest](f)
	r := s.rooms[request.RoomID-1]
	seq := uint64(len(r.said) + 1)
	r.said = append(r.said, libproto.RoomMessage{
		RoomSeq: seq, TimeNs: seq, FromUserID: p.user.id, FromName: []byte(p.user.name), Message: slices.Clone(request.Message),
	})
	p.answer(f, libproto.ChatSendResponse{RoomSeq: seq, TimeNs: seq})
	for _, member := range r.members {
		s.deliver(r, member, request.RoomID, r.said[seq-1])
	}
}

// deliver pushes a message to one member, or does what is wrong instead.
func (s *server) deliver(r *room, to *peer, roomID uint32, m libproto.RoomMessage) {
	d := &s.deeds
	push := libproto.ChatBroadcast{
		RoomID: roomID, RoomSeq: m.RoomSeq, TimeNs: m.TimeNs, FromUserID: m.FromUserID, FromName: m.FromName, Message: m.Message,
	}
	switch {
	case s.strikes(&d.dropPush, false):
		return
	case s.strikes(&d.swapPush, false):
		r.held, r.heldFor = &push, to // until its next one
		return
	case s.strikes(&d.corruptPush, false):
		push.Message = slices.Clone(push.Message)
		push.Message[len(push.Message)/2] ^= 2
	case s.strikes(&d.repeatPush, false):
		to.push(libproto.OpChatBroadcast, push)
	case s.strikes(&d.gapPush, false):
		to.push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: roomID, Kind: libproto.RoomEventGap, FirstSeq: m.RoomSeq, LastSeq: m.RoomSeq})
		return
	case s.strikes(&d.gapPushForever, false):
		r.lost = int(m.RoomSeq)
		to.push(libproto.OpRoomEvent, libproto.RoomEvent{RoomID: roomID, Kind: libproto.RoomEventGap, FirstSeq: m.RoomSeq, LastSeq: m.RoomSeq})
		return
	}
	to.push(libproto.OpChatBroadcast, push)
	if r.held != nil && r.heldFor == to {
		to.push(libproto.OpChatBroadcast, *r.held)
		r.held = nil
	}
}

func (s *server) roomHistory(p *peer, f libproto.Frame) {
	request := parse[libproto.RoomHistoryRequest](f)
	r := s.rooms[request.RoomID-1]
	end := uint64(len(r.said))
	if request.BeforeSeq > 0 {
		end = min(end, request.BeforeSeq-1)
	}
	start := max(uint64(r.lost), end-min(end, uint64(request.RowsMax)))
	p.answer(f, libproto.RoomHistoryResponse{Messages: r.said[min(start, end):end]})
}

func (s *server) serveMoney(p *peer, f libproto.Frame) {
	switch f.Op {
	case libproto.OpDeposit:
		s.deposit(p, f)
	case libproto.OpWithdraw:
		request := parse[libproto.WithdrawRequest](f)
		if p.user.balance < int64(request.Amount) {
			p.refuse(f, libproto.StatusInsufficientFunds, 0)
			return
		}
		p.user.balance -= int64(request.Amount)
		s.applied(p, f)
	case libproto.OpTransfer:
		s.transfer(p, f)
	case libproto.OpTransferBatch:
		s.transferBatch(p, f)
	case libproto.OpBalance:
		balance := p.user.balance
		if isLoad(f) && s.strikes(&s.deeds.negativeBalance, false) {
			balance = -1
		}
		p.answer(f, libproto.BalanceResponse{Balance: balance, LastTxnID: s.txn})
	case libproto.OpTxnStatus:
		s.txnStatus(p, f)
	default:
		p.refuse(f, libproto.StatusUnsupported, 0)
	}
}

func (s *server) deposit(p *peer, f libproto.Frame) {
	amount := int64(parse[libproto.DepositRequest](f).Amount)
	if isLoad(f) && s.strikes(&s.deeds.extraCent, false) {
		amount++
	}
	if isLoad(f) && s.strikes(&s.deeds.forgetDeposit, false) {
		amount = 0
	}
	p.user.balance += amount
	s.applied(p, f)
}

func (s *server) transfer(p *peer, f libproto.Frame) {
	request := parse[libproto.TransferRequest](f)
	amount := int64(request.Amount)
	if p.user.balance < amount {
		p.refuse(f, libproto.StatusInsufficientFunds, 0)
		return
	}
	p.user.balance -= amount
	if !s.strikes(&s.deeds.forgetTransferHalf, false) {
		s.byID[request.ToUserID].balance += amount
	}
	s.applied(p, f)
}

// transferBatch carries out the legs one by one; the last one may be forgotten, though it is said to be applied.
func (s *server) transferBatch(p *peer, f libproto.Frame) {
	request := parse[libproto.TransferBatchRequest](f)
	forgetful := s.strikes(&s.deeds.forgetLeg, false)
	answer := libproto.TransferBatchResponse{}
	for i, leg := range request.Legs {
		if p.user.balance < int64(leg.Amount) {
			answer.Results = append(answer.Results, libproto.LegResult{Status: libproto.StatusInsufficientFunds})
			continue
		}
		if !forgetful || i+1 < len(request.Legs) {
			p.user.balance -= int64(leg.Amount)
			s.byID[leg.ToUserID].balance += int64(leg.Amount)
		}
		s.txn++
		s.sessions[p.session][f.ReqID] = s.txn
		answer.Results = append(answer.Results, libproto.LegResult{TxnID: s.txn})
	}
	if s.strikes(&s.deeds.dropLeg, false) {
		answer.Results = answer.Results[1:]
	}
	answer.Balance = p.user.balance
	p.answer(f, answer)
}

func (s *server) applied(p *peer, f libproto.Frame) {
	s.txn++
	s.sessions[p.session][f.ReqID] = s.txn
	p.answer(f, libproto.TxnResponse{Balance: p.user.balance, TxnID: s.txn})
}

func (s *server) txnStatus(p *peer, f libproto.Frame) {
	request := parse[libproto.TxnStatusRequest](f)
	answer := libproto.TxnStatusResponse{}
	if txn, ok := s.sessions[request.SessionID][request.ReqID]; ok {
		answer = libproto.TxnStatusResponse{Outcome: libproto.TxnApplied, TxnID: txn}
	}
	if s.deeds.forgetOutcomes || s.deeds.forgetUnapplied && answer.Outcome != libproto.TxnApplied {
		answer = libproto.TxnStatusResponse{Outcome: libproto.TxnForgotten}
	}
	p.answer(f, answer)
}

// supply is the sum of all balances.
func (s *server) supply() (sum int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.byID[1:] {
		sum += u.balance
	}
	return sum
}
