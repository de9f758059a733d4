package ggml

// manyBytes is what it takes for memory to be worth large pages.
const manyBytes = 1 << 20

// zeroed returns n zeroed bytes. For many of them the system is asked for large pages: a product walks over megabytes in rows of a few KB, and to look up
// the small page that each lies in takes a tenth of its time.
func zeroed(n int) []byte {
	b := make([]byte, n)
	if n >= manyBytes {
		largePages(b)
	}
	return b
}
