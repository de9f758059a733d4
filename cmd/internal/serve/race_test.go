//go:build race

package serve

// underRace says that the race detector looks on, which makes plain code so slow that no model hears within seconds.
const underRace = true
