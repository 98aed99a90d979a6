package attacks

import "time"

const (
	// The bounds of what can be asked for.
	connectionsMax = 60_000
	bystandersMax  = 10_000
	rateMax        = 200_000
	roundsMax      = 100
	sourcesMax     = 200

	// workers is how many the attacked server has.
	workers = 2

	// openingMinor is what each user begins with: more than any run can move away, a cent at a time.
	openingMinor = 1 << 40

	// roomMembers is how many bystanders share a room.
	roomMembers = 5

	// chatBytes is the length of what a bystander says.
	chatBytes = 64

	// memoryEvery is how often the server's memory is looked at during a phase.
	memoryEvery = 50 * time.Millisecond

	// goneMax is how long the server may take to be rid of an attack's connections once the attacker is gone.
	goneMax   = 15 * time.Second
	goneEvery = 10 * time.Millisecond

	// ratioMax is what the p99 of bystanders may be under an attack, as a multiple of that without.
	ratioMax = 3

	// memoryGrowthMax is what an attack may cost the server at its height. It is what the largest attack may lawfully pin: the input
	// of one frame, and the output of one slow consumer, for each of its connections.
	memoryGrowthMax = 256 << 20

	// memoryKeptMax is how much higher the memory may be after a round than after the one before, on average.
	memoryKeptMax = 16 << 20

	// descriptorsSpare is how many descriptors the attacker needs beside its connections.
	descriptorsSpare = 64

	// nicenessAdded is what the attacker is nicer than the others, nicenessMost the most that there is.
	nicenessAdded = 10
	nicenessMost  = 19

	// dialMax is how long connecting may take, and redialAfter the pause after it failed.
	dialMax     = 5 * time.Second
	redialAfter = 20 * time.Millisecond

	// dialsAtOnce bounds the connections that are being opened, so that the kernel's queue of them does not overflow.
	dialsAtOnce = 128

	// farewellMax is how long one that was thrown out waits for the server to close.
	farewellMax = 2 * time.Second
)
