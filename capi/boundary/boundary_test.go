package boundary

import "testing"

func TestGuardTurnsAPanicIntoAResult(t *testing.T) {
	call := func(f func() int32) (result int32) {
		defer Guard(&result)
		return f()
	}
	var nowhere *int32
	if got := call(func() int32 { return 7 }); got != 7 {
		t.Errorf("without a panic: %d, want 7", got)
	}
	if got := call(func() int32 { panic("a mistake") }); got != Internal {
		t.Errorf("with a panic: %d, want %d", got, Internal)
	}
	if got := call(func() int32 { return *nowhere }); got != Internal {
		t.Errorf("with a nil pointer: %d, want %d", got, Internal)
	}
}

func TestTableKnowsItsHandlesOnly(t *testing.T) {
	a, b := Table[int]{Tag: TagDecoder, Most: 2}, Table[int]{Tag: TagLog, Most: 2}
	one, two := 1, 2
	first, result := a.Put(&one)
	if result != OK || a.Get(first) != &one {
		t.Fatalf("handle %#x, %d", first, result)
	}
	other, _ := b.Put(&two)
	for _, foreign := range []uintptr{0, other, first + 1, first + 1<<tagBits} {
		if a.Get(foreign) != nil || a.Take(foreign) != nil {
			t.Errorf("the table knows %#x", foreign)
		}
	}
	if a.Take(first) != &one || a.Get(first) != nil || a.Take(first) != nil {
		t.Error("a handle that was taken is still known")
	}
	for range 3 {
		again, _ := a.Put(&two)
		if again == first {
			t.Fatalf("%#x was given out twice", first)
		}
		a.Take(again)
	}
}

func TestTableIsBounded(t *testing.T) {
	table := Table[int]{Tag: TagLog, Most: 2}
	var handles []uintptr
	for range table.Most {
		h, result := table.Put(new(int))
		if result != OK {
			t.Fatalf("result %d", result)
		}
		handles = append(handles, h)
	}
	if h, result := table.Put(new(int)); result != Limit || h != 0 {
		t.Errorf("one too many: %#x, %d", h, result)
	}
	table.Take(handles[0])
	if _, result := table.Put(new(int)); result != OK {
		t.Errorf("after one was taken: %d", result)
	}
}
