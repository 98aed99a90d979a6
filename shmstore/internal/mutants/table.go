package main

// mutant is one seeded bug.
type mutant struct {
	name string
	bug  string // what the product does wrong then
	file string // from the root of the repository
	text []replacement
}

// replacement is a text that is in its file exactly once, and what stands there instead.
type replacement struct{ old, new string }

var mutants = []mutant{
	{
		"head-before-record", "the head is raised before the record is whole", "shmstore/log.go",
		[]replacement{{"\trec.Seq = seq\n", "\trec.Seq = seq\n\tst.seg.control.head.Store(seq)\n"}},
	},
	{
		"head-before-pending", "the head is raised before the pending seq is set", "shmstore/log.go",
		[]replacement{{
			"\tst.slot.pendingSeq = first.Seq\n\tc.head.Store(last.Seq)\n",
			"\tc.head.Store(last.Seq)\n\tst.slot.pendingSeq = first.Seq\n",
		}},
	},
	{
		"apply-before-commit", "balances are set before the commit point", "shmstore/log.go",
		[]replacement{{
			"\tst.slot.pendingSeq = first.Seq\n\tc.head.Store(last.Seq)\n",
			"\tst.slot.pendingSeq = first.Seq\n\tst.seg.apply(first)\n\tc.head.Store(last.Seq)\n",
		}},
	},
	{
		"pending-cleared-early", "the pending seq is cleared before the record is applied", "shmstore/log.go",
		[]replacement{{
			"\tst.seg.apply(first)\n",
			"\tst.slot.pendingSeq = 0\n\tst.seg.apply(first)\n",
		}},
	},
	{
		"user-before-its-deposit", "a user becomes part of history before its opening deposit does", "shmstore/log.go",
		[]replacement{{"\tc.head.Store(last.Seq)\n", "\tc.head.Store(first.Seq)\n\tc.head.Store(last.Seq)\n"}},
	},
	{
		"deposit-not-repaired", "the repair applies a user and not its opening deposit", "shmstore/repair.go",
		[]replacement{{"rec.OpensWithDeposit() && ", "rec.OpensWithDeposit() && rec.Seq == 0 && "}},
	},
	{
		"log-lock-left-out", "records are written without the log lock", "shmstore/log.go",
		[]replacement{{
			"\tif err := st.acquire(placeLog, lockLog, &c.logLock); err != nil {\n\t\treturn nil, err\n\t}\n\tseq :=",
			"\tseq :=",
		}},
	},
	{
		"overwritten-undurable", "a record is overwritten before it is durable", "shmstore/log.go",
		[]replacement{{"min(seg.appliedFloor(), seg.Durable())", "seg.appliedFloor()"}},
	},
	{
		"overwritten-unapplied", "a record is overwritten before it is applied", "shmstore/log.go",
		[]replacement{{"min(seg.appliedFloor(), seg.Durable())", "seg.Durable()"}},
	},
	{
		"ring-one-too-full", "the ring takes one record more than it can show", "shmstore/log.go",
		[]replacement{{"next, capacity := seq+recordsPerCommitMax, ", "next, capacity := seq+recordsPerCommitMax-1, "}},
	},
	{
		"accounts-unlocked-early", "the accounts' locks are released before the transaction", "shmstore/ledger.go",
		[]replacement{{
			"\tposting, err := st.executeLocked(o)\n\tst.unlockAccounts(o.user, o.peer)\n",
			"\tst.unlockAccounts(o.user, o.peer)\n\tposting, err := st.executeLocked(o)\n",
		}},
	},
	{
		"session-unchecked", "a transaction of a session that was taken over is committed", "shmstore/ledger.go",
		[]replacement{{"\tif !st.sessionCurrent(o.session) {\n", "\tif o.session.ID == 0 {\n"}},
	},
	{
		"retry-unknown", "a req_id that was applied is not recorded", "shmstore/ledger.go",
		[]replacement{{"\t\ts.lastReqID = rec.ReqID\n", "\t\t_ = s\n"}},
	},
	{
		"row-marked-early", "an account's last seq is set before its balance", "shmstore/ledger.go",
		[]replacement{
			{"\t\ta.balance = rec.SubjectBalance\n\t\tswitch", "\t\ta.lastSeq = rec.Seq\n\t\ta.balance = rec.SubjectBalance\n\t\tswitch"},
		},
	},
	{
		"epoch-unchecked", "a session's epoch does not count", "shmstore/session.go",
		[]replacement{{"s.ID != 0 && row.epoch.Load() == s.Epoch && row.id", "s.ID != 0 && row.id"}},
	},
	{
		"epoch-kept", "taking a session over does not fence the old connection", "shmstore/session.go",
		[]replacement{{
			"\t\treturn false\n\t}\n\trow.epoch.Add(1)\n\treturn true\n",
			"\t\treturn false\n\t}\n\treturn true\n",
		}},
	},
	{
		"announced-late", "a lock is announced after it is taken", "shmstore/lock.go",
		[]replacement{{
			"\tst.slot.announced[place] = ref\n\tif atomic.CompareAndSwapUint32(word, 0, st.owner) {\n\t\treturn nil\n\t}\n",
			"\tif atomic.CompareAndSwapUint32(word, 0, st.owner) {\n\t\tst.slot.announced[place] = ref\n\t\treturn nil\n\t}\n" +
				"\tst.slot.announced[place] = ref\n",
		}},
	},
	{
		"retracted-early", "an announcement is withdrawn before the lock is released", "shmstore/lock.go",
		[]replacement{{"\tunlock(word)\n\tst.retract(place)\n", "\tst.retract(place)\n\tunlock(word)\n"}},
	},
	{
		"lock-stolen", "the lock of a process that stands still is taken from it", "shmstore/lock.go",
		[]replacement{{
			"\t\tif left <= 0 || st.seg",
			"\t\tif st.seg.heartAge(ownerSlot(held)) > HolderStallMax && atomic.CompareAndSwapUint32(word, held|lockWaiters, st.owner) {\n" +
				"\t\t\treturn nil\n\t\t}\n\t\tif left <= 0 || st.seg",
		}},
	},
	{
		"lock-order", "accounts are locked in the order of the request", "shmstore/lock.go",
		[]replacement{{"low, high := min(a, b), max(a, b)", "low, high := a, b"}},
	},
	{
		"repair-forgets-a-lock", "a repair frees one account's lock of two", "shmstore/repair.go",
		[]replacement{{"range row.announced {", "range row.announced[:placeSecond] {"}},
	},
	{
		"repair-forgets-the-receiver", "a repair applies a transfer to one account of two", "shmstore/repair.go",
		[]replacement{{"\t\t\tseg.apply(rec)\n", "\t\t\tone := *rec\n\t\t\tone.Peer = one.Subject\n\t\t\tseg.apply(&one)\n"}},
	},
	{
		"repair-any-generation", "a repair frees locks of another generation of the slot", "shmstore/repair.go",
		[]replacement{{"&^lockWaiters == owner; freed", "&^lockWaiters&^lockGenerationMask == owner&^lockGenerationMask; freed"}},
	},
	{
		"repair-robs", "a repair frees what the dead slot only waited for", "shmstore/repair.go",
		[]replacement{{"&^lockWaiters == owner; freed", "&^lockWaiters != owner+1; freed"}},
	},
	{
		"repair-keeps-supply", "a repair does not set anew what follows from the head", "shmstore/repair.go",
		[]replacement{{"\t\t\tst.seg.deriveHead()\n", ""}},
	},
	{
		"repair-wakes-nobody", "a repair does not wake whom the dead had disarmed", "shmstore/repair.go",
		[]replacement{{"\tfor slot := range st.seg.slots {\n\t\tst.wake(slot)\n\t}\n", ""}},
	},
	{
		"user-shown-early", "a user exists before the row is whole", "shmstore/user.go",
		[]replacement{{
			"\trow := &seg.users[rec.Subject]\n\tif row",
			"\tseg.control.userCount.Store(max(seg.control.userCount.Load(), rec.Subject))\n\trow := &seg.users[rec.Subject]\n\tif row",
		}},
	},
	{
		"keys-shown-early", "new keys are in force before they are written", "shmstore/user.go",
		[]replacement{{
			"\t\trow.keys[next&1] = rec.Keys\n\t\trow.active.Store(next)\n",
			"\t\trow.active.Store(next)\n\t\trow.keys[next&1] = rec.Keys\n",
		}},
	},
	{
		"message-shown-early", "a message is published before it is written", "shmstore/ring.go",
		[]replacement{{
			"\tat := r.offset(tail + filler)\n",
			"\tr.publish(ringState{tail: tail + filler + size, lastSeq: lastSeq, lastTimeNs: max(before.lastTimeNs, e.timeNs)})\n" +
				"\tat := r.offset(tail + filler)\n",
		}},
	},
	{
		"message-untold", "a sender withdraws its announcement before it has told the room", "shmstore/room.go",
		[]replacement{{
			"\tif err == nil {\n\t\tst.announceRoom(room)\n\t}\n\tst.retract(placeFirst)\n",
			"\tst.retract(placeFirst)\n\tif err == nil {\n\t\tst.announceRoom(room)\n\t}\n",
		}},
	},
	{
		"wake-up-lost", "a sender does not wake the other workers", "shmstore/delivery.go",
		[]replacement{{"\t\t\tst.wakeSlot(i)\n", ""}},
	},
	{
		"armed-late", "a slot arms itself after it has looked for news", "shmstore/delivery.go",
		[]replacement{
			{"\tst.slot.armed.Store(1)\n", ""},
			{
				"\treturn dst, st.slot.mailDirty.Swap(0) == 1\n",
				"\tmail = st.slot.mailDirty.Swap(0) == 1\n\tst.slot.armed.Store(1)\n\treturn dst, mail\n",
			},
		},
	},
	{
		"awaits-late", "a worker says that it waits for a record after it has looked", "shmstore/durable.go",
		[]replacement{
			{"\tst.slot.awaits.Store(seq)\n\tif", "\tif"},
			{"!st.seg.ReadOnly() {\n\t\treturn false\n", "!st.seg.ReadOnly() {\n\t\tst.slot.awaits.Store(seq)\n\t\treturn false\n"},
		},
	},
	{
		"idle-late", "the journal says that it sleeps after it has looked", "shmstore/durable.go",
		[]replacement{
			{"\tatomic.StoreUint32(idle, 1)\n", ""},
			{"\tif st.seg.Head() <= after {\n", "\tif st.seg.Head() <= after {\n\t\tatomic.StoreUint32(idle, 1)\n"},
		},
	},
	{
		"sync-left-out", "a group counts as synced without fdatasync", "ledger/journal/writer.go",
		[]replacement{{
			"\tif err := w.disk.sync(w.file); err != nil {\n\t\treturn w.die(",
			"\tif err := error(nil); err != nil {\n\t\treturn w.die(",
		}},
	},
	{
		"retry-with-other-contents", "a retry is not held against the contents of the request that was applied", "shmstore/retry.go",
		[]replacement{{"(r.Fingerprint == o.fingerprint || r.Fingerprint == 0) && ", ""}},
	},
	{
		"refusal-not-noted", "a refused request may come again with other contents", "shmstore/retry.go",
		[]replacement{{"\trow.refusedPrint = fingerprint\n", "\t_ = fingerprint\n"}},
	},
	{
		"session-ids-without-epoch", "the sessions of a new segment may have the ids of the old one's", "shmstore/sessionid.go",
		[]replacement{{"c.sessionEpoch << sessionEpochShift", "c.sessionEpoch &^ c.sessionEpoch << sessionEpochShift"}},
	},
	{
		"session-ids-of-the-future", "a session's id names a head that the log has not reached, which hides its own postings", "shmstore/sessionid.go",
		[]replacement{{"next>>sessionSerialBits > head", "next>>sessionSerialBits > head+1<<40"}},
	},
	{
		"misfit-written", "a record that does not follow from those before it is written", "ledger/journal/writer.go",
		[]replacement{{
			"\tif _, err := w.fold.ApplyAll(records); err != nil {\n\t\treturn w.die(err)\n\t}\n",
			"\t_, _ = w.fold.ApplyAll(records)\n",
		}},
	},
	{
		"acknowledged-unsynced", "the log writer publishes a group before its sync", "server/internal/logwriter/logwriter.go",
		[]replacement{{
			"\t\tif err := p.writer.Sync(); err != nil {\n\t\t\treturn err\n\t\t}\n",
			"\t\tp.store.PublishDurable(p.writer.Head())\n\t\tif err := p.writer.Sync(); err != nil {\n\t\t\treturn err\n\t\t}\n",
		}},
	},
	{
		"published-unwritten", "the log writer publishes a group before it is written", "server/internal/logwriter/logwriter.go",
		[]replacement{{
			"\tif err := p.writer.Append(group); err != nil {\n",
			"\tp.store.PublishDurable(group[len(group)-1].Seq)\n\tif err := p.writer.Append(group); err != nil {\n",
		}},
	},
	{
		"answered-undurable", "a worker answers for records that are not durable", "server/internal/worker/request.go",
		[]replacement{{"\tif seq <= w.segment.Durable() {\n", "\tif seq <= w.segment.Head() {\n"}},
	},
	{
		"journal-not-nudged", "a worker commits and does not wake the journal", "server/internal/worker/loop.go",
		[]replacement{{"\t\tw.store.NudgeLogWriter()\n", ""}},
	},
}
