package applet

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

func TestRegistry(t *testing.T) {
	var r Registry
	app := func(name string) New { return func(Env) *cli.App { return &cli.App{Name: name} } }
	r.Add("hear", app("hear"))
	r.Add("cut", app("cut"))
	if diff := cmp.Diff([]string{"cut", "hear"}, r.Names()); diff != "" {
		t.Error(diff)
	}
	n, ok := r.Get("hear")
	if !ok || n(Env{}).Name != "hear" {
		t.Error("Get does not return what was added")
	}
	if _, ok := r.Get("see"); ok {
		t.Error("Get returns a program that was never added")
	}
	defer func() {
		if recover() == nil {
			t.Error("a second program of the same name does not panic")
		}
	}()
	r.Add("cut", app("cut"))
}
