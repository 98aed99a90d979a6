package worker

import (
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// opRow is all that the worker knows of an opcode. To add one: a row here, and its handler.
type opRow struct {
	op      libproto.Opcode
	latency shmstore.Latency // under which its time is booked
	states  state            // in which it is allowed
	promise bool             // its answer may have to wait until a record is durable
	bind    binder           // decoder and handler
}

// opTable holds the opcodes that a client may send to a worker. Pushes are not among them, nor are those of the admin
// socket: to a client they do not exist.
var opTable = []opRow{
	{libproto.OpHello, shmstore.LatencySession, stateConnected, false, with((*Worker).hello)},
	{libproto.OpLogin, shmstore.LatencySession, stateGreeted, false, with((*Worker).login)},
	{libproto.OpLogout, shmstore.LatencySession, stateReady, false, with((*Worker).logout)},
	{libproto.OpHeartbeat, shmstore.LatencySession, stateGreeted | stateReady, false, with((*Worker).heartbeat)},
	{libproto.OpRegister, shmstore.LatencySession, stateGreeted, true, with((*Worker).register)},

	{libproto.OpJoinRoom, shmstore.LatencyChat, stateReady, false, with((*Worker).joinRoom)},
	{libproto.OpLeaveRoom, shmstore.LatencyChat, stateReady, false, with((*Worker).leaveRoom)},
	{libproto.OpChatSend, shmstore.LatencyChat, stateReady, false, with((*Worker).chatSend)},
	{libproto.OpRoomOpen, shmstore.LatencyChat, stateReady, true, with((*Worker).roomOpen)},
	{libproto.OpRoomList, shmstore.LatencyRead, stateReady, false, with((*Worker).roomList)},
	{libproto.OpRoomHistory, shmstore.LatencyRead, stateReady, false, with((*Worker).roomHistory)},
	{libproto.OpDirectSend, shmstore.LatencyChat, stateReady, false, with((*Worker).directSend)},
	{libproto.OpWho, shmstore.LatencyRead, stateReady, false, with((*Worker).who)},
	{libproto.OpUserLookup, shmstore.LatencyRead, stateReady, false, with((*Worker).userLookup)},

	{libproto.OpDeposit, shmstore.LatencyTrade, stateReady, true, with((*Worker).deposit)},
	{libproto.OpWithdraw, shmstore.LatencyTrade, stateReady, true, with((*Worker).withdraw)},
	{libproto.OpTransfer, shmstore.LatencyTrade, stateReady, true, with((*Worker).transfer)},
	{libproto.OpBalance, shmstore.LatencyRead, stateReady, true, with((*Worker).balance)},
	{libproto.OpTxnHistory, shmstore.LatencyRead, stateReady, true, with((*Worker).txnHistory)},
	{libproto.OpTransferBatch, shmstore.LatencyTrade, stateReady, true, with((*Worker).transferBatch)},
	{libproto.OpTxnStatus, shmstore.LatencyRead, stateReady, true, with((*Worker).txnStatus)},
}

// handler answers one request.
type handler func(w *Worker, r *request)

// binder makes a worker's own handler.
type binder func() handler

// decodable is a pointer to a request body.
type decodable[Q any] interface {
	*Q
	Decode(body []byte) error
}

// with makes the handler of a function that takes its request decoded. Each worker has one body for it, which every
// request overwrites: nothing is allocated, and lists reuse their capacity.
func with[Q any, P decodable[Q]](answer func(w *Worker, r *request, q *Q)) binder {
	return func() handler {
		q := new(Q)
		return func(w *Worker, r *request) {
			if err := P(q).Decode(r.frame.Body); err != nil {
				w.malformed(r, err)
				return
			}
			answer(w, r, q)
		}
	}
}

// opRows is opTable by libproto's dense index; nil where clients may not send the opcode.
var opRows = byIndex(opTable)

func byIndex(table []opRow) (rows [libproto.OpcodeCount]*opRow) {
	for i := range table {
		row := &table[i]
		index, known := row.op.Index()
		if !known || rows[index] != nil {
			panic("worker: bad row in the opcode table: " + row.op.String())
		}
		rows[index] = row
	}
	return rows
}

// lookup returns an opcode's dense index and its row, nil if clients may not send it.
func lookup(op libproto.Opcode) (index int, row *opRow) {
	if i, known := op.Index(); known {
		return i, opRows[i]
	}
	return 0, nil
}

// bindHandlers makes this worker's handlers.
func (w *Worker) bindHandlers() {
	for i, row := range opRows {
		if row != nil {
			w.handlers[i] = row.bind()
		}
	}
}
