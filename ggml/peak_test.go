package ggml

import (
	"context"
	"errors"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// TestPeak asks for numbers that a machine could have, not for good ones.
func TestPeak(t *testing.T) {
	tabs := kernel.Tables()
	c := testCPU(t, tabs[len(tabs)-1], 2)
	p, err := c.Peak(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %.1f GFLOP/s, %.2f GB/s", c.Device(), p.Ops/1e9, p.Bytes/1e9)
	if p.Ops < 1e6 || p.Ops > 1e15 || p.Bytes < 1e6 || p.Bytes > 1e14 {
		t.Errorf("%+v", p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Peak(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}
