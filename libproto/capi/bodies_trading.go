//go:build cgo

package capi

// #include "private.h"
import "C"

import "tradechat.internal/libproto"

func encodeAmountRequest(_ *fault, dst []byte, b *C.tc_proto_amount_request) []byte {
	return libproto.AmountRequest{Amount: uint64(b.amount)}.AppendTo(dst)
}

func decodeAmountRequest(body []byte, to *C.tc_proto_amount_request) C.int {
	var b libproto.AmountRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_amount_request{amount: C.uint64_t(b.Amount)})
	return C.TC_PROTO_OK
}

func encodeTxnResponse(_ *fault, dst []byte, b *C.tc_proto_txn_response) []byte {
	return libproto.TxnResponse{Balance: int64(b.balance), TxnID: uint64(b.txn_id)}.AppendTo(dst)
}

func decodeTxnResponse(body []byte, to *C.tc_proto_txn_response) C.int {
	var b libproto.TxnResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_txn_response{balance: C.int64_t(b.Balance), txn_id: C.uint64_t(b.TxnID)})
	return C.TC_PROTO_OK
}

func transferIn(_ *fault, b *C.tc_proto_transfer_request) libproto.TransferRequest {
	return libproto.TransferRequest{ToUserID: uint32(b.to_user_id), Amount: uint64(b.amount)}
}

func transferOut(b *libproto.TransferRequest) C.tc_proto_transfer_request {
	return C.tc_proto_transfer_request{to_user_id: C.uint32_t(b.ToUserID), amount: C.uint64_t(b.Amount)}
}

func encodeTransferRequest(f *fault, dst []byte, b *C.tc_proto_transfer_request) []byte {
	return transferIn(f, b).AppendTo(dst)
}

func decodeTransferRequest(body []byte, to *C.tc_proto_transfer_request) C.int {
	var b libproto.TransferRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, transferOut(&b))
	return C.TC_PROTO_OK
}

func encodeBalanceResponse(_ *fault, dst []byte, b *C.tc_proto_balance_response) []byte {
	return libproto.BalanceResponse{Balance: int64(b.balance), LastTxnID: uint64(b.last_txn_id)}.AppendTo(dst)
}

func decodeBalanceResponse(body []byte, to *C.tc_proto_balance_response) C.int {
	var b libproto.BalanceResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_balance_response{balance: C.int64_t(b.Balance), last_txn_id: C.uint64_t(b.LastTxnID)})
	return C.TC_PROTO_OK
}

func encodeTxnHistoryRequest(_ *fault, dst []byte, b *C.tc_proto_txn_history_request) []byte {
	return libproto.TxnHistoryRequest{BeforeTxnID: uint64(b.before_txn_id), RowsMax: uint16(b.rows_max)}.AppendTo(dst)
}

func decodeTxnHistoryRequest(body []byte, to *C.tc_proto_txn_history_request) C.int {
	var b libproto.TxnHistoryRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_txn_history_request{before_txn_id: C.uint64_t(b.BeforeTxnID), rows_max: C.uint16_t(b.RowsMax)})
	return C.TC_PROTO_OK
}

func txnInfoIn(_ *fault, t *C.tc_proto_txn_info) libproto.TxnInfo {
	return libproto.TxnInfo{
		TxnID:        uint64(t.txn_id),
		TimeNs:       uint64(t.time_ns),
		Kind:         libproto.TxnKind(t.kind),
		PeerUserID:   uint32(t.peer_user_id),
		Delta:        int64(t.delta),
		BalanceAfter: int64(t.balance_after),
	}
}

func txnInfoOut(t *libproto.TxnInfo) C.tc_proto_txn_info {
	return C.tc_proto_txn_info{
		txn_id:        C.uint64_t(t.TxnID),
		time_ns:       C.uint64_t(t.TimeNs),
		kind:          C.uint8_t(t.Kind),
		peer_user_id:  C.uint32_t(t.PeerUserID),
		delta:         C.int64_t(t.Delta),
		balance_after: C.int64_t(t.BalanceAfter),
	}
}

func encodeTxnHistoryResponse(f *fault, dst []byte, b *C.tc_proto_txn_history_response) []byte {
	return libproto.TxnHistoryResponse{Txns: rowsIn(f, b.rows, b.count, 0, libproto.ListRowsMax, txnInfoIn)}.AppendTo(dst)
}

func decodeTxnHistoryResponse(body []byte, to *C.tc_proto_txn_history_response) C.int {
	var b libproto.TxnHistoryResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	return rowsOut(to.rows, to.rows_cap, &to.count, b.Txns, txnInfoOut)
}

func encodeTransferBatchRequest(f *fault, dst []byte, b *C.tc_proto_transfer_batch_request) []byte {
	return libproto.TransferBatchRequest{Legs: rowsIn(f, b.rows, b.count, 1, libproto.BatchLegsMax, transferIn)}.AppendTo(dst)
}

func decodeTransferBatchRequest(body []byte, to *C.tc_proto_transfer_batch_request) C.int {
	var b libproto.TransferBatchRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	return rowsOut(to.rows, to.rows_cap, &to.count, b.Legs, transferOut)
}

func legResultIn(_ *fault, r *C.tc_proto_leg_result) libproto.LegResult {
	return libproto.LegResult{Status: libproto.Status(r.status), TxnID: uint64(r.txn_id)}
}

func legResultOut(r *libproto.LegResult) C.tc_proto_leg_result {
	return C.tc_proto_leg_result{status: C.uint16_t(r.Status), txn_id: C.uint64_t(r.TxnID)}
}

func encodeTransferBatchResponse(f *fault, dst []byte, b *C.tc_proto_transfer_batch_response) []byte {
	results := rowsIn(f, b.rows, b.count, 0, libproto.BatchLegsMax, legResultIn)
	return libproto.TransferBatchResponse{Balance: int64(b.balance), Results: results}.AppendTo(dst)
}

func decodeTransferBatchResponse(body []byte, to *C.tc_proto_transfer_batch_response) C.int {
	var b libproto.TransferBatchResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	to.balance = C.int64_t(b.Balance)
	return rowsOut(to.rows, to.rows_cap, &to.count, b.Results, legResultOut)
}

func encodeTxnStatusRequest(_ *fault, dst []byte, b *C.tc_proto_txn_status_request) []byte {
	return libproto.TxnStatusRequest{SessionID: uint64(b.session_id), ReqID: uint64(b.req_id)}.AppendTo(dst)
}

func decodeTxnStatusRequest(body []byte, to *C.tc_proto_txn_status_request) C.int {
	var b libproto.TxnStatusRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_txn_status_request{session_id: C.uint64_t(b.SessionID), req_id: C.uint64_t(b.ReqID)})
	return C.TC_PROTO_OK
}

func encodeTxnStatusResponse(_ *fault, dst []byte, b *C.tc_proto_txn_status_response) []byte {
	return libproto.TxnStatusResponse{
		Outcome:      libproto.TxnOutcome(b.outcome),
		TxnID:        uint64(b.txn_id),
		BalanceAfter: int64(b.balance_after),
	}.AppendTo(dst)
}

func decodeTxnStatusResponse(body []byte, to *C.tc_proto_txn_status_response) C.int {
	var b libproto.TxnStatusResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_txn_status_response{
		outcome:       C.uint8_t(b.Outcome),
		txn_id:        C.uint64_t(b.TxnID),
		balance_after: C.int64_t(b.BalanceAfter),
	})
	return C.TC_PROTO_OK
}
