package bench

import (
	"testing"
)

func TestLoad(t *testing.T) {
	parse := func(s string) load {
		l, ok := parseLoad([]byte(s))
		if !ok {
			t.Errorf("%q is refused", s)
		}
		return l
	}
	before := parse("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n")
	after := parse("cpu  120 0 60 860 60 0 0 0 20 0\n")
	if got := after.since(before); got != 30 {
		t.Errorf("%v %% in use, want 30", got)
	}
	if got := before.since(after); got != 0 {
		t.Errorf("a clock that runs backwards: %v", got)
	}
	for _, s := range []string{"", "cpu", "cpu 1 2 3", "intr 1 2 3 4 5 6", "cpu 1 2 x 4 5 6", "cpu 1 2 3 4 -5"} {
		if l, ok := parseLoad([]byte(s)); ok {
			t.Errorf("%q is %+v", s, l)
		}
	}
	if _, ok := readLoad("testdata/none"); ok {
		t.Error("a file that is not there has a load")
	}
}

func FuzzParseLoad(f *testing.F) {
	f.Add([]byte("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n"))
	f.Add([]byte("cpu 18446744073709551615 18446744073709551615 1 1 1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if l, ok := parseLoad(data); ok {
			if share := l.since(load{}); share < 0 {
				t.Errorf("%+v: %v %%", l, share)
			}
		}
	})
}

func TestNoise(t *testing.T) {
	quiet, loud, uneven := Noise{Others: 1, Spin: 2}.judge(), Noise{Others: 30, Spin: 2}.judge(), Noise{Spin: 40}.judge()
	for _, test := range []struct {
		n    Noise
		want string
	}{
		{quiet, "quiet: others used 1 % of the machine, equal loops differed by 2 %"},
		{loud, "too noisy to tell: others used 30 % of the machine, equal loops differed by 2 %"},
		{quiet.worse(uneven), "too noisy to tell: others used 1 % of the machine, equal loops differed by 40 %"},
	} {
		if got := test.n.verdict(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
