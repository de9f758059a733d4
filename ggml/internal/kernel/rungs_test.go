package kernel_test

import (
	"os"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/ggml/internal/kernel"
)

// TestRequired fails where a rung that the environment variable RUNGS names cannot be had: other tests pass over such a rung.
func TestRequired(t *testing.T) {
	for name := range strings.FieldsSeq(os.Getenv("RUNGS")) {
		if _, err := kernel.Choose(name); err != nil {
			t.Error(err)
		}
	}
}
