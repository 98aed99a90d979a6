package chatcheck

const (
	// blockLen is the number of room_seqs that are compared at a time: as many as a word has bits.
	blockLen = 64

	// blocksMax bounds the blocks that a room keeps: the slowest live member may be 262,144 messages behind the
	// fastest. Whoever is further back can no longer be compared (Unchecked).
	blocksMax = 4096

	// historyBits is how many of a sender's serials a room tells apart: a message that gets its room_seq after this many
	// later ones of the same sender cannot be told from a repeated one (Unchecked).
	historyBits = 2048

	// ownMax bounds a sender's messages without a verdict, from the oldest to the newest. Over it the oldest is given
	// up: NotDelivered if it was acked.
	ownMax = 1 << 16

	// ownMin is a sender's first ring.
	ownMin = 64

	// holesMax bounds the announced gaps of a membership that are open at a time; one more is a GapOpen.
	holesMax = 16
)

// Widths of the parts of an ID and of a message's text, in bits.
const (
	connBits   = 23
	serialBits = 40
	runBits    = 30
)

// ConnectionsMax is the number of connections that an ID can tell apart.
const ConnectionsMax = 1 << connBits

// MessageLenMin is the shortest message, in bytes: the text without any filler.
const MessageLenMin = runDigits + connDigits + serialDigits + checkDigits
