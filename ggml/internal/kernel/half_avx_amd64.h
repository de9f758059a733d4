// Halves as floats without F16C. A half's bits, three to the right of the top of a word of 32, are a float that is 2⁻¹¹² of
// its value, be it subnormal or not; infinities and what is no number come out at 2¹⁶ and above, and get the exponent that
// they lack.

#define HALF_CONSTANT(name, pair) \
	DATA name<>+0(SB)/8, $pair  \
	DATA name<>+8(SB)/8, $pair  \
	DATA name<>+16(SB)/8, $pair \
	DATA name<>+24(SB)/8, $pair \
	GLOBL name<>(SB), RODATA|NOPTR, $32

HALF_CONSTANT(·halfBits, 0x8FFFE0008FFFE000)
HALF_CONSTANT(·halfFactor, 0x7780000077800000) // 2¹¹²
HALF_CONSTANT(·halfSize, 0x7FFFFFFF7FFFFFFF)
HALF_CONSTANT(·halfEnd, 0x4780000047800000) // 2¹⁶
HALF_CONSTANT(·halfInfinite, 0x7F8000007F800000)

// HALVES turns the eight halves at src into Y, whose low half is X. It takes XA and XB, the low halves of YA and YB.
#define HALVES(src, X, Y, XA, XB, YA, YB) \
	VMOVDQU     src, XA                  \
	VPUNPCKHWD  XA, XA, XB               \
	VPUNPCKLWD  XA, XA, XA               \
	VPSRAD      $3, XB, XB               \
	VPSRAD      $3, XA, X                \
	VINSERTF128 $1, XB, Y, Y             \
	VANDPS      ·halfBits<>(SB), Y, Y    \
	VMULPS      ·halfFactor<>(SB), Y, Y  \
	VANDPS      ·halfSize<>(SB), Y, YA   \
	VCMPPS      $13, ·halfEnd<>(SB), YA, YA \
	VANDPS      ·halfInfinite<>(SB), YA, YA \
	VORPS       YA, Y, Y
