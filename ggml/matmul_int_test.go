package ggml

import (
	"slices"
	"testing"
)

// TestPrecision: activations are rounded by default, and are not where that is not wanted.
func TestPrecision(t *testing.T) {
	const rows, k, n = 40, 160, 35
	p := NewPool(2)
	defer p.Close()
	for _, typ := range []Type{Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, F16, Q4_K} {
		k := roundUp(k, typ.Block())
		x, xs := matrix(1, rows, k, 2)
		tw, w := tensor(typ, random(3, n*k, 0.1), k, n)
		want, sizes := product(xs, w, rows, k, n)
		for _, regime := range []Regime{Step, Window} {
			var got [2][]float32
			for i, precision := range []string{PrecisionFloat, ""} {
				c, err := NewCPU(p, CPUOptions{Precision: precision})
				if err != nil {
					t.Fatal(err)
				}
				tol := 4e-6 + 3e-7*slices.Max(sizes)
				m := weightOf(t, c, tw)
				if precision == "" && c.integers(m.(*weight)) {
					tol += roundingLoss(xs, w, k)
				}
				dst, _ := matrix(2, rows, n, 1)
				c.Linear(Linear{Dst: dst, X: x, W: m, Regime: regime})
				c.flush()
				got[i] = contents(t, dst)
				near(t, typ.String()+" "+precision, got[i], want, tol)
			}
			c, err := NewCPU(p, CPUOptions{})
			if err != nil {
				t.Fatal(err)
			}
			rounds := c.tab.Products[typ] != nil
			if regime == Step {
				rounds = c.tab.DotInt[typ] != nil
			}
			if rounded := differ(got[0], got[1]) >= 0; rounded != rounds {
				t.Errorf("%v, regime %v: activations rounded: %t", typ, regime, rounded)
			}
		}
	}
	if _, err := NewCPU(p, CPUOptions{Precision: "double"}); err == nil {
		t.Error("a precision that does not exist was taken")
	}
}
