package ledger

// nameIndex finds users by name: open addressing over ids, at most half full. The names are in the table of users.
type nameIndex struct {
	buckets []uint32 // 0: free
}

// namesLeast is the smallest index; a power of two.
const namesLeast = 1 << 10

// nameHash is FNV-1a over the name's words: quick, and good enough for names.
func nameHash(name *Name) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < NameBytesMax && name[i] != 0; i++ {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h ^ h>>29
}

func (x *nameIndex) find(users []User, name *Name) (id uint32, found bool) {
	mask := uint64(len(x.buckets) - 1)
	for at := nameHash(name) & mask; ; at = (at + 1) & mask {
		switch id := x.buckets[at]; {
		case id == 0:
			return 0, false
		case users[id].Name == *name:
			return id, true
		}
	}
}

// add enters a user whose name is not there, in a table that holds it already.
func (x *nameIndex) add(users []User, id uint32) {
	if 2*len(users) > len(x.buckets) {
		x.rebuild(users)
		return
	}
	x.put(users, id)
}

func (x *nameIndex) put(users []User, id uint32) {
	mask := uint64(len(x.buckets) - 1)
	at := nameHash(&users[id].Name) & mask
	for x.buckets[at] != 0 {
		at = (at + 1) & mask
	}
	x.buckets[at] = id
}

// rebuild makes the index anew, with room for as many users again.
func (x *nameIndex) rebuild(users []User) {
	size := namesLeast
	for size < 4*len(users) {
		size *= 2
	}
	x.buckets = make([]uint32, size)
	for id := 1; id < len(users); id++ {
		x.put(users, uint32(id))
	}
}
