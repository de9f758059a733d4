package bundle

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestAppend(t *testing.T) {
	here(t, nil)
	f, err := os.Create("x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := func(name string, size int, align int64, fill bool) Part {
		return Part{Name: name, Size: int64(size), Executable: fill, Align: align, Fill: fill,
			Open: func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(strings.Repeat(name[:1], size))), nil
			}}
	}
	const start = 0x1000 - lenLocal - 1
	parts := []Part{text("a", 10, 0x1000, true), text("b", 0x1000, 0x1000, true), text("c", 7, 1, false), text("d", 0, 1, false)}
	if err := Append(context.Background(), f, start, parts); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	all, err := Entries(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	end := int64(start)
	for i, p := range parts {
		at, next := p.Place(end)
		if m := all[i]; m.Name != p.Name || m.Offset != at || m.Size != p.Size || m.Header < end {
			t.Errorf("%+v, want %q at %#x", m, p.Name, at)
		}
		end = next
	}
	if all[0].Offset != 0x1000 || all[1].Offset != 0x3000 {
		t.Errorf("members at %#x and %#x, want 0x1000 and, its header behind the first one's zeros, 0x3000", all[0].Offset, all[1].Offset)
	}

	parts[0].Size++
	if err := Append(context.Background(), f, start, parts); err == nil {
		t.Error("a part shorter than it says is taken")
	}
	parts[0].Size = full32
	if err := Append(context.Background(), f, start, parts); err == nil {
		t.Error("a part of 4 GiB is taken")
	}
	parts[0].Open = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	parts[0].Size = 1
	if err := Append(context.Background(), f, start, parts); err == nil || err.Error() != "gone" {
		t.Errorf("%v, want gone", err)
	}
}
