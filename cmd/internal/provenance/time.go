package provenance

import (
	"strconv"
	"time"
)

// SourceDate returns the moment that the environment variable SOURCE_DATE_EPOCH names in seconds, in UTC; ok is false where it is empty or
// no number.
func SourceDate(getenv func(string) string) (t time.Time, ok bool) {
	n, err := strconv.ParseInt(getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.Unix(n, 0).UTC(), true
}
