/*
 * The ledger's commit and repair as a model for spin: may two workers, a master and a journal, any of which is killed between
 * any two accesses to shared memory, make or lose money, apply a request twice, leave a lock, or wait for each other for ever?
 *
 *     worker 0 ──┐  locks: account 0, account 1, log          every line that reads or writes a shared variable
 *     worker 1 ──┼─ accounts: balance, last seq               is a step of its own; a process is killed between steps
 *     master ────┤  log: head, ring of CAPACITY records
 *     journal ───┘  slots: announced locks, pending seq, generation
 *
 * The client of worker i is user i. He asks for REQUESTS_i deposits, or transfers to the other, whichever, and asks again when his
 * worker dies before the answer. A dead worker is repaired by the master, which may be killed too and then begins anew; then
 * the slot has its next generation. The journal checks each record against books of its own, and lets its place be written again.
 * Names are those of ../log.go, ../lock.go, ../ledger.go and ../repair.go.
 *
 * What must hold is asserted where it must: see CHECK, the journal, and the end of init. `make model` runs spin over every
 * interleaving, and then over each of the MISTAKEs, every one of which must be found.
 */

#ifndef REQUESTS_0
#define REQUESTS_0 2 /* of client 0 */
#endif
#ifndef REQUESTS_1
#define REQUESTS_1 1 /* of client 1 */
#endif
#ifndef KILLS
#define KILLS 2 /* of workers */
#endif
#ifndef MASTER_KILLS
#define MASTER_KILLS 1
#endif

#define WORKERS  2
#define ACCOUNTS 2
#ifndef CAPACITY
#define CAPACITY 3 /* records in the ring, of which one counts as garbage: the place of the next */
#endif
#define OPENING  1 /* balance of each account */
#define TALLIES  (REQUESTS_0 + REQUESTS_1 + 1)

#define ACCOUNT(a) (a)
#define LOG        2
#define LOCKS      3
#define NONE       LOCKS /* announces no lock */

#define FREE                0
#define OWNER(slot, gen)    ((gen) * WORKERS + (slot) + 1)
#define PLACE(seq)          ((seq) % CAPACITY)

#define FIRST    0 /* places of announcements */
#define SECOND   1
#define THIRD    2 /* the log's */
#define PLACES   3

/* Mistakes. Each is one line elsewhere. */
#define NO_MISTAKE                0
#define COMMIT_BEFORE_RECORD      1 /* the head is raised before the record is whole */
#define PENDING_AFTER_COMMIT      2 /* the pending seq is set after the commit point */
#define PENDING_CLEARED_EARLY     3 /* … and cleared before the record is applied */
#define ACCOUNTS_FREED_EARLY      4 /* the accounts are released before the record is applied */
#define ANNOUNCED_LATE            5 /* a lock is announced after it was taken */
#define RETRACTED_EARLY           6 /* … and the announcement withdrawn before it is released */
#define NO_LOG_LOCK               7
#define NO_LOCK_ORDER             8 /* the payer's account first */
#define REPAIR_FORGETS_PEER       9
#define REPAIR_FREES_ANY          10 /* whatever was announced, whoever owns it */
#define REPAIR_FREES_FIRST        11 /* the locks, and then applies the record */
#define REPAIR_APPLIES_GARBAGE    12 /* without looking at the head */
#define REPAIR_LEAVES_SUPPLY      13 /* the log's lock is freed, but the supply not derived */
#define RETRY_IGNORED             14 /* a request that was applied is applied again */
#define OVERWRITES_UNAPPLIED      15 /* the ring's place is used although a record in it is pending */
#define OVERWRITES_UNSYNCED       16 /* … although it is not on disk */

#ifndef MISTAKE
#define MISTAKE NO_MISTAKE
#endif

typedef Record {
	byte seq;
	byte slot;
	byte subject;
	byte peer; /* the subject: a deposit */
	byte subjectAfter;
	byte peerAfter;
	byte supplyAfter;
	byte reqID /* session i is client i's */
}

typedef Slot {
	byte announced[PLACES];
	byte pendingSeq;
	byte generation
}

/* Shared memory. */
byte lockWord[LOCKS];
byte balance[ACCOUNTS];
byte lastSeq[ACCOUNTS];
byte lastReqID[WORKERS]; /* of sessions */
byte head;
byte supply;
byte durable;
Record log[CAPACITY];
Slot slots[WORKERS];

/* Processes. */
bool killed[WORKERS];
bool masterKilled;
byte masterPid;
byte finished; /* clients that have all their answers */

/* What is true, whatever the memory says: the books as of the commit points. No process looks at it but to assert. */
byte trueBalance[ACCOUNTS];
byte trueSupply;
byte applications[WORKERS * TALLIES]; /* of each client's requests */

/* Taken, an account is as the log says. */
#define CHECK(ref) assert(ref >= LOG || balance[ref] == trueBalance[ref])

inline announce(place, ref) { slots[me].announced[place] = ref }

inline retract(place) { slots[me].announced[place] = NONE }

/* acquire takes a lock; NONE is had at once. The wait has no deadline here: locks that wait for one another are a deadlock. */
inline acquire(place, ref) {
#if MISTAKE != ANNOUNCED_LATE
	announce(place, ref);
#endif
	atomic { /* the compare-and-swap that succeeds */
		ref == NONE || lockWord[ref] == FREE ->
		if
		:: ref != NONE -> lockWord[ref] = OWNER(me, slots[me].generation)
		:: else
		fi;
		CHECK(ref)
	}
#if MISTAKE == ANNOUNCED_LATE
	;
	announce(place, ref)
#endif
}

inline release(place, ref) {
#if MISTAKE == RETRACTED_EARLY
	retract(place);
#endif
	d_step {
		if
		:: ref != NONE ->
			assert(lockWord[ref] == OWNER(me, slots[me].generation)); /* never stolen */
			lockWord[ref] = FREE
		:: else
		fi
	};
	retract(place)
}

inline lockAccounts() {
	d_step {
		if
		:: peer == me -> first = me; second = NONE
#if MISTAKE == NO_LOCK_ORDER
		:: peer != me -> first = me; second = peer
#else
		:: me < peer -> first = me; second = peer
		:: peer < me -> first = peer; second = me
#endif
		fi
	};
	acquire(FIRST, first);
	acquire(SECOND, second)
}

inline unlockAccounts() {
	release(SECOND, second);
	release(FIRST, first)
}

/* applyRow sets a row from the record at place p, if it is older; its last seq comes last. */
inline applyRow(p, account, after) {
	if
	:: atomic { lastSeq[account] < log[p].seq -> balance[account] = after };
		lastSeq[account] = log[p].seq
	:: lastSeq[account] >= log[p].seq
	fi
}

inline apply(p) {
	applyRow(p, log[p].subject, log[p].subjectAfter);
#if MISTAKE == REPAIR_FORGETS_PEER
	if
	:: _pid == masterPid || log[p].peer == log[p].subject
	:: else -> applyRow(p, log[p].peer, log[p].peerAfter)
	fi;
#else
	if
	:: log[p].peer == log[p].subject
	:: else -> applyRow(p, log[p].peer, log[p].peerAfter)
	fi;
#endif
	d_step {
		if
		:: lastReqID[log[p].slot] < log[p].reqID -> lastReqID[log[p].slot] = log[p].reqID
		:: else
		fi
	}
}

/* mayOverwrite: the place of the record after s counts as garbage once s is the head, so what that held is durable and applied. */
#define LAST_IN_PLACE(s) ((s) + 1 - CAPACITY)
#define PENDING_AT(i, s) (slots[i].pendingSeq != 0 && slots[i].pendingSeq <= LAST_IN_PLACE(s))
#define UNAPPLIED(s)     (MISTAKE != OVERWRITES_UNAPPLIED && (PENDING_AT(0, s) || PENDING_AT(1, s)))
#define UNSYNCED(s)      (MISTAKE != OVERWRITES_UNSYNCED && durable < LAST_IN_PLACE(s))
#define FULL(s)          ((s) + 1 > CAPACITY && (UNAPPLIED(s) || UNSYNCED(s)))

/* The commit point, and what is true from then on. */
inline raiseHead() {
	d_step {
		head = seq;
		trueBalance[me] = after;
		if
		:: peer != me -> trueBalance[peer] = peerAfter
		:: else -> trueSupply++
		fi;
		applications[me * TALLIES + request]++;
		assert(applications[me * TALLIES + request] == 1)
	}
}

/* The record is written in two halves: nobody looks at it before the head is raised, so its fields are not steps of their own. */
inline writeRecord() {
	d_step {
		log[PLACE(seq)].seq = seq;
		log[PLACE(seq)].slot = me;
		log[PLACE(seq)].supplyAfter = supply + (me == peer -> 1 : 0);
		log[PLACE(seq)].reqID = request
	};
	d_step {
		log[PLACE(seq)].subject = me;
		log[PLACE(seq)].peer = peer;
		log[PLACE(seq)].subjectAfter = after;
		log[PLACE(seq)].peerAfter = peerAfter
	}
}

inline lockLog() {
#if MISTAKE != NO_LOG_LOCK
	acquire(THIRD, LOG)
#else
	skip
#endif
}

inline unlockLog() {
#if MISTAKE != NO_LOG_LOCK
	release(THIRD, LOG)
#else
	skip
#endif
}

/* commitRecord is the ledger's commit: the record, the pending seq, the head, in this order. */
inline commitRecord() {
#if MISTAKE == COMMIT_BEFORE_RECORD
	slots[me].pendingSeq = seq;
	raiseHead();
	writeRecord();
#elif MISTAKE == PENDING_AFTER_COMMIT
	writeRecord();
	raiseHead();
	slots[me].pendingSeq = seq;
#else
	writeRecord();
	slots[me].pendingSeq = seq;
	raiseHead();
#endif
	supply = log[PLACE(seq)].supplyAfter;
	unlockLog();
#if MISTAKE == PENDING_CLEARED_EARLY
	slots[me].pendingSeq = 0;
#endif
#if MISTAKE == ACCOUNTS_FREED_EARLY
	unlockAccounts();
#endif
	apply(PLACE(seq));
	slots[me].pendingSeq = 0;
#if MISTAKE == ACCOUNTS_FREED_EARLY
	answered = true;
	goto answer;
#endif
	answered = true
}

/* post is what the ledger does for a caller that holds the accounts. A log that is full is ERR_SERVER_BUSY: the client asks again. */
inline post() {
	lockLog();
	seq = head + 1;
	if
	:: FULL(seq) -> unlockLog()
	:: else -> commitRecord()
	fi
}

/* execute holds the order against the session and the balances. */
inline execute() {
	if
	:: atomic { MISTAKE != RETRY_IGNORED && lastReqID[me] >= request -> /* applied: the first answer again */
			assert(applications[me * TALLIES + request] == 1);
			answered = true
		}
	:: atomic { (MISTAKE == RETRY_IGNORED || lastReqID[me] < request) && peer == me ->
			after = balance[me] + 1;
			peerAfter = 0
		};
		post()
	:: atomic { (MISTAKE == RETRY_IGNORED || lastReqID[me] < request) && peer != me && balance[me] > 0 ->
			after = balance[me] - 1;
			peerAfter = balance[peer] + 1
		};
		post()
	:: atomic { (MISTAKE == RETRY_IGNORED || lastReqID[me] < request) && peer != me && balance[me] == 0 -> answered = true }
	fi
}

/* A process that was killed takes no further step, even if its slot has been repaired since. */
#define DEAD (killed[me] || slots[me].generation != life)

/*
 * worker is slot me and its client. request and peer are the client's: they outlive the process. Killed, it stays where it is; its
 * successor begins anew once the master has repaired the slot.
 */
proctype worker(byte me) {
	byte request = 1, peer;
	byte first, second, seq, after, peerAfter;
	byte life; /* the generation that this process is */
	bool answered;

choose:
	atomic {
		first = 0; second = 0; seq = 0; after = 0; peerAfter = 0; answered = false;
		if
		:: request > (me == 0 -> REQUESTS_0 : REQUESTS_1) -> finished++; goto done
		:: else
		fi;
		if
		:: peer = me
		:: peer = 1 - me
		fi
	};
ask:
	{
		do
		:: answered -> break
		:: else ->
			lockAccounts();
			execute();
			unlockAccounts()
		od;
answer:
		request++
	} unless {
		atomic { DEAD -> first = 0; second = 0; seq = 0; after = 0; peerAfter = 0; answered = false };
		atomic { !killed[me] -> life = slots[me].generation }; /* repaired */
		goto ask
	};
	goto choose;
done:
	skip
}

inline applyPending() {
	seq = slots[dead].pendingSeq;
	if
	:: seq != 0 && (seq <= head || MISTAKE == REPAIR_APPLIES_GARBAGE) && log[PLACE(seq)].seq == seq && log[PLACE(seq)].slot == dead ->
		apply(PLACE(seq))
	:: else
	fi;
	slots[dead].pendingSeq = 0
}

#define REALLY_OWNS(ref) (lockWord[ref] == OWNER(dead, slots[dead].generation) || MISTAKE == REPAIR_FREES_ANY)

inline freeAnnounced(place) {
	ref = slots[dead].announced[place];
	if
	:: ref != NONE && REALLY_OWNS(ref) ->
#if MISTAKE != REPAIR_LEAVES_SUPPLY
		if
		:: ref == LOG -> supply = (head == 0 -> ACCOUNTS * OPENING : log[PLACE(head)].supplyAfter)
		:: else
		fi;
#endif
		lockWord[ref] = FREE
	:: else
	fi;
	slots[dead].announced[place] = NONE
}

inline freeAll() {
	freeAnnounced(FIRST);
	freeAnnounced(SECOND);
	freeAnnounced(THIRD)
}

/* master repairs who was killed. Killed itself, its successor begins the repair anew. */
proctype master() {
	byte dead, seq, ref;

	masterPid = _pid;
end:
	do
	:: killed[0] || killed[1] ->
		dead = (killed[0] -> 0 : 1);
		{
#if MISTAKE == REPAIR_FREES_FIRST
			freeAll();
#endif
			applyPending();
			freeAll();
			d_step { slots[dead].generation++; killed[dead] = false; dead = 0; seq = 0; ref = 0 }
		} unless {
			d_step { masterKilled -> masterKilled = false; dead = 0; seq = 0; ref = 0 }
		}
	od
}

/* nemesis kills, whenever it likes. */
proctype nemesis() {
	byte workers, masters;

end:
	do
	:: atomic { workers < KILLS && !killed[0] -> killed[0] = true; workers++ }
	:: atomic { workers < KILLS && !killed[1] -> killed[1] = true; workers++ }
	:: atomic { masters < MASTER_KILLS && !masterKilled && (killed[0] || killed[1]) -> masterKilled = true; masters++ }
	od
}

/* journal takes record after record, holds it against its own books, and then calls it durable. */
proctype journal() {
	byte books[ACCOUNTS] = OPENING;
	byte sum = ACCOUNTS * OPENING;

#define NEXT PLACE(durable + 1)
end:
	do
	:: durable < head ->
		atomic {
			assert(log[NEXT].seq == durable + 1);
			if
			:: log[NEXT].peer == log[NEXT].subject ->
				sum++;
				books[log[NEXT].subject]++
			:: else ->
				assert(books[log[NEXT].subject] > 0);
				books[log[NEXT].subject]--;
				books[log[NEXT].peer]++;
				assert(log[NEXT].peerAfter == books[log[NEXT].peer])
			fi;
			assert(log[NEXT].subjectAfter == books[log[NEXT].subject]);
			assert(log[NEXT].supplyAfter == sum)
		};
		durable++
	od
}

init {
	byte i;
	atomic {
		for (i : 0 .. ACCOUNTS - 1) {
			balance[i] = OPENING;
			trueBalance[i] = OPENING
		}
		supply = ACCOUNTS * OPENING;
		trueSupply = supply;
		for (i : 0 .. WORKERS - 1) {
			slots[i].announced[FIRST] = NONE;
			slots[i].announced[SECOND] = NONE;
			slots[i].announced[THIRD] = NONE
		}
		run master();
		run journal();
		run nemesis();
		run worker(0);
		run worker(1)
	}
	/* All answers were given, and nobody is being repaired: the memory is the truth, and nothing is held. */
	atomic {
		finished == WORKERS && !killed[0] && !killed[1] ->
		assert(balance[0] == trueBalance[0] && balance[1] == trueBalance[1]);
		assert(balance[0] + balance[1] == supply && supply == trueSupply);
		assert(lockWord[0] == FREE && lockWord[1] == FREE && lockWord[LOG] == FREE);
		assert(slots[0].pendingSeq == 0 && slots[1].pendingSeq == 0)
	}
}
