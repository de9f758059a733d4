package model

import "time"

// Segment is a stretch of speech with its text, final when it is delivered.
type Segment struct {
	Start, End time.Duration // from the beginning of the audio
	Text       string        // valid UTF-8 as far as the model's tokens are; most often starts with a space
	Tokens     []Token       // special ones and timestamps included

	// Window is where the window begins that the segment comes from, Temperature what its text was decoded at, and NoSpeech
	// the probability of "no speech" in it.
	Window                time.Duration
	Temperature, NoSpeech float32

	// SpeakerTurn says that somebody else speaks after this segment; see Options.SpeakerTurns.
	SpeakerTurn bool
}

// Token is a piece of text, or a special token, as the model gave it.
type Token struct {
	ID   int32
	Text string  // raw bytes; a character may be spread over tokens
	P    float32 // probability, 0 to 1

	// Start and End are the times estimated for the token, or −1 where none were asked for (Options.TokenTimes).
	Start, End time.Duration
}
