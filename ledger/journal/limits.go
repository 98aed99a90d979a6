package journal

const (
	// BlockRecordsMax is how many records one block holds: a group commit writes no more at once.
	BlockRecordsMax = 8192

	// FileBytesDefault, FileBytesLeast and FileBytesMost bound a journal file; the least holds one block of the largest size.
	FileBytesDefault = 64 << 20
	FileBytesLeast   = fileHeaderBytes + blockBytesMax
	FileBytesMost    = 1 << 30

	// witnessBytes is how much of what follows a fault is looked through at once.
	witnessBytes = 4 << 20

	// fillBytes is how much of a new file is filled with zeros at once.
	fillBytes = 1 << 20

	// SnapshotsKept is how many snapshots stay.
	SnapshotsKept = 3

	// sealsBytesMax is by how much seals may make a file longer than it is to be: those of the snapshots that are kept, and then some.
	sealsBytesMax = 32 * sealBytes

	blockBytesMax = blockHeaderBytes + BlockRecordsMax*recordBytes + blockTrailerBytes

	// chunkBytes is how much of a file is read at once; chunksAhead of them are read while others are folded.
	chunkBytes  = 4 << 20
	chunksAhead = 3

	// scrubBytes is how much of a snapshot a Scrub reads at once.
	scrubBytes = 256 << 10

	// snapshotUsersMax and snapshotRoomsMax bound what a snapshot may claim to hold, before it is believed.
	snapshotUsersMax = 1 << 24
	snapshotRoomsMax = 1 << 14
)
