package bundle

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// identity tells which file has a name now. What os.Stat returns would look on Windows when it is compared, by the name.
func identity(t *testing.T, name string) os.FileInfo {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestPut(t *testing.T) {
	here(t, map[string]string{"program": string(elf(3000)), "tiny.bin": "lmgg and more", "text": "no model"})
	must(t, "program", "tiny.bin", "text")
	licence := File{"LICENSE", []byte(strings.Repeat("free ", 1000))}
	put := func(when time.Time, files ...File) (before, after os.FileInfo) {
		t.Helper()
		before = identity(t, "program")
		if err := Put(context.Background(), "program", files, when); err != nil {
			t.Fatal(err)
		}
		return before, identity(t, "program")
	}
	put(FixedTime, licence, File{"NOTICE", []byte("one")})
	first := read(t, "program")
	if before, after := put(FixedTime, licence, File{"NOTICE", []byte("one")}); !os.SameFile(before, after) {
		t.Error("what is there already is written again")
	}
	if before, after := put(time.Unix(1800000000, 0).UTC(), licence, File{"NOTICE", []byte("one")}); os.SameFile(before, after) {
		t.Error("another time is left out")
	}
	put(FixedTime, licence, File{"NOTICE", []byte("another")})
	got := contents(t, "program")
	if got["LICENSE"] != string(licence.Data) || got["NOTICE"] != "another" || got["tiny.bin"] != "lmgg and more" || len(got) != 4 {
		t.Errorf("%q", got)
	}
	put(FixedTime, licence, File{"NOTICE", []byte("one")})
	if !bytes.Equal(first, read(t, "program")) {
		t.Error("the same files make other bytes")
	}
	b, err := Open("program")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := b.Models(); !slices.Equal(got, []string{"tiny.bin"}) {
		t.Errorf("models %q", got)
	}
}

func TestPutRefuses(t *testing.T) {
	here(t, map[string]string{"text": "no program"})
	for _, name := range []string{"text", "none"} {
		if Put(context.Background(), name, []File{{"LICENSE", nil}}, FixedTime) == nil {
			t.Errorf("%s takes files", name)
		}
	}
}
